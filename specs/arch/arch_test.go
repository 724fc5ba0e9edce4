package arch

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// authors is the smallest model of the paper's authors (paper/FACTS.md, model).
func authors() Model {
	return Model{
		Vocab: 50304, DModel: 768, Layers: 12, Heads: 12, Context: 2048,
		Block: Sequential, Norm: LayerNorm, NormBias: true, LinearBias: true, QKNorm: true, MLP: SwiGLU, MLPHidden: 3072,
		AttentionOutput: false, TiedHead: true, RopeBase: 10000, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
	}
}

// variants are models of every combination of words and switches, small.
func variants() (all []Model) {
	for i := range 64 {
		on := func(bit int) bool { return i>>bit&1 == 1 }
		for _, block := range []string{Sequential, Parallel, NeoX} {
			m := Model{
				Vocab: 13, DModel: 12, Layers: 2, Heads: 3, Context: 8, Block: block, Norm: LayerNorm, MLP: SwiGLU, MLPHidden: 20,
				NormBias: on(0), LinearBias: on(1), QKNorm: on(2), AttentionOutput: on(3), TiedHead: on(4),
				RopeBase: 100, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
			}
			if on(5) {
				m.Norm, m.MLP = RMSNorm, GELU
			}
			all = append(all, m)
		}
	}
	return all
}

// The tensors give the count of parameters and FLOPs that one derives on paper, for every
// combination of words.
func TestCounts(t *testing.T) {
	for _, m := range variants() {
		C, F, A, L, V := int64(m.DModel), int64(m.MLPHidden), int64(m.MLPHidden), int64(m.Layers), int64(m.Vocab)
		if m.MLP == SwiGLU {
			A = F / 2
		}
		norm, matrices := C, 3*C*C+F*C+C*A
		biases := 3*C + F + C
		if m.NormBias {
			norm += C
		}
		norms := 2 * norm
		if m.Block == Parallel {
			norms = norm
		}
		if m.QKNorm {
			norms += 2 * norm
		}
		if m.AttentionOutput {
			matrices, biases = matrices+C*C, biases+C
		}
		if !m.LinearBias {
			biases = 0
		}
		wantEmbedding := V * C
		if !m.TiedHead {
			wantEmbedding *= 2
		}
		want := L*(norms+matrices+biases) + norm + wantEmbedding
		if all, embedding := m.Parameters(); all != want || embedding != wantEmbedding {
			t.Errorf("%+v: %d parameters, %d of embedding and head, want %d and %d", m, all, embedding, want, wantEmbedding)
		}
		// A token sees (T+1)/2 tokens on average; scores and sums are 2 C operations each.
		flops := 2*float64(L*matrices+V*C) + float64(L*4*C)*float64(m.Context+1)/2
		if got := m.FLOPsPerToken(); got != flops {
			t.Errorf("%+v: %g operations for a token, want %g", m, got, flops)
		}
	}
}

// Numbers written out by hand, so that the test above is not its own judge.
func TestFLOPsPerToken(t *testing.T) {
	m := Model{Vocab: 10, DModel: 4, Layers: 2, Heads: 2, Context: 7, Block: Sequential, MLP: GELU, MLPHidden: 16, AttentionOutput: true}
	// Weights per layer: 3*16 + 16 + 2*64 = 192; head 40; attention: 4*4*(7+1)/2 = 64 per layer.
	if got, want := m.FLOPsPerToken(), 2.0*(2*192+40)+2*64; got != want {
		t.Errorf("gelu: %g, want %g", got, want)
	}
	m.MLP, m.AttentionOutput = SwiGLU, false
	// 3*16 + 64 + 8*4 = 144.
	if got, want := m.FLOPsPerToken(), 2.0*(2*144+40)+2*64; got != want {
		t.Errorf("swiglu: %g, want %g", got, want)
	}
}

