package enginetest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// A part comes out as it went in, to the last bit, and one part leaves the other alone.
func (s suite) parts(t *testing.T) {
	e := s.engine(t)
	weights := saved(t, e, lm.Weights)
	var elements int64
	for _, x := range weights {
		elements += int64(len(x.Data))
	}
	if want, _ := s.model.Parameters(); elements != want {
		t.Errorf("%d parameters, want %d", elements, want)
	}
	odd := []float32{0, float32(math.Copysign(0, -1)), 1e-42, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1. / 3}
	n := 0
	fill(t, e, lm.Moments, func(x lm.Tensor) {
		for i := range x.Data {
			x.Data[i] = odd[n%len(odd)]
			n++
		}
	})
	n = 0
	moments := saved(t, e, lm.Moments)
	for i, x := range moments {
		prefix, w := "m.", weights[i%len(weights)]
		if i >= len(weights) {
			prefix = "v."
		}
		if x.Name != prefix+w.Name || !slices.Equal(x.Shape, w.Shape) {
			t.Errorf("moment %d is %s %d, want %s%s %d", i, x.Name, x.Shape, prefix, w.Name, w.Shape)
		}
		for j := range x.Data {
			if want := odd[n%len(odd)]; math.Float32bits(x.Data[j]) != math.Float32bits(want) {
				t.Fatalf("tensor %s, element %d: %v came back, want %v", x.Name, j, x.Data[j], want)
			}
			n++
		}
	}
	same(t, "weights after the moments were filled", saved(t, e, lm.Weights), weights)
	failed := errors.New("no")
	for _, part := range []lm.Part{lm.Weights, lm.Moments} {
		if err := e.Fill(part, func([]lm.Tensor) error { return failed }); !errors.Is(err, failed) {
			t.Errorf("Fill: error %v, want that of its function", err)
		}
		if err := e.Save(part, func([]lm.Tensor) error { return failed }); !errors.Is(err, failed) {
			t.Errorf("Save: error %v, want that of its function", err)
		}
	}
	if err := lm.Load(e, lm.Weights, weights[1:]); err == nil {
		t.Error("Load takes a model without its first tensor")
	}
	same(t, "weights after a failed Load", saved(t, e, lm.Weights), weights)
}

// The losses are the processor's, whatever the shape, and 0 where a target is ignored; Accumulate
// returns their sum.
func (s suite) losses(t *testing.T) {
	e, cpu := s.engine(t), s.processor(t)
	for _, shape := range [][2]int{{1, 1}, {4, 7}, {3, 8}, {1, 5}} {
		B, T := shape[0], shape[1]
		inputs, targets := tokens(5, B*T, s.model.Vocab)
		got, want := make([]float32, B*T), make([]float32, B*T)
		if err := errors.Join(e.Losses(inputs, targets, B, T, got), cpu.Losses(inputs, targets, B, T, want)); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i := range got {
			sum += float64(got[i])
			if math.Abs(float64(got[i])-float64(want[i])) > s.tol.Loss || targets[i] < 0 && got[i] != 0 {
				t.Errorf("%d rows of %d: token %d, target %d: %v nats, want %v within %g", B, T, i, targets[i], got[i], want[i], s.tol.Loss)
			}
		}
		loss, err := e.Accumulate(inputs, targets, B, T, 1)
		if err != nil {
			t.Fatal(err)
		}
		// Training may compute the losses otherwise than evaluation, as far as either may be from
		// the processor's.
		if math.Abs(loss-sum) > 2*s.tol.Loss*float64(B*T) {
			t.Errorf("%d rows of %d: Accumulate gives %v, the losses add up to %v", B, T, loss, sum)
		}
	}
}

func (s suite) gradients(t *testing.T) {
	e, cpu := s.engine(t), s.processor(t)
	for n, engine := range []lm.Engine{e, cpu} {
		accumulate(t, engine, 7, 1)
		if n == 1 {
			got, norm := gradient(t, e)
			want, wantNorm := gradient(t, cpu)
			near(t, "gradient", got, want, s.tol.Gradient)
			if math.Abs(norm-wantNorm) > s.tol.Gradient*wantNorm {
				t.Errorf("norm of the gradients %v, want %v within %g of it", norm, wantNorm, s.tol.Gradient)
			}
		}
	}
}

