package lm

import "gorgonia.org/gorgonia"

// Recompute says how much of a forward pass a training keeps for the backward pass; the rest is computed again there, from
// what is kept (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174). No bit depends on it.
type Recompute uint8

const (
	// None keeps everything that a gradient needs.
	None Recompute = iota
	// Cheap computes norms, rotations, activation functions and residual sums again: half of the memory, little of the time.
	Cheap
	// Layers keeps nothing of a layer but its input: the backward pass runs each layer, one at a time, once more.
	Layers
)

// Levels are all of them, the fastest first.
var Levels = []Recompute{None, Cheap, Layers}

func (r Recompute) String() string { return [...]string{"none", "cheap", "layers"}[r] }

// keep marks the output of a layer, where second computations begin.
func (b *builder) keep(x *gorgonia.Node) *gorgonia.Node {
	if x != nil { // else an error before
		x.Op().(*op).redo = None
	}
	return x
}

// again returns the node to read for x in the backward pass once the gradient grad is there: x, or where x is not kept a second
// computation of it. That one is a node like any other, so that plan sees when its memory is wanted. Without an edge from the
// gradient nothing would keep it from running right after the first.
func (b *builder) again(x, grad *gorgonia.Node) *gorgonia.Node {
	if x == nil { // an error before
		return nil
	}
	o, ok := x.Op().(*op)
	if !ok || o.redo == None || o.redo > b.redo {
		return x
	}
	if n := b.redone[x]; n != nil {
		return n
	}
	second := *o // the same code, shape and side buffers, into which it writes what is there already
	second.name, second.buf, second.after = o.name+" again", newBuffer(o.buf.n), 1
	second.in, second.args, second.diff, second.sym = nil, nil, nil, nil
	var in gorgonia.Nodes
	for _, n := range o.from[:len(o.from)-o.after] {
		in = append(in, b.again(n, grad))
	}
	n := b.apply(&second, append(in, grad)...)
	b.redone[x] = n
	return n
}
