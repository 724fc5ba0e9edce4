package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
)

// along moves every listed tensor by h times its direction and returns the sum of the losses there.
func along(t *testing.T, e *engine, inputs, targets []int32, B, T int, origin, direction []lm.Tensor, h float64) float64 {
	t.Helper()
	for i, p := range e.part(lm.Weights) {
		for j := range p.Data {
			p.Data[j] = float32(float64(origin[i].Data[j]) + h*float64(direction[i].Data[j]))
		}
	}
	out := make([]float32, B*T)
	if err := e.Losses(inputs, targets, B, T, out); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, x := range out {
		sum += float64(x)
	}
	return sum
}

func clone(ts []lm.Tensor) []lm.Tensor {
	c := slices.Clone(ts)
	for i := range c {
		c[i].Data = slices.Clone(c[i].Data)
	}
	return c
}

func length(ts []lm.Tensor) float64 {
	s := 0.0
	for _, t := range ts {
		for _, x := range t.Data {
			s += float64(x) * float64(x)
		}
	}
	return math.Sqrt(s)
}

// unit scales ts to length 1.
func unit(ts []lm.Tensor) []lm.Tensor {
	n := length(ts)
	for _, t := range ts {
		for j := range t.Data {
			t.Data[j] = float32(float64(t.Data[j]) / n)
		}
	}
	return ts
}

func product(a, b []lm.Tensor) float64 {
	s := 0.0
	for i := range a {
		for j := range a[i].Data {
			s += float64(a[i].Data[j]) * float64(b[i].Data[j])
		}
	}
	return s
}

// only keeps tensor i of ts and sets the others to zero.
func only(ts []lm.Tensor, i int) []lm.Tensor {
	c := clone(ts)
	for j := range c {
		if j != i {
			clear(c[j].Data)
		}
	}
	return c
}

// TestFiniteDifferences needs no reference: the engine's own losses, a step to either side of the
// parameters, along the gradient, along random directions of all parameters, and along the gradient
// of each tensor by itself, which tests the operation that tensor belongs to and all those after
// it.
//
// Quotient and tolerance: the parameters are scrambled, so the losses curve sharply, and the
// quotient is the four-point one, (8 (f(h)-f(-h)) - (f(2h)-f(-2h))) / 12h, whose error is of order
// h^4. The ten losses, about 3 nats each, are rounded to float32 (2e-7 each), so their sum is
// uncertain by some 1e-6 and the quotient by 1e-6 * 1.5/h = 7.5e-4. Gradients are 1 to 100 long.
// Hence 1e-3 of the length plus 1.5e-3; a missing term shows as far more along its own tensor.
func TestFiniteDifferences(t *testing.T) {
	const B, T, h = 2, 5, 0.002
	for _, cfg := range variants() {
		t.Run(label(cfg), func(t *testing.T) {
			e := opened(t, cfg, 1)
			scramble(e, 17)
			inputs, targets := tokens(6, B*T, cfg.Vocab)
			if _, err := e.Accumulate(inputs, targets, B, T, 1); err != nil {
				t.Fatal(err)
			}
			origin, g := clone(e.part(lm.Weights)), clone(e.gradients())
			check := func(name string, direction []lm.Tensor, norm float64) {
				t.Helper()
				want := product(g, direction)
				f := func(h float64) float64 { return along(t, e, inputs, targets, B, T, origin, direction, h) }
				got := (8*(f(h)-f(-h)) - (f(2*h) - f(-2*h))) / (12 * h)
				if !(math.Abs(got-want) <= 1e-3*norm+1.5e-3) {
					t.Errorf("%s: difference quotient %.6f, gradient gives %.6f (length %.3g)", name, got, want, norm)
				}
			}
			check("along the gradient", unit(clone(g)), length(g))
			r := rand.New(rand.NewPCG(4, 4))
			for range 2 {
				d := clone(g)
				for _, x := range d {
					for j := range x.Data {
						x.Data[j] = float32(r.NormFloat64())
					}
				}
				check("along a random direction", unit(d), length(g))
			}
			for i, x := range g {
				part := only(g, i)
				check("along the gradient of "+x.Name, unit(clone(part)), length(part))
			}
		})
	}
}

// The reference's tape against difference quotients of its own losses.
func TestReferenceAgainstDifferences(t *testing.T) {
	for i, cfg := range variants() {
		if i%95 == 0 { // 0, 95, ..., 380: every block is one of them, every other choice is on in one and off in another
			t.Run(label(cfg), func(t *testing.T) { differences(t, cfg) })
		}
	}
}

// differences holds the reference's gradient of each tensor to the difference quotient along it. In
// float64 the quotient at h = 1e-5 is good to about 1e-9 (1e-15/h of rounding, h^2 of curvature),
// so 1e-7 of the gradient's length is strict.
func differences(t *testing.T, cfg arch.Model) {
	t.Helper()
	const B, T, h = 2, 5, 1e-5
	e := opened(t, cfg, 1)
	scramble(e, 17)
	inputs, targets := tokens(6, B*T, cfg.Vocab)
	ref := newReference(cfg, e.part(lm.Weights))
	total := func() (sum float64) {
		for _, x := range ref.run(inputs, targets, B, T, 1) {
			sum += x
		}
		return sum
	}
	total()
	gradient := map[string][]float64{}
	for _, s := range cfg.Tensors() {
		gradient[s.Name] = ref.gradient(s.Name)
	}
	for _, s := range cfg.Tensors() {
		w, g := ref.values[s.Name], gradient[s.Name]
		origin := slices.Clone(w)
		norm := 0.0
		for _, x := range g {
			norm += x * x
		}
		norm = math.Sqrt(norm)
		at := func(h float64) float64 {
			for j := range w {
				w[j] = origin[j] + h*g[j]/norm
			}
			return total()
		}
		got := (at(h) - at(-h)) / (2 * h)
		copy(w, origin)
		if !(math.Abs(got-norm) <= 1e-7*(1+norm)) {
			t.Errorf("%s: difference quotient %.9f, want %.9f", s.Name, got, norm)
		}
	}
}
