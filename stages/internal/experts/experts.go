// Package experts predicts the loss of a mixture from the probabilities that models of its sources,
// the experts, give to evaluation text. It trains nothing and evaluates nothing: the losses that
// evaluations keep are enough.
//
// With shares l, and with p_i(x) the probability that expert i gives to a text x of n tokens, the
// loss is
//
//	F(l) = -mean over texts of log(sum_i l_i p_i(x)) / n
//
// Where the texts are documents, that is MixMin (Thudi et al. 2025, "MixMin: Finding Data Mixtures
// via Convex Minimization"). Where they are single tokens, each given what precedes it, that is the
// mixture of data experts, MDE (Belenki et al. 2025, "Optimizing Pre-Training Data Mixtures with
// Mixtures of Data Expert Models"). Both are convex in l. At a corner of the simplex F is the
// expert's own loss, to the bit.
//
// The probability of a long document is dominated by its best expert, however small the expert's
// share; MixMin thus says little of long documents. Cut them, say to 256 tokens.
//
// Sums over texts are exact and rounded once, and sums over experts go by name: neither the order
// of texts nor that of experts changes a bit.
package experts

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/stages/internal/elementary"
	"ablate/stages/internal/simplex"
)

// Texts yields each text of an evaluation set: its logarithm of the probability by each expert, in
// nats, and its length in tokens. It can be read again and again, always with the same texts. The
// slice that it yields may be used again for the next text.
type Texts func(yield func(logProbs []float64, tokens float64) bool)

// Tokens are texts of one token each, from nats[i][t], the loss of expert i at token t.
func Tokens(nats [][]float32) Texts {
	return func(yield func([]float64, float64) bool) {
		s := make([]float64, len(nats))
		for t := range nats[0] {
			for i := range nats {
				s[i] = -float64(nats[i][t])
			}
			if !yield(s, 1) {
				return
			}
		}
	}
}

// Documents are texts from nats[i][d], the loss of expert i summed over document d, and the
// documents' tokens.
func Documents(nats [][]float64, tokens []float64) Texts {
	return func(yield func([]float64, float64) bool) {
		s := make([]float64, len(nats))
		for d, n := range tokens {
			for i := range nats {
				s[i] = -nats[i][d]
			}
			if !yield(s, n) {
				return
			}
		}
	}
}

// An Ensemble is experts with what they say of an evaluation set.
type Ensemble struct {
	names []string // as given
	order []int    // by name
	texts Texts
	count int
}

// New checks what the experts say: finite numbers, of one text at least.
func New(names []string, texts Texts) (*Ensemble, error) {
	e := &Ensemble{names: names, texts: texts}
	for i := range names {
		e.order = append(e.order, i)
	}
	slices.SortStableFunc(e.order, func(a, b int) int { return strings.Compare(names[a], names[b]) })
	for i := 1; i < len(e.order); i++ {
		if names[e.order[i]] == names[e.order[i-1]] {
			return nil, fmt.Errorf("expert %s is named twice", names[e.order[i]])
		}
	}
	var err error
	texts(func(s []float64, n float64) bool {
		if len(s) != len(names) {
			err = fmt.Errorf("text %d: %d losses of %d experts", e.count+1, len(s), len(names))
			return false
		}
		if !(n > 0) || math.IsInf(n, 0) {
			err = fmt.Errorf("text %d has %v tokens", e.count+1, n)
			return false
		}
		for _, i := range e.order {
			if math.IsNaN(s[i]) || math.IsInf(s[i], 0) {
				err = fmt.Errorf("text %d: the loss by expert %s is %v", e.count+1, names[i], -s[i])
				return false
			}
		}
		e.count++
		return true
	})
	if err == nil && (e.count == 0 || len(names) == 0) {
		err = fmt.Errorf("%d texts and %d experts: want one of each at least", e.count, len(names))
	}
	return e, err
}

// Losses returns the loss of each text by the mixture with these shares, in nats: minus the
// logarithm of its probability, not divided by its tokens. At a corner they are the expert's own.
func (e *Ensemble) Losses(shares []float64) ([]float64, error) {
	l, err := e.arranged(shares)
	if err != nil {
		return nil, err
	}
	out := make([]float64, 0, e.count)
	t := e.text()
	e.texts(func(s []float64, _ float64) bool {
		t.read(s)
		out = append(out, t.loss(l))
		return true
	})
	return out, nil
}

