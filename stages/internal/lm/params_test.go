package lm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"ablate/specs/arch"
)

// trained has every optional part.
func trained() arch.Model {
	return arch.Model{
		Vocab: 13, DModel: 12, Layers: 2, Heads: 3, Context: 8, Block: arch.Sequential, Norm: arch.LayerNorm, NormBias: true, LinearBias: true,
		QKNorm: true, MLP: arch.SwiGLU, MLPHidden: 20, AttentionOutput: true, TiedHead: true, RopeBase: 100, Rotary: 1, NormEps: 1e-5, InitStd: 0.02,
	}
}

// shelf is an engine that holds parameters and computes nothing.
type shelf struct {
	Engine
	model   arch.Model
	tensors []Tensor
}

func newShelf(m arch.Model) *shelf {
	e := &shelf{model: m}
	for _, x := range m.Tensors() {
		e.tensors = append(e.tensors, Tensor{x.Name, x.Shape, make([]float32, x.Size())})
	}
	return e
}

func (e *shelf) Model() arch.Model                         { return e.model }
func (e *shelf) Fill(_ Part, f func([]Tensor) error) error { return f(e.tensors) }

// copied is the tensors in a list of their own.
func (e *shelf) copied() []Tensor { return slices.Clone(e.tensors) }

func bits(e *shelf) []uint32 {
	var all []uint32
	for _, x := range e.tensors {
		for _, v := range x.Data {
			all = append(all, math.Float32bits(v))
		}
	}
	return all
}

func TestInit(t *testing.T) {
	m := trained()
	m.DModel, m.Heads, m.Vocab = 96, 4, 301
	e := newShelf(m)
	Init(e, 1)
	for _, s := range e.tensors {
		var sum, squares float64
		for _, x := range s.Data {
			sum += float64(x)
			squares += float64(x) * float64(x)
		}
		n := float64(len(s.Data))
		std := math.Sqrt(squares / n)
		want := 0.02
		switch {
		case strings.HasSuffix(s.Name, ".bias"):
			want = 0
		case strings.Contains(s.Name, "norm") || s.Name == "ln_f.weight":
			want = 1
		case strings.HasSuffix(s.Name, "ff_out.weight"), strings.HasSuffix(s.Name, "attn_out.weight"):
			want = 0.02 / 2 // sqrt(2 * 2 layers)
		}
		// The deviation of n draws is off by a relative 1/sqrt(2n), their mean by std/sqrt(n): five
		// of each.
		if math.Abs(std-want) > 5*want/math.Sqrt(2*n) {
			t.Errorf("%s: root mean square %v, want %v", s.Name, std, want)
		}
		if want < 1 && math.Abs(sum/n) > 5*want/math.Sqrt(n) {
			t.Errorf("%s: mean %v of deviation %v", s.Name, sum/n, want)
		}
	}
}

func digest(data []float32) string {
	h := sha256.New()
	for _, x := range data {
		binary.Write(h, binary.LittleEndian, math.Float32bits(x))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// A tensor's stream depends on the seed and its name only. The digest is ours: a change to the
// generator changes every trained model and must be seen here first.
func TestInitStreams(t *testing.T) {
	one, other, deeper := newShelf(trained()), newShelf(trained()), trained()
	deeper.Layers = 3
	deep := newShelf(deeper)
	Init(one, 42)
	Init(other, 43)
	Init(deep, 42)
	wte := one.tensors[0].Data
	if got, want := digest(wte), "a27db237f63c4c13"; got != want {
		t.Errorf("digest of wte.weight for seed 42: %s, want %s", got, want)
	}
	if !slices.Equal(wte, deep.tensors[0].Data) {
		t.Error("a third layer changes the embedding's stream")
	}
	if slices.Equal(wte, other.tensors[0].Data) {
		t.Error("two seeds give one embedding")
	}
	Init(one, 43)
	if !slices.Equal(bits(one), bits(other)) {
		t.Error("Init again with the other's seed gives other parameters")
	}
}

func TestLoad(t *testing.T) {
	from := newShelf(trained())
	Init(from, 1)
	for _, c := range []struct {
		name   string
		change func([]Tensor) []Tensor
		want   string // "" for success
	}{
		{"same", func(ts []Tensor) []Tensor { return ts }, ""},
		{"any order", func(ts []Tensor) []Tensor { slices.Reverse(ts); return ts }, ""},
		{"missing", func(ts []Tensor) []Tensor { return ts[1:] }, "tensor wte.weight [13 12] is missing"},
		{"unknown", func(ts []Tensor) []Tensor {
			return append(ts, Tensor{Name: "x", Shape: []int{1}, Data: make([]float32, 1)})
		}, "tensor x [1] is not part of the model"},
		{"twice", func(ts []Tensor) []Tensor { return append(ts, ts[2]) }, "tensor blocks.0.attn_norm.bias is given twice"},
		{"shape", func(ts []Tensor) []Tensor { ts[0].Shape = []int{12, 13}; return ts }, "tensor wte.weight: shape [12 13], want [13 12]"},
		{"short", func(ts []Tensor) []Tensor { ts[0].Data = ts[0].Data[1:]; return ts }, "tensor wte.weight [13 12]: 155 values, want 156"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newShelf(trained())
			zero := bits(e)
			err := Load(e, Weights, c.change(from.copied()))
			if c.want == "" {
				if err != nil || !slices.Equal(bits(e), bits(from)) {
					t.Errorf("error %v, or not the same parameters", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if !slices.Equal(bits(e), zero) {
				t.Error("the failed load changed parameters")
			}
		})
	}
}