// Gradients add up over calls, grow with the scale and are zero after a step.
func (s suite) accumulation(t *testing.T) {
	e := s.engine(t)
	accumulate(t, e, 7, 1)
	once, norm := gradient(t, e)
	if gone, n := gradient(t, e); n != 0 || length(gone[0].Data) != 0 {
		t.Errorf("after a step the norm of the gradients is %v, want 0", n)
	}
	accumulate(t, e, 7, 1)
	again, _ := gradient(t, e)
	same(t, "gradient of the same batch after a step", again, once)
	if norm == 0 {
		t.Error("the gradient is zero: nothing is tested")
	}
	// Row by row: the same sums, cut otherwise. 1e-6 is some 20 steps of float32.
	accumulate(t, e, 7, 4)
	parts, _ := gradient(t, e)
	near(t, "gradient in four parts", parts, once, max(1e-6, 2*s.tol.Gradient))
	inputs, targets := tokens(7, 28, s.model.Vocab)
	if _, err := e.Accumulate(inputs, targets, 4, 7, 2./28); err != nil {
		t.Fatal(err)
	}
	double, _ := gradient(t, e)
	for _, x := range once {
		for i := range x.Data {
			x.Data[i] *= 2
		}
	}
	near(t, "gradient at twice the scale", double, once, max(1e-6, 2*s.tol.Gradient))
}

// A step is AdamW with clipping, from the gradients that the engine has, as optim.AdamW states it.
// Float32 moments after a few roundings: 1e-6.
func (s suite) step(t *testing.T) {
	e := s.engine(t)
	accumulate(t, e, 3, 1)
	g, norm := gradient(t, e)
	before := whole(t, e) // m = g, v = g^2
	accumulate(t, e, 3, 1)
	o := optim.Step{AdamW: adamw, LR: 0.01, Number: 3}
	o.Clip = norm / 2
	if got, err := e.Step(o); err != nil || got != norm {
		t.Errorf("norm of the gradients %v, %v, want %v as before", got, err, norm)
	}
	got := whole(t, e)
	want := clone(before)
	n, clip := len(g), o.Clip/(norm+1e-6)
	c1, c2 := 1-math.Pow(o.Beta1, 3), 1-math.Pow(o.Beta2, 3)
	for i := range g {
		for j := range g[i].Data {
			d := clip * float64(g[i].Data[j])
			m := o.Beta1*float64(before[n+i].Data[j]) + (1-o.Beta1)*d
			v := o.Beta2*float64(before[2*n+i].Data[j]) + (1-o.Beta2)*d*d
			w := float64(before[i].Data[j]) * (1 - o.LR*o.WeightDecay)
			want[i].Data[j] = float32(w - o.LR/c1*m/(math.Sqrt(v)/math.Sqrt(c2)+o.Eps))
			want[n+i].Data[j], want[2*n+i].Data[j] = float32(m), float32(v)
		}
	}
	near(t, "step", got, want, 1e-6)
}

func clone(all []lm.Tensor) []lm.Tensor {
	c := slices.Clone(all)
	for i := range c {
		c[i].Data = slices.Clone(c[i].Data)
	}
	return c
}

// An engine that takes over another's parts goes on as that would have, to the last bit, whatever
// it did before.
func (s suite) resume(t *testing.T) {
	calm, first, second := s.engine(t), s.engine(t), s.engine(t)
	want := train(t, calm, 0, 6)
	got := train(t, first, 0, 3)
	train(t, second, 3, 5)
	for _, part := range []lm.Part{lm.Weights, lm.Moments} {
		if err := lm.Load(second, part, saved(t, first, part)); err != nil {
			t.Fatal(err)
		}
	}
	inputs, targets := tokens(1, 10, s.model.Vocab)
	if err := second.Losses(inputs, targets, 2, 5, make([]float32, 10)); err != nil { // an evaluation in between changes nothing
		t.Fatal(err)
	}
	if got = append(got, train(t, second, 3, 6)...); !slices.Equal(got, want) {
		t.Errorf("losses %v, want %v as without a break", got, want)
	}
	same(t, "resumed", whole(t, second), whole(t, calm))
}

// A merge is a Fill that computes: the engine evaluates exactly the average it was given.
func (s suite) merge(t *testing.T) {
	a, b, merged, loaded := s.engine(t), s.engine(t), s.engine(t), s.engine(t)
	train(t, a, 0, 2)
	train(t, b, 2, 4)
	x, y := saved(t, a, lm.Weights), saved(t, b, lm.Weights)
	n := 0
	fill(t, merged, lm.Weights, func(w lm.Tensor) {
		for j := range w.Data {
			w.Data[j] = float32(float64(x[n].Data[j])*0.25 + float64(y[n].Data[j])*0.75)
		}
		n++
	})
	average := saved(t, merged, lm.Weights)
	if err := lm.Load(loaded, lm.Weights, average); err != nil {
		t.Fatal(err)
	}
	inputs, targets := tokens(5, 28, s.model.Vocab)
	got, want := make([]float32, 28), make([]float32, 28)
	if err := errors.Join(merged.Losses(inputs, targets, 4, 7, got), loaded.Losses(inputs, targets, 4, 7, want)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("losses of the merge %v, of the same average loaded %v", got, want)
	}
	for i := range average {
		if j := len(average[i].Data) / 2; average[i].Data[j] != float32(float64(x[i].Data[j])*0.25+float64(y[i].Data[j])*0.75) {
			t.Errorf("tensor %s, element %d of the merge is %v", average[i].Name, j, average[i].Data[j])
		}
	}
}

