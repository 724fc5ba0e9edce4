package fit

// polynomial is a linear or quadratic law: the dot product of b and features of the shares.
type polynomial struct {
	b         []float64
	quadratic bool
}

// features are the shares and, of a quadratic law, the products of each two. There is no constant,
// since the shares sum to 1, and no square, since x_j^2 = x_j - sum_k x_j x_k over the others
// (Scheffe 1958, "Experiments with Mixtures").
func features(x []float64, quadratic bool) []float64 {
	if !quadratic {
		return x
	}
	out := append(make([]float64, 0, len(x)*(len(x)+1)/2), x...)
	for j := range x {
		for k := range j {
			out = append(out, x[j]*x[k])
		}
	}
	return out
}

func (p *polynomial) predict(x []float64) float64 { return dot(p.b, features(x, p.quadratic)) }

// fitPolynomial minimises sum_i w_i (y_i - b . features(x_i))^2.
func fitPolynomial(s sample, quadratic bool) model {
	rows := make([][]float64, len(s.x))
	for i, x := range s.x {
		rows[i] = features(x, quadratic)
	}
	return &polynomial{leastSquares(rows, s.y, s.w), quadratic}
}

// ridge, times the largest diagonal element of the normal equations, is added to their diagonal. Of
// coefficients that the runs leave open, such as those of a source that no run of a fold has, the
// smallest are thus taken. The others change by about as much, relatively.
const ridge = 1e-10

// leastSquares returns b that minimises sum_i w_i (y_i - b . rows_i)^2, by the normal equations.
func leastSquares(rows [][]float64, y, w []float64) []float64 {
	h, g := normal(rows, y, w)
	var top float64
	for j := range h {
		top = max(top, h[j][j])
	}
	for j := range h {
		h[j][j] += float64(ridge * top)
	}
	if !h.cholesky() { // all rows are zero: shares never are
		return make([]float64, len(g))
	}
	return h.solve(g)
}

// normal returns the lower half of R'WR, and R'Wy.
func normal(rows [][]float64, y, w []float64) (matrix, []float64) {
	m := len(rows[0])
	h, g := newMatrix(m), make([]float64, m)
	for i, row := range rows {
		addOuter(h, g, row, w[i], w[i]*y[i])
	}
	return h, g
}

// addOuter adds w row row' to the lower half of h, and v row to g.
func addOuter(h matrix, g, row []float64, w, v float64) {
	for j, r := range row {
		if r == 0 {
			continue // most shares of a sampled mixture are
		}
		g[j] += float64(v * r)
		wr := w * r
		to := h[j][:j+1]
		for k, q := range row[:j+1] {
			to[k] += float64(wr * q)
		}
	}
}
