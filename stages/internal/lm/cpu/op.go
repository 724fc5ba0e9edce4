package cpu

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"ablate/stages/internal/lm"
)

// op is one coarse operation of the graph: a gorgonia.Op and gorgonia.SDOp made of closures, so
// that a layer is one function with its forward and its backward side by side (linear.go, norm.go,
// ...).
//
// Gorgonia knows one value per operation and allocates it anew in each run. An op therefore owns
// the memory of its value: buf, a place in the planned activation arena, or fixed, a view of the
// gradient arena. An operation with several results (a norm's dx, dw and db) writes the others as a
// side effect; nodes that merely return them (see extract) have it as their child, so that every
// order of work is an edge of the graph.
type op struct {
	name  string
	id    uint32 // unique in its graph: gorgonia merges nodes that hash alike
	in    []hm.Type
	typ   hm.Type
	shape tensor.Shape
	diff  []bool // which inputs have a gradient; nil: none

	buf   *buffer        // where the value lives, nil for a scalar or a fixed value
	args  []*buffer      // where the inputs live; nil for parameters, tokens and scalars
	touch []*buffer      // side buffers that run reads or writes
	after int            // trailing inputs that run does not see: they only say what comes first
	redo  lm.Recompute   // from this level on the value is computed again rather than kept; None: always kept
	from  gorgonia.Nodes // the inputs
	over  int            // input whose memory run may take for its value if nobody reads that input later; -1: none
	value gorgonia.Value // what Do returns: a tensor over buf, or the fixed value

	// run computes the value; y is buf's memory, nil if there is none.
	run func(y []float32, in []gorgonia.Value) error
	// sym returns the gradient node of each input, nil for those without one.
	sym func(inputs gorgonia.Nodes, output, grad *gorgonia.Node) gorgonia.Nodes
	b   *builder // collects sym's errors; only used while the graph is built
}

func (o *op) Arity() int           { return len(o.in) }
func (o *op) ReturnsPtr() bool     { return true }
func (o *op) CallsExtern() bool    { return false }
func (o *op) OverwritesInput() int { return -1 } // taking over memory is plan's business, see over
func (o *op) String() string       { return fmt.Sprintf("%s#%d", o.name, o.id) }

func (o *op) Type() hm.Type {
	ts := make([]hm.Type, 0, len(o.in)+1)
	return hm.NewFnType(append(append(ts, o.in...), o.typ)...)
}

func (o *op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.shape.Clone(), nil }

func (o *op) WriteHash(h hash.Hash) {
	var id [4]byte
	binary.LittleEndian.PutUint32(id[:], o.id)
	h.Write(id[:])
	h.Write([]byte(o.name))
}

func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// Do runs the operation. The tape machine calls it on a goroutine of its own, where a panic would
// end the process, so a panic becomes an error here.
func (o *op) Do(in ...gorgonia.Value) (v gorgonia.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("internal error: operation %v: %v", o, r)
		}
	}()
	var y []float32
	if o.buf != nil {
		y = o.buf.data
	}
	if err := o.run(y, in[:len(in)-o.after]); err != nil {
		return nil, fmt.Errorf("operation %v: %w", o, err)
	}
	if watch := o.b.graph.watch; watch != nil {
		watch(o, y)
	}
	return o.value, nil
}

func (o *op) DiffWRT(inputs int) []bool {
	if o.diff == nil {
		return make([]bool, inputs)
	}
	return o.diff
}

func (o *op) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.sym == nil {
		return nil, fmt.Errorf("internal error: operation %v has no gradient", o)
	}
	grads := o.sym(inputs, output, grad)
	return grads, o.b.err
}

// f32 is the data of a float32 tensor.
func f32(v gorgonia.Value) []float32 { return v.(*tensor.Dense).Float32s() }

// i32 is the data of an int32 tensor.
func i32(v gorgonia.Value) []int32 { return v.(*tensor.Dense).Int32s() }

var scalarType hm.Type = tensor.Float32

func tensorType(dims int) hm.Type { return gorgonia.TensorType{Dims: dims, Of: tensor.Float32} }
