package cpu

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"

	"ablate/specs/arch"
	"ablate/stages/internal/kernel"
	"ablate/stages/internal/kernel/arena"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// engine is the CPU engine.
type engine struct {
	lm.Options
	arch  arch.Model
	pool  *kernel.Pool
	rope  *kernel.RopeTable
	specs []arch.Tensor
	index map[string]int // of specs, by name
	at    []int          // where each tensor begins in the four arenas

	// One layout, four arenas. The last three exist from the first use of a gradient or moment on:
	// an engine that only evaluates needs a quarter of the memory.
	weights, grads, m, v []float32

	acts   []float32 // activations, shared by all graphs: only one runs at a time and none needs anything from a run before
	graphs []*graph  // most recently used last
	closed bool
}

var errClosed = errors.New("the engine is closed")

var _ lm.Threaded = (*engine)(nil)

// Prefixes of the moments' names.
const (
	firstMoment  = "m."
	secondMoment = "v."
)

// largeEngine is from how many bytes on Close has the memory collected at once. Left to itself the
// collector lets the heap double first: two trainings one after the other then held twice what one
// takes. A collection takes milliseconds, because arenas hold no pointers.
const largeEngine = 64 << 20

// maxGraphs bounds the cache of compiled graphs; compiling one again takes milliseconds.
const maxGraphs = 16

func newEngine(m arch.Model, opt lm.Options) (_ *engine, err error) {
	if err := errors.Join(m.Validate(), opt.Validate()); err != nil {
		return nil, err
	}
	defer func() { // NewPool panics if ABLATE_KERNEL asks for instructions that this machine lacks
		if r := recover(); r != nil {
			err = fmt.Errorf("engine: start kernels: %v", r)
		}
	}()
	e, size := planned(m, opt)
	e.weights = arena.New(size)
	e.rope = kernel.NewRopeTable(m.Context, m.RotaryChannels(), m.RopeBase)
	e.pool = kernel.NewPool(opt.Threads)
	return e, nil
}

// planned is an engine that knows where everything belongs, and the length of each of the four
// arenas, but has no memory.
func planned(m arch.Model, opt lm.Options) (e *engine, size int) {
	e = &engine{Options: opt, arch: m, specs: m.Tensors(), index: map[string]int{}}
	for i, s := range e.specs {
		e.index[s.Name] = i
		e.at = append(e.at, size)
		size += (int(s.Size()) + arenaAlign - 1) / arenaAlign * arenaAlign // the gaps stay zero under AdamW
	}
	return e, size
}

func (e *engine) Model() arch.Model { return e.arch }

func (e *engine) SetThreads(n int) { e.pool.Limit(n) }

func (e *engine) Fill(part lm.Part, f func([]lm.Tensor) error) error { return f(e.part(part)) }

func (e *engine) Save(part lm.Part, f func([]lm.Tensor) error) error { return f(e.part(part)) }

// part is the memory itself: on the processor nothing need be copied.
func (e *engine) part(part lm.Part) []lm.Tensor {
	if part == lm.Weights {
		return e.views(e.weights)
	}
	e.training()
	return slices.Concat(prefixed(firstMoment, e.views(e.m)), prefixed(secondMoment, e.views(e.v)))
}

func prefixed(prefix string, tensors []lm.Tensor) []lm.Tensor {
	for i := range tensors {
		tensors[i].Name = prefix + tensors[i].Name
	}
	return tensors
}

// training makes the arenas that only training needs.
func (e *engine) training() {
	if e.grads == nil {
		e.grads, e.m, e.v = arena.New(len(e.weights)), arena.New(len(e.weights)), arena.New(len(e.weights))
	}
}

func (e *engine) view(arena []float32, i int) []float32 {
	if arena == nil { // of an engine that is only measured
		return nil
	}
	lo, n := e.at[i], int(e.specs[i].Size())
	return arena[lo : lo+n : lo+n]
}

func (e *engine) views(arena []float32) []lm.Tensor {
	ts := make([]lm.Tensor, len(e.specs))
	for i, s := range e.specs {
		ts[i] = lm.Tensor{Name: s.Name, Shape: slices.Clone(s.Shape), Data: e.view(arena, i)}
	}
	return ts
}

func (e *engine) Accumulate(inputs, targets []int32, B, T int, scale float64) (loss float64, err error) {
	if loss, err = e.accumulate(inputs, targets, B, T, scale); err != nil {
		e.zeroGradients()
		return 0, err
	}
	return loss, nil
}

func (e *engine) accumulate(inputs, targets []int32, B, T int, scale float64) (float64, error) {
	if math.IsNaN(scale) || math.IsInf(scale, 0) {
		return 0, fmt.Errorf("scale is %g", scale)
	}
	e.training()
	g, err := e.load(inputs, targets, B, T, true)
	if err != nil {
		return 0, err
	}
	g.batch.scale = float32(scale)
	if err := g.run(); err != nil {
		return 0, err
	}
	return e.sum(g)
}

// sum adds the losses of a run in row order.
func (e *engine) sum(g *graph) (float64, error) {
	var loss float64
	for i, x := range g.batch.nats {
		if !finite(x) {
			return 0, fmt.Errorf("the loss of token %d of %d is %g: %s", i, len(g.batch.nats), x, e.cause(g))
		}
		loss += float64(x)
	}
	return loss, nil
}

