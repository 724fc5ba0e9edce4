package cpu

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

var adamw = optim.AdamW{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1}

// trained is the model of the training tests: every optional part present.
func trained() arch.Model {
	c := tiny()
	c.NormBias, c.LinearBias, c.QKNorm, c.AttentionOutput, c.TiedHead = true, true, true, true, true
	return c
}

// train runs steps of one batch of 4 rows of 7 tokens each and returns the mean losses.
func train(t testing.TB, e lm.Engine, from, to int) []float64 {
	t.Helper()
	var losses []float64
	for s := from; s < to; s++ {
		inputs, targets := tokens(uint64(100+s%5), 28, e.Model().Vocab)
		loss, err := e.Accumulate(inputs, targets, 4, 7, 1.0/28)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Step(optim.Step{AdamW: adamw, LR: 0.01, Number: s + 1}); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss/28)
	}
	return losses
}

// goldenLosses are the losses of the 20 steps of TestTwentyLosses, computed by referenceTraining
// below: the scalar float64 model of reference_test.go with AdamW in float64. (PyTorch was not at
// hand; the reference shares no code with the engine.)
var goldenLosses = []float64{
	2.5177514803, 2.8076657431, 2.7181113775, 2.2600042109, 2.2909742951,
	2.0264438111, 2.4300628713, 2.3295086787, 2.1665112118, 2.1283128295,
	1.9792928996, 2.2669776918, 2.1203553728, 2.1152554630, 2.0441726269,
	1.9309269204, 2.1839817766, 2.0106639830, 2.0736858209, 1.9651795198,
}

// referenceTraining is train in float64: the reference's gradients, clipping and AdamW as PyTorch
// documents them.
func referenceTraining(e *engine, steps int) []float64 {
	r := newReference(e.Model(), e.part(lm.Weights))
	m, v := map[string][]float64{}, map[string][]float64{}
	for name, w := range r.values {
		m[name], v[name] = make([]float64, len(w)), make([]float64, len(w))
	}
	var losses []float64
	for s := range steps {
		inputs, targets := tokens(uint64(100+s%5), 28, e.Model().Vocab)
		sum := 0.0
		for _, x := range r.run(inputs, targets, 4, 7, 1.0/28) {
			sum += x
		}
		losses = append(losses, sum/28)
		squares := 0.0
		for _, x := range e.Model().Tensors() {
			for _, g := range r.gradient(x.Name) {
				squares += g * g
			}
		}
		clip := math.Min(1, adamw.Clip/(math.Sqrt(squares)+1e-6))
		c1, c2 := 1-math.Pow(adamw.Beta1, float64(s+1)), 1-math.Pow(adamw.Beta2, float64(s+1))
		for name, w := range r.values {
			for i, g := range r.gradient(name) {
				g *= clip
				w[i] *= 1 - 0.01*adamw.WeightDecay
				m[name][i] = adamw.Beta1*m[name][i] + (1-adamw.Beta1)*g
				v[name][i] = adamw.Beta2*v[name][i] + (1-adamw.Beta2)*g*g
				w[i] -= 0.01 * (m[name][i] / c1) / (math.Sqrt(v[name][i]/c2) + adamw.Eps)
			}
		}
	}
	return losses
}

// Twenty losses of a tiny run. Two tolerances: the reference must give the written losses to 1e-9
// (float64 reordering), the engine to 1e-4: AdamW's first steps divide small gradients by their own
// size, so float32 differences of 1e-6 in a gradient near eps move a weight visibly; 20 steps of
// rate 0.01 keep that below 1e-4 of a loss of about 2 nats.
func TestTwentyLosses(t *testing.T) {
	e := opened(t, trained(), 2)
	scramble(e, 11)
	ref := referenceTraining(e, 20)
	got := train(t, e, 0, 20)
	if len(goldenLosses) != 20 {
		t.Fatalf("%d written losses, want 20; the reference gives %.10f", len(goldenLosses), ref)
	}
	for i, want := range goldenLosses {
		if math.Abs(ref[i]-want) > 1e-9 {
			t.Errorf("step %d: reference loss %.10f, want %.10f", i, ref[i], want)
		}
		if math.Abs(got[i]-want) > 1e-4 {
			t.Errorf("step %d: loss %.10f, want %.10f", i, got[i], want)
		}
	}
}

func bits(e *engine) []uint32 {
	var all []uint32
	for _, t := range slices.Concat(e.part(lm.Weights), e.part(lm.Moments)) {
		for _, x := range t.Data {
			all = append(all, math.Float32bits(x))
		}
	}
	return all
}

