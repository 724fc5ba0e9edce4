package specs

import (
	"reflect"

	"ablate/specs/arch"
)

// family is presets that differ in size alone.
type family struct {
	name  string
	about string // for REFERENCE.md: whose models these are, and how they differ from them
	words arch.Model
	sizes []size
}

type size struct {
	name                                      string
	dModel, layers, heads, context, mlpHidden int
}

// families are the presets in the order of the reference. Sources of the sizes and of the counts
// that tests hold them to: the authors' configuration (ez-data-ablations, model/customgpt.py);
// EleutherAI/pythia, README.md and models/; allenai/OLMo, scripts/ladder.py, and arXiv:2504.11393,
// table 2; karpathy/llama2.c, README.md; arXiv:2302.13971, table 2.
var families = []family{
	{
		name:  "ours",
		about: "For laptops.",
		words: arch.Model{
			Block: "sequential", Norm: "rmsnorm", NormEps: 1e-5, MLP: "gelu",
			AttentionOutput: true, TiedHead: true, RopeBase: 10000, Rotary: 1, InitStd: 0.02,
		},
		sizes: []size{{"tiny", 64, 2, 4, 128, 256}, {"small", 256, 4, 4, 256, 1024}},
	},
	{
		name: "paper",
		about: "The models of the paper's authors as their code has them: an early OLMo without a linear layer after attention. They call them 110m " +
			"(in the paper 130m), 300m and 1.1b.",
		words: paper("sequential"),
		sizes: []size{{"paper-102m", 768, 12, 12, 2048, 3072}, {"paper-278m", 1024, 24, 16, 2048, 4096}, {"paper-1b", 2048, 24, 16, 2048, 8192}},
	},
	{
		name: "paper, parallel",
		about: "The same as the paper's text has them (A.3.1): attention and MLP side by side, as in PaLM, which norms once for both. Code and text " +
			"of the authors differ here.",
		words: paper("parallel"),
		sizes: []size{
			{"paper-102m-parallel", 768, 12, 12, 2048, 3072}, {"paper-278m-parallel", 1024, 24, 16, 2048, 4096},
			{"paper-1b-parallel", 2048, 24, 16, 2048, 8192},
		},
	},
	{
		name: "pythia",
		about: "EleutherAI's Pythia, GPT-NeoX models. Other than there, initial weights are those of GPT-2, as in all presets (see init_std), not " +
			"small_init and wang_init. Pythia was trained with the tanh form of GELU, as here (bias-gelu-fusion); its published configurations for " +
			"inference say the form with erf, which differs by at most 5e-4.",
		words: arch.Model{
			Block: "neox", Norm: "layernorm", NormBias: true, NormEps: 1e-5, LinearBias: true, MLP: "gelu",
			AttentionOutput: true, RopeBase: 10000, Rotary: 0.25, InitStd: 0.02, Vocab: 50304,
		},
		sizes: []size{
			{"pythia-14m", 128, 6, 4, 2048, 512}, {"pythia-31m", 256, 6, 8, 2048, 1024}, {"pythia-70m", 512, 6, 8, 2048, 2048},
			{"pythia-160m", 768, 12, 12, 2048, 3072}, {"pythia-410m", 1024, 24, 16, 2048, 4096}, {"pythia-1b", 2048, 16, 8, 2048, 8192},
			{"pythia-1.4b", 2048, 24, 16, 2048, 8192}, {"pythia-2.8b", 2560, 32, 32, 2048, 10240},
		},
	},
	{
		name: "datadecide",
		about: "Ai2's DataDecide, OLMo models for choosing training data. Their names and published sizes leave the embedding out, but not the head. " +
			"Other than there, matrices that write to the residual stream start smaller, and the normal distribution is not cut off at three deviations.",
		words: llama(1e-6, false, 50304),
		sizes: []size{
			{"datadecide-4m", 64, 8, 8, 2048, 512}, {"datadecide-20m", 192, 16, 8, 2048, 1536}, {"datadecide-60m", 384, 16, 12, 2048, 3072},
			{"datadecide-90m", 528, 16, 12, 2048, 4224}, {"datadecide-150m", 768, 12, 12, 2048, 6144}, {"datadecide-300m", 1024, 16, 16, 2048, 8192},
			{"datadecide-530m", 1344, 16, 16, 2048, 10752}, {"datadecide-750m", 1536, 16, 16, 2048, 12288}, {"datadecide-1b", 2048, 16, 16, 2048, 16384},
		},
	},
	{
		name: "stories",
		about: "The Llama models of llama2.c, trained on TinyStories. Other than there, of the MLP the down projection starts smaller, not one half of " +
			"the up projection.",
		words: llama(1e-5, true, 32000),
		sizes: []size{{"stories-15m", 288, 6, 6, 256, 1536}, {"stories-42m", 512, 8, 8, 1024, 2752}, {"stories-110m", 768, 12, 12, 1024, 4096}},
	},
	{
		name:  "llama",
		about: "Llama 1, for plans and for the words: add `rope_base: 500000` for the wavelengths of Llama 3. Key and value heads are never shared here.",
		words: llama(1e-6, false, 32000),
		sizes: []size{{"llama-7b", 4096, 32, 32, 2048, 22016}},
	},
}

