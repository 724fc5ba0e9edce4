package lm

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"ablate/specs/arch"
	"ablate/stages/internal/elementary"
)

// Init fills the parameters: matrices with normal(0, InitStd), the two of each layer that write to
// the residual stream, attn_out and ff_out, with normal(0, InitStd/sqrt(2 L)), since their 2 L sums
// add up their variance; biases 0; norm weights
// 1. That is GPT-2's scheme ("Language Models are Unsupervised Multitask Learners", section 2.3), and for a model without
// attn_out the authors' (paper/FACTS.md, init). Each tensor draws from a stream of its own, named by the seed and the tensor's
// name, so that a change to one tensor of a model leaves the others as they were.
func Init(e Engine, seed uint64) error {
	m := e.Model()
	return e.Fill(Weights, func(tensors []Tensor) error {
		for i, s := range m.Tensors() {
			data := tensors[i].Data
			std := m.InitStd
			switch s.Role {
			case arch.Gain:
				for j := range data {
					data[j] = 1
				}
				continue
			case arch.Bias:
				clear(data)
				continue
			case arch.Residual:
				std /= math.Sqrt(2 * float64(m.Layers))
			}
			r := stream(seed, s.Name)
			for j := range data {
				data[j] = float32(elementary.Normal(r) * std)
			}
		}
		return nil
	})
}

// stream is the random stream of one tensor: PCG seeded with SHA-256 of the words below.
func stream(seed uint64, name string) *rand.Rand {
	sum := sha256.Sum256(fmt.Appendf(nil, "lm init\n%d\n%s\n", seed, name))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}

// Load copies tensors into a part. They must be exactly those of the model, in any order; otherwise
// nothing is changed and the error names the first tensor that is missing, unknown, given twice or
// of another shape.
func Load(e Engine, part Part, tensors []Tensor) error {
	given := make(map[string]Tensor, len(tensors))
	for _, t := range tensors {
		if _, twice := given[t.Name]; twice {
			return fmt.Errorf("load: tensor %s is given twice", t.Name)
		}
		given[t.Name] = t
	}
	return e.Fill(part, func(want []Tensor) error { return fill(want, given) })
}

// fill copies given, by name, to want.
func fill(want []Tensor, given map[string]Tensor) error {
	for _, w := range want {
		t, ok := given[w.Name]
		switch {
		case !ok:
			return fmt.Errorf("load: tensor %s %d is missing", w.Name, w.Shape)
		case !slices.Equal(t.Shape, w.Shape):
			return fmt.Errorf("load: tensor %s: shape %d, want %d", w.Name, t.Shape, w.Shape)
		case len(t.Data) != len(w.Data):
			return fmt.Errorf("load: tensor %s %d: %d values, want %d", w.Name, w.Shape, len(t.Data), len(w.Data))
		}
	}
	if len(given) > len(want) {
		for _, name := range slices.Sorted(maps.Keys(given)) {
			if !slices.ContainsFunc(want, func(w Tensor) bool { return w.Name == name }) {
				return fmt.Errorf("load: tensor %s %d is not part of the model", name, given[name].Shape)
			}
		}
	}
	for _, w := range want {
		copy(w.Data, given[w.Name].Data)
	}
	return nil
}
