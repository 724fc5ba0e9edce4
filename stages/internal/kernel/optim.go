package kernel

import (
	"math"

	"ablate/stages/internal/kernel/arena"
)

// AdamWParams are the scalars of one AdamW step.
type AdamWParams struct {
	LR           float64
	Beta1, Beta2 float64
	Eps          float64
	WeightDecay  float64
	Correction1  float64 // 1 - Beta1^t at step t = 1, 2, ...
	Correction2  float64 // 1 - Beta2^t
	GradScale    float64 // multiplies g first: clipping, accumulation
}

// AdamW is one step as PyTorch's AdamW takes it (Loshchilov and Hutter, "Decoupled Weight Decay
// Regularization", arXiv:1711.05101):
//
//	g' = g GradScale
//	w  = w (1 - LR WeightDecay)
//	m  = Beta1 m + (1-Beta1) g'
//	v  = Beta2 v + (1-Beta2) g'^2
//	m, v = 0 where they are denormal, unlike PyTorch
//	w  = w - LR/Correction1 m / (sqrt(v)/sqrt(Correction2) + Eps)
//	g  = 0, which saves the next accumulation a pass over memory
//
// All have w's length.
func AdamW(p *Pool, w, g, m, v []float32, o AdamWParams) {
	c := adamCoefficients{
		gradScale: float32(o.GradScale),
		keep:      float32(1 - float64(o.LR*o.WeightDecay)),
		beta1:     float32(o.Beta1),
		new1:      float32(1 - o.Beta1),
		beta2:     float32(o.Beta2),
		new2:      float32(1 - o.Beta2),
		step:      float32(o.LR / o.Correction1),
		root:      float32(1 / math.Sqrt(o.Correction2)),
		eps:       float32(o.Eps),
	}
	p.split(len(w), grain, func(lo, hi int) {
		p.k.adam(w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi], &c)
	})
}

// adamCoefficients are what adamRow multiplies by; the order of the fields is known to the
// assembly.
type adamCoefficients struct {
	gradScale, keep, beta1, new1, beta2, new2, step, root, eps float32
}

func adamRow(w, g, m, v []float32, c *adamCoefficients) {
	n := len(w)
	g, m, v = g[:n], m[:n], v[:n]
	for i := range w {
		d := g[i] * c.gradScale
		mi := flushed(float32(m[i]*c.beta1) + float32(d*c.new1))
		vi := flushed(float32(v[i]*c.beta2) + float32(float32(d*d)*c.new2))
		m[i], v[i], g[i] = mi, vi, 0
		den := float32(float32(math.Sqrt(float64(vi)))*c.root) + c.eps
		w[i] = float32(w[i]*c.keep) - float32(mi*c.step)/den
	}
}

// flushed is x, or 0 if it is denormal. The moments of the embedding of a word that no longer comes
// halve every few steps and would stay denormal for good, since 0.9 times the fourth denormal is
// rounded to itself: a step over such numbers took six times as long.
func flushed(x float32) float32 {
	const smallest = 0x1p-126
	if x > -smallest && x < smallest {
		return 0
	}
	return x
}

// sumBlock is the number of elements of one partial sum of SumSquares. It must not depend on the
// threads.
const sumBlock = 8192

// SumSquares returns the sum of x[i]^2 in float64: blocks of 8192 elements, 16 partial sums each,
// folded as a tree, then the blocks in order.
func SumSquares(p *Pool, x []float32) float64 {
	blocks := (len(x) + sumBlock - 1) / sumBlock
	p.sums = arena.Grow(p.sums, blocks)
	sums := p.sums
	p.RunOn(blocks, func(_, i int) {
		sums[i] = p.k.squares64(x[i*sumBlock : min(len(x), (i+1)*sumBlock)])
	})
	var sum float64
	for _, s := range sums {
		sum += s
	}
	return sum
}

func squares64(x []float32) float64 {
	var s [lanes]float64
	laneSquares64(&s, x)
	return fold64(&s)
}

func laneSquares64(s *[lanes]float64, x []float32) {
	for i, v := range x {
		d := float64(v)
		s[i%lanes] += float64(d * d)
	}
}

func fold64(s *[lanes]float64) float64 {
	for w := lanes / 2; w > 0; w /= 2 {
		for i := range w {
			s[i] += s[i+w]
		}
	}
	return s[0]
}
