package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/kind"
)

// scoresOf gives what a scorer of a mixture is made of on an evaluation set: for each domain the
// models of each table, with their weights.
func scoresOf(t *testing.T, p *Plan, mixture, scorer, set string) string {
	t.Helper()
	result := p.Steps[p.Result]
	var params kind.CorrelateParams
	if err := json.Unmarshal(result.Params, &params); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(params.Scores, func(s kind.Score) bool { return s.Mixture == mixture && s.Scorer == scorer && s.Set == set })
	if i < 0 {
		return "none"
	}
	var domains []string
	for _, domain := range params.Scores[i].Losses {
		var tables []string
		for _, n := range domain {
			step := p.Steps[result.Inputs[n].Step]
			if step.Kind == kind.Ensemble {
				tables = append(tables, ensembleOf(t, p, step))
				continue
			}
			var eval kind.EvalParams
			if err := json.Unmarshal(step.Params, &eval); err != nil {
				t.Fatal(err)
			}
			var models []string
			for j, w := range eval.Weights {
				model := p.Steps[step.Inputs[j].Step].ID
				if w != "1" {
					model = w + " " + model
				}
				models = append(models, model)
			}
			tables = append(tables, strings.NewReplacer("unit/parts/", "", "part/parts/", "whole ").Replace(strings.Join(models, " + ")))
		}
		domains = append(domains, strings.Join(tables, ", "))
	}
	return strings.Join(domains, "; ")
}

// ensembleOf is what an ensemble is made of, in brackets.
func ensembleOf(t *testing.T, p *Plan, step *Step) string {
	t.Helper()
	var params kind.EnsembleParams
	if err := json.Unmarshal(step.Params, &params); err != nil {
		t.Fatal(err)
	}
	var models []string
	for j, w := range params.Weights {
		eval := p.Steps[step.Inputs[j].Step]
		if eval.Kind != kind.Eval || len(eval.Inputs) != 2 {
			t.Errorf("%s reads %s, which evaluates no single model", step.ID, eval.ID)
		}
		models = append(models, w+" "+p.Steps[eval.Inputs[0].Step].ID)
	}
	return "[" + strings.ReplaceAll(strings.Join(models, " + "), "unit/parts/", "") + "]"
}

const everyProxy = "{seq: pairs}\nproxies: [mean_ind, ind_id, merged, macro, micro, weighted, mean_merged, merged_id, mean_seq, seq_id, mixmin]"

// What each proxy of a mixture of a partition of two units and one of one is made of.
func TestProxies(t *testing.T) {
	for _, tt := range []struct{ weights, scorer, far, inDomain string }{
		{"", "mean_ind", "alpha/0, alpha/1, beta/0", "alpha/0, alpha/1, beta/0; alpha/0, alpha/1, beta/0"},
		{"", "ind_id", "none", "alpha/0, alpha/1; beta/0"},
		{"", "merged", "1/2 beta/0 + 1/2 whole alpha", "1/2 beta/0 + 1/2 whole alpha; 1/2 beta/0 + 1/2 whole alpha"},
		{"", "mixmin", "[1/4 alpha/0 + 1/4 alpha/1 + 1/2 beta/0]", "[1/4 alpha/0 + 1/4 alpha/1 + 1/2 beta/0]; [1/4 alpha/0 + 1/4 alpha/1 + 1/2 beta/0]"},
		{"", "macro", "1/4 alpha/0 + 1/4 alpha/1 + 1/2 beta/0", ""},
		{"", "micro", "1/3 alpha/0 + 1/3 alpha/1 + 1/3 beta/0", ""},
		{"", "mean_merged", "1/2 alpha/0 + 1/2 alpha/1, beta/0", ""},
		{"", "merged_id", "none", "1/2 alpha/0 + 1/2 alpha/1; beta/0"},
		{"", "mean_seq", "whole alpha, beta/0", ""},
		{"", "seq_id", "none", "whole alpha; beta/0"},
		{"", "weighted", "1/3 beta/0 + 2/3 whole alpha", ""},
		{"{by: equal}", "weighted", "1/2 beta/0 + 1/2 whole alpha", ""},
		{"{of: units}", "weighted", "1/3 alpha/0 + 1/3 alpha/1 + 1/3 beta/0", ""},
		{"{of: units, by: equal}", "weighted", "1/4 alpha/0 + 1/4 alpha/1 + 1/2 beta/0", ""},
		{"{components: {alpha: 0.5, beta: 3/2}}", "weighted", "3/4 beta/0 + 1/4 whole alpha", ""},
	} {
		t.Run(tt.scorer+tt.weights, func(t *testing.T) {
			study := everyProxy
			if tt.weights != "" {
				study += "\nweights: " + tt.weights
			}
			p := compiled(t, parsed(t, "{seq: pairs}", study))
			if got := scoresOf(t, p, "alpha+beta", tt.scorer, "far"); got != tt.far {
				t.Errorf("out of domain %s, want %s", got, tt.far)
			}
			if got := scoresOf(t, p, "alpha+beta", tt.scorer, kind.InDomain); tt.inDomain != "" && got != tt.inDomain {
				t.Errorf("in-domain %s, want %s", got, tt.inDomain)
			}
		})
	}
}

