package experts

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/random"
	"ablate/stages/internal/simplex"
)

// draws are numbers in [0, 1) of a stream.
func draws(purpose string) func() float64 {
	rng := random.Stream(3, purpose)
	return func() float64 { return float64(rng.Uint64()>>11) / (1 << 53) }
}

// twoCorpora has a unigram model of each of two corpora with disjoint vocabularies of 50 words,
// smoothed so that a word of the other corpus has 1/1000 of the probability, and an evaluation set
// in which a share of the documents, each cut to so many words, is of the first corpus.
func twoCorpora(share float64, documents, words int) (nats [][]float64, tokens []float64) {
	next := draws("corpora")
	nats = make([][]float64, 2)
	for d := range documents {
		of := 1
		if float64(d) < share*float64(documents) {
			of = 0
		}
		var own, other float64
		for range words {
			own -= math.Log((1 + next()) / 75 * 0.999)
			other -= math.Log(0.001 / 50)
		}
		nats[of], nats[1-of] = append(nats[of], own), append(nats[1-of], other)
		tokens = append(tokens, float64(words))
	}
	return nats, tokens
}

func ensemble(t testing.TB, names []string, texts Texts) *Ensemble {
	t.Helper()
	e, err := New(names, texts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func scores(t testing.TB, e *Ensemble, shares ...[]float64) []float64 {
	t.Helper()
	out, err := e.Scores(shares)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSeventyThirty recovers the mixture of an evaluation set: by documents (MixMin), and by tokens
// (MDE) where the texts are single words.
func TestSeventyThirty(t *testing.T) {
	for _, words := range []int{1, 16, 256} {
		nats, tokens := twoCorpora(0.7, 500, words)
		got, err := ensemble(t, []string{"a", "b"}, Documents(nats, tokens)).Optimum()
		if err != nil || math.Abs(got.Shares[0]-0.7) > 0.05 {
			t.Errorf("documents of %d words: shares %v, want .7 and .3 within .05 (%v)", words, got.Shares, err)
		}
	}
	nats, _ := twoCorpora(0.7, 500, 1)
	single := make([][]float32, 2)
	for i := range nats {
		for _, v := range nats[i] {
			single[i] = append(single[i], float32(v))
		}
	}
	got, err := ensemble(t, []string{"a", "b"}, Tokens(single)).Optimum()
	if err != nil || math.Abs(got.Shares[0]-0.7) > 0.05 {
		t.Errorf("tokens: shares %v, want .7 and .3 within .05 (%v)", got.Shares, err)
	}
	got, err = ensemble(t, []string{"a", "b"}, Tokens(single)).Optimum(simplex.Bound{Name: "a", Sources: []string{"a"}, Cap: .4})
	if err != nil || math.Abs(got.Shares[0]-0.4) > 1e-9 {
		t.Errorf("capped: shares %v (%v)", got.Shares, err)
	}
}

// some is what five experts, whose losses lie far apart, say of 80 documents.
func some() (names []string, nats [][]float64, tokens []float64) {
	next := draws("some")
	names = []string{"e", "b", "d", "a", "c"}
	nats = make([][]float64, len(names))
	for range 80 {
		n := 1 + math.Floor(300*next())
		tokens = append(tokens, n)
		for i := range nats {
			nats[i] = append(nats[i], n*(1+9*next()*next()))
		}
	}
	return names, nats, tokens
}

func TestCornersAreExact(t *testing.T) {
	names, nats, tokens := some()
	e := ensemble(t, names, Documents(nats, tokens))
	for i := range names {
		corner := make([]float64, len(names))
		corner[i] = 1
		var own exactSum
		for d, n := range tokens {
			own.add(nats[i][d] / n)
		}
		if got, want := scores(t, e, corner)[0], own.value()/float64(len(tokens)); got != want {
			t.Errorf("the corner of %s has loss %v, the expert itself %v", names[i], got, want)
		}
	}
	// Two experts that say the same are one.
	same := ensemble(t, []string{"a", "b"}, Documents([][]float64{nats[0], nats[0]}, tokens))
	if got := scores(t, same, []float64{.25, .75}, []float64{1, 0}); got[0] != got[1] {
		t.Errorf("a mixture of equals has loss %v, each of them %v", got[0], got[1])
	}
}

func TestConvex(t *testing.T) {
	names, nats, tokens := some()
	e := ensemble(t, names, Documents(nats, tokens))
	next := draws("points")
	point := func() []float64 {
		l := make([]float64, len(names))
		var sum float64
		for i := range l {
			l[i] = -math.Log(1 - next())
			sum += l[i]
		}
		for i := range l {
			l[i] /= sum
		}
		return l
	}
	best, err := e.Optimum()
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		a, b := point(), point()
		middle := make([]float64, len(a))
		for i := range a {
			middle[i] = (a[i] + b[i]) / 2
		}
		s := scores(t, e, a, b, middle)
		if s[2] > (s[0]+s[1])/2+1e-12 {
			t.Errorf("loss %v between %v and %v", s[2], s[0], s[1])
		}
		if s[0] < best.Value-1e-9 {
			t.Errorf("loss %v at %v, and %v at the optimum %v", s[0], a, best.Value, best.Shares)
		}
		// The gradient is that of differences.
		g := make([]float64, len(a))
		f := e.Objective()
		f(a, g)
		for i := range a {
			const h = 1e-6
			up, down := slices.Clone(a), slices.Clone(a)
			up[i] += h
			down[i] -= h
			z := make([]float64, len(a))
			if want := (f(up, z) - f(down, z)) / (2 * h); math.Abs(g[i]-want) > 1e-5*(1+math.Abs(want)) {
				t.Errorf("derivative by %s is %v, differences say %v", names[i], g[i], want)
			}
		}
	}
}

// TestOrderChangesNothing permutes documents and experts.
func TestOrderChangesNothing(t *testing.T) {
	names, nats, tokens := some()
	l := []float64{.1, .2, .3, .25, .15}
	a := ensemble(t, names, Documents(nats, tokens))
	best, err := a.Optimum()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range int64(5) {
		rng := random.Stream(seed, "order")
		experts, documents := []int{0, 1, 2, 3, 4}, make([]int, len(tokens))
		for d := range documents {
			documents[d] = d
		}
		random.Shuffle(rng, experts)
		random.Shuffle(rng, documents)
		var n2, tokens2, l2, want []float64
		var nats2 [][]float64
		var names2 []string
		for _, d := range documents {
			tokens2 = append(tokens2, tokens[d])
		}
		for _, i := range experts {
			n2 = nil
			for _, d := range documents {
				n2 = append(n2, nats[i][d])
			}
			nats2, names2, l2, want = append(nats2, n2), append(names2, names[i]), append(l2, l[i]), append(want, best.Shares[i])
		}
		b := ensemble(t, names2, Documents(nats2, tokens2))
		if x, y := scores(t, a, l)[0], scores(t, b, l2)[0]; x != y {
			t.Errorf("loss %v in one order, %v in another", x, y)
		}
		if got, err := b.Optimum(); err != nil || !slices.Equal(got.Shares, want) {
			t.Errorf("optimum %v in one order, %v in another (%v)", want, got.Shares, err)
		}
	}
}

// TestFarApart: probabilities of e^-10000 times others neither vanish nor overflow.
func TestFarApart(t *testing.T) {
	e := ensemble(t, []string{"a", "b"}, Documents([][]float64{{20000, 1}, {1, 20000}}, []float64{1, 1}))
	got := scores(t, e, []float64{1, 0}, []float64{.5, .5})
	if got[0] != 10000.5 || math.Abs(got[1]-(1+math.Ln2)) > 1e-12 {
		t.Errorf("losses %v", got)
	}
	g := make([]float64, 2)
	e.Objective()([]float64{1, 0}, g)
	if math.IsNaN(g[1]) || math.IsInf(g[1], 0) || g[1] > -1e300 {
		t.Errorf("gradient %v", g)
	}
	if best, err := e.Optimum(); err != nil || math.Abs(best.Shares[0]-.5) > 1e-6 {
		t.Errorf("optimum %v, %v", best, err)
	}
}

func TestRefused(t *testing.T) {
	for want, c := range map[string]struct {
		names  []string
		nats   [][]float64
		tokens []float64
	}{
		"text 2: the loss by expert b is NaN": {[]string{"a", "b"}, [][]float64{{1, 2}, {1, math.NaN()}}, []float64{1, 1}},
		"text 1 has 0 tokens":                 {[]string{"a"}, [][]float64{{1}}, []float64{0}},
		"expert a is named twice":             {[]string{"a", "a"}, [][]float64{{1}, {1}}, []float64{1}},
		"1 losses of 2 experts":               {[]string{"a", "b"}, [][]float64{{1}}, []float64{1}},
		"0 texts and 1 experts":               {[]string{"a"}, [][]float64{{}}, nil},
	} {
		if _, err := New(c.names, Documents(c.nats, c.tokens)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	e := ensemble(t, []string{"a", "b"}, Documents([][]float64{{1}, {2}}, []float64{1}))
	for want, l := range map[string][]float64{"sum to 0.9": {.4, .5}, "the share of a is -0.1": {-.1, 1.1}, "mixture 1: it has 1 shares, want 2": {1}} {
		if _, err := e.Scores([][]float64{l}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestExactSum compares sums with those of big numbers, for numbers of all sizes and both signs, in
// two orders.
func TestExactSum(t *testing.T) {
	next := draws("sum")
	for n := range 40 {
		var up, down exactSum
		var v []float64
		want := new(big.Float).SetPrec(4000)
		for range n {
			x := math.Ldexp(next()-0.5, int(2100*next())-1074)
			v = append(v, x)
			up.add(x)
			want.Add(want, new(big.Float).SetFloat64(x))
		}
		for _, x := range slices.Backward(v) {
			down.add(x)
		}
		w, _ := want.Float64()
		if got := up.value(); got != w || got != down.value() || got != up.value() {
			t.Errorf("sum of %v is %v, want %v", v, got, w)
		}
	}
	var s exactSum
	for _, x := range []float64{1e308, 1, -1e308, 5e-324, -1} {
		s.add(x)
	}
	if s.value() != 5e-324 {
		t.Errorf("sum %v", s.value())
	}
}

func BenchmarkExperts(b *testing.B) {
	next := draws("bench")
	const experts, tokens, mixtures = 30, 10_000, 200
	nats := make([][]float32, experts)
	names := make([]string, experts)
	for i := range nats {
		names[i] = fmt.Sprintf("e%02d", i)
		for range tokens {
			nats[i] = append(nats[i], float32(8*next()))
		}
	}
	e := ensemble(b, names, Tokens(nats))
	shares := make([][]float64, mixtures)
	for m := range shares {
		shares[m] = simplex.Equal(experts)
	}
	b.Run("200 mixtures of 10000 tokens", func(b *testing.B) {
		for range b.N {
			scores(b, e, shares...)
		}
	})
	b.Run("optimum", func(b *testing.B) {
		for range b.N {
			if _, err := e.Optimum(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
