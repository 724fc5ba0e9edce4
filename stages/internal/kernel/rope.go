package kernel

import "ablate/stages/internal/elementary"

// RopeTable holds the cosines and sines of Rope for T positions and R turned channels.
type RopeTable struct {
	half     int
	cos, sin []float32 // (T, R/2)
}

// NewRopeTable computes the angles t * base^(-2i/R), i < R/2, in float64. R must be even.
func NewRopeTable(T, R int, base float64) *RopeTable {
	half := R / 2
	r := &RopeTable{half: half, cos: make([]float32, T*half), sin: make([]float32, T*half)}
	for i := range half {
		freq := elementary.Pow(base, -2*float64(i)/float64(R))
		for t := range T {
			r.cos[t*half+i] = float32(elementary.Cos(float64(t) * freq))
			r.sin[t*half+i] = float32(elementary.Sin(float64(t) * freq))
		}
	}
	return r
}

// Rope turns NH heads of each row in place (Su et al., "RoFormer", arXiv:2104.09864): of each head
// the first R channels, R being the table's, pairing channel i with channel i+R/2 as GPT-NeoX does;
// the others pass. x has B*T rows, stride apart, and the heads, HD wide, fill the first NH*HD of
// each. The angle is that of position t; inverse turns back, which is also the backward. The table
// must have been made for at most HD channels and at least T positions.
func Rope(p *Pool, x []float32, table *RopeTable, B, T, stride, NH, HD int, inverse bool) {
	half := table.half
	p.split(B*T, max(1, grain/max(NH*HD, 1)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			t := r % T
			cos, sin := table.cos[t*half:(t+1)*half], table.sin[t*half:(t+1)*half]
			row := x[r*stride : r*stride+NH*HD]
			if 2*half == HD {
				p.k.turnHeads(row, cos, sin, inverse)
				continue
			}
			for ; len(row) > 0; row = row[HD:] {
				p.k.turnHeads(row[:2*half], cos, sin, inverse)
			}
		}
	})
}

// turnHeads turns the heads of one row, as wide as cos and sin together.
func turnHeads(x, cos, sin []float32, inverse bool) {
	half := len(cos)
	for ; len(x) > 0; x = x[2*half:] {
		turn(x[:half], x[half:2*half], cos, sin, inverse)
	}
}

// turn sets (a, b) = (a cos - b sin, b cos + a sin), with -sin if inverse.
func turn(a, b, cos, sin []float32, inverse bool) {
	n := len(a)
	b, cos, sin = b[:n], cos[:n], sin[:n]
	if inverse {
		for i, u := range a {
			v, c, s := b[i], cos[i], sin[i]
			a[i] = float32(u*c) + float32(v*s)
			b[i] = float32(v*c) - float32(u*s)
		}
		return
	}
	for i, u := range a {
		v, c, s := b[i], cos[i], sin[i]
		a[i] = float32(u*c) - float32(v*s)
		b[i] = float32(v*c) + float32(u*s)
	}
}
