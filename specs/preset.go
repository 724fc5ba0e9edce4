package specs

import "reflect"

// presets are whole architectures by name. The two small ones are ours, for laptops; head width 16 and 64.
var presets = map[string]Model{
	"tiny": {
		DModel: 64, Layers: 2, Heads: 4, Context: 128,
		Block: "sequential", Norm: "rmsnorm", NormEps: 1e-5, MLP: "gelu", MLPHidden: 4 * 64,
		AttentionOutput: true, TiedHead: true, RopeBase: 10000, InitStd: 0.02,
	},
	"small": {
		DModel: 256, Layers: 4, Heads: 4, Context: 256,
		Block: "sequential", Norm: "rmsnorm", NormEps: 1e-5, MLP: "gelu", MLPHidden: 4 * 256,
		AttentionOutput: true, TiedHead: true, RopeBase: 10000, InitStd: 0.02,
	},
	// The paper's smallest model, from the authors' configuration: an early OLMo without a linear layer after attention.
	"olmo": {
		DModel: 768, Layers: 12, Heads: 12, Context: 2048,
		Block: "sequential", Norm: "layernorm", NormBias: true, NormEps: 1e-5, LinearBias: true, QKNorm: true, MLP: "swiglu", MLPHidden: 4 * 768,
		AttentionOutput: false, TiedHead: true, RopeBase: 10000, InitStd: 0.02, Vocab: 50304,
	},
	// The shape of Pythia-70m. Pythia rotates a quarter of each head, this program the whole of it.
	"neox": {
		DModel: 512, Layers: 6, Heads: 8, Context: 2048,
		Block: "parallel", Norm: "layernorm", NormBias: true, NormEps: 1e-5, LinearBias: true, MLP: "gelu", MLPHidden: 4 * 512,
		AttentionOutput: true, TiedHead: false, RopeBase: 10000, InitStd: 0.02, Vocab: 50304,
	},
}

// fillModel takes from the preset what the study does not give. Two values follow others instead of the preset: mlp_hidden is 4 d_model,
// and a norm without bias has none.
func (c *checker) fillModel() {
	m := &c.s.Model
	p, ok := presets[m.Preset]
	if !ok {
		return // an unknown preset is reported where it stands
	}
	to, from := reflect.ValueOf(m).Elem(), reflect.ValueOf(p)
	for _, f := range fieldsOf(to.Type()) {
		if f.name != "preset" && !c.given("model", f.name) && c.ok(at("model", f.name)) {
			to.FieldByIndex(f.index).Set(from.FieldByIndex(f.index))
		}
	}
	if !c.given("model", "mlp_hidden") {
		m.MLPHidden = 4 * m.DModel
	}
	if m.Norm == "rmsnorm" && !c.given("model", "norm_bias") {
		m.NormBias = false
	}
}
