package fit

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/elementary"
	"ablate/stages/internal/random"
)

// golden is testdata/laws.json, which laws.py beside it wrote.
type golden struct {
	Shares, New      [][]float64
	Scores, Variance []float64
	Laws             map[string]struct {
		Predictions                []float64
		Delta, Loss, Length, Noise float64
	}
}

func readGolden(t *testing.T) (g golden, d *Design) {
	t.Helper()
	text, err := os.ReadFile("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &g); err != nil {
		t.Fatal(err)
	}
	return g, design(t, numbered("source", 4), g.Shares)
}

func numbered(what string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%03d", what, i)
	}
	return out
}

func design(t testing.TB, sources []string, shares [][]float64) *Design {
	t.Helper()
	d, err := New(Runs{Sources: sources, Names: numbered("run", len(shares)), Shares: shares})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestLaws compares all laws, with weights, with what numpy and scipy find.
func TestLaws(t *testing.T) {
	g, d := readGolden(t)
	for name, c := range map[string]struct {
		law  Law
		near float64
	}{
		"linear": {Linear, 1e-7}, "quadratic": {Quadratic, 1e-5}, "huber": {LogLinear, 1e-4}, "wide": {LogLinear, 1e-4}, "gp": {GP, 1e-4},
	} {
		t.Run(name, func(t *testing.T) {
			want := g.Laws[name]
			f, err := d.Fit(g.Scores, Options{Law: c.law, Variance: g.Variance, Delta: want.Delta})
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range g.New {
				if got := f.Predict(x); math.Abs(got-want.Predictions[i]) > c.near {
					t.Errorf("predicted %v of mixture %d, want %v", got, i, want.Predictions[i])
				}
			}
			if m, ok := f.model.(*logLinear); ok {
				s := newDescent(f.sample(), *m)
				if _, _, loss := s.loss(m.c, m.t); loss > want.Loss+1e-8 {
					t.Errorf("loss %v, scipy found %v", loss, want.Loss)
				}
			}
			if m, ok := f.model.(*process); ok && (math.Abs(m.length/want.Length-1) > 1e-3 || math.Abs(m.noise/want.Noise-1) > 1e-3) {
				t.Errorf("length %v noise %v, scipy found %v and %v", m.length, m.noise, want.Length, want.Noise)
			}
		})
	}
}

// synthetic draws runs of a log-linear truth with noise.
func synthetic(n, m int) (shares [][]float64, scores []float64) {
	rng := random.Stream(5, "synthetic")
	uniform := func() float64 { return float64(rng.Uint64()>>11) / (1 << 53) }
	for range n {
		x := make([]float64, m)
		var sum float64
		for j := range x {
			x[j] = -elementary.Log(1 - uniform())
			sum += x[j]
		}
		y := 2.0
		var dot float64
		for j := range x {
			x[j] /= sum
			dot += x[j] * (1.5*float64(j)/float64(m) - 0.7)
		}
		y += elementary.Exp(dot) + 0.02*(uniform()-0.5)
		shares, scores = append(shares, x), append(scores, y)
	}
	return shares, scores
}

// TestOrderChangesNothing permutes runs and sources: every law keeps every bit of what it says.
func TestOrderChangesNothing(t *testing.T) {
	const n, m = 60, 5
	shares, scores := synthetic(n, m)
	names, sources := numbered("run", n), numbered("source", m)
	rng := random.Stream(1, "order")
	runs, columns := make([]int, n), make([]int, m)
	for i := range runs {
		runs[i] = i
	}
	for j := range columns {
		columns[j] = j
	}
	random.Shuffle(rng, runs)
	random.Shuffle(rng, columns)
	pick := func(v []string, order []int) (out []string) {
		for _, k := range order {
			out = append(out, v[k])
		}
		return out
	}
	var mixed [][]float64
	variance := make([]float64, n)
	for i := range variance {
		variance[i] = 1 + float64(i%7)
	}
	for _, i := range runs {
		mixed = append(mixed, arranged(shares[i], columns))
	}
	a, err := New(Runs{sources, names, shares})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Runs{pick(sources, columns), pick(names, runs), mixed})
	if err != nil {
		t.Fatal(err)
	}
	for _, law := range Laws() {
		fa, err := a.Fit(scores, Options{Law: law, Variance: variance})
		if err != nil {
			t.Fatal(err)
		}
		fb, err := b.Fit(arranged(scores, runs), Options{Law: law, Variance: arranged(variance, runs)})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(arranged(fa.OutOfFold, runs), fb.OutOfFold) || fa.Spearman != fb.Spearman || fa.Pearson != fb.Pearson {
			t.Errorf("%s: out-of-fold predictions depend on the order", law)
		}
		at := [][]float64{{.5, .1, .1, .1, .2}}
		ba := fa.Bands(at, Bands{Resamples: 5}, Options{Law: law})
		bb := fb.Bands([][]float64{arranged(at[0], columns)}, Bands{Resamples: 5}, Options{Law: law})
		if ba[0] != bb[0] {
			t.Errorf("%s: band %v in one order, %v in another", law, ba[0], bb[0])
		}
		if c, x, ok := fa.Exponents(); ok {
			if d, y, _ := fb.Exponents(); c != d || !slices.Equal(arranged(x, columns), y) {
				t.Errorf("exponents %v %v in one order, %v %v in another", c, x, d, y)
			}
		}
		if x, ok := fa.Coefficients(); ok {
			if y, _ := fb.Coefficients(); !slices.Equal(arranged(x, columns), y) {
				t.Errorf("coefficients %v in one order, %v in another", x, y)
			}
		}
	}
}

