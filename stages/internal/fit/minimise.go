package fit

import "math"

// minimise returns a minimum of f, which gives a value and its gradient, by the quasi-Newton method
// of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006, "Numerical Optimization",
// algorithm 6.1), with steps that are halved until they lower the value enough. It is for few
// parameters: the inverse Hessian is a full matrix.
func minimise(at []float64, f func([]float64) (float64, []float64)) []float64 {
	const (
		most     = 60   // steps
		flat     = 1e-4 // gradients below end the search
		enough   = 1e-4 // part of the decrease that the gradient promises (Armijo)
		smallest = 1e-8 // step
		widest   = 2.0  // change of a parameter in a step; parameters are logarithms
	)
	n := len(at)
	h := unit(n)
	value, g := f(at)
	for range most {
		if largest(g) < flat {
			break
		}
		p := make([]float64, n)
		for i := range p {
			p[i] = -dot(h[i], g)
		}
		slope := dot(p, g)
		if !(slope < 0) { // rounding spoilt h
			h = unit(n)
			for i := range p {
				p[i] = -g[i]
			}
			slope = dot(p, g)
		}
		step := min(1, widest/largest(p))
		var next, ng []float64
		var nv float64
		for ; step > smallest; step /= 2 {
			next = make([]float64, n)
			for i := range next {
				next[i] = at[i] + float64(step*p[i])
			}
			if nv, ng = f(next); nv <= value+float64(enough*step*slope) {
				break
			}
		}
		if step <= smallest {
			break
		}
		h = updated(h, at, next, g, ng)
		at, value, g = next, nv, ng
	}
	return at
}

func unit(n int) matrix {
	h := newMatrix(n)
	for i := range h {
		h[i][i] = 1
	}
	return h
}

func largest(v []float64) float64 {
	var m float64
	for _, x := range v {
		m = max(m, math.Abs(x))
	}
	return m
}

// updated is the inverse Hessian after a step from a to b, where the gradient went from ga to gb; h
// itself where the curvature is not positive.
func updated(h matrix, a, b, ga, gb []float64) matrix {
	n := len(a)
	s, y := make([]float64, n), make([]float64, n)
	for i := range n {
		s[i], y[i] = b[i]-a[i], gb[i]-ga[i]
	}
	sy := dot(s, y)
	if !(sy > 1e-12) {
		return h
	}
	hy := make([]float64, n)
	for i := range hy {
		hy[i] = dot(h[i], y)
	}
	k := (1 + dot(y, hy)/sy) / sy
	out := newMatrix(n)
	for i := range n {
		for j := range n {
			out[i][j] = h[i][j] + float64(k*s[i]*s[j]) - (float64(hy[i]*s[j])+float64(s[i]*hy[j]))/sy
		}
	}
	return out
}