func paper(block string) arch.Model {
	return arch.Model{
		Block: block, Norm: "layernorm", NormBias: true, NormEps: 1e-5, LinearBias: true, QKNorm: true, MLP: "swiglu",
		AttentionOutput: false, TiedHead: true, RopeBase: 10000, Rotary: 1, InitStd: 0.02, Vocab: 50304,
	}
}

func llama(eps float64, tied bool, vocab int) arch.Model {
	return arch.Model{
		Block: "sequential", Norm: "rmsnorm", NormEps: eps, MLP: "swiglu",
		AttentionOutput: true, TiedHead: tied, RopeBase: 10000, Rotary: 1, InitStd: 0.02, Vocab: vocab,
	}
}

// preset is the model of one size.
func (f family) preset(s size) arch.Model {
	m := f.words
	m.DModel, m.Layers, m.Heads, m.Context, m.MLPHidden = s.dModel, s.layers, s.heads, s.context, s.mlpHidden
	return m
}

// presets are whole architectures by name.
var presets = func() map[string]arch.Model {
	all := map[string]arch.Model{}
	for _, f := range families {
		for _, s := range f.sizes {
			all[s.name] = f.preset(s)
		}
	}
	return all
}()

// Presets are the names of all presets, in the order of the reference.
func Presets() []string {
	var names []string
	for _, f := range families {
		for _, s := range f.sizes {
			names = append(names, s.name)
		}
	}
	return names
}

// Preset is the architecture of a preset's name.
func Preset(name string) (m arch.Model, ok bool) {
	m, ok = presets[name]
	return m, ok
}

// fillModel takes from the preset what the study does not give. Two values follow others instead of
// the preset: mlp_hidden keeps the preset's ratio to d_model, and a norm without bias has none.
func (c *checker) fillModel(m *Model, path ...string) {
	p, ok := presets[m.Preset]
	if !ok {
		return // an unknown preset is reported where it stands
	}
	to, from := reflect.ValueOf(&m.Model).Elem(), reflect.ValueOf(p)
	for _, f := range fieldsOf(to.Type()) {
		if !c.given(under(path, f.name)...) && c.ok(under(path, f.name)) {
			to.FieldByIndex(f.index).Set(from.FieldByIndex(f.index))
		}
	}
	if !c.given(under(path, "mlp_hidden")...) {
		m.MLPHidden = (p.MLPHidden*m.DModel/p.DModel + 1) / 2 * 2 // even, for swiglu
	}
	if m.Norm == "rmsnorm" && !c.given(under(path, "norm_bias")...) {
		m.NormBias = false
	}
}