// TestGradients compares analytic gradients with differences.
func TestGradients(t *testing.T) {
	shares, scores := synthetic(30, 3)
	d := design(t, numbered("source", 3), shares)
	f := &Fit{d: d}
	if err := f.take(scores, nil); err != nil {
		t.Fatal(err)
	}
	p := &process{x: d.x}
	l := newLikelihood(f.sample(), p.standardise(f.sample()))
	for _, at := range [][]float64{{-1, -2}, {0.5, -4}, {-0.3, 1}} {
		_, g := l.negative(at)
		for j := range at {
			const h = 1e-5
			up, down := slices.Clone(at), slices.Clone(at)
			up[j] += h
			down[j] -= h
			a, _ := l.negative(up)
			b, _ := l.negative(down)
			if want := (a - b) / (2 * h); math.Abs(g[j]-want) > 1e-4*(1+math.Abs(want)) {
				t.Errorf("likelihood at %v: derivative %d is %v, differences say %v", at, j, g[j], want)
			}
		}
	}
	// At a minimum of the loss, its gradient by t_j, sum_i clipped residual x_ij exp(t . x_i), is
	// 0; a wrong Jacobian would stop elsewhere.
	f, err := d.Fit(scores, Options{Law: LogLinear})
	if err != nil {
		t.Fatal(err)
	}
	m := f.model.(*logLinear)
	s := newDescent(f.sample(), *m)
	r, e, _ := s.loss(m.c, m.t)
	for j := range m.t {
		var g, size float64
		for i, x := range s.s.x {
			v := max(-m.delta, min(m.delta, r[i])) * x[j] * e[i]
			g += v
			size += math.Abs(v)
		}
		if math.Abs(g) > 1e-4*size {
			t.Errorf("the gradient by t_%d is %v of terms that sum to %v", j, g, size)
		}
	}
}

