package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ablate/stages/internal/lm"
)

// testOp begins the names of the operations that belong to the test bed.
const testOp = "test "

// bed is a graph of the operation under test between leaves and a scalar, with gorgonia's gradient
// of the scalar for every leaf and parameter, planned, compiled and run like a model's.
//
// A leaf is an input node and a copy of it, an operation that owns its memory as those of a model
// do, so that operations take memory over where they would in a model; if held, inputs and output
// gradients are needed to the end, and none does. The scalar is the sum of the outputs' elements
// times fixed random numbers, added in float64; a head is its own scalar.
type bed struct {
	*builder
	r       *rand.Rand
	moving  []lm.Tensor // leaves and parameters: what the scalar depends on
	grads   []lm.Tensor // of moving; a parameter's are views of the engine's gradients
	inputs  gorgonia.Nodes
	owned   gorgonia.Nodes // copies of leaves, gradients of outputs
	outputs [][]float32    // of the last run
	sum     float64
	arena   []float32
}

const bedScale = 0.375 // of the head's loss

func newBed(t *testing.T, e *engine, B, T int, train, held bool, c opCase) *bed {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	e.training()
	d := &bed{builder: e.newBuilder(B, T, train, 0), r: rand.New(rand.NewPCG(5, 5))}
	d.batch.scale = bedScale
	scalar := c.build(d)
	last := gorgonia.Nodes{scalar}
	if d.err == nil && train {
		if last, d.err = gorgonia.Grad(scalar, append(slices.Clone(d.inputs), d.params...)...); d.err == nil {
			for i := range d.inputs {
				d.collect(last[i], i)
			}
		}
	}
	if held {
		o := (&op{name: testOp + "hold", over: -1}).matrix(1, 1)
		o.run = func([]float32, []gorgonia.Value) error { return nil }
		d.apply(o, append(d.owned, last...)...)
	}
	var used []string
	for _, n := range d.params {
		name, _, _ := strings.Cut(n.Name(), "/")
		if slices.Contains(used, name) { // the tied head is two nodes of one parameter
			continue
		}
		used = append(used, name)
		i := e.index[name]
		d.moving = append(d.moving, e.views(e.weights)[i])
		d.grads = append(d.grads, e.views(e.grads)[i])
	}
	g, err := d.compile()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.vm.Close(); err != nil {
			t.Error(err)
		}
	})
	d.arena = make([]float32, g.size)
	g.bind(d.arena)
	ids, targets := tokens(uint64(B*T), B*T, e.arch.Vocab)
	copy(g.ids, ids)
	copy(g.targets, targets)
	g.targets[0], g.targets[B*T-1] = -1, 1 // one is ignored, if there are two, and one is not
	return d
}

// grid is the spacing of all values of leaves and parameters. Directions have the spacing 2^6 grid,
// steps are 2^-5 and 2^-4: the points of a difference quotient, below 8, are float32s without
// rounding.
const grid = 1.0 / (1 << 19)

func onGrid(x, spacing float64) float32 { return float32(math.Round(x/spacing) * spacing) }

// leaf is a differentiable input (N, cols).
func (d *bed) leaf(cols int) *gorgonia.Node {
	i := len(d.moving)
	x := lm.Tensor{Name: fmt.Sprintf("leaf %d", i), Data: make([]float32, d.N*cols)}
	for j := range x.Data {
		x.Data[j] = onGrid(0.5*d.r.NormFloat64(), grid)
	}
	d.moving, d.grads = append(d.moving, x), append(d.grads, lm.Tensor{Name: x.Name, Data: make([]float32, d.N*cols)})
	v := tensor.New(tensor.WithShape(d.N, cols), tensor.WithBacking(x.Data))
	in := gorgonia.NewMatrix(d.g, tensor.Float32, gorgonia.WithShape(d.N, cols), gorgonia.WithName(x.Name), gorgonia.WithValue(v))
	d.inputs = append(d.inputs, in)
	o := (&op{name: testOp + x.Name, diff: []bool{true}, over: -1}).matrix(d.N, cols)
	o.run = func(y []float32, in []gorgonia.Value) error {
		copy(y, f32(in[0]))
		return nil
	}
	o.sym = func(_ gorgonia.Nodes, _, dy *gorgonia.Node) gorgonia.Nodes { return gorgonia.Nodes{dy} }
	y := d.apply(o, in)
	d.owned = append(d.owned, y)
	return y
}

// collect copies a leaf's gradient out of the arena.
func (d *bed) collect(grad *gorgonia.Node, i int) {
	o := (&op{name: testOp + "collect", over: -1}).matrix(d.N, len(d.grads[i].Data)/d.N)
	o.run = func(_ []float32, in []gorgonia.Value) error {
		copy(d.grads[i].Data, f32(in[0]))
		return nil
	}
	d.apply(o, grad)
}

// project is the scalar of one or more outputs.
func (d *bed) project(outputs ...*gorgonia.Node) *gorgonia.Node { return d.projection(outputs, nil) }

