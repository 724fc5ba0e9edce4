package simplex

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/elementary"
	"ablate/stages/internal/random"
)

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("s%02d", i)
	}
	return out
}

func set(t testing.TB, sources []string, bounds ...Bound) *Set {
	t.Helper()
	s, err := NewSet(sources, bounds...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// draws are numbers in [0, 1) of a stream.
func draws(purpose string) func() float64 {
	rng := random.Stream(1, purpose)
	return func() float64 { return float64(rng.Uint64()>>11) / (1 << 53) }
}

// falling is the objective sum_j w_j exp(-x_j). Where no bound is met, its optimum has x_j = log
// w_j + constant.
func falling(t *testing.T, s *Set, logW ...float64) Objective {
	var terms []Term
	for j, w := range logW {
		e := make([]float64, len(logW))
		e[j] = -1
		terms = append(terms, Term{Name: fmt.Sprint("metric", j), Weight: math.Exp(w), Exponents: e})
	}
	o, err := Laws(s, terms...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestKnownOptimum(t *testing.T) {
	abc := []string{"a", "b", "c"}
	for name, c := range map[string]struct {
		bounds []Bound
		want   []float64
	}{
		"free":                       {nil, []float64{.6, .3, .1}},
		"one cap":                    {[]Bound{{"cap", []string{"a"}, 0, .4}}, []float64{.4, .4, .2}},
		"fixed":                      {[]Bound{{"fixed", []string{"b"}, .5, .5}}, []float64{.5, .5, 0}},
		"floor":                      {[]Bound{{"floor", []string{"c"}, .3, 1}}, []float64{.5, .2, .3}},
		"cap of a group":             {[]Bound{{"ab", []string{"a", "b"}, 0, .7}}, []float64{.5, .2, .3}},
		"floor of a group":           {[]Bound{{"bc", []string{"b", "c"}, .6, 1}}, []float64{.4, .4, .2}},
		"groups that overlap":        {[]Bound{{"ab", []string{"a", "b"}, 0, .7}, {"bc", []string{"b", "c"}, .6, 1}}, []float64{.4, .3, .3}},
		"group and cap within":       {[]Bound{{"ab", []string{"a", "b"}, 0, .7}, {"a", []string{"a"}, 0, .3}}, []float64{.3, .4, .3}},
		"all fixed":                  {[]Bound{{"a", []string{"a"}, .1, .1}, {"b", []string{"b"}, .2, .2}, {"c", []string{"c"}, .7, .7}}, []float64{.1, .2, .7}},
		"caps that leave no choice":  {[]Bound{{"a", []string{"a"}, 0, .1}, {"b", []string{"b"}, 0, .2}, {"c", []string{"c"}, 0, .7}}, []float64{.1, .2, .7}},
		"a group that has to be all": {[]Bound{{"ab", []string{"a", "b"}, 1, 1}}, []float64{.65, .35, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, abc, c.bounds...)
			got, err := Minimise(Problem{Set: s, Objective: falling(t, s, .5, .2, 0)})
			if err != nil {
				t.Fatal(err)
			}
			for j, w := range c.want {
				if math.Abs(got.Shares[j]-w) > 1e-7 {
					t.Fatalf("shares %v, want %v (%+v)", got.Shares, c.want, got)
				}
			}
		})
	}
}

// TestPrior: the weight of the prior leads from the corner to the prior, or to what bounds leave of
// it.
func TestPrior(t *testing.T) {
	abc := []string{"a", "b", "c"}
	prior := []float64{.2, .3, .5}
	for _, scale := range []float64{1e-9, 1, 1e6} { // of the objective: what matters is the quotient
		s := set(t, abc)
		o, err := Laws(s, Term{Name: "m", Weight: scale, Slopes: []float64{1, 2, 3}})
		if err != nil {
			t.Fatal(err)
		}
		for kl, want := range map[float64][]float64{0: {1, 0, 0}, 1e12: prior, 1e-9: {1, 0, 0}} {
			got, err := Minimise(Problem{Set: s, Objective: o, Prior: prior, KL: kl * scale})
			if err != nil || distance(got.Shares, want) > 1e-6 {
				t.Errorf("objective times %v, prior times %v: shares %v, want %v (%v)", scale, kl, got.Shares, want, err)
			}
		}
		// With a linear objective the optimum is known: prior_j exp(-slope_j / KL), divided by
		// their sum.
		got, err := Minimise(Problem{Set: s, Objective: o, Prior: prior, KL: 2 * scale})
		if err != nil {
			t.Fatal(err)
		}
		want, sum := make([]float64, 3), 0.0
		for j := range want {
			want[j] = prior[j] * math.Exp(-float64(j+1)/2)
			sum += want[j]
		}
		for j := range want {
			want[j] /= sum
		}
		if distance(got.Shares, want) > 1e-7 {
			t.Errorf("objective times %v: shares %v, want %v", scale, got.Shares, want)
		}
	}
	s := set(t, abc, Bound{"c", []string{"c"}, 0, .2})
	o, _ := Laws(s, Term{Name: "m", Weight: 1, Slopes: []float64{1, 2, 3}})
	got, err := Minimise(Problem{Set: s, Objective: o, Prior: prior, KL: 1e9})
	if err != nil || distance(got.Shares, []float64{.32, .48, .2}) > 1e-7 { // a and b keep their ratio
		t.Errorf("capped prior: %v, %v", got.Shares, err)
	}
	if got, err = Minimise(Problem{Set: s, Objective: o, Prior: prior, KL: math.MaxFloat64}); err != nil || distance(got.Shares, []float64{.32, .48, .2}) > 1e-7 {
		t.Errorf("a prior of the largest weight: %v, %v", got.Shares, err)
	}
	got, err = Minimise(Problem{Set: s, Objective: o, Prior: []float64{0, .5, .5}, KL: 1e-3})
	if err != nil || got.Shares[0] != 0 {
		t.Errorf("a source of prior 0: %v, %v", got.Shares, err)
	}
}

// problem draws a convex problem over n sources: exponentials, bounds of sources, groups that
// overlap, and a prior of some weight.
func problem(t testing.TB, n, metrics, seed int, bounded bool) (Problem, []Bound, []Term) {
	next := draws(fmt.Sprint("problem", seed))
	sources := numbered(n)
	inside := make([]float64, n) // a point that keeps all bounds
	var sum float64
	for j := range inside {
		inside[j] = -math.Log(1 - next())
		sum += inside[j]
	}
	var bounds []Bound
	for j := range inside {
		inside[j] /= sum
		if bounded && next() < 0.5 {
			bounds = append(bounds, Bound{sources[j], sources[j : j+1], inside[j] * next(), math.Min(1, inside[j]*(1+next()))})
		}
	}
	for g := 0; bounded && g < 3; g++ {
		b := Bound{Name: fmt.Sprint("group", g)}
		total := 0.0
		for j := range inside {
			if next() < 0.4 {
				b.Sources, total = append(b.Sources, sources[j]), total+inside[j]
			}
		}
		if len(b.Sources) < 2 {
			continue
		}
		b.Floor, b.Cap = total*(0.5+0.5*next()), math.Min(1, total*(1+0.3*next()))
		bounds = append(bounds, b)
	}
	var terms []Term
	for k := range metrics {
		term := Term{Name: fmt.Sprint("metric", k), Weight: next(), Exponents: make([]float64, n)}
		for j := range term.Exponents {
			term.Exponents[j] = 4 * (next() - 0.5)
		}
		terms = append(terms, term)
	}
	s := set(t, sources, bounds...)
	o, err := Laws(s, terms...)
	if err != nil {
		t.Fatal(err)
	}
	prior := make([]float64, n)
	for j := range prior {
		prior[j] = 1 / float64(n)
	}
	return Problem{Set: s, Objective: o, Prior: prior, KL: []float64{0, 0.05}[seed%2]}, bounds, terms
}

// whole is the gradient of objective and divergence.
func (p Problem) whole(x []float64) []float64 {
	g := make([]float64, len(x))
	p.Objective(x, g)
	for j := range g {
		if p.KL > 0 {
			g[j] += p.KL * (math.Log(x[j]/p.Prior[j]) + 1)
		}
	}
	return g
}

// TestKKT checks the conditions of Karush, Kuhn and Tucker where bounds are those of sources: one
// number nu, with the gradient nu where a share lies between its bounds, at least nu at a floor and
// at most nu at a cap.
func TestKKT(t *testing.T) {
	for seed := range 30 {
		p, bounds, terms := problem(t, 8, 3, seed, true)
		own := slices.DeleteFunc(bounds, func(b Bound) bool { return len(b.Sources) > 1 })
		p.Set = set(t, numbered(8), own...)
		p.Objective, _ = Laws(p.Set, terms...)
		got, err := Minimise(p)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Set.Contains(got.Shares, 1e-12) {
			t.Fatalf("problem %d: shares %v are out of bounds", seed, got.Shares)
		}
		g := p.whole(got.Shares)
		atLeast, atMost := math.Inf(-1), math.Inf(1) // bounds of nu
		for j, x := range got.Shares {
			low, up := p.Set.low[j], p.Set.up[j]
			if x > low+1e-6 { // could be less: its gradient is at most nu
				atLeast = max(atLeast, g[j])
			}
			if x < up-1e-6 {
				atMost = min(atMost, g[j])
			}
		}
		if atLeast > atMost+1e-6 {
			t.Errorf("problem %d: gradient %v at %v: nu would be at least %v and at most %v (%+v)", seed, g, got.Shares, atLeast, atMost, got)
		}
	}
}

// TestOptimumOfGroups: with groups that overlap, no feasible point lies downhill. At a convex
// problem's point that is the condition of an optimum.
func TestOptimumOfGroups(t *testing.T) {
	for seed := range 30 {
		p, _, _ := problem(t, 10, 3, seed, true)
		got, err := Minimise(p)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Set.Contains(got.Shares, 1e-9) {
			t.Fatalf("problem %d: shares %v are out of bounds", seed, got.Shares)
		}
		g := p.whole(got.Shares)
		next := draws(fmt.Sprint("points", seed))
		for k := 0; k < 60; k += 4 {
			y := make([]float64, len(g))
			for j := range y {
				y[j] = math.Exp(-float64(k)*g[j]) * (0.1 + next()) // ever more downhill
			}
			z, err := p.Set.Project(y)
			if err != nil {
				t.Fatal(err)
			}
			var slope float64
			for j := range z {
				slope += g[j] * (z[j] - got.Shares[j])
			}
			if slope < -1e-8 {
				t.Fatalf("problem %d: the objective falls towards %v from %v, with slope %v (%+v)", seed, z, got.Shares, slope, got)
			}
		}
	}
}

// TestProjection: a projection keeps all bounds, and is the nearest point: by the law of cosines of
// divergences, KL(z, y) >= KL(z, x) + KL(x, y) for every z of the set.
func TestProjection(t *testing.T) {
	kl := func(a, b []float64) float64 {
		var sum float64
		for j := range a {
			if a[j] > 0 {
				sum += a[j] * math.Log(a[j]/b[j])
			}
			sum += b[j] - a[j]
		}
		return sum
	}
	for seed := range 40 {
		p, _, _ := problem(t, 9, 1, seed, true)
		next := draws(fmt.Sprint("projection", seed))
		point := func() []float64 {
			y := make([]float64, 9)
			for j := range y {
				y[j] = math.Exp(6 * (next() - 0.5))
			}
			return y
		}
		y := point()
		x, err := p.Set.Project(y)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Set.Contains(x, 1e-12) {
			t.Fatalf("%d: %v is out of bounds", seed, x)
		}
		for range 20 {
			z, err := p.Set.Project(point())
			if err != nil {
				t.Fatal(err)
			}
			if kl(z, y) < kl(z, x)+kl(x, y)-1e-9 {
				t.Fatalf("%d: %v is not the point nearest to %v: %v", seed, x, y, z)
			}
		}
	}
}

func TestInfeasible(t *testing.T) {
	abcd := []string{"a", "b", "c", "d"}
	for name, c := range map[string]struct {
		sources []string
		bounds  []Bound
		want    string
	}{
		"floors":           {abcd, []Bound{{"a", []string{"a"}, .6, 1}, {"b", []string{"b"}, .5, 1}}, "the floors sum to 1.1, which is above 1: a 0.6, b 0.5"},
		"caps":             {[]string{"a", "b"}, []Bound{{"a", []string{"a"}, 0, .3}, {"b", []string{"b"}, 0, .5}}, "the caps sum to 0.8, which is below 1: a 0.3, b 0.5"},
		"floor over cap":   {abcd, []Bound{{"books", []string{"a"}, .5, 1}, {"old", []string{"a"}, 0, .3}}, "books and old: the floor 0.5 of a is above its cap 0.3"},
		"not a bound":      {abcd, []Bound{{"a", []string{"a"}, .5, .3}}, "a: floor 0.5 and cap 0.3"},
		"percent":          {abcd, []Bound{{"a", []string{"a"}, 0, 30}}, "a: floor 0 and cap 30"},
		"group and floors": {abcd, []Bound{{"ab", []string{"a", "b"}, 0, .4}, {"a", []string{"a"}, .5, 1}}, "ab: its cap is 0.4, and the floors of its sources sum to 0.5: a 0.5"},
		"group and caps":   {abcd, []Bound{{"ab", []string{"a", "b"}, .5, 1}, {"a", []string{"a"}, 0, .1}, {"b", []string{"b"}, 0, .2}}, "ab: its floor is 0.5, and the caps of its sources sum to 0.3"},
		"two groups":       {abcd, []Bound{{"ab", []string{"a", "b"}, .6, 1}, {"cd", []string{"c", "d"}, .6, 1}}, "ab has floor 0.6; cd has floor 0.6"},
		"groups overlap":   {abcd, []Bound{{"ab", []string{"a", "b"}, 0, .3}, {"bc", []string{"b", "c"}, 0, .3}, {"d", []string{"d"}, 0, .3}}, "ab has cap 0.3; bc has cap 0.3; d has floor 0 and cap 0.3"},
		"unknown":          {abcd, []Bound{{"g", []string{"a", "e"}, 0, .3}}, "g: there is no source e; the sources are a, b, c, d"},
		"source twice":     {[]string{"a", "a"}, nil, "source a is named twice"},
		"member twice":     {abcd, []Bound{{"g", []string{"a", "a"}, 0, .3}}, "g: source a is named twice"},
		"empty group":      {abcd, []Bound{{"g", nil, 0, .3}}, "g: bounds no source"},
		"no sources":       {nil, nil, "no sources"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewSet(c.sources, c.bounds...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	s := set(t, abcd, Bound{"a", []string{"a"}, .1, 1})
	o := falling(t, s, 0, 0, 0, 0)
	for name, c := range map[string]struct {
		p    Problem
		want string
	}{
		"prior 0 below a floor": {Problem{Prior: []float64{0, .5, .25, .25}, KL: 1}, "a has a floor of 0.1 and a prior share of 0"},
		"prior sums to 2":       {Problem{Prior: []float64{.5, .5, .5, .5}}, "the prior shares sum to 2"},
		"short prior":           {Problem{Prior: []float64{1}}, "a prior of 1 shares for 4 sources"},
		"negative weight":       {Problem{KL: -1}, "the weight of the prior is -1"},
	} {
		c.p.Set, c.p.Objective = s, o
		if _, err := Minimise(c.p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	for want, terms := range map[string][]Term{
		"no metric":                nil,
		"metric m is named twice":  {{Name: "m", Slopes: make([]float64, 4)}, {Name: "m", Slopes: make([]float64, 4)}},
		"convex only with weights": {{Name: "m", Weight: -1, Exponents: make([]float64, 4)}},
		"3 coefficients for 4":     {{Name: "m", Weight: 1, Exponents: make([]float64, 3)}},
		"metric m: weight NaN":     {{Name: "m", Weight: math.NaN(), Slopes: make([]float64, 4)}},
	} {
		if _, err := Laws(s, terms...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestOrderChangesNothing permutes sources, bounds and metrics.
func TestOrderChangesNothing(t *testing.T) {
	const n = 9
	for seed := range 4 {
		p, bounds, terms := problem(t, n, 4, seed, true)
		a, err := Minimise(p)
		if err != nil {
			t.Fatal(err)
		}
		order := make([]int, n)
		for j := range order {
			order[j] = j
		}
		rng := random.Stream(int64(seed), "order")
		random.Shuffle(rng, order)
		pick := func(v []float64) (out []float64) {
			for _, k := range order {
				out = append(out, v[k])
			}
			return out
		}
		var sources []string
		for _, k := range order {
			sources = append(sources, numbered(n)[k])
		}
		for i, b := range bounds {
			bounds[i].Sources = slices.Clone(b.Sources)
			random.Shuffle(rng, bounds[i].Sources)
		}
		random.Shuffle(rng, bounds)
		for k := range terms {
			terms[k].Exponents = pick(terms[k].Exponents)
		}
		random.Shuffle(rng, terms)
		q := Problem{Set: set(t, sources, bounds...), Prior: pick(p.Prior), KL: p.KL}
		if q.Objective, err = Laws(q.Set, terms...); err != nil {
			t.Fatal(err)
		}
		b, err := Minimise(q)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(pick(a.Shares), b.Shares) || a.Value != b.Value || a.Steps != b.Steps {
			t.Errorf("%d: %+v in one order, %+v in another", seed, a, b)
		}
	}
}

func TestUniMax(t *testing.T) {
	sources := []string{"big", "mid", "scarce"}
	for name, c := range map[string]struct {
		tokens         []float64
		budget, passes float64
		want           []float64
		err            string
	}{
		"enough of all":  {[]float64{100, 100, 100}, 30, 1, []float64{1. / 3, 1. / 3, 1. / 3}, ""},
		"one scarce":     {[]float64{100, 100, 1}, 100, 4, []float64{.48, .48, .04}, ""},
		"two scarce":     {[]float64{1000, 5, 1}, 100, 4, []float64{.76, .2, .04}, ""},
		"exactly enough": {[]float64{5, 3, 2}, 40, 4, []float64{.5, .3, .2}, ""},
		"too little":     {[]float64{5, 3, 2}, 100, 4, nil, "4 passes over all 10 tokens are 40, and the budget is 100"},
		"no tokens":      {[]float64{5, 3, 0}, 100, 4, nil, "source scarce has 0 tokens"},
		"no budget":      {[]float64{5, 3, 1}, 0, 4, nil, "a budget of 0 tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := UniMax(sources, c.tokens, c.budget, c.passes)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || distance(got, c.want) > 1e-12 {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
			for j, passes := range Passes(got, c.tokens, c.budget) {
				if passes > c.passes+1e-9 {
					t.Errorf("%s is read %v times", sources[j], passes)
				}
			}
		})
	}
	if got, err := Proportional(sources, []float64{5, 3, 2}); err != nil || distance(got, []float64{.5, .3, .2}) > 1e-15 {
		t.Errorf("proportional: %v, %v", got, err)
	}
	bounds, err := CapsByPasses(sources, []float64{1000, 5, 1}, 100, 4)
	if err != nil || len(bounds) != 2 || bounds[0].Cap != .2 || bounds[1].Cap != .04 {
		t.Errorf("caps %v, %v", bounds, err)
	}
}

func TestDecimals(t *testing.T) {
	third := 1.0 / 3
	for name, c := range map[string]struct {
		sources []string
		shares  []float64
		want    string
	}{
		"thirds go by name":  {[]string{"b", "c", "a"}, []float64{third, third, third}, "0.333333 0.333333 0.333334"},
		"largest remainder":  {[]string{"a", "b", "c"}, []float64{.1234561, .1234568, .7530871}, "0.123456 0.123457 0.753087"},
		"exact":              {[]string{"a", "b"}, []float64{.25, .75}, "0.250000 0.750000"},
		"one":                {[]string{"a"}, []float64{1}, "1.000000"},
		"a cap is kept":      {[]string{"a", "b", "c"}, []float64{.25 - 1e-16, .33333349, .41666651}, "0.250000 0.333333 0.416667"},
		"tiny shares vanish": {[]string{"a", "b"}, []float64{1e-9, 1 - 1e-9}, "0.000000 1.000000"},
		"sevenths":           {[]string{"a", "b", "c", "d", "e", "f", "g"}, slices.Repeat([]float64{1. / 7}, 7), "0.142858 0.142857 0.142857 0.142857 0.142857 0.142857 0.142857"},
	} {
		got, err := Decimals(c.sources, c.shares)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, %v; want %s", name, got, err, c.want)
		}
	}
	next := draws("decimals")
	for n := 1; n < 60; n++ {
		shares := make([]float64, n)
		var sum float64
		for j := range shares {
			shares[j] = elementary.Exp(20 * (next() - 1))
			sum += shares[j]
		}
		for j := range shares {
			shares[j] /= sum
		}
		got, err := Decimals(numbered(n), shares)
		if err != nil {
			t.Fatal(err)
		}
		var units int
		for j, text := range got {
			var whole, part int
			if _, err := fmt.Sscanf(text, "%d.%06d", &whole, &part); err != nil {
				t.Fatal(text, err)
			}
			units += whole*unitsOf1 + part
			if math.Abs(float64(whole*unitsOf1+part)-shares[j]*unitsOf1) > 1.001 {
				t.Errorf("%s for %v", text, shares[j])
			}
		}
		if units != unitsOf1 {
			t.Errorf("%d shares sum to %d millionths: %v", n, units, got)
		}
	}
	for want, shares := range map[string][]float64{"sum to 0.9": {.4, .5}, "is NaN": {math.NaN(), 1}, "is -0.1": {-.1, 1.1}} {
		if _, err := Decimals([]string{"a", "b"}, shares); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func BenchmarkMinimise(b *testing.B) {
	for _, kind := range []string{"free", "groups"} {
		p, _, _ := problem(b, 20, 13, 1, kind == "groups")
		b.Run(kind, func(b *testing.B) {
			for range b.N {
				if _, err := Minimise(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