func TestOutOfFold(t *testing.T) {
	shares, scores := synthetic(47, 3)
	d := design(t, numbered("source", 3), shares)
	folds := foldsOf(d.names, 10)
	size := map[int]int{}
	for _, k := range folds {
		size[k]++
	}
	for k, n := range size {
		if n < 4 || n > 5 {
			t.Errorf("fold %d has %d of 47 runs, want 4 or 5", k, n)
		}
	}
	for _, law := range Laws() {
		f, err := d.Fit(scores, Options{Law: law})
		if err != nil {
			t.Fatal(err)
		}
		if f.Spearman < 0.9 && law != Linear {
			t.Errorf("%s: out-of-fold correlation %v with little noise", law, f.Spearman)
		}
		// A run's own score has no part in its prediction: a change of it moves others'
		// predictions, never its own.
		changed := slices.Clone(scores)
		changed[11] += 0.7
		g, err := d.Fit(changed, Options{Law: law})
		if err != nil {
			t.Fatal(err)
		}
		for i := range scores {
			if same := f.OutOfFold[i] == g.OutOfFold[i]; same != (folds[i] == folds[11]) {
				t.Errorf("%s: run %d of fold %d (the changed one's: %d): its prediction is the same: %v", law, i, folds[i], folds[11], same)
			}
		}
	}
	// Folds find no correlation in noise. (They find a negative one: without a fold of high scores
	// the mean is lower.)
	for i := range scores {
		scores[i] = 1 + float64(random.Below(random.Stream(9, "noise", int64(i)), 1000))/1000
	}
	f, err := d.Fit(scores, Options{Law: GP})
	if err != nil || f.Spearman > 0.2 {
		t.Errorf("pure noise: out-of-fold correlation %v, %v", f.Spearman, err)
	}
	// With as many runs as parameters a law has no folds; with one more it leaves one out.
	for n, defined := range map[int]bool{4: false, 5: true} {
		few := design(t, numbered("source", 3), shares[:n])
		f, err := few.Fit(scores[:n], Options{Law: LogLinear})
		if err != nil {
			t.Fatal(err)
		}
		if got := !math.IsNaN(f.OutOfFold[0]); got != defined {
			t.Errorf("%d runs of 4 parameters: out-of-fold predictions %v, want them: %v", n, f.OutOfFold, defined)
		}
	}
}

// TestWeights: a run of no weight to speak of moves nothing, a run of twice the weight counts as
// two.
func TestWeights(t *testing.T) {
	shares, scores := synthetic(20, 3)
	twice := append(slices.Clone(shares), shares[3])
	for _, law := range Laws() {
		two, err := design(t, numbered("source", 3), twice).Fit(append(slices.Clone(scores), scores[3]), Options{Law: law, Delta: 0.02})
		if err != nil {
			t.Fatal(err)
		}
		variance := make([]float64, 20)
		for i := range variance {
			variance[i] = 2
		}
		variance[3] = 1
		one, err := design(t, numbered("source", 3), shares).Fit(scores, Options{Law: law, Variance: variance, Delta: 0.02})
		if err != nil {
			t.Fatal(err)
		}
		if law == GP { // the scale of its noise is that of the mean weight
			continue
		}
		x := []float64{.2, .3, .5}
		if a, b := two.Predict(x), one.Predict(x); math.Abs(a-b) > 1e-5 {
			t.Errorf("%s: a run given twice predicts %v, a run of half the variance %v", law, a, b)
		}
	}
}

// TestBands: the band of a law with noise holds the truth, is narrow, and shrinks with more runs.
func TestBands(t *testing.T) {
	shares, scores := synthetic(200, 3)
	x := []float64{.2, .3, .5}
	truth := 2 + math.Exp(.2*-.7+.3*-.2+.5*.3)
	width := func(n int, seed int64) float64 {
		f, err := design(t, numbered("source", 3), shares[:n]).Fit(scores[:n], Options{Law: LogLinear})
		if err != nil {
			t.Fatal(err)
		}
		b := f.Bands([][]float64{x}, Bands{Seed: seed}, Options{Law: LogLinear})[0]
		if !(b.Low < b.High) || b.Low > b.Value || b.High < b.Value || math.Abs(b.Value-truth) > 0.01 {
			t.Errorf("%d runs: band %v, the truth is %v", n, b, truth)
		}
		return b.High - b.Low
	}
	if few, many := width(20, 1), width(200, 1); many > 0.6*few {
		t.Errorf("bands of 20 and 200 runs are %v and %v wide", few, many)
	}
	if width(20, 1) != width(20, 1) || width(20, 1) == width(20, 2) {
		t.Error("a band does not follow from its seed")
	}
}

