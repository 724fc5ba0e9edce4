package cpu

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/lm"
)

func TestInit(t *testing.T) {
	cfg := trained()
	cfg.DModel, cfg.Heads, cfg.Vocab = 96, 4, 301
	e := opened(t, cfg, 1)
	lm.Init(e, 1)
	for _, s := range e.part(lm.Weights) {
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
		// The deviation of n draws is off by a relative 1/sqrt(2n), their mean by std/sqrt(n): five of each.
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

// A tensor's stream depends on the seed and its name only. The digest is ours: a change to the generator changes every
// trained model and must be seen here first.
func TestInitStreams(t *testing.T) {
	one, other, deeper := opened(t, trained(), 1), opened(t, trained(), 1), trained()
	deeper.Layers = 3
	deep := opened(t, deeper, 1)
	lm.Init(one, 42)
	lm.Init(other, 43)
	lm.Init(deep, 42)
	wte := one.part(lm.Weights)[0].Data
	if got, want := digest(wte), "a27db237f63c4c13"; got != want {
		t.Errorf("digest of wte.weight for seed 42: %s, want %s", got, want)
	}
	if !slices.Equal(wte, deep.part(lm.Weights)[0].Data) {
		t.Error("a third layer changes the embedding's stream")
	}
	if slices.Equal(wte, other.part(lm.Weights)[0].Data) {
		t.Error("two seeds give one embedding")
	}
	lm.Init(one, 43)
	if !slices.Equal(bits(one), bits(other)) {
		t.Error("Init again with the other's seed gives other parameters")
	}
}

func TestLoad(t *testing.T) {
	from := opened(t, trained(), 1)
	lm.Init(from, 1)
	for _, c := range []struct {
		name   string
		change func([]lm.Tensor) []lm.Tensor
		want   string // "" for success
	}{
		{"same", func(ts []lm.Tensor) []lm.Tensor { return ts }, ""},
		{"any order", func(ts []lm.Tensor) []lm.Tensor { slices.Reverse(ts); return ts }, ""},
		{"missing", func(ts []lm.Tensor) []lm.Tensor { return ts[1:] }, "tensor wte.weight [13 12] is missing"},
		{"unknown", func(ts []lm.Tensor) []lm.Tensor {
			return append(ts, lm.Tensor{Name: "x", Shape: []int{1}, Data: make([]float32, 1)})
		}, "tensor x [1] is not part of the model"},
		{"twice", func(ts []lm.Tensor) []lm.Tensor { return append(ts, ts[2]) }, "tensor blocks.0.attn_norm.bias is given twice"},
		{"shape", func(ts []lm.Tensor) []lm.Tensor { ts[0].Shape = []int{12, 13}; return ts }, "tensor wte.weight: shape [12 13], want [13 12]"},
		{"short", func(ts []lm.Tensor) []lm.Tensor { ts[0].Data = ts[0].Data[1:]; return ts }, "tensor wte.weight [13 12]: 155 values, want 156"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := opened(t, trained(), 1)
			zero := bits(e)
			err := lm.Load(e, lm.Weights, c.change(from.part(lm.Weights)))
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