func TestWeightOfNothing(t *testing.T) {
	_, err := Compile(parsed(t, "{seq: pairs}", everyProxy+"\nweights: {components: {alhpa: 2}}"), sources(), nil)
	if want := `no mixture has a component "alhpa"; there are alpha, beta, gamma`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// Replicates differ in the seed alone; those of one number are averaged with each other, and scores
// are means over numbers.
func TestReplicates(t *testing.T) {
	p := compiled(t, parsed(t, "{seq: pairs}", "{seq: pairs, replicates: 3}", "tokens_per_unit: 2000", "tokens_per_unit: 2000, seed: 5, replicates: 2"))
	for _, tt := range []struct{ scorer, want string }{
		{"micro", "1/3 alpha/0 + 1/3 alpha/1 + 1/3 beta/0, 1/3 alpha/0@2 + 1/3 alpha/1@2 + 1/3 beta/0@2"},
		{"mean_ind", "alpha/0, alpha/1, beta/0, alpha/0@2, alpha/1@2, beta/0@2"},
		{"merged", "1/2 beta/0 + 1/2 whole alpha, 1/2 beta/0@2 + 1/2 whole alpha@2"},
		{"seq", "seq/pairs/alpha+beta, seq/pairs/alpha+beta@2, seq/pairs/alpha+beta@3"},
		{"seq@2", "seq/pairs/alpha+beta@2"},
	} {
		if got := scoresOf(t, p, "alpha+beta", tt.scorer, "far"); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.scorer, got, tt.want)
		}
	}
	for id, want := range map[string]int64{"unit/parts/beta/0": 5, "unit/parts/beta/0@2": 6, "part/parts/alpha@2": 6, "seq/pairs/alpha+beta@3": 7} {
		if got := trainParams(t, p, id).Seed; got != want {
			t.Errorf("%s: seed %d, want %d", id, got, want)
		}
	}
	if s := p.Summary; s.Units.Models != 8 || s.References.Models != 9 || s.References.Tokens != 3*8*2000 || s.BaseUnits != 4 {
		t.Errorf("%+v, want 8 models of 4 units, 9 references of %d tokens", s, 3*8*2000)
	}
}

func trainParams(t *testing.T, p *Plan, id string) (params kind.TrainParams) {
	t.Helper()
	i, err := p.Find(id)
	if err == nil {
		err = json.Unmarshal(p.Steps[i].Params, &params)
	}
	if err != nil {
		t.Fatal(err)
	}
	return params
}

