package cpu

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	_ "go4.org/unsafe/assume-no-moving-gc" // gorgonia.org/tensor needs the pinned version; the import keeps it in go.mod
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
)

// graph is the compiled program for one batch shape: forward and backward, or forward alone.
type graph struct {
	B, T  int
	train bool

	vm      gorgonia.VM
	program gorgonia.Nodes // in the order of execution
	size    int            // float32s of the activation arena

	ids, targets []int32 // N; the input values
	batch        *batch

	watch func(o *op, y []float32) // sees what each operation has written, where that is in the arena; nil: nobody looks
}

// batch is what operations read and write besides their inputs in one run.
type batch struct {
	scale float32   // of the loss, for the gradient
	nats  []float32 // N; loss of each row
}

// gemm is the matrix product, kernel.Gemm or kernel.GemmBF16.
type gemm func(p *kernel.Pool, transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int)

// building guards gorgonia's package globals: Grad puts one shared constant node into every graph.
var building sync.Mutex

// builder assembles one graph. The first error stops it; later calls return nil nodes and do
// nothing.
type builder struct {
	e       *engine
	graph   *graph // what compile completes
	g       *gorgonia.ExprGraph
	pool    *kernel.Pool
	gemm    gemm // of the linear layers and the head
	B, T, N int
	train   bool
	redo    lm.Recompute
	batch   *batch

	ids, targets *gorgonia.Node
	params       gorgonia.Nodes // inputs with a gradient
	ops          uint32
	salt         uint32 // part of every node's hash
	err          error

	// carry holds the gradient that reaches a node through a residual path, or through a second
	// norm. Gorgonia would add it to the node's other gradient with an operation that allocates;
	// instead the residual operation declares that input without gradient, and the norm that reads
	// the same node adds the carried gradient inside its own backward pass.
	carry map[*gorgonia.Node]*gorgonia.Node
	// more holds, for a node read by two linear layers, the second one's part of the gradient,
	// which the norm that made the node asks for (parallel blocks). Same reason.
	more map[*gorgonia.Node]func(grad *gorgonia.Node) *gorgonia.Node
	// redone holds the second computation of a node, see again.
	redone map[*gorgonia.Node]*gorgonia.Node
}

// buildGraph builds, differentiates, plans and compiles. The caller binds it to an arena before it
// runs.
func (e *engine) buildGraph(B, T int, train bool) (gr *graph, err error) {
	building.Lock()
	defer building.Unlock()
	defer func() { // NewTapeMachine has no error to return and panics
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: build graph: %v", r)
		}
	}()
	for salt := range uint32(8) {
		if gr, err = e.assemble(B, T, train, salt); !errors.Is(err, errSameHash) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("build graph: %w", err)
	}
	return gr, nil
}

// assemble is buildGraph for one salt of the nodes' hashes.
func (e *engine) assemble(B, T int, train bool, salt uint32) (*graph, error) {
	return e.derive(B, T, train, salt).compile()
}

// derive builds the model and differentiates it.
func (e *engine) derive(B, T int, train bool, salt uint32) *builder {
	b := e.newBuilder(B, T, train, salt)
	loss := b.model()
	if b.err == nil && train {
		_, b.err = gorgonia.Grad(loss, b.params...)
	}
	return b
}

func (e *engine) newBuilder(B, T int, train bool, salt uint32) *builder {
	N := B * T
	gr := &graph{B: B, T: T, train: train, ids: make([]int32, N), targets: make([]int32, N), batch: &batch{nats: make([]float32, N)}}
	b := &builder{
		e: e, graph: gr, g: gorgonia.NewGraph(), salt: salt, pool: e.pool, B: B, T: T, N: N, train: train, batch: gr.batch, redo: e.Recompute,
		carry: map[*gorgonia.Node]*gorgonia.Node{}, more: map[*gorgonia.Node]func(*gorgonia.Node) *gorgonia.Node{},
		redone: map[*gorgonia.Node]*gorgonia.Node{},
	}
	if b.gemm = kernel.Gemm; train && e.Precision == lm.BF16 {
		b.gemm = kernel.GemmBF16
	}
	b.ids = b.tokens("inputs", gr.ids)
	b.targets = b.tokens("targets", gr.targets)
	return b
}

// layout plans the memory of everything built so far.
func (b *builder) layout() (err error) {
	if b.err != nil {
		return b.err
	}
	gr := b.graph
	if gr.program, err = gorgonia.Sort(b.g); err != nil {
		return fmt.Errorf("sort: %w", err)
	}
	slices.Reverse(gr.program) // as gorgonia.Compile does; a test holds the machine to this order
	if err := distinct(gr.program); err != nil {
		return err
	}
	gr.size = plan(gr.program)
	return nil
}