// Changing the number of threads between the steps, and between Accumulate and Step, changes no
// bit.
func TestSetThreads(t *testing.T) {
	wide := trained()
	wide.DModel, wide.Heads, wide.MLPHidden, wide.Vocab = 96, 6, 384, 301
	plain := opened(t, wide, 1)
	lm.Init(plain, 5)
	wantLosses := train(t, plain, 0, 6)
	e := opened(t, wide, 7)
	var threaded lm.Threaded = e
	lm.Init(threaded, 5)
	inputs, targets := tokens(1, 8, wide.Vocab)
	var losses []float64
	for s, threads := range []int{1, 4, 2, 100, 3, 0} {
		threaded.SetThreads(8 - threads)
		if err := threaded.Losses(inputs, targets, 1, 8, make([]float32, 8)); err != nil {
			t.Fatal(err)
		}
		threaded.SetThreads(threads)
		losses = append(losses, train(t, threaded, s, s+1)...)
	}
	if !slices.Equal(losses, wantLosses) {
		t.Errorf("losses %v, want %v", losses, wantLosses)
	}
	if !slices.Equal(bits(e), bits(plain)) {
		t.Error("weights or moments differ from those of 1 thread")
	}
}

// A training resumed from copied parameters and moments equals an uninterrupted one, bit for bit.
func TestResume(t *testing.T) {
	whole := opened(t, trained(), 1)
	lm.Init(whole, 9)
	train(t, whole, 0, 6)

	first := opened(t, trained(), 2)
	lm.Init(first, 9)
	train(t, first, 0, 3)
	second := opened(t, trained(), 1)
	for _, part := range []lm.Part{lm.Weights, lm.Moments} {
		if err := first.Save(part, func(tensors []lm.Tensor) error { return lm.Load(second, part, tensors) }); err != nil {
			t.Fatal(err)
		}
	}
	train(t, second, 3, 6)
	if !slices.Equal(bits(second), bits(whole)) {
		t.Error("resumed training differs from the uninterrupted one")
	}
}

// Weight decay takes its share of every parameter, norms and biases included, as the authors' AdamW
// does: without a gradient one step leaves w - lr decay w.
func TestDecayOfEveryTensor(t *testing.T) {
	e := opened(t, trained(), 1)
	scramble(e, 3)
	before := clone(e.part(lm.Weights))
	o := adamw
	o.WeightDecay = 0.25
	if _, err := e.Step(optim.Step{AdamW: o, LR: 0.5, Number: 1}); err != nil {
		t.Fatal(err)
	}
	for i, x := range e.part(lm.Weights) {
		for j, w := range x.Data {
			if want := before[i].Data[j] * (1 - 0.5*0.25); w != want {
				t.Fatalf("%s: element %d decays from %v to %v, want %v", x.Name, j, before[i].Data[j], w, want)
			}
		}
	}
}

// Four micro-batches of one row give the gradient of the batch of four rows. Matrix gradients are
// chains over the rows, which micro-batches only cut, but sums over rows of norms and biases are
// folded differently: 1e-6 of the norm is 20 float32 steps.
func TestMicroBatches(t *testing.T) {
	whole, parts := opened(t, trained(), 2), opened(t, trained(), 2)
	scramble(whole, 3)
	scramble(parts, 3)
	inputs, targets := tokens(8, 28, whole.arch.Vocab)
	want, err := whole.Accumulate(inputs, targets, 4, 7, 1.0/28)
	if err != nil {
		t.Fatal(err)
	}
	var got float64
	for i := 0; i < 28; i += 7 {
		loss, err := parts.Accumulate(inputs[i:i+7], targets[i:i+7], 1, 7, 1.0/28)
		if err != nil {
			t.Fatal(err)
		}
		got += loss
	}
	if math.Abs(got-want) > 1e-12*want { // the same float32 losses, added in float64 in another order
		t.Errorf("losses add up to %v, want %v", got, want)
	}
	for i, g := range parts.gradients() {
		var diff, norm float64
		for j, x := range whole.gradients()[i].Data {
			diff += math.Pow(float64(g.Data[j])-float64(x), 2)
			norm += math.Pow(float64(x), 2)
		}
		if !(diff <= 1e-12*norm) {
			t.Errorf("gradient of %s: off by %.3g of %.3g", g.Name, math.Sqrt(diff), math.Sqrt(norm))
		}
	}
}