// No two tensors have one name; roles are those that Init and importers rely on.
func TestTensors(t *testing.T) {
	for _, m := range variants() {
		seen := map[string]bool{}
		for _, x := range m.Tensors() {
			if seen[x.Name] {
				t.Errorf("%+v: tensor %s is there twice", m, x.Name)
			}
			seen[x.Name] = true
			want := Matrix
			switch {
			case x.Name == "wte.weight":
				want = Embedding
			case x.Name == "head.weight":
				want = Head
			case strings.HasSuffix(x.Name, ".bias"):
				want = Bias
			case strings.HasSuffix(x.Name, "norm.weight") || x.Name == "ln_f.weight":
				want = Gain
			case strings.HasSuffix(x.Name, "attn_out.weight"), strings.HasSuffix(x.Name, "ff_out.weight"):
				want = Residual
			}
			if x.Role != want {
				t.Errorf("%+v: tensor %s has role %d, want %d", m, x.Name, x.Role, want)
			}
			if dims := map[bool]int{true: 1, false: 2}[want == Bias || want == Gain]; len(x.Shape) != dims {
				t.Errorf("%+v: tensor %s has shape %d, want %d dimensions", m, x.Name, x.Shape, dims)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	for _, m := range append(variants(), authors()) {
		if err := m.Validate(); err != nil {
			t.Errorf("%+v: %v", m, err)
		}
	}
	for _, c := range []struct {
		name   string
		change func(*Model)
		want   string
	}{
		{"heads do not divide", func(m *Model) { m.Heads = 5 }, "model: heads 5 do not divide d_model 768"},
		{"odd head", func(m *Model) { m.DModel, m.Heads = 9, 3 }, "model: rotary 1 of heads 3 wide (heads 3 in d_model 9) makes 3 rotary dimensions, want an even number"},
		{"odd part of a head", func(m *Model) { m.Rotary = 0.234375 },
			"model: rotary 0.234375 of heads 64 wide (heads 12 in d_model 768) makes 15 rotary dimensions, want an even number"},
		{"no whole channels", func(m *Model) { m.Rotary = 0.3 },
			"model: rotary 0.3 of heads 64 wide (heads 12 in d_model 768) makes 19.2 rotary dimensions, want an even number"},
		{"no channel", func(m *Model) { m.Rotary = 1e-9 },
			"model: rotary 1e-09 of heads 64 wide (heads 12 in d_model 768) makes 0 rotary dimensions, want an even number"},
		{"nothing turns", func(m *Model) { m.Rotary = 0 }, "model: rotary is 0, want more than 0 and at most 1"},
		{"more than a head", func(m *Model) { m.Rotary = 1.5 }, "model: rotary is 1.5, want more than 0 and at most 1"},
		{"rotary is no number", func(m *Model) { m.Rotary = Fraction(math.NaN()) }, "model: rotary is NaN, want more than 0 and at most 1"},
		{"no layers", func(m *Model) { m.Layers = 0 }, "model: layers is 0, want at least 1 and at most 4096"},
		{"huge", func(m *Model) { m.Vocab = 1 << 40 }, "model: vocab is 1099511627776, want at least 1 and at most 16777216"},
		{"no vocabulary", func(m *Model) { m.Vocab = 0 }, "model: vocab is 0, want at least 1 and at most 16777216"},
		{"no heads, so no width of one", func(m *Model) { m.Heads = 0 }, "model: heads is 0, want at least 1 and at most 16777216"},
		{"several words", func(m *Model) { m.Block, m.Norm, m.MLP = "Parallel", "", "relu" },
			`model: block is "Parallel", want one of ["sequential" "parallel" "neox"]` + "\n" +
				`model: norm is "", want one of ["layernorm" "rmsnorm"]` + "\n" + `model: mlp is "relu", want one of ["gelu" "swiglu"]`},
		{"odd swiglu", func(m *Model) { m.MLPHidden = 7 }, "model: mlp swiglu halves it, found 7, which is odd"},
		{"no eps", func(m *Model) { m.NormEps = 0 }, "model: norm_eps is 0, want at least 1e-38 and at most 1"},
		{"base 1", func(m *Model) { m.RopeBase = 1 }, "model: rope_base is 1, want more than 1 and at most 1e12"},
		{"infinite base", func(m *Model) { m.RopeBase = math.Inf(1) }, "model: rope_base is +Inf, want more than 1 and at most 1e12"},
		{"negative deviation", func(m *Model) { m.InitStd = -1 }, "model: init_std is -1, want at least 0 and at most 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := authors()
			c.change(&m)
			if err := m.Validate(); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// The JSON form is in checkpoints byte by byte and in keys line by line: it changes only with the
// versions of the kinds.
func TestJSON(t *testing.T) {
	const want = `{"vocab":50304,"d_model":768,"layers":12,"heads":12,"context":2048,"block":"sequential","norm":"layernorm","norm_bias":true,` +
		`"norm_eps":0.00001,"linear_bias":true,"qk_norm":true,"mlp":"swiglu","mlp_hidden":3072,"attention_output":false,"tied_head":true,` +
		`"rope_base":10000,"rotary":1,"init_std":0.02}`
	if got, err := json.Marshal(authors()); err != nil || string(got) != want {
		t.Errorf("JSON\n%s, %v, want\n%s", got, err, want)
	}
	var back Model
	if err := json.Unmarshal([]byte(want), &back); err != nil || back != authors() {
		t.Errorf("read back %+v, %v", back, err)
	}
}

// A field with its tags is all that a new field needs: each has a key, a doc and the bounds or
// words that Validate and the study language hold it to, and a value outside of them is refused by
// the name of the key.
func TestNewFieldIsOneEdit(t *testing.T) {
	typ := reflect.TypeFor[Model]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		key := keyOf(f)
		if key == "" || key != strings.ToLower(key) || f.Tag.Get("doc") == "" || f.Tag.Get("key") == "" {
			t.Errorf("field %s: tags %s, want json, doc and key", f.Name, f.Tag)
		}
		m := authors()
		v := reflect.ValueOf(&m).Elem().Field(i)
		switch v.Kind() {
		case reflect.Bool:
			continue
		case reflect.String:
			v.SetString("no such word")
		case reflect.Int:
			v.SetInt(-1)
		case reflect.Float64:
			v.SetFloat(-1)
		default:
			t.Fatalf("field %s is a %+v: teach package specs to read it, and within to judge it", f.Name, v.Kind())
		}
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), "model: "+key+" is ") {
			t.Errorf("field %s with a value that makes no sense: error %v, want one of %s", f.Name, err, key)
		}
	}
}

// The tags and MaxWidth say one thing.
func TestMaxWidth(t *testing.T) {
	for _, change := range []func(*Model, int){
		func(m *Model, n int) { m.DModel, m.Heads = n, n/64 }, func(m *Model, n int) { m.MLPHidden = n }, func(m *Model, n int) { m.Vocab = n },
	} {
		m := authors()
		if change(&m, MaxWidth); m.Validate() != nil {
			t.Error(m.Validate())
		}
		if change(&m, MaxWidth+64); m.Validate() == nil {
			t.Errorf("%+v is valid", m)
		}
	}
}

func TestContradictionsNameTheirKeys(t *testing.T) {
	m := authors()
	m.Heads, m.MLPHidden = 5, 7
	var keys [][]string
	for _, c := range m.Contradictions(func(key string, _ any) string { return key }) {
		keys = append(keys, c.Keys)
	}
	want := [][]string{{"heads", "d_model"}, {"mlp_hidden", "mlp"}}
	if !slices.EqualFunc(keys, want, slices.Equal) {
		t.Errorf("keys %q, want %q", keys, want)
	}
}

func TestDifferences(t *testing.T) {
	m := authors()
	m.Layers, m.Norm, m.TiedHead, m.Rotary = 3, RMSNorm, false, 0.5
	want := []string{"layers 3, want 12", "norm rmsnorm, want layernorm", "tied_head false, want true", "rotary 0.5, want 1"}
	if got := m.Differences(authors()); !slices.Equal(got, want) {
		t.Errorf("differences %q, want %q", got, want)
	}
	if got := m.Differences(m); got != nil {
		t.Errorf("a model differs from itself: %q", got)
	}
}
