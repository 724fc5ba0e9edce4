package cpu

import (
	"math"
	"slices"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// half is a model wide enough for every kernel to split its work, to be trained in bf16.
func half() arch.Model {
	c := trained()
	c.DModel, c.Heads, c.MLPHidden, c.Vocab = 96, 6, 384, 301
	return c
}

// Gradients with rounded operands are near those of float32. Rounding moves an operand by at most
// 2^-9 of itself; a gradient here passes through about ten products, whose errors are independent
// and so add up as a walk does: sqrt(20) 2^-9 is 1 %. 5 % leaves room for the norms' and the
// softmax's share and no room for a wrong term.
func TestBF16Gradients(t *testing.T) {
	for _, block := range []string{arch.Sequential, arch.Parallel, arch.NeoX} {
		cfg := half()
		cfg.Block = block
		inputs, targets := tokens(7, 28, cfg.Vocab)
		rounded := training{cfg, lm.BF16}.open(t, 2)
		plain := opened(t, cfg, 2)
		for _, e := range []*engine{rounded, plain} {
			lm.Init(e, 3)
			if _, err := e.Accumulate(inputs, targets, 4, 7, 1.0/28); err != nil {
				t.Fatal(err)
			}
		}
		for i, s := range plain.specs {
			got, want := rounded.view(rounded.grads, i), plain.view(plain.grads, i)
			var off, size float64
			for j := range want {
				d := float64(got[j]) - float64(want[j])
				off, size = off+d*d, size+float64(want[j])*float64(want[j])
			}
			if size > 0 && !(math.Sqrt(off/size) < 0.05) {
				t.Errorf("%s: gradient of %s is %.3g of its length off, want at most 0.05", block, s.Name, math.Sqrt(off/size))
			}
			if size > 0 && off == 0 && len(s.Shape) == 2 {
				t.Errorf("%s: gradient of %s is that of float32: nothing was rounded", block, s.Name)
			}
		}
	}
}

// Forty steps in bf16 keep to the losses in float32 within 1 %. The rate is a fifth of that of the
// other tests, where single losses jump by more than they fall and nothing could be said of any.
func TestBF16Training(t *testing.T) {
	cfg := half()
	rounded := training{cfg, lm.BF16}.open(t, 2)
	plain := opened(t, cfg, 2)
	lm.Init(rounded, 5)
	lm.Init(plain, 5)
	steps := func(e *engine) []float64 {
		var losses []float64
		for s := range 40 {
			inputs, targets := tokens(uint64(100+s%5), 28, cfg.Vocab)
			loss, err := e.Accumulate(inputs, targets, 4, 7, 1.0/28)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Step(optim.Step{AdamW: adamw, LR: 0.002, Number: s + 1}); err != nil {
				t.Fatal(err)
			}
			losses = append(losses, loss/28)
		}
		return losses
	}
	got, want := steps(rounded), steps(plain)
	t.Logf("last losses %.4f, in float32 %.4f", got[35:], want[35:])
	for i := range want {
		if math.Abs(got[i]-want[i]) > 0.01*want[i] {
			t.Errorf("step %d: loss %.6f, in float32 %.6f", i+1, got[i], want[i])
		}
	}
	if want[39] > 0.8*want[0] {
		t.Errorf("the losses %.4f hardly fall: this run shows nothing", want)
	}
	if slices.Equal(got, want) {
		t.Error("the losses are those of float32: nothing was rounded")
	}
}

// Losses are those of float32, to the last bit, however the model was trained.
func TestBF16Losses(t *testing.T) {
	cfg := half()
	rounded := training{cfg, lm.BF16}.open(t, 2)
	plain := opened(t, cfg, 2)
	inputs, targets := tokens(7, 28, cfg.Vocab)
	var out [2][]float32
	for i, e := range []*engine{rounded, plain} {
		lm.Init(e, 3)
		out[i] = make([]float32, 28)
		if _, err := e.Accumulate(inputs, targets, 4, 7, 1); err != nil { // the graph of a training is another one
			t.Fatal(err)
		}
		if err := e.Losses(inputs, targets, 4, 7, out[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(out[0], out[1]) {
		t.Errorf("losses %v, in float32 %v", out[0], out[1])
	}
}