func (e *engine) Losses(inputs, targets []int32, B, T int, out []float32) error {
	if len(out) != B*T {
		return fmt.Errorf("room for %d losses, want %d*%d", len(out), B, T)
	}
	g, err := e.load(inputs, targets, B, T, false)
	if err != nil {
		return err
	}
	if err := g.run(); err != nil {
		return err
	}
	copy(out, g.batch.nats)
	_, err = e.sum(g)
	return err
}

func (e *engine) Step(o optim.Step) (gradNorm float64, err error) {
	if e.closed {
		return 0, errClosed
	}
	e.training()
	gradNorm, err = apply(o, e.pool, e.weights, e.grads, e.m, e.v)
	if errors.Is(err, optim.ErrNotFinite) {
		bad, _ := e.firstBad("gradient", e.grads)
		err = fmt.Errorf("%w; %s", err, bad)
	}
	if err != nil { // else they are cleared
		e.zeroGradients()
	}
	return gradNorm, err
}

func (e *engine) zeroGradients() {
	if !e.closed {
		inBlocks(e.pool, len(e.grads), func(lo, hi int) { clear(e.grads[lo:hi]) })
	}
}

// cause says where the losses of a graph's last run stopped being finite: in a parameter, or else
// in the first operation of the same run done again whose value is not.
func (e *engine) cause(g *graph) string {
	if bad, found := e.firstBad("parameter", e.weights); found {
		return bad
	}
	where := "every parameter and every value before the head is finite"
	seen := false
	g.watch = func(o *op, y []float32) {
		if i := slices.IndexFunc(y, func(x float32) bool { return !finite(x) }); i >= 0 && !seen {
			seen, where = true, fmt.Sprintf("every parameter is finite, but the output of %s, element %d, is %g", o.name, i, y[i])
		}
	}
	defer func() { g.watch = nil }()
	if err := g.run(); err != nil {
		return err.Error()
	}
	return where
}

// firstBad says which tensor of an arena is the first with a value that is not finite, if one is.
func (e *engine) firstBad(what string, arena []float32) (string, bool) {
	for i, s := range e.specs {
		for j, x := range e.view(arena, i) {
			if !finite(x) {
				return fmt.Sprintf("the %s of tensor %s, element %d, is %g", what, s.Name, j, x), true
			}
		}
	}
	return "", false
}

func finite(x float32) bool { return x-x == 0 }

func (e *engine) Close() error {
	if e.closed {
		return nil
	}
	e.closed = true
	err := e.forget()
	e.pool.Close()
	large := 4*(len(e.weights)+len(e.grads)+len(e.m)+len(e.v)+len(e.acts)) >= largeEngine
	e.weights, e.grads, e.m, e.v, e.acts = nil, nil, nil, nil, nil
	if large {
		debug.FreeOSMemory()
	}
	return err
}

// forget drops every compiled graph, and with them the last references to the activations: a
// gorgonia node keeps the last value it was bound to.
func (e *engine) forget() error {
	var errs []error
	for _, g := range e.graphs {
		errs = append(errs, g.vm.Close())
	}
	e.graphs = nil
	return errors.Join(errs...)
}

// load checks the batch and puts it into the graph of its shape.
func (e *engine) load(inputs, targets []int32, B, T int, train bool) (*graph, error) {
	switch {
	case e.closed:
		return nil, errClosed
	case B < 1 || T < 1 || T > e.arch.Context:
		return nil, fmt.Errorf("batch of %d rows of %d tokens, want at least 1 of 1 to %d", B, T, e.arch.Context)
	case len(inputs) != B*T || len(targets) != B*T:
		return nil, fmt.Errorf("%d inputs and %d targets, want %d*%d of each", len(inputs), len(targets), B, T)
	}
	for i, id := range inputs {
		if id < 0 || int(id) >= e.arch.Vocab {
			return nil, fmt.Errorf("input %d is token %d, want 0 to %d", i, id, e.arch.Vocab-1)
		}
	}
	for i, id := range targets {
		if int(id) >= e.arch.Vocab {
			return nil, fmt.Errorf("target %d is token %d, want less than %d", i, id, e.arch.Vocab)
		}
	}
	g, err := e.graph(B, T, train)
	if err != nil {
		return nil, err
	}
	copy(g.ids, inputs)
	copy(g.targets, targets)
	return g, nil
}

// graph returns the compiled graph of a batch shape.
func (e *engine) graph(B, T int, train bool) (*graph, error) {
	if i := slices.IndexFunc(e.graphs, func(g *graph) bool { return g.B == B && g.T == T && g.train == train }); i >= 0 {
		g := e.graphs[i]
		e.graphs = append(slices.Delete(e.graphs, i, i+1), g)
		return g, nil
	}
	g, err := e.buildGraph(B, T, train)
	if err != nil {
		return nil, err
	}
	if g.size > len(e.acts) {
		if err := e.forget(); err != nil {
			return nil, err
		}
		e.acts = nil // let the collector have it before the larger one is made
		e.acts = arena.New(g.size)
	}
	g.bind(e.acts)
	if len(e.graphs) == maxGraphs {
		err = e.graphs[0].vm.Close()
		e.graphs = slices.Delete(e.graphs, 0, 1)
	}
	e.graphs = append(e.graphs, g)
	return g, err
}

// gradient is the memory of a parameter's gradient, by name.
func (b *builder) gradient(name string) []float32 { return b.e.view(b.e.grads, b.e.index[name]) }

// optionalGradient is nil if the model has no such parameter.
func (b *builder) optionalGradient(name string) []float32 {
	if _, ok := b.e.index[name]; !ok {
		return nil
	}
	return b.gradient(name)
}