// projectCarrying is a scalar of x and others that declares no gradient for x but carries it, as a
// residual sum does.
func (d *bed) projectCarrying(x *gorgonia.Node, others ...*gorgonia.Node) *gorgonia.Node {
	return d.projection(append(others, x), x)
}

func (d *bed) projection(nodes []*gorgonia.Node, carried *gorgonia.Node) *gorgonia.Node {
	if d.err != nil {
		return nil
	}
	o := &op{name: testOp + "projection", typ: scalarType, over: -1, value: gorgonia.NewF32(0)}
	var factors [][]float32
	for _, n := range nodes {
		f := make([]float32, n.Shape().TotalSize())
		for i := range f {
			f[i] = float32(d.r.NormFloat64())
		}
		factors = append(factors, f)
		d.outputs = append(d.outputs, make([]float32, len(f)))
		o.diff = append(o.diff, n != carried)
	}
	o.run = func(_ []float32, in []gorgonia.Value) error {
		d.sum = 0
		for i, f := range factors {
			copy(d.outputs[i], f32(in[i]))
			for j, x := range d.outputs[i] {
				d.sum += float64(f[j]) * float64(x)
			}
		}
		return nil
	}
	o.sym = func(_ gorgonia.Nodes, output, grad *gorgonia.Node) gorgonia.Nodes {
		grads := make(gorgonia.Nodes, len(nodes))
		for i, n := range nodes {
			dy := (&op{name: testOp + "projection dx", over: -1}).matrix(n.Shape()[0], n.Shape()[1])
			dy.run = func(dx []float32, _ []gorgonia.Value) error {
				copy(dx, factors[i])
				return nil
			}
			grads[i] = d.apply(dy, output, grad)
			d.owned = append(d.owned, grads[i])
			if n == carried {
				d.carry[n], grads[i] = grads[i], nil
			}
		}
		return grads
	}
	return d.apply(o, nodes...)
}

// run returns the scalar, and how uncertain it is at least: each of the float32s that it is made of
// is rounded once, to 24 bits, and these errors add up like random ones. All memory is NaN before.
func (d *bed) run(t *testing.T) (value, doubt float64) {
	t.Helper()
	for i := range d.arena {
		d.arena[i] = float32(math.NaN())
	}
	if err := d.graph.run(); err != nil {
		t.Fatal(err)
	}
	value = d.sum
	for _, x := range d.batch.nats {
		value += bedScale * float64(x)
	}
	squares := 0.0
	for _, x := range d.results() {
		squares += float64(x) * float64(x)
	}
	return value, math.Sqrt(squares) / (1 << 24)
}

// results are the outputs of the last run, a head's nats among them.
func (d *bed) results() []float32 { return append(slices.Concat(d.outputs...), d.batch.nats...) }

const quotientStep = 1.0 / 32

// quotient is the four-point difference quotient along a direction of length 1: (8 (f(h)-f(-h)) -
// (f(2h)-f(-2h))) / 12h.
func (d *bed) quotient(t *testing.T, along []lm.Tensor) float64 {
	t.Helper()
	const h = quotientStep
	origin := clone(d.moving)
	f := func(h float32) float64 {
		for i, x := range d.moving {
			for j := range x.Data {
				x.Data[j] = origin[i].Data[j] + h*along[i].Data[j]
			}
		}
		value, _ := d.run(t)
		return value
	}
	q := (8*(f(h)-f(-h)) - (f(2*h) - f(-2*h))) / (12 * h)
	for i, x := range d.moving {
		copy(x.Data, origin[i].Data)
	}
	return q
}

type direction struct {
	name  string
	along []lm.Tensor // length 1
	of    float64     // length of the gradient's part in the space of the direction
}

// directions are, for each leaf and parameter by itself, the gradient and random ones, then random
// ones of all together.
func (d *bed) directions(g []lm.Tensor) []direction {
	var all []direction
	add := func(name string, along []lm.Tensor, of float64) {
		for _, x := range unit(along) {
			for j := range x.Data {
				x.Data[j] = onGrid(float64(x.Data[j]), 64*grid)
			}
		}
		all = append(all, direction{name, along, of})
	}
	random := func() []lm.Tensor {
		c := clone(g)
		for _, x := range c {
			for j := range x.Data {
				x.Data[j] = float32(d.r.NormFloat64())
			}
		}
		return c
	}
	for i, x := range g {
		part := only(g, i)
		add("gradient of "+x.Name, clone(part), length(part))
		for range 3 {
			add("random direction of "+x.Name, only(random(), i), length(part))
		}
	}
	for range 3 {
		add("random direction of all", random(), length(g))
	}
	return all
}

// TestOpGradients holds the gradient of every operation, as gorgonia derives it from our SymDiff
// and the tape machine runs it, to difference quotients of the operation's own forward pass.
// TestOpCasesAreComplete says that it is every operation.
func TestOpGradients(t *testing.T) {
	for _, c := range opCases {
		for _, cfg := range opConfigs() {
			t.Run(fmt.Sprintf("%s/%s %s bias=%t", c.name, cfg.Norm, cfg.MLP, cfg.NormBias), func(t *testing.T) {
				e := opened(t, cfg, 1)
				for _, s := range [][2]int{{1, 1}, {3, 1}, {1, 7}, {3, 5}} {
					checkOp(t, e, s[0], s[1], false, c)
				}
				checkOp(t, e, 3, 5, true, c)
			})
		}
	}
}

