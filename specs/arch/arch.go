// Package arch holds the one type of an architecture, Model: what a study writes, what enters the
// keys of trainings and evaluations, what a checkpoint says of itself and what an engine computes
// are all this type. The package imports nothing of ours.
//
// # A new field
//
// A new field of an architecture is one edit here and its meaning in the engine. The edit is the
// field of Model with its tags, and where the field brings a tensor or a contradiction, a line in
// Tensors or Contradictions. From the tags follow, without another edit: the key of the study with
// its position, default and bounds, the JSON Schema, REFERENCE.md, the JSON form in keys and
// checkpoints, and Validate. A field that is added later bears omitempty, and its zero value, which
// its tags must allow, means what models did before there was the field, so that keys hold.
// TestNewFieldIsOneEdit holds the package to this. The page REFERENCE.md is written anew by its
// test, and tests that go through all fields ask for a value of the new one: TestModelTakesEveryKey
// of package pipeline, and of a word or a switch TestVariantsAreComplete of package cpu, which sees
// that the engine computes it.
//
// # Tags
//
// Package specs decodes Model itself, rather than a copy with YAML tags that is converted: a struct
// with all tags is long, and a copy is a second list of the fields, which is what this package is
// there to end. The json tag names the key of the study, too. The other tags are those of package
// specs (study.go there lists them). A preset fills what a study does not give, so no field has a
// default of its own.
package arch

import (
	"fmt"
	"reflect"
)

// The words of Model's text fields.
const (
	Sequential = "sequential" // x = x + attn(norm(x)); x = x + mlp(norm(x))
	Parallel   = "parallel"   // h = norm(x); x = x + attn(h) + mlp(h): one norm for both (PaLM, arXiv:2204.02311, section 2)
	NeoX       = "neox"       // x = x + attn(norm(x)) + mlp(norm(x)): each its own norm (GPT-NeoX, arXiv:2204.06745, section 2.1)
	LayerNorm  = "layernorm"  // (x - mean) / sqrt(var + eps) * w + b (arXiv:1607.06450)
	RMSNorm    = "rmsnorm"    // x / sqrt(mean(x^2) + eps) * w + b (arXiv:1910.07467)
	GELU       = "gelu"       // the tanh form, as GPT-2 (arXiv:1606.08415)
	SwiGLU     = "swiglu"     // value * silu(gate), value = first half, gate = second half (arXiv:2002.05202)
)

// MaxWidth is the largest width of a layer and the most rows of a vocabulary. It is the max of
// their tags, far above any model in use: it keeps products of sizes inside an int64.
const MaxWidth = 1 << 24

// Fraction is a share between 0 and 1. A study writes 5% or 0.05; JSON has the number.
type Fraction float64

// Model is an architecture. Every field changes the result, so all of them are in the keys of
// trainings and evaluations. The order of the fields is that of the JSON form in checkpoints.
type Model struct {
	// Vocab is at least the number of the tokenizer's ids. In a study it may be 0, which stands for
	// that number (see WithVocab).
	Vocab           int      `json:"vocab" min:"1" max:"16777216" unit:"rows" doc:"Rows of the embedding where more than the tokenizer's ids." example:"50304" key:"all models"`
	DModel          int      `json:"d_model" min:"1" max:"16777216" doc:"Width of the residual stream." example:"128" key:"all models"`
	Layers          int      `json:"layers" min:"1" max:"4096" doc:"Blocks." example:"4" key:"all models"`
	Heads           int      `json:"heads" min:"1" max:"16777216" doc:"Attention heads; must divide d_model." example:"4" key:"all models"`
	Context         int      `json:"context" min:"1" max:"16777216" unit:"tokens" doc:"Length of training sequences and evaluation windows." example:"256" key:"all models"`
	Block           string   `json:"block" enum:"sequential|parallel|neox" doc:"Where the MLP stands: sequential, after attention; parallel, beside it behind one norm for both (PaLM); neox, beside it behind a norm of its own (GPT-NeoX)." key:"all models"`
	Norm            string   `json:"norm" enum:"layernorm|rmsnorm" doc:"Normalisation." key:"all models"`
	NormBias        bool     `json:"norm_bias" doc:"Norms have a bias (layernorm only)." key:"all models"`
	NormEps         float64  `json:"norm_eps" min:"1e-38" max:"1" doc:"Added to the variance." example:"1e-5" key:"all models"`
	LinearBias      bool     `json:"linear_bias" doc:"Linear layers have a bias." key:"all models"` // the head has none
	QKNorm          bool     `json:"qk_norm" doc:"Normalise queries and keys over the full width before rotation." key:"all models"`
	MLP             string   `json:"mlp" enum:"gelu|swiglu" doc:"Activation of the MLP: gelu, in its tanh form as in GPT-2; swiglu, a gated one as in Llama." key:"all models"`
	MLPHidden       int      `json:"mlp_hidden" min:"1" max:"16777216" doc:"Width after the first MLP layer (for swiglu both halves together)." example:"512" key:"all models"`
	AttentionOutput bool     `json:"attention_output" doc:"A linear layer after the heads; the paper's models have none." key:"all models"`
	TiedHead        bool     `json:"tied_head" doc:"The output layer is the embedding, transposed." key:"all models"`
	RopeBase        float64  `json:"rope_base" above:"1" max:"1e12" doc:"Base of the rotary embedding's wavelengths." example:"10000" key:"all models"` // half-rotation as in GPT-NeoX (arXiv:2104.09864)
	Rotary          Fraction `json:"rotary" above:"0" doc:"Share of each head's channels that the rotary embedding turns: an even number of them, the first ones." example:"25%" key:"all models"`
	InitStd         float64  `json:"init_std" min:"0" max:"10" doc:"Standard deviation of initial weights; divided by the root of twice the layers where a matrix writes to the residual stream (GPT-2's scheme)." example:"0.02" key:"all models"`
}

// WithVocab is the model with at least so many rows of the embedding: one for each id of the
// tokenizer.
func (m Model) WithVocab(ids int) Model {
	m.Vocab = max(m.Vocab, ids)
	return m
}

// HeadWidth is the number of channels of one head.
func (m Model) HeadWidth() int { return m.DModel / m.Heads }

// RotaryChannels is the number of channels of a head that the rotary embedding turns, the first
// ones.
func (m Model) RotaryChannels() int { return nearest(float64(m.Rotary) * float64(m.HeadWidth())) }

// MLPOut is the width after the activation of the MLP: the columns of ff_out.
func (m Model) MLPOut() int {
	if m.MLP == SwiGLU {
		return m.MLPHidden / 2
	}
	return m.MLPHidden
}

// Differences says where m is not as it should be, one text a field: "layers 2, want 3". It is
// empty where the two are equal.
func (m Model) Differences(want Model) (all []string) {
	have, wanted := reflect.ValueOf(m), reflect.ValueOf(want)
	for i := range have.NumField() {
		if x, y := have.Field(i).Interface(), wanted.Field(i).Interface(); x != y {
			all = append(all, fmt.Sprintf("%s %v, want %v", keyOf(have.Type().Field(i)), x, y))
		}
	}
	return all
}
