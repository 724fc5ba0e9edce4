package pipeline

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ablate/cache"
	"ablate/specs/arch"
	"ablate/stages/kind"
)

// Every key of a study's model enters the parameters of its trainings, under the same name.
func TestModelTakesEveryKey(t *testing.T) {
	const model = `{"d_model": 24, "layers": 3, "heads": 2, "context": 64, "block": "neox", "norm": "layernorm", "norm_bias": true,
		"norm_eps": 1e-4, "linear_bias": true, "qk_norm": true, "mlp": "swiglu", "mlp_hidden": 50, "attention_output": false,
		"tied_head": false, "rope_base": 500000, "rotary": 0.5, "init_std": 0.03, "vocab": 400}` // JSON is YAML
	p := compiled(t, parsed(t, "{d_model: 16, layers: 1, heads: 2, context: 32}", model))
	i, err := p.Find("seed")
	if err != nil {
		t.Fatal(err)
	}
	var params kind.TrainParams
	if err := json.Unmarshal(p.Steps[i].Params, &params); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(params.Model)
	if err != nil {
		t.Fatal(err)
	}
	want, got := object(t, []byte(model)), object(t, text)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[arch.Model]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if want[name] == nil {
			t.Errorf("model.%s: give it a value in this test, another one than the preset's", name)
		}
		if got[name] != want[name] {
			t.Errorf("model.%s: the training has %v, the study %v", name, got[name], want[name])
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("the training has %v, which no key of a study gives", got)
	}
}

// Precision enters the parameters of the trainings it is said of, and only where it is not fp32, so
// that older keys hold.
func TestPrecision(t *testing.T) {
	for _, c := range []struct{ seed, train, wantSeed, wantUnit string }{
		{"", "", "", ""},
		{", precision: fp32", ", precision: fp32", "", ""},
		{", precision: bf16", "", `"bf16"`, ""},
		{"", ", precision: bf16", "", `"bf16"`},
	} {
		p := compiled(t, parsed(t, "tokens: 4096, batch: 256", "tokens: 4096, batch: 256"+c.seed, "tokens_per_unit: 2000, batch: 256", "tokens_per_unit: 2000, batch: 256"+c.train))
		for _, s := range p.Steps {
			if s.Kind != kind.Train {
				if strings.Contains(string(s.Params), "precision") {
					t.Errorf("%s: parameters %s", s.ID, s.Params)
				}
				continue
			}
			var params map[string]json.RawMessage
			if err := json.Unmarshal(s.Params, &params); err != nil {
				t.Fatal(err)
			}
			want := c.wantUnit
			if s.ID == "seed" {
				want = c.wantSeed
			}
			if got := string(params["precision"]); got != want {
				t.Errorf("seed%s, train%s: %s has precision %q, want %q", c.seed, c.train, s.ID, got, want)
			}
		}
	}
}

// The training of the paper's smallest model, as the authors' code has it (paper/FACTS.md,
// training), can be said exactly: 20,000 batches of 1024 sequences of 2048 with 400 batches of
// warm-up and a cosine to a tenth, then 500 batches a unit at the highest rate, with the seed
// model's optimizer state.
func TestPaperTraining(t *testing.T) {
	p := compiled(t, parsed(t,
		"{d_model: 16, layers: 1, heads: 2, context: 32}", "{preset: paper-102m}",
		"tokens: 4096, batch: 256", "tokens: 40000Mi, batch: 2Mi, lr: 6e-4, warmup: 2%, schedule: cosine, final_lr: 6e-5, seed: 15213",
		"tokens_per_unit: 2000, batch: 256", "tokens_per_unit: 1000Mi, batch: 2Mi, lr: 6e-4, optimizer_state: keep, seed: 314159265"))
	const batch = 1024 * 2048
	optimizer := kind.Optimizer{
		Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1, LR: 6e-4, Warmup: 400. / 20_000, Schedule: "cosine", FinalLR: 6e-5,
	}
	want := kind.TrainParams{
		Model: arch.Model{
			Vocab: 50304, DModel: 768, Layers: 12, Heads: 12, Context: 2048, Block: "sequential", Norm: "layernorm", NormBias: true, NormEps: 1e-5,
			LinearBias: true, QKNorm: true, MLP: "swiglu", MLPHidden: 3072, TiedHead: true, RopeBase: 10000, Rotary: 1, InitStd: 0.02,
		},
		Optimizer: optimizer, Tokens: 20_000 * batch, Batch: batch, Sampling: "equal", Seed: 15213, Start: "random", Moments: true,
	}
	check := func(id string) {
		t.Helper()
		i, err := p.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		var got kind.TrainParams
		if err := json.Unmarshal(p.Steps[i].Params, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", id, diff)
		}
	}
	check("seed")
	want.Optimizer.Warmup, want.Optimizer.Schedule, want.Optimizer.FinalLR = 0, "constant", 0
	want.Tokens, want.Seed, want.Start, want.Moments = 500*batch, 314159265, "state", false
	check("unit/parts/alpha/0")
	want.Tokens = 3 * 500 * batch // alpha has two units
	check("seq/pairs/alpha+beta")
}

func object(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// A training or evaluation of another arithmetic has another key, and the difference has its name.
func TestArithmeticIsInTheKey(t *testing.T) {
	for name, params := range map[string][2]any{
		kind.Train: {kind.TrainParams{Seed: 1}, kind.TrainParams{Seed: 1, Arithmetic: "device"}},
		kind.Eval:  {kind.EvalParams{Documents: 1}, kind.EvalParams{Documents: 1, Arithmetic: "device"}},
	} {
		var lists [2][]cache.KeyInput
		for i, p := range params {
			lists[i] = newKeyer().keyInputs(kind.Kind{Name: name}, &Step{Kind: name, Params: canonical(p)}, nil)
		}
		want := append(slices.Clone(lists[0]), cache.KeyInput{Label: "param arithmetic", Value: `"device"`})
		order := cmpopts.SortSlices(func(a, b cache.KeyInput) bool { return a.Label < b.Label })
		if diff := cmp.Diff(want, lists[1], order); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}
