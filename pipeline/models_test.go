package pipeline

import (
	"encoding/json"
	"reflect"
	"testing"

	"ablate/specs"
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
	for _, f := range reflect.VisibleFields(reflect.TypeFor[specs.Model]()) {
		name := f.Tag.Get("yaml")
		if name == "preset" {
			continue
		}
		if got[name] == nil || got[name] != want[name] {
			t.Errorf("model.%s: the training has %v, the study %v", name, got[name], want[name])
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("the training has %v, which no key of a study gives", got)
	}
}

func object(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	return values
}
