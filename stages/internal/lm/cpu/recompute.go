package cpu

import (
	"gorgonia.org/gorgonia"

	"ablate/stages/internal/lm"
)

// This file computes values a second time; lm.Recompute says which.

// keep marks the output of a layer, where second computations begin.
func (b *builder) keep(x *gorgonia.Node) *gorgonia.Node {
	if x != nil { // else an error before
		x.Op().(*op).redo = lm.None
	}
	return x
}

// again returns the node to read for x in the backward pass once the gradient grad is there: x, or
// where x is not kept a second computation of it. That one is a node like any other, so that plan
// sees when its memory is wanted. Without an edge from the gradient nothing would keep it from
// running right after the first.
func (b *builder) again(x, grad *gorgonia.Node) *gorgonia.Node {
	if x == nil { // an error before
		return nil
	}
	o, ok := x.Op().(*op)
	if !ok || o.redo == lm.None || o.redo > b.redo {
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