// caseNamed is for tests of one operation.
func caseNamed(name string) opCase {
	return opCases[slices.IndexFunc(opCases, func(c opCase) bool { return c.name == name })]
}

// The head works in chunks of rows; the last one here has a single row.
func TestHeadGradientsInChunks(t *testing.T) {
	const B = 3
	if headRows%B != B-1 {
		t.Fatalf("%d rows more than one are not %d sequences", headRows, B)
	}
	checkOp(t, opened(t, opConfigs()[0], 1), B, (headRows+1)/B, false, caseNamed(headCase))
}

// Attention works in blocks of queries; rows this long have several, the last one short.
func TestAttentionGradientsOverBlocks(t *testing.T) {
	checkOp(t, opened(t, opConfigs()[0], 1), 2, 131, false, caseNamed("attention heads"))
}

// With every target ignored there is no loss, and every element of the gradients is zero.
func TestHeadGradientsIgnoringAll(t *testing.T) {
	e := opened(t, opConfigs()[0], 1)
	scramble(e, 7)
	d := newBed(t, e, 3, 5, true, false, caseNamed(headCase))
	for i := range d.graph.targets {
		d.graph.targets[i] = -1
	}
	if value, _ := d.run(t); value != 0 {
		t.Errorf("loss %v, want 0", value)
	}
	for _, g := range d.grads {
		if length([]lm.Tensor{g}) != 0 { // NaN is not 0
			t.Errorf("gradient of %s has length %v, want 0", g.Name, length([]lm.Tensor{g}))
		}
	}
}

// checkOp checks one operation at one shape.
//
// The tolerance has two parts. A run's scalar is uncertain by some times the doubt that run
// returns, since results are some roundings deep: the most seen is 3 times, 8 are allowed; the
// quotient has 1.5/h times that. And the gradient itself is float32: 2e-6 of its length are some 30
// of its steps. The quotient's own error, of order h^4 = 1e-6 times a fifth derivative along one
// direction of many, is below both. Together that is some 1e-5 of the gradient's length; what a
// missing or wrong term of one element changes is 1e-2 of it.
func checkOp(t *testing.T, e *engine, B, T int, held bool, c opCase) {
	t.Helper()
	scramble(e, 7)
	for i, x := range e.weights {
		e.weights[i] = onGrid(float64(x), grid)
	}
	d := newBed(t, e, B, T, true, held, c)
	clear(e.grads)
	_, doubt := d.run(t)
	g, results := clone(d.grads), d.results()
	for _, x := range g {
		if n := length([]lm.Tensor{x}); !(n > 0) {
			t.Errorf("%d x %d: gradient of %s has length %v: nothing to test", B, T, x.Name, n)
		}
	}
	checkAccumulation(t, d, g)
	for _, dir := range d.directions(g) {
		want, got := product(g, dir.along), d.quotient(t, dir.along)
		if tolerance := 8*doubt*1.5/quotientStep + 2e-6*dir.of; !(math.Abs(got-want) <= tolerance) {
			t.Errorf("%d x %d: %s: difference quotient %.6f, gradient gives %.6f, want within %.2g (length %.3g)",
				B, T, dir.name, got, want, tolerance, dir.of)
		}
	}
	evaluation := newBed(t, e, B, T, false, held, c)
	evaluation.run(t)
	if !slices.Equal(evaluation.results(), results) {
		t.Errorf("%d x %d: evaluation gives other results than training", B, T)
	}
}

// checkAccumulation runs d again without clearing its gradients, those of parameters must double,
// but for the rounding of a sum that begins elsewhere, those of leaves be the same, and those of
// parameters not in the graph stay zero.
func checkAccumulation(t *testing.T, d *bed, g []lm.Tensor) {
	t.Helper()
	d.run(t)
	for i, x := range d.grads {
		if i < len(d.inputs) {
			if !slices.Equal(x.Data, g[i].Data) {
				t.Errorf("%d x %d: gradient of %s: another run gives another", d.B, d.T, x.Name)
			}
			continue
		}
		rest := clone([]lm.Tensor{x})
		for j := range rest[0].Data {
			rest[0].Data[j] -= 2 * g[i].Data[j]
		}
		if n := length(g[i : i+1]); !(length(rest) <= 2e-6*n) {
			t.Errorf("%d x %d: gradient of %s: two runs are off by %.3g from twice one of length %.3g", d.B, d.T, x.Name, length(rest), n)
		}
		clear(x.Data)
	}
	for i, x := range d.e.grads {
		if x != 0 {
			t.Errorf("%d x %d: element %d of all gradients is %v, but belongs to no parameter in the graph", d.B, d.T, i, x)
			break
		}
	}
}