// References of another size have a seed model, a rate and a batch of their own, are evaluated as
// what they are, and are joined with the study's proxies by mixture; small_seq is the same mixture
// at the study's size.
func TestAcrossScales(t *testing.T) {
	const across = `{seq: pairs, model: {d_model: 32, layers: 2, heads: 2, context: 64}, seed_model: {on: seed, tokens: 8192, batch: 512, lr: 2e-3},
  train: {tokens_per_unit: 4000, batch: 512, lr: 3e-4}}
cost: {hours_per_billion_tokens: 5, reference_hours_per_billion_tokens: 50}
proxies: [micro, merged, small_seq]`
	p := compiled(t, parsed(t, "{seq: pairs}", across))
	for scorer, want := range map[string]string{"seq": "seq/pairs/alpha+beta", "small_seq": "small/pairs/alpha+beta", "micro": "1/3 alpha/0 + 1/3 alpha/1 + 1/3 beta/0"} {
		if got := scoresOf(t, p, "alpha+beta", scorer, "far"); got != want {
			t.Errorf("%s: %s, want %s", scorer, got, want)
		}
	}
	for _, tt := range []struct {
		id            string
		width         int
		tokens, batch int64
		lr            float64
		start         string
	}{
		{"seed", 16, 4096, 256, 1e-3, ""},
		{"seed/reference", 32, 8192, 512, 2e-3, ""},
		{"unit/parts/alpha/0", 16, 2048, 256, 1e-3, "seed"},
		{"part/parts/alpha", 16, 4096, 256, 1e-3, "seed"},
		{"small/pairs/alpha+beta", 16, 6144, 256, 1e-3, "seed"},
		{"seq/pairs/alpha+beta", 32, 12288, 512, 3e-4, "seed/reference"},
	} {
		got := trainParams(t, p, tt.id)
		if got.Model.DModel != tt.width || got.Tokens != tt.tokens || got.Batch != tt.batch || got.Optimizer.LR != tt.lr {
			t.Errorf("%s: width %d, %d tokens in batches of %d at %g; want %+v", tt.id, got.Model.DModel, got.Tokens, got.Batch, got.Optimizer.LR, tt)
		}
		i, _ := p.Find(tt.id)
		for _, in := range p.Steps[i].Inputs {
			if in.Role == "start" && p.Steps[in.Step].ID != tt.start {
				t.Errorf("%s starts from %s, want %s", tt.id, p.Steps[in.Step].ID, tt.start)
			}
		}
	}
	for _, s := range p.Steps {
		if s.Kind != kind.Eval {
			continue
		}
		var params kind.EvalParams
		if err := json.Unmarshal(s.Params, &params); err != nil {
			t.Fatal(err)
		}
		if large := strings.HasPrefix(s.ID, "eval/seq/"); large != (params.Model.DModel == 32) {
			t.Errorf("%s: width %d", s.ID, params.Model.DModel)
		}
	}
	sum := p.Summary
	got := fmt.Sprintf("%d seeds %.0f, units %.0f, small %.0f, references %.0f", sum.Seed.Models, sum.Seed.Hours*1e9, sum.Units.Hours*1e9, sum.Small.Hours*1e9, sum.References.Hours*1e9)
	want := fmt.Sprintf("2 seeds %d, units %d, small %d, references %d", 5*4096+50*8192, 5*4*2000, 5*8*2000, 50*8*4000)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Studies planned together count the same trainings once, for the first that has them.
func TestTogether(t *testing.T) {
	a := compiled(t, parsed(t))
	b := compiled(t, parsed(t, "study: small", "study: other", "pairs: {choose: 2}", "threes: {choose: 3}", "{seq: pairs}", "{seq: threes}"))
	all := OverlapOf([]*Plan{a, b})
	if all.BaseUnits != 4 || len(all.Units) != 1 || all.Units[0].Models != 4 || len(all.Studies) != 2 {
		t.Errorf("%+v, want 4 base units, and 4 unit models of one size", all)
	}
	second := all.Studies[1]
	if second.Study != "other" || second.New.Models != 1 || second.Shared.Models != 6 || len(second.From) != 1 || second.From[0].Study != "small" || second.From[0].Models != 6 {
		t.Errorf("%+v, want one new reference, the seed, 4 units and a partition from small", second)
	}
	if all.Apart.Models != all.Joined.Models+6 || all.Saved.Models != 6 || all.Saved.Tokens != 4096+4*2000+4000 {
		t.Errorf("apart %+v, together %+v, saved %+v", all.Apart, all.Joined, all.Saved)
	}
}