// What is not finite is an error that names a tensor; it changes nothing that is kept, and the
// gradients are zero after it.
func (s suite) notFinite(t *testing.T) {
	e := s.engine(t)
	train(t, e, 0, 1)
	before := whole(t, e)
	inputs, targets := tokens(5, 28, s.model.Vocab)
	if _, err := e.Accumulate(inputs, targets, 4, 7, 3e38); err != nil { // the largest float32 is 3.4e38
		t.Fatal(err)
	}
	_, err := e.Step(optim.Step{AdamW: adamw, LR: 0.01, Number: 2})
	if !errors.Is(err, optim.ErrNotFinite) || !strings.Contains(err.Error(), "tensor ") {
		t.Errorf("error %v, want one that says the gradient is not finite and names a tensor", err)
	}
	same(t, "after a gradient that is not finite", whole(t, e), before)
	if _, norm := gradient(t, e); norm != 0 {
		t.Errorf("after the error the norm of the gradients is %v, want 0", norm)
	}

	weights := clone(before[:len(before)/3])
	weights[1].Data[0] = float32(math.NaN())
	if err := lm.Load(e, lm.Weights, weights); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Accumulate(inputs, targets, 4, 7, 1); err == nil || !strings.Contains(err.Error(), "tensor "+weights[1].Name) {
		t.Errorf("Accumulate: error %v, want one that names tensor %s", err, weights[1].Name)
	}
	if err := e.Losses(inputs, targets, 4, 7, make([]float32, 28)); err == nil || !strings.Contains(err.Error(), "tensor "+weights[1].Name) {
		t.Errorf("Losses: error %v, want one that names tensor %s", err, weights[1].Name)
	}
	if _, norm := gradient(t, e); norm != 0 {
		t.Errorf("after the error the norm of the gradients is %v, want 0", norm)
	}
}

func (s suite) refusals(t *testing.T) {
	e := s.engine(t)
	row := make([]int32, 7)
	big := []int32{0, int32(s.model.Vocab)}
	for _, c := range []struct {
		name            string
		inputs, targets []int32
		B, T            int
	}{
		{"a row too long", make([]int32, 9), make([]int32, 9), 1, 9},
		{"no rows", nil, nil, 0, 7},
		{"too few targets", row, row[:6], 1, 7},
		{"an input that is no token", big, row[:2], 1, 2},
		{"a negative input", []int32{-1, 0}, row[:2], 1, 2},
		{"a target that is no token", row[:2], big, 1, 2},
	} {
		if _, err := e.Accumulate(c.inputs, c.targets, c.B, c.T, 1); err == nil {
			t.Errorf("Accumulate takes %s", c.name)
		}
		if err := e.Losses(c.inputs, c.targets, c.B, c.T, make([]float32, c.B*c.T)); err == nil {
			t.Errorf("Losses takes %s", c.name)
		}
	}
	if _, err := e.Step(optim.Step{AdamW: adamw, LR: math.NaN(), Number: 1}); err == nil {
		t.Error("Step takes a learning rate of NaN")
	}
	if err := e.Losses(row, row, 1, 7, make([]float32, 6)); err == nil {
		t.Error("Losses takes room for too few")
	}
	broken := s.model
	broken.Heads = 5
	if closing, err := s.open(broken); err == nil {
		t.Error("5 heads do not divide the width")
		closing.Close()
	}
}

// reference are the losses of twenty steps that package cpu's float64 model gives; its
// TestTwentyLosses recomputes them.
var reference = []float64{
	2.5177514803, 2.8076657431, 2.7181113775, 2.2600042109, 2.2909742951,
	2.0264438111, 2.4300628713, 2.3295086787, 2.1665112118, 2.1283128295,
	1.9792928996, 2.2669776918, 2.1203553728, 2.1152554630, 2.0441726269,
	1.9309269204, 2.1839817766, 2.0106639830, 2.0736858209, 1.9651795198,
}

func (s suite) training(t *testing.T) {
	for i, loss := range train(t, s.engine(t), 0, len(reference)) {
		if math.Abs(loss-reference[i]) > s.tol.Training {
			t.Errorf("step %d: loss %.10f, want %.10f within %g", i+1, loss, reference[i], s.tol.Training)
		}
	}
}
