package cpu

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/kernel"
	"ablate/stages/internal/optim"
)

var settings = optim.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1}

// adamwReference is AdamW in float64, written after PyTorch's documentation of torch.optim.AdamW
// and clip_grad_norm_, bias corrections applied to the moments (the same thing in another order of
// operations).
func adamwReference(a optim.AdamW, lr float64, steps int, w []float64, grad func(step int) []float64) (norms []float64) {
	m, v := make([]float64, len(w)), make([]float64, len(w))
	for t := 1; t <= steps; t++ {
		g := grad(t)
		norm := 0.0
		for _, x := range g {
			norm += x * x
		}
		norm = math.Sqrt(norm)
		norms = append(norms, norm)
		clip := 1.0
		if a.Clip > 0 && a.Clip/(norm+1e-6) < 1 {
			clip = a.Clip / (norm + 1e-6)
		}
		for i := range w {
			x := g[i] * clip
			w[i] -= lr * a.WeightDecay * w[i]
			m[i] += (1 - a.Beta1) * (x - m[i])
			v[i] += (1 - a.Beta2) * (x*x - v[i])
			mHat, vHat := m[i]/(1-math.Pow(a.Beta1, float64(t))), v[i]/(1-math.Pow(a.Beta2, float64(t)))
			w[i] -= lr * mHat / (math.Sqrt(vHat) + a.Eps)
		}
	}
	return norms
}

// Tolerance: ten steps of rate 0.01 on weights around 1, each rounded a few times in float32
// (6e-8): 2e-6.
func TestApplyAgainstReference(t *testing.T) {
	p := kernel.NewPool(2)
	defer p.Close()
	const n = 1003
	grad := func(step int) []float64 {
		g := make([]float64, n)
		for i := range g {
			g[i] = float64(float32(math.Sin(float64(i*step)) * 0.1))
		}
		return g
	}
	for _, c := range []struct {
		name   string
		change func(*optim.AdamW)
	}{
		{"clipped", func(a *optim.AdamW) {}},
		{"clip above the norm", func(a *optim.AdamW) { a.Clip = 1e3 }},
		{"no clipping", func(a *optim.AdamW) { a.Clip = 0 }},
		{"no decay", func(a *optim.AdamW) { a.WeightDecay = 0 }},
		{"large eps", func(a *optim.AdamW) { a.Eps = 0.1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := settings
			c.change(&a)
			want := make([]float64, n)
			w, m, v := make([]float32, n), make([]float32, n), make([]float32, n)
			for i := range w {
				want[i] = math.Cos(float64(i))
				w[i] = float32(want[i])
			}
			norms := adamwReference(a, 0.01, 10, want, grad)
			for step := 1; step <= 10; step++ {
				g := make([]float32, n)
				for i, x := range grad(step) {
					g[i] = float32(x)
				}
				norm, err := apply(optim.Step{AdamW: a, LR: 0.01, Number: step}, p, w, g, m, v)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(g, make([]float32, n)) {
					t.Fatalf("step %d: the gradients are not cleared", step)
				}
				if math.Abs(norm-norms[step-1]) > 1e-9*norm {
					t.Errorf("step %d: norm %v, want %v", step, norm, norms[step-1])
				}
			}
			for i := range w {
				if math.Abs(float64(w[i])-want[i]) > 2e-6 {
					t.Fatalf("weight %d: %v, want %v", i, w[i], want[i])
				}
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	p := kernel.NewPool(1)
	defer p.Close()
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		name string
		step optim.Step
		g    []float32
		want string
	}{
		{"infinite gradient", optim.Step{AdamW: settings, LR: 0.1, Number: 1}, []float32{1, inf}, "their norm is +Inf"},
		{"nan gradient", optim.Step{AdamW: settings, LR: 0.1, Number: 1}, []float32{nan, 1}, "their norm is NaN"},
		{"step 0", optim.Step{AdamW: settings, LR: 0.1, Number: 0}, []float32{1, 1}, "step number is 0"},
		{"negative rate", optim.Step{AdamW: settings, LR: -0.1, Number: 1}, []float32{1, 1}, "learning rate is -0.1"},
		{"nan rate", optim.Step{AdamW: settings, LR: math.NaN(), Number: 1}, []float32{1, 1}, "learning rate is NaN"},
		{"lengths", optim.Step{AdamW: settings, LR: 0.1, Number: 1}, []float32{1}, "2 parameters, 1 gradients"},
		{"zero settings", optim.Step{LR: 0.1, Number: 1}, []float32{1, 1}, "eps is 0"},
		{"beta", optim.Step{AdamW: optim.AdamW{Beta1: 1, Beta2: math.NaN(), Eps: 1, WeightDecay: -1, Clip: -2}, LR: 0.1, Number: 1}, []float32{1, 1},
			"beta1 is 1, want 0 to less than 1\nadamw: beta2 is NaN, want 0 to less than 1\nadamw: weight_decay is -1, want at least 0\nadamw: clip is -2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, m, v := []float32{1, 2}, []float32{3, 4}, []float32{5, 6}
			_, err := apply(c.step, p, w, c.g, m, v)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if finite := !strings.Contains(c.name, "gradient"); errors.Is(err, optim.ErrNotFinite) == finite {
				t.Errorf("errors.Is(%v, ErrNotFinite) = %t", err, finite)
			}
			if !slices.Equal(w, []float32{1, 2}) || !slices.Equal(m, []float32{3, 4}) || !slices.Equal(v, []float32{5, 6}) {
				t.Errorf("changed to %v %v %v", w, m, v)
			}
		})
	}
}
