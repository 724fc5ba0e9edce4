package stages

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/cache/checkpoint"
	"ablate/stages/eval"
	"ablate/stages/internal/model"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/train"
)

// altered copies a checkpoint with changes to its tensors and metadata.
func altered(t *testing.T, path string, change func(ts []checkpoint.Tensor, meta map[string]string) []checkpoint.Tensor) string {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var ts []checkpoint.Tensor
	for _, name := range f.Names() {
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		ts = append(ts, x)
	}
	meta := f.Meta()
	ts = change(ts, meta)
	out := filepath.Join(t.TempDir(), "altered.safetensors")
	if err := checkpoint.Write(out, ts, meta); err != nil {
		t.Fatal(err)
	}
	return out
}

func same(ts []checkpoint.Tensor, _ map[string]string) []checkpoint.Tensor { return ts }

func TestForeignCheckpoints(t *testing.T) {
	first := stagetest.Run(t, train.Kind, stagetest.TrainParams(), stagetest.Units(t))
	weights, moments := first.Path(kind.OutModel), first.Path(kind.OutOptimizer)
	foreign := func(ts []checkpoint.Tensor, meta map[string]string) []checkpoint.Tensor {
		clear(meta)
		return ts
	}
	tokens := stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)
	evaluation := func(change func([]checkpoint.Tensor, map[string]string) []checkpoint.Tensor, models int) (kind.EvalParams, stagetest.Roles) {
		p := stagetest.EvalParams()
		p.Weights = slices.Repeat([]string{map[int]string{1: "1", 2: "1/2"}[models]}, models)
		return p, stagetest.Roles{"tokens": tokens}.Numbered("model", slices.Repeat([]string{altered(t, weights, change)}, models)...)
	}
	// A checkpoint without our metadata is judged by its tensors.
	p, in := evaluation(same, 1)
	want := stagetest.Run(t, eval.Kind, p, in)
	p, in = evaluation(foreign, 1)
	stagetest.SameOutputs(t, want, stagetest.Run(t, eval.Kind, p, in))
	p, in = evaluation(foreign, 2)
	stagetest.SameOutputs(t, want, stagetest.Run(t, eval.Kind, p, in))

	for _, c := range []struct {
		name   string
		models int
		change func([]checkpoint.Tensor, map[string]string) []checkpoint.Tensor
		want   []string
	}{
		{"another version", 1, func(ts []checkpoint.Tensor, meta map[string]string) []checkpoint.Tensor {
			meta[model.MetaVersion] = "2"
			return ts
		}, []string{`model.0: checkpoint has version "2", this program reads "1"`}},
		{"a model that is no JSON", 1, func(ts []checkpoint.Tensor, meta map[string]string) []checkpoint.Tensor {
			meta[model.MetaModel] = "olmo"
			return ts
		}, []string{"model.0: checkpoint's ablate.model"}},
		{"a model of a field that this program does not know", 1, func(ts []checkpoint.Tensor, meta map[string]string) []checkpoint.Tensor {
			meta[model.MetaModel] = strings.Replace(meta[model.MetaModel], "{", `{"window":8,`, 1)
			return ts
		}, []string{"model.0: checkpoint's ablate.model", `unknown field "window"`}},
		{"a tensor missing", 1, func(ts []checkpoint.Tensor, _ map[string]string) []checkpoint.Tensor { return ts[1:] }, []string{"wte.weight"}},
		{"a tensor missing in an average", 2, func(ts []checkpoint.Tensor, _ map[string]string) []checkpoint.Tensor { return ts[1:] },
			[]string{"tensor wte.weight is missing"}},
		{"tensors of other names and shapes in an average", 2, func(ts []checkpoint.Tensor, _ map[string]string) []checkpoint.Tensor {
			ts[0].Name = "tokens"
			ts[1].Shape = []int{1, ts[1].Shape[0]}
			return ts
		}, []string{"tensor tokens is none of the model's", "shape [1 16], want [16]", "tensor wte.weight is missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, in := evaluation(c.change, c.models)
			stagetest.Fail(t, eval.Kind, p, in, c.want...)
		})
	}

	for _, c := range []struct {
		name   string
		change func([]checkpoint.Tensor, map[string]string) []checkpoint.Tensor
		want   []string
	}{
		{"moments without an age", foreign, []string{`optimizer state: metadata ablate.step is ""`}},
		{"a moment missing", func(ts []checkpoint.Tensor, _ map[string]string) []checkpoint.Tensor { return ts[1:] }, []string{"optimizer state:", "tensor m.wte.weight [64 16] is missing"}},
		{"a moment of another shape", func(ts []checkpoint.Tensor, _ map[string]string) []checkpoint.Tensor {
			ts[0].Shape = []int{16, 64}
			return ts
		}, []string{"optimizer state: load: tensor m.wte.weight: shape [16 64], want [64 16]"}},
		{"a moment of another name", func(ts []checkpoint.Tensor, _ map[string]string) []checkpoint.Tensor {
			ts[0].Name = "m.wpe"
			return ts
		}, []string{"optimizer state:", "m.wte.weight"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := stagetest.TrainParams()
			p.Start = kind.StartState
			in := maps.Clone(stagetest.Units(t))
			in["start"], in["moments"] = weights, altered(t, moments, c.change)
			stagetest.Fail(t, train.Kind, p, in, c.want...)
		})
	}
}
