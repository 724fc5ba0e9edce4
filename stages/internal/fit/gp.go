package fit

import (
	"math"
	"slices"

	"ablate/stages/internal/elementary"
)

// process is a Gaussian process with the covariance
//
//	k(x, x') = constant (exp(-|x - x'|^2 / (2 length^2)) + noise if x and x' are one run / its weight)
//
// (Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", chapters 2 and 5), of
// scores from which their mean is taken and which are divided by their standard deviation. The
// constant does not move the mean of predictions, so that it is not kept.
type process struct {
	length, noise float64
	x             [][]float64
	alpha         []float64 // the inverse covariance, without the constant, times the scores
	mean, sd      float64
}

func (p *process) predict(x []float64) float64 {
	var sum float64
	scale := -0.5 / float64(p.length*p.length)
	for i, v := range p.x {
		sum += float64(p.alpha[i] * elementary.Exp(scale*distance2(x, v)))
	}
	return p.mean + float64(p.sd*sum)
}

// distance2 is the square of the distance.
func distance2(a, b []float64) float64 {
	var sum float64
	for j, v := range a {
		d := v - b[j]
		sum += float64(d * d)
	}
	return sum
}

// mostLikelihood is the number of runs, taken by the hash of their names, whose likelihood gives
// length and noise: three numbers need no more, and the cost grows with the cube. All runs give the
// prediction.
const mostLikelihood = 160

// fitGP fits length and noise by the likelihood, unless start has them, and the process to all
// runs.
func fitGP(s sample, start model) model {
	p := &process{x: s.x}
	y := p.standardise(s)
	if from, ok := start.(*process); ok {
		p.length, p.noise = from.length, from.noise
	} else {
		p.length, p.noise = newLikelihood(s, y).maximise()
	}
	p.condition(y, s.w)
	return p
}

// standardise settles mean and standard deviation, by the weights, and returns the scores without
// them.
func (p *process) standardise(s sample) []float64 {
	var all, sum, squares float64
	for i, y := range s.y {
		all += s.w[i]
		sum += float64(s.w[i] * y)
	}
	p.mean = sum / all
	for i, y := range s.y {
		squares += float64(s.w[i] * (y - p.mean) * (y - p.mean))
	}
	z := make([]float64, len(s.y))
	if p.sd = math.Sqrt(squares / all); !(p.sd > 1e-12*math.Abs(p.mean)) { // the scores are constant but for rounding
		p.sd = 1
		return z
	}
	for i, y := range s.y {
		z[i] = (y - p.mean) / p.sd
	}
	return z
}

// condition settles alpha.
func (p *process) condition(y, w []float64) {
	n := len(y)
	k := newMatrix(n)
	scale := -0.5 / float64(p.length*p.length)
	for i := range n {
		for j := range i {
			k[i][j] = elementary.Exp(scale * distance2(p.x[i], p.x[j]))
		}
		k[i][i] = 1 + p.noise/w[i]
	}
	if !k.cholesky() {
		panic("internal error: a covariance with noise is not positive definite")
	}
	p.alpha = k.solve(y)
}

// A likelihood is that of length and noise, with the constant that is best for them:
//
//	-n/2 log(y' M^-1 y / n) - 1/2 log |M|,   M = RBF + noise / weights
//
// and priors that keep both where data say nothing: the logarithm of the length is normal about
// that of the median distance of the runs, with a standard deviation of 1, that of the noise about
// log .1 with one of 3. The noise is at least leastNoise, so that M has an inverse.
type likelihood struct {
	d2     matrix // squared distances, the lower half
	y, w   []float64
	median float64 // logarithm of the median distance
}

const leastNoise = 1e-6

// newLikelihood is that of the sample's runs, or of mostLikelihood of them.
func newLikelihood(s sample, y []float64) *likelihood {
	order := byHash(s.names)
	order = order[:min(len(order), mostLikelihood)]
	slices.Sort(order) // back in the order of names
	n := len(order)
	l := &likelihood{d2: newMatrix(n), y: arranged(y, order), w: arranged(s.w, order)}
	var all []float64
	for i := range n {
		for j := range i {
			l.d2[i][j] = distance2(s.x[order[i]], s.x[order[j]])
			all = append(all, l.d2[i][j])
		}
	}
	slices.Sort(all)
	if m := all[len(all)/2]; m > 0 {
		l.median = 0.5 * elementary.Log(m)
	}
	return l
}

// maximise returns length and noise of the greatest likelihood.
func (l *likelihood) maximise() (length, noise float64) {
	at := []float64{l.median, elementary.Log(0.1)}
	if largest(l.y) > 0 { // constant scores have no likelihood
		at = minimise(at, l.negative)
	}
	return elementary.Exp(at[0]), leastNoise + elementary.Exp(at[1])
}

// negative returns minus the logarithm of likelihood and priors, and its gradient, at the
// logarithms of the length and of the noise above its least.
func (l *likelihood) negative(at []float64) (float64, []float64) {
	n := len(l.y)
	length, above := elementary.Exp(at[0]), elementary.Exp(at[1])
	inverse := 1 / float64(length*length)
	r := newMatrix(n)
	m := newMatrix(n)
	for i := range n {
		for j := range i {
			r[i][j] = elementary.Exp(-0.5 * inverse * l.d2[i][j])
			m[i][j] = r[i][j]
		}
		m[i][i] = 1 + (leastNoise+above)/l.w[i]
	}
	if !m.cholesky() {
		return math.Inf(1), nil
	}
	alpha := m.solve(l.y)
	fit := dot(alpha, l.y) / float64(n)
	var logs float64
	for i := range n {
		logs += elementary.Log(m[i][i])
	}
	dl, dn := at[0]-l.median, (at[1]-elementary.Log(0.1))/3
	value := float64(0.5*float64(n)*elementary.Log(fit)) + logs + float64(0.5*dl*dl) + float64(0.5*dn*dn)
	// The derivative of M by the log length is RBF d2 / length^2, by the log of the noise above its
	// least a diagonal; that of the value by either is the sum over all elements of 1/2 (M^-1 -
	// alpha alpha' / fit) times it.
	inv := m.inverse()
	var byLength, byNoise float64
	for i := range n {
		for j := range i {
			d := r[i][j] * inverse * l.d2[i][j]
			byLength += float64((inv[i][j] - alpha[i]*alpha[j]/fit) * d) // twice a half
		}
		byNoise += float64(0.5 * (inv[i][i] - alpha[i]*alpha[i]/fit) * above / l.w[i])
	}
	return value, []float64{byLength + dl, byNoise + dn/3}
}
