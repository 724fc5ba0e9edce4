package cpu

import (
	"cmp"
	"slices"

	"gorgonia.org/gorgonia"
)

// buffer is a piece of the activation arena, wanted from the first to the last step of the program
// that touches it.
type buffer struct {
	n           int // float32s
	first, last int // steps of the program; first is -1 until it is touched
	off         int
	data        []float32
}

func newBuffer(n int) *buffer { return &buffer{n: n, first: -1} }

func (b *buffer) touchAt(step int) {
	if b.first < 0 {
		b.first = step
	}
	b.last = step
}

// arenaAlign keeps buffers on 64-byte lines, one AVX-512 vector: 16 float32s.
const arenaAlign = 16

// plan gives every buffer of the program an offset such that two buffers alive in the same step
// never overlap, and returns the size of the arena in float32s. Each buffer takes the lowest gap
// that fits: with layers of equal shapes a gap left by one layer fits the next exactly, so nothing
// cleverer is needed.
func plan(program gorgonia.Nodes) (size int) {
	for step, node := range program {
		o, ok := node.Op().(*op)
		if !ok {
			continue
		}
		for _, in := range o.args {
			if in != nil {
				in.touchAt(step)
			}
		}
		for _, b := range o.touch {
			b.touchAt(step)
		}
		if o.buf != nil {
			o.buf.touchAt(step)
		}
	}
	var live []*buffer // by offset
	place := func(b *buffer, step int) {
		if b.first != step || slices.Contains(live, b) {
			return
		}
		off := 0
		for _, other := range live {
			if off+b.n <= other.off {
				break
			}
			off = max(off, (other.off+other.n+arenaAlign-1)/arenaAlign*arenaAlign)
		}
		b.off = off
		live = append(live, b)
		slices.SortStableFunc(live, func(x, y *buffer) int { return cmp.Compare(x.off, y.off) })
		size = max(size, off+b.n)
	}
	for step, node := range program {
		o, ok := node.Op().(*op)
		if !ok {
			continue
		}
		live = slices.DeleteFunc(live, func(b *buffer) bool { return b.last < step })
		if o.buf != nil && o.buf.first == step && o.over >= 0 {
			if in := o.args[o.over]; in != nil && in.last == step && in.n == o.buf.n {
				o.buf.off = in.off
				live[slices.Index(live, in)] = o.buf
			}
		}
		for _, b := range o.touch {
			place(b, step)
		}
		if o.buf != nil {
			place(o.buf, step)
		}
	}
	return size
}
