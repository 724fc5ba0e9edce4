package fit

import "math"

// A matrix is square, symmetric or lower triangular; of a symmetric one only the lower half is
// read.
type matrix [][]float64

func newMatrix(n int) matrix {
	all := make([]float64, n*n)
	m := make(matrix, n)
	for i := range m {
		m[i] = all[i*n : (i+1)*n : (i+1)*n]
	}
	return m
}

// cholesky replaces the lower half of a by L with L L' = a, and says whether a was positive
// definite.
func (a matrix) cholesky() bool {
	for i := range a {
		row := a[i]
		for j := range i {
			row[j] = (row[j] - dot(row[:j], a[j][:j])) / a[j][j]
		}
		v := row[i] - dot(row[:i], row[:i])
		if !(v > 0) {
			return false
		}
		row[i] = math.Sqrt(v)
	}
	return true
}

// solve returns x with L L' x = b, of the L that cholesky left.
func (a matrix) solve(b []float64) []float64 {
	n := len(a)
	x := make([]float64, n)
	for i := range n {
		x[i] = (b[i] - dot(a[i][:i], x[:i])) / a[i][i]
	}
	for i := n - 1; i >= 0; i-- { // by columns of L', which are rows of L
		x[i] /= a[i][i]
		for k, l := range a[i][:i] {
			x[k] -= float64(l * x[i])
		}
	}
	return x
}

// inverse returns the lower half of (L L')^-1.
func (a matrix) inverse() matrix {
	n := len(a)
	// Row j of up is column j of L^-1, from its diagonal on.
	up := newMatrix(n)
	for j := range n {
		c := up[j]
		c[j] = 1 / a[j][j]
		for i := j + 1; i < n; i++ {
			c[i] = -dot(a[i][j:i], c[j:i]) / a[i][i]
		}
	}
	inv := newMatrix(n)
	for i := range n {
		for j := range i + 1 {
			inv[i][j] = dot(up[i][i:], up[j][i:])
		}
	}
	return inv
}

// dot returns the sum of a_i b_i, in four chains so that a processor need not wait for each sum.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}
