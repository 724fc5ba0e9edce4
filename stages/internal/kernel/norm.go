package kernel

import "math"

// LayerNorm normalises each row of x (Ba, Kiros and Hinton, arXiv:1607.06450):
//
//	y = (x - mean) rstd w + b,  rstd = 1/sqrt(var + eps),  var = sum (x-mean)^2 / C
//
// y and x (rows, C); mean and rstd (rows), kept for LayerNormBackward; w and b (C), b may be nil. y
// may be x.
func LayerNorm(p *Pool, y, mean, rstd, x, w, b []float32, rows, C int, eps float32) {
	LayerNormStrided(p, y, mean, rstd, x, w, b, rows, C, eps, C, C)
}

// LayerNormStrided is LayerNorm with rows of x xs apart and rows of y ys apart.
func LayerNormStrided(p *Pool, y, mean, rstd, x, w, b []float32, rows, C int, eps float32, xs, ys int) {
	p.split(rows, max(1, grain/max(C, 1)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := x[r*xs : r*xs+C]
			m := p.k.rowSum(row) / float32(C)
			s := rstdOf(p.k.rowSquares(row, m)/float32(C), eps)
			mean[r], rstd[r] = m, s
			p.k.normRow(y[r*ys:r*ys+C], row, m, s, w, b)
		}
	})
}

// LayerNormBackward sets dx = carry + the gradient of x, where carry may be nil or dx itself, and
// adds the gradients of w and b to dw and db; db may be nil. With n = (x-mean) rstd and g = dy w:
//
//	dx = rstd (g - mean(g) - n mean(g n));  dw += sum dy n;  db += sum dy
//
// dx, dy, x, carry (rows, C). dx may be dy.
func LayerNormBackward(p *Pool, dx, dw, db, dy, x, mean, rstd, w, carry []float32, rows, C int) {
	LayerNormBackwardStrided(p, dx, dw, db, dy, x, mean, rstd, w, carry, rows, C, C, C)
}

// LayerNormBackwardStrided is LayerNormBackward with rows of x, dx and carry xs apart and rows of
// dy ys apart. dx may be dy if xs == ys.
func LayerNormBackwardStrided(p *Pool, dx, dw, db, dy, x, mean, rstd, w, carry []float32, rows, C, xs, ys int) {
	normBackward(p, dx, dw, db, dy, x, mean, rstd, w, carry, rows, C, xs, ys)
}

// RMSNorm normalises each row of x (Zhang and Sennrich, arXiv:1910.07467):
//
//	y = x rstd w + b,  rstd = 1/sqrt(sum x^2 / C + eps)
//
// Shapes as in LayerNorm. y may be x.
func RMSNorm(p *Pool, y, rstd, x, w, b []float32, rows, C int, eps float32) {
	RMSNormStrided(p, y, rstd, x, w, b, rows, C, eps, C, C)
}

// RMSNormStrided is RMSNorm with rows of x xs apart and rows of y ys apart.
func RMSNormStrided(p *Pool, y, rstd, x, w, b []float32, rows, C int, eps float32, xs, ys int) {
	p.split(rows, max(1, grain/max(C, 1)), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			row := x[r*xs : r*xs+C]
			s := rstdOf(p.k.rowSquares(row, 0)/float32(C), eps)
			rstd[r] = s
			p.k.normRow(y[r*ys:r*ys+C], row, 0, s, w, b)
		}
	})
}

// RMSNormBackward is to RMSNorm what LayerNormBackward is to LayerNorm:
//
//	dx = carry + rstd (g - n mean(g n)),  n = x rstd,  g = dy w
func RMSNormBackward(p *Pool, dx, dw, db, dy, x, rstd, w, carry []float32, rows, C int) {
	RMSNormBackwardStrided(p, dx, dw, db, dy, x, rstd, w, carry, rows, C, C, C)
}

// RMSNormBackwardStrided is RMSNormBackward with rows of x, dx and carry xs apart and rows of dy ys
// apart. dx may be dy if xs == ys.
func RMSNormBackwardStrided(p *Pool, dx, dw, db, dy, x, rstd, w, carry []float32, rows, C, xs, ys int) {
	normBackward(p, dx, dw, db, dy, x, nil, rstd, w, carry, rows, C, xs, ys)
}

func rstdOf(variance, eps float32) float32 {
	return 1 / float32(math.Sqrt(float64(variance+eps)))
}

// normRow sets y = (x-m) s w + b; b may be nil.
func normRow(y, x []float32, m, s float32, w, b []float32) {
	y, w = y[:len(x)], w[:len(x)]
	if b == nil {
		for i, v := range x {
			y[i] = float32(float32(v-m)*s) * w[i]
		}
		return
	}
	b = b[:len(x)]
	for i, v := range x {
		y[i] = float32(float32(float32(v-m)*s)*w[i]) + b[i]
	}
}

// normBackward serves both norms; mean == nil means RMSNorm.
func normBackward(p *Pool, dx, dw, db, dy, x, mean, rstd, w, carry []float32, rows, C, xs, ys int) {
	both := 2 * C
	part := p.partials(both)
	p.overParts(rows, func(i, lo, hi int) {
		sw, sb := part[i*both:i*both+C], part[i*both+C:(i+1)*both]
		clear(sw)
		clear(sb)
		for r := lo; r < hi; r++ {
			var m float32
			if mean != nil {
				m = mean[r]
			}
			var c []float32
			if carry != nil {
				c = carry[r*xs : r*xs+C]
			}
			p.k.normBackwardRow(dx[r*xs:r*xs+C], sw, sb, dy[r*ys:r*ys+C], x[r*xs:r*xs+C], m, rstd[r], w[:C], c, mean != nil)
		}
	})
	for i := range min(rowParts, rows) {
		p.k.rowAdd(dw[:C], dw[:C], part[i*both:i*both+C])
		if db != nil {
			p.k.rowAdd(db[:C], db[:C], part[i*both+C:(i+1)*both])
		}
	}
}

func (k *path) normBackwardRow(dx, sw, sb, dy, x []float32, m, s float32, w, carry []float32, centred bool) {
	g, gn := k.normSums(sw, sb, dy, x, m, s, w)
	g, gn = g/float32(len(x)), gn/float32(len(x))
	if !centred {
		g = 0
	}
	k.normGradient(dx, dy, x, m, s, w, carry, g, gn)
}

// normSums adds dy n to sw and dy to sb, and returns sum(dy w) and sum(dy w n).
func normSums(sw, sb, dy, x []float32, m, s float32, w []float32) (g, gn float32) {
	var sg, sgn [lanes]float32
	laneNormSums(&sg, &sgn, sw, sb, dy, x, m, s, w)
	return fold(&sg), fold(&sgn)
}

func laneNormSums(sg, sgn *[lanes]float32, sw, sb, dy, x []float32, m, s float32, w []float32) {
	for i, v := range x {
		n := float32(v-m) * s
		d := dy[i]
		sw[i] += float32(d * n)
		sb[i] += d
		gi := float32(d * w[i])
		sg[i%lanes] += gi
		sgn[i%lanes] += float32(gi * n)
	}
}

// normGradient sets dx = (dy w - g - n gn) s + carry; carry may be nil.
func normGradient(dx, dy, x []float32, m, s float32, w, carry []float32, g, gn float32) {
	for i, v := range x {
		n := float32(v-m) * s
		d := float32(float32(float32(float32(dy[i]*w[i])-g)-float32(n*gn)) * s)
		if carry != nil {
			d += carry[i]
		}
		dx[i] = d
	}
}