// Scores returns the loss of each vector of shares, in nats per token, in one pass over the texts.
// Shares are at least 0, in the order of the experts, and sum to 1; a vector of zeros has no loss.
func (e *Ensemble) Scores(shares [][]float64) ([]float64, error) {
	by := make([][]float64, len(shares))
	for m, l := range shares {
		var err error
		if by[m], err = e.arranged(l); err != nil {
			return nil, fmt.Errorf("mixture %d: %w", m+1, err)
		}
	}
	sums := make([]exactSum, len(shares))
	t := e.text()
	e.texts(func(s []float64, n float64) bool {
		t.read(s)
		for m, l := range by {
			sums[m].add(t.loss(l) / n)
		}
		return true
	})
	out := make([]float64, len(shares))
	for m := range out {
		out[m] = sums[m].value() / float64(e.count)
	}
	return out, nil
}

// arranged checks shares and returns them by the names of the experts.
func (e *Ensemble) arranged(shares []float64) ([]float64, error) {
	if len(shares) != len(e.names) {
		return nil, fmt.Errorf("it has %d shares, want %d", len(shares), len(e.names))
	}
	var sum float64
	out := make([]float64, 0, len(shares))
	for _, i := range e.order {
		if !(shares[i] >= 0) {
			return nil, fmt.Errorf("the share of %s is %v", e.names[i], shares[i])
		}
		sum += shares[i]
		out = append(out, shares[i])
	}
	if math.Abs(sum-1) > 1e-6 {
		return nil, fmt.Errorf("the shares sum to %.9g, want 1", sum)
	}
	return out, nil
}

// A text is one text's logarithms of probabilities, by the names of the experts, and the
// probabilities divided by the largest.
type text struct {
	order []int
	s, e  []float64
	best  int
	other []float64 // scratch
}

func (e *Ensemble) text() *text {
	n := len(e.order)
	return &text{order: e.order, s: make([]float64, n), e: make([]float64, n), other: make([]float64, n)}
}

func (t *text) read(s []float64) {
	t.best = 0
	for j, i := range t.order {
		t.s[j] = s[i]
		if t.s[j] > t.s[t.best] {
			t.best = j
		}
	}
	t.relative(t.e, t.s[t.best])
}

// relative writes probabilities divided by exp(top), and none above e^700.
func (t *text) relative(to []float64, top float64) {
	for j, s := range t.s {
		to[j] = elementary.Exp(min(s-top, 700))
	}
}

// total returns the logarithm of the largest probability among the experts with a share, and the
// mixture's probability divided by it.
func (t *text) total(l []float64) (top, sum float64) {
	e, top := t.under(l)
	for j, v := range l {
		if v > 0 {
			sum += float64(v * e[j])
		}
	}
	return top, sum
}

// loss is minus the logarithm of the mixture's probability, in nats.
func (t *text) loss(l []float64) float64 {
	top, total := t.total(l)
	return -(top + elementary.Log(total))
}

// under are probabilities relative to the largest among the experts with a share, so that they
// cannot all vanish.
func (t *text) under(l []float64) (e []float64, top float64) {
	if l[t.best] > 0 {
		return t.e, t.s[t.best]
	}
	top = math.Inf(-1)
	for j, v := range l {
		if v > 0 {
			top = max(top, t.s[j])
		}
	}
	t.relative(t.other, top)
	return t.other, top
}

// Objective is F with its gradient,
//
//	dF/dl_i = -mean over texts of p_i(x) / sum_j l_j p_j(x) / n
//
// in the order of the experts.
func (e *Ensemble) Objective() simplex.Objective {
	return func(shares, gradient []float64) float64 {
		l := make([]float64, len(shares))
		for j, i := range e.order {
			l[j] = shares[i]
		}
		var sum exactSum
		sums := make([]exactSum, len(l))
		t := e.text()
		e.texts(func(s []float64, n float64) bool {
			t.read(s)
			top, total := t.total(l)
			relative, _ := t.under(l)
			sum.add(-(top + elementary.Log(total)) / n)
			for j := range sums {
				sums[j].add(-relative[j] / total / n)
			}
			return true
		})
		for j, i := range e.order {
			gradient[i] = sums[j].value() / float64(e.count)
		}
		return sum.value() / float64(e.count)
	}
}

// Optimum finds the shares of the least loss within bounds, which may be those of NewSet without
// any.
func (e *Ensemble) Optimum(bounds ...simplex.Bound) (simplex.Solution, error) {
	set, err := simplex.NewSet(e.names, bounds...)
	if err != nil {
		return simplex.Solution{}, err
	}
	return simplex.Minimise(simplex.Problem{Set: set, Objective: e.Objective()})
}