// Training and evaluating in turns, with shapes that grow the activations, changes nothing.
func TestInterleavedShapes(t *testing.T) {
	plain, mixed := opened(t, trained(), 1), opened(t, trained(), 1)
	lm.Init(plain, 4)
	lm.Init(mixed, 4)
	train(t, plain, 0, 4)
	if err := mixed.Losses([]int32{1}, []int32{2}, 1, 1, make([]float32, 1)); err != nil { // the smallest; all others grow it
		t.Fatal(err)
	}
	for s := range 4 {
		train(t, mixed, s, s+1)
		for T := 1; T <= 8; T++ { // more shapes than the cache holds graphs
			for _, B := range []int{1, 3 + s, 16} {
				inputs, targets := tokens(1, B*T, mixed.arch.Vocab)
				if err := mixed.Losses(inputs, targets, B, T, make([]float32, B*T)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if !slices.Equal(bits(mixed), bits(plain)) {
		t.Error("evaluations between the steps changed the training")
	}
	if len(mixed.graphs) > maxGraphs {
		t.Errorf("%d graphs in the cache, want at most %d", len(mixed.graphs), maxGraphs)
	}
}

// A row's losses do not depend on the other rows of the batch, nor a token's on those after it.
func TestCausalAndIndependent(t *testing.T) {
	e := opened(t, trained(), 2)
	scramble(e, 2)
	inputs, targets := tokens(5, 24, e.arch.Vocab)
	losses := func(in, tg []int32, B, T int) []float32 {
		out := make([]float32, B*T)
		if err := e.Losses(in, tg, B, T, out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	all := losses(inputs, targets, 3, 8)
	if diff := cmp.Diff(all[8:16], losses(inputs[8:16], targets[8:16], 1, 8)); diff != "" {
		t.Errorf("row 1 alone (-in the batch +alone):\n%s", diff)
	}
	if diff := cmp.Diff(all[:5], losses(inputs[:5], targets[:5], 1, 5)); diff != "" {
		t.Errorf("first tokens of row 0 (-whole row +cut):\n%s", diff)
	}
	for i, target := range targets {
		if (target < 0) != (all[i] == 0) {
			t.Errorf("token %d: target %d, loss %v", i, target, all[i])
		}
	}
}

func TestNotFinite(t *testing.T) {
	e := opened(t, trained(), 1)
	lm.Init(e, 1)
	before := bits(e)
	inputs, targets := tokens(5, 28, e.arch.Vocab)
	if _, err := e.Accumulate(inputs, targets, 4, 7, 1); err != nil {
		t.Fatal(err)
	}
	e.gradients()[3].Data[2] = float32(math.Inf(1))
	_, err := e.Step(optim.Step{AdamW: adamw, LR: 0.01, Number: 1})
	if !errors.Is(err, optim.ErrNotFinite) || !strings.Contains(err.Error(), "tensor blocks.0.att_proj.weight, element 2, is +Inf") {
		t.Errorf("error %v, want one naming the tensor", err)
	}
	if !slices.Equal(bits(e), before) {
		t.Error("the failed step changed parameters or moments")
	}
	e.part(lm.Weights)[1].Data[0] = float32(math.NaN())
	_, err = e.Accumulate(inputs, targets, 4, 7, 1)
	if err == nil || !strings.Contains(err.Error(), "parameter of tensor blocks.0.attn_norm.weight, element 0, is NaN") {
		t.Errorf("error %v, want one naming the tensor", err)
	}
	// Finite parameters of which two square beyond float32: the first operation that shows it is
	// named.
	lm.Init(e, 1)
	for i := range e.part(lm.Weights) {
		if x := e.part(lm.Weights)[i]; x.Name == "blocks.0.ff_proj.weight" {
			x.Data[0], x.Data[10*12] = 3e38, 3e38 // value and gate of channel 0
		}
	}
	want := "every parameter is finite, but the output of blocks.0."
	if _, err := e.Accumulate(inputs, targets, 4, 7, 1); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("training: error %v, want %q", err, want)
	}
	if err := e.Losses(inputs, targets, 4, 7, make([]float32, 28)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("evaluation: error %v, want %q", err, want)
	}
	for _, g := range e.gradients() {
		for j, x := range g.Data {
			if x != 0 {
				t.Fatalf("after the error: gradient of %s, element %d, is %v, want 0", g.Name, j, x)
			}
		}
	}
}

func TestClosed(t *testing.T) {
	e := opened(t, trained(), 2)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	row := []int32{1}
	_, accumulate := e.Accumulate(row, row, 1, 1, 1)
	_, step := e.Step(optim.Step{AdamW: adamw, LR: 1, Number: 1})
	for name, err := range map[string]error{"Accumulate": accumulate, "Step": step, "Losses": e.Losses(row, row, 1, 1, make([]float32, 1))} {
		if !errors.Is(err, errClosed) {
			t.Errorf("%s: error %v, want %v", name, err, errClosed)
		}
	}
}

func TestBadBatches(t *testing.T) {
	e := opened(t, trained(), 1)
	row := make([]int32, 7)
	for _, c := range []struct {
		name            string
		inputs, targets []int32
		B, T            int
		want            string
	}{
		{"too long", make([]int32, 9), make([]int32, 9), 1, 9, "want at least 1 of 1 to 8"},
		{"empty", nil, nil, 0, 7, "batch of 0 rows"},
		{"short targets", row, row[:6], 1, 7, "7 inputs and 6 targets, want 1*7"},
		{"token too large", []int32{0, 13}, row[:2], 1, 2, "input 1 is token 13, want 0 to 12"},
		{"negative token", []int32{-1, 1}, row[:2], 1, 2, "input 0 is token -1"},
		{"target too large", row[:2], []int32{0, 99}, 1, 2, "target 1 is token 99, want less than 13"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := e.Accumulate(c.inputs, c.targets, c.B, c.T, 1); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Accumulate: error %v, want %q", err, c.want)
			}
			err := e.Losses(c.inputs, c.targets, c.B, c.T, make([]float32, c.B*c.T))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Losses: error %v, want %q", err, c.want)
			}
		})
	}
}

// A step allocates next to nothing: gorgonia makes a goroutine, two channels and one slice of
// inputs per operation. Op-owned memory is the point: one activation of this model alone would be
// far larger than the bound in bytes.
func TestAllocationsPerStep(t *testing.T) {
	e := opened(t, trained(), 1)
	lm.Init(e, 1)
	inputs, targets := tokens(5, 28, e.arch.Vocab)
	step := 0
	run := func() {
		step++
		if _, err := e.Accumulate(inputs, targets, 4, 7, 1.0/28); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Step(optim.Step{AdamW: adamw, LR: 0.001, Number: step}); err != nil {
			t.Fatal(err)
		}
	}
	run()
	nodes := len(e.graphs[0].program)
	if got, limit := testing.AllocsPerRun(10, run), float64(8*nodes); got > limit {
		t.Errorf("%v allocations per step of %d nodes, want at most %v", got, nodes, limit)
	}
}

// Nor does it allocate many bytes, in training or evaluation, or more with every step: 130 to 170
// an operation were measured, for gorgonia's slices of inputs and the closures that kernels hand to
// their workers. One activation of this batch alone, 256*96*4 bytes, would exceed the bound.
func TestBytesPerStep(t *testing.T) {
	for _, redo := range lm.Levels {
		cfg := trained()
		cfg.DModel, cfg.Heads, cfg.MLPHidden = 96, 6, 384
		e := opened(t, cfg, 1)
		e.Recompute = redo
		lm.Init(e, 1)
		inputs, targets := tokens(5, 256, e.arch.Vocab)
		out := make([]float32, 256)
		step := 0
		training := func() {
			step++
			if _, err := e.Accumulate(inputs, targets, 32, 8, 1.0/256); err != nil {
				t.Fatal(err)
			}
			if _, err := e.Step(optim.Step{AdamW: adamw, LR: 0.001, Number: step}); err != nil {
				t.Fatal(err)
			}
		}
		evaluation := func() {
			if err := e.Losses(inputs, targets, 32, 8, out); err != nil {
				t.Fatal(err)
			}
		}
		for name, run := range map[string]func(){"training": training, "evaluation": evaluation} {
			run()
			nodes := len(e.graphs[len(e.graphs)-1].program)
			const steps = 20
			first, second := allocated(steps, run), allocated(steps, run)
			t.Logf("recomputing %s, %s: %d and %d bytes a step of %d nodes", redo, name, first, second, nodes)
			if limit := uint64(300 * nodes); first > limit || second > limit {
				t.Errorf("recomputing %s, %s: %d and %d bytes a step of %d nodes, want at most %d", redo, name, first, second, nodes, limit)
			}
		}
	}
}

// allocated is how many bytes a run of f allocates, on average over n.
func allocated(n int, f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / uint64(n)
}