// compile plans the memory and makes the machine.
func (b *builder) compile() (*graph, error) {
	if err := b.layout(); err != nil {
		return nil, err
	}
	gr := b.graph
	gr.vm = gorgonia.NewTapeMachine(b.g)
	// The machine sets a finalizer on itself, and the garbage collector never frees a cycle that
	// holds a finalizer: our ops point back to the machine, so every graph, arena and all, would
	// stay for ever. Close does what the finalizer would.
	runtime.SetFinalizer(gr.vm, nil)
	return gr, nil
}

var errSameHash = errors.New("two nodes have one hash")

// distinct refuses two nodes with one hash: gorgonia's common-subexpression elimination trusts the
// 32 bits and would run one of them in place of both, silently. Chance makes that n^2/2^33, 1 in
// 100,000 graphs of 300 nodes; another salt mends it.
func distinct(program gorgonia.Nodes) error {
	seen := make(map[uint32]*gorgonia.Node, len(program))
	for _, n := range program {
		if other := seen[n.Hashcode()]; other != nil {
			return fmt.Errorf("internal error: nodes %v and %v: %w: %#x", other, n, errSameHash, n.Hashcode())
		}
		seen[n.Hashcode()] = n
	}
	return nil
}

// bind gives the program its memory.
func (gr *graph) bind(arena []float32) {
	for _, node := range gr.program {
		o, ok := node.Op().(*op)
		if !ok {
			continue
		}
		for _, b := range append(slices.Clone(o.touch), o.buf) {
			if b != nil {
				b.data = arena[b.off : b.off+b.n : b.off+b.n]
			}
		}
		if o.buf != nil {
			o.value = tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(o.buf.data))
		}
	}
}

// run executes the program on the tokens in gr.ids and gr.targets; the result is in gr.batch.nats.
func (gr *graph) run() error {
	defer gr.vm.Reset() // a tape machine runs once per Reset
	return gr.vm.RunAll()
}

// apply adds an operation to the graph.
func (b *builder) apply(o *op, in ...*gorgonia.Node) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	b.ops++
	o.b, o.id, o.from = b, b.salt<<24|b.ops, in
	for i, n := range in {
		if n == nil {
			b.err = fmt.Errorf("internal error: operation %v: input %d is missing", o, i)
			return nil
		}
		o.in = append(o.in, n.Type())
		var at *buffer
		if from, ok := n.Op().(*op); ok && i < len(in)-o.after {
			at = from.buf
		}
		o.args = append(o.args, at)
	}
	node, err := gorgonia.ApplyOp(o, in...)
	if err != nil {
		b.err = fmt.Errorf("operation %v: %w", o, err)
		return nil
	}
	return node
}

// matrix sets the value of o to an (rows, cols) matrix of its own.
func (o *op) matrix(rows, cols int) *op {
	o.typ, o.shape, o.buf = tensorType(2), tensor.Shape{rows, cols}, newBuffer(rows*cols)
	return o
}

// gradientOf makes o an operation that adds to the gradient of the parameter and returns the view
// of it.
func (b *builder) gradientOf(o *op, name string) *op {
	i := b.e.index[name]
	t := b.e.specs[i]
	o.over = -1
	o.typ, o.shape = tensorType(len(t.Shape)), slices.Clone(t.Shape)
	if b.e.grads != nil { // else it is only measured
		o.value = tensor.New(tensor.WithShape(t.Shape...), tensor.WithBacking(b.e.view(b.e.grads, i)))
	}
	return o
}

// extract returns the gradient of a parameter that the operation of node adds to as a side effect.
func (b *builder) extract(name string, node *gorgonia.Node) *gorgonia.Node {
	o := &op{name: "d " + name, run: func([]float32, []gorgonia.Value) error { return nil }}
	return b.apply(b.gradientOf(o, name), node)
}

// param is the input node of a parameter. Asking twice for one parameter gives two nodes over the
// same memory: so the tied head has its own gradient node and both add into one view.
func (b *builder) param(name string) *gorgonia.Node {
	i, ok := b.e.index[name]
	if !ok {
		if b.err == nil {
			b.err = fmt.Errorf("internal error: no parameter %q", name)
		}
		return nil
	}
	t := b.e.specs[i]
	opts := []gorgonia.NodeConsOpt{gorgonia.WithShape(t.Shape...), gorgonia.WithName(fmt.Sprintf("%s/%d/%d", name, len(b.params), b.salt))}
	if b.e.weights != nil { // else it is only measured
		opts = append(opts, gorgonia.WithValue(tensor.New(tensor.WithShape(t.Shape...), tensor.WithBacking(b.e.view(b.e.weights, i)))))
	}
	n := gorgonia.NewTensor(b.g, tensor.Float32, len(t.Shape), opts...)
	b.params = append(b.params, n)
	return n
}

// tokens is an input node over ids.
func (b *builder) tokens(name string, ids []int32) *gorgonia.Node {
	v := tensor.New(tensor.WithShape(len(ids)), tensor.WithBacking(ids))
	return gorgonia.NewTensor(b.g, tensor.Int32, 1, gorgonia.WithShape(len(ids)), gorgonia.WithName(name), gorgonia.WithValue(v))
}