func TestRefused(t *testing.T) {
	good := Runs{[]string{"a", "b"}, []string{"r", "s", "u"}, [][]float64{{.5, .5}, {.2, .8}, {1, 0}}}
	for name, c := range map[string]struct {
		runs   func(r *Runs)
		scores []float64
		o      Options
		want   string
	}{
		"source twice":  {runs: func(r *Runs) { r.Sources = []string{"a", "a"} }, want: "source a is named twice"},
		"run twice":     {runs: func(r *Runs) { r.Names = []string{"r", "s", "r"} }, want: "run r is named twice"},
		"sum":           {runs: func(r *Runs) { r.Shares[1][0] = .3 }, want: "run s: the shares sum to 1.1, want 1 (within 0.005)"},
		"negative":      {runs: func(r *Runs) { r.Shares[1] = []float64{1.1, -.1} }, want: "run s: the share of b is -0.1"},
		"NaN share":     {runs: func(r *Runs) { r.Shares[1][1] = math.NaN() }, want: "run s: the share of b is NaN"},
		"no share":      {runs: func(r *Runs) { r.Shares = [][]float64{{1, 0}, {1, 0}, {1, 0}} }, want: "no run has a share of source b"},
		"NaN score":     {scores: []float64{1, 2, math.NaN()}, want: "run u: the score is NaN"},
		"few runs":      {o: Options{Law: GP}, want: "the law gp of 2 sources has 4 parameters and needs as many runs; runs at hand: 3"},
		"negative y":    {scores: []float64{1, -2, 1}, o: Options{Law: LogLinear}, want: "run s: a score of -2, and the law loglinear is positive"},
		"variance":      {o: Options{Law: Linear, Variance: []float64{1, 0, 1}}, want: "run s: the variance is 0"},
		"unknown law":   {o: Options{Law: "cubic"}, want: `law "cubic"`},
		"few scores":    {scores: []float64{1}, want: "1 scores and 0 variances"},
		"few variances": {o: Options{Law: Linear, Variance: []float64{1}}, want: "3 scores and 1 variances"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Runs{slices.Clone(good.Sources), slices.Clone(good.Names), nil}
			for _, x := range good.Shares {
				r.Shares = append(r.Shares, slices.Clone(x))
			}
			if c.runs != nil {
				c.runs(&r)
			}
			d, err := New(r)
			if err == nil {
				if c.scores == nil {
					c.scores = []float64{1, 2, 3}
				}
				if c.o.Law == "" {
					c.o.Law = Linear
				}
				_, err = d.Fit(c.scores, c.o)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestEdges: scores that are constant, zero or huge give finite predictions.
func TestEdges(t *testing.T) {
	shares, _ := synthetic(12, 3)
	d := design(t, numbered("source", 3), shares)
	for name, score := range map[string]func(i int) float64{
		"constant": func(int) float64 { return 3 },
		"zero":     func(int) float64 { return 0 },
		"huge":     func(i int) float64 { return 1e12 * float64(i+1) },
		"tiny":     func(i int) float64 { return 1e-12 * float64(i+1) },
		"some 0":   func(i int) float64 { return float64(i % 2) },
	} {
		scores := make([]float64, len(shares))
		for i := range scores {
			scores[i] = score(i)
		}
		for _, law := range Laws() {
			f, err := d.Fit(scores, Options{Law: law})
			if err != nil {
				t.Fatal(name, err)
			}
			if v := f.Predict(shares[0]); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s, %s: predicted %v", name, law, v)
			}
		}
	}
}

func BenchmarkFit(b *testing.B) {
	shares, scores := synthetic(512, 17)
	d := design(b, numbered("source", 17), shares)
	for _, law := range Laws() {
		b.Run(string(law), func(b *testing.B) {
			for range b.N {
				if _, err := d.Fit(scores, Options{Law: law}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
