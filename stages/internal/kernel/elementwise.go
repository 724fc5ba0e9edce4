package kernel

import (
	"math"

	"ablate/stages/internal/kernel/scalar"
)

var negInf = float32(math.Inf(-1))

// grain is the least number of elements worth a worker: below it waking one up (about 5 us) costs
// more than the work.
const grain = 8192

// Embed sets out[i] = wte[ids[i]]. out (len(ids), C); wte (V, C).
func Embed(p *Pool, out, wte []float32, ids []int32, C int) {
	p.split(len(ids), max(lanes, grain/max(C, 1)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			id := int(ids[i])
			copy(out[i*C:(i+1)*C], wte[id*C:(id+1)*C])
		}
	})
}

// EmbedBackward adds dout[i] to dwte[ids[i]], in the order of i. Workers split the columns, so that
// equal ids never meet. dwte (V, C); dout (len(ids), C).
func EmbedBackward(p *Pool, dwte, dout []float32, ids []int32, C int) {
	p.split(C, max(lanes, grain/max(len(ids), 1)), func(lo, hi int) {
		for i, id := range ids {
			d := dwte[int(id)*C+lo : int(id)*C+hi]
			p.k.rowAdd(d, d, dout[i*C+lo:i*C+hi])
		}
	})
}

// Add sets y[i] = a[i] + b[i] for the length of y, which may be a or b.
func Add(p *Pool, y, a, b []float32) {
	p.split(len(y), grain, func(lo, hi int) {
		p.k.rowAdd(y[lo:hi], a[lo:hi], b[lo:hi])
	})
}

// Scale sets x[i] *= a.
func Scale(p *Pool, x []float32, a float32) {
	p.split(len(x), grain, func(lo, hi int) { p.k.rowScale(x[lo:hi], a) })
}

// AddBias adds b to each row of y in place. y (rows, C); b (C).
func AddBias(p *Pool, y, b []float32, rows, C int) {
	p.split(rows, max(1, grain/max(C, 1)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := y[i*C : (i+1)*C]
			p.k.rowAdd(row, row, b[:C])
		}
	})
}

// BiasBackward adds the column sums of dy to db. dy (rows, C); db (C).
func BiasBackward(p *Pool, db, dy []float32, rows, C int) {
	part := p.partials(C)
	p.overParts(rows, func(i, lo, hi int) {
		sum := part[i*C : (i+1)*C]
		clear(sum)
		for r := lo; r < hi; r++ {
			p.k.rowAdd(sum, sum, dy[r*C:(r+1)*C])
		}
	})
	p.addParts(db[:C], part, rows)
}

// GELU sets y[i] = gelu(x[i]) for the length of y, by the tanh approximation of Hendrycks and
// Gimpel, "Gaussian Error Linear Units", arXiv:1606.08415:
//
//	gelu(x) = x/2 (1 + tanh u) = x / (1 + exp(-2u)),  u = sqrt(2/pi) (x + 0.044715 x^3)
//
// y may be x.
func GELU(p *Pool, y, x []float32) {
	p.split(len(y), grain, func(lo, hi int) { p.k.gelu(y[lo:hi], x[lo:hi]) })
}

// GELUBackward sets dx[i] = dy[i] gelu'(x[i]) for the length of dx, which may be dy:
//
//	gelu'(x) = s + x s (1-s) 2u',  s = 1/(1+exp(-2u)),  u' = sqrt(2/pi) (1 + 3*0.044715 x^2)
func GELUBackward(p *Pool, dx, dy, x []float32) {
	p.split(len(dx), grain, func(lo, hi int) { p.k.geluBackward(dx[lo:hi], dy[lo:hi], x[lo:hi]) })
}

const (
	geluA = 2 * 0.79788456080286536 // 2 sqrt(2/pi)
	geluB = 0.044715
)

func geluRow(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		u := float32(v*geluA) * scalar.MulAdd(v*v, geluB, 1)
		y[i] = v / (scalar.Exp(-u) + 1)
	}
}

func geluBackwardRow(dx, dy, x []float32) {
	x, dy = x[:len(dx)], dy[:len(dx)]
	for i, v := range x {
		b := float32(float32(v*v) * geluB)
		u := float32(v*geluA) * (b + 1)
		s := 1 / (scalar.Exp(-u) + 1)
		du := scalar.MulAdd(b, 3*geluA, geluA)
		// For large |x| the factor (1-s) or s is 0 and wins over x*du.
		dx[i] = dy[i] * scalar.MulAdd(float32(s*(1-s))*v, du, s)
	}
}

// SwiGLU sets y = value * silu(gate), where each row of x is [value | gate], as in PaLM's reference
// code (the gate is the second half); silu(g) = g/(1+exp(-g)). Shazeer, "GLU Variants Improve
// Transformer", arXiv:2002.05202. y (rows, H); x (rows, 2H).
func SwiGLU(p *Pool, y, x []float32, rows, H int) {
	p.split(rows, max(1, grain/max(H, 1)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			p.k.swiglu(y[r*H:(r+1)*H], x[2*r*H:(2*r+1)*H], x[(2*r+1)*H:(2*r+2)*H])
		}
	})
}

// SwiGLUBackward sets dx (rows, 2H) from dy (rows, H) and x (rows, 2H). dx may be x. With s =
// 1/(1+exp(-gate)):
//
//	dvalue = dy gate s;  dgate = dy value s (1 + gate (1-s))
func SwiGLUBackward(p *Pool, dx, dy, x []float32, rows, H int) {
	p.split(rows, max(1, grain/max(H, 1)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			v, g := 2*r*H, (2*r+1)*H
			p.k.swigluBack(dx[v:v+H], dx[g:g+H], dy[r*H:(r+1)*H], x[v:v+H], x[g:g+H])
		}
	})
}

func swigluRow(y, value, gate []float32) {
	value, gate = value[:len(y)], gate[:len(y)]
	for i, g := range gate {
		y[i] = float32(g/(scalar.Exp(-g)+1)) * value[i]
	}
}

func swigluBackwardRow(dvalue, dgate, dy, value, gate []float32) {
	n := len(dvalue)
	dgate, dy, value, gate = dgate[:n], dy[:n], value[:n], gate[:n]
	for i, g := range gate {
		v := value[i]
		s := 1 / (scalar.Exp(-g) + 1)
		dvalue[i] = float32(g*s) * dy[i]
		t := float32(float32(g*(1-s))+1) * s
		dgate[i] = float32(t*v) * dy[i]
	}
}
