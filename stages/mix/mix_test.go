package mix

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// swarm is runs over three sources, with losses c + exp(t . x) on two sets and no noise.
func swarm() Input {
	in := Input{Sources: []string{"web", "code", "books"}, Law: "loglinear", Resamples: 20, Level: .95, Seed: 1}
	near, far := []float64{-2, -1, 0}, []float64{0, -1, -3}
	var nearly, farther []float64
	for i := range 7 {
		for j := range 7 - i {
			x := []float64{float64(i) / 6, float64(j) / 6, float64(6-i-j) / 6}
			in.Runs, in.Shares = append(in.Runs, fmt.Sprintf("r%d%d", i, j)), append(in.Shares, x)
			of := func(t []float64) float64 { return 2 + math.Exp(t[0]*x[0]+t[1]*x[1]+t[2]*x[2]) }
			nearly, farther = append(nearly, of(near)), append(farther, of(far))
		}
	}
	in.Metrics = []Metric{{"near", nearly, 1}, {"far", farther, 1}}
	return in
}

func propose(t *testing.T, in Input) *Proposal {
	t.Helper()
	p, err := Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// share is a source's share in a mixture.
func share(t *testing.T, p *Proposal, mixture, source string) float64 {
	t.Helper()
	m := slices.IndexFunc(p.Mixtures, func(m Mixture) bool { return m.Name == mixture })
	j := slices.Index(p.Sources, source)
	if m < 0 || j < 0 {
		t.Fatalf("no %s of %s in %+v", source, mixture, p)
	}
	return p.Mixtures[m].Shares[j]
}

// The optimum of exp(-2 w) + exp(-3 b), where w + b = 1, is where -2 exp(-2 w) = -3 exp(-3 b), which
// is w = (3 - ln 1.5)/5; code helps less than either on both sets.
func TestKnownOptimum(t *testing.T) {
	p := propose(t, swarm())
	want := (3 - math.Log(1.5)) / 5
	if got := share(t, p, ProposalName, "web"); math.Abs(got-want) > 1e-3 {
		t.Errorf("share of web %v, want %v", got, want)
	}
	if got := share(t, p, ProposalName, "code"); got > 1e-3 {
		t.Errorf("share of code %v, want none", got)
	}
	m := p.Mixtures[0]
	if want := 2 + (math.Exp(-2*want)+math.Exp(-3*(1-want)))/2; math.Abs(m.Goal.Value-want) > 1e-3 {
		t.Errorf("the goal is %v, want %v", m.Goal.Value, want)
	}
	if p.Goal.OutOfFold < .99 || m.Against.High >= 0 {
		t.Errorf("out of fold %v, difference %+v", p.Goal.OutOfFold, m.Against)
	}
	for _, m := range p.Mixtures {
		if m.Against.Value < p.Mixtures[0].Against.Value {
			t.Errorf("%s is better than the proposal: %+v", m.Name, m)
		}
	}
}

// With one cap active the rest moves to what is best beside it; a large KL gives the prior; passes
// are caps.
func TestBounds(t *testing.T) {
	in := swarm()
	in.Bounds = []Bound{{"web", 0, .3}}
	p := propose(t, in)
	// Beside .3 of web, exp(-2(.3) - c) + exp(-c - 3 (.7 - c)) falls with c as long as c is below
	// (2.7 - ln 2)/3 - .. : the best of a fine grid is taken for the truth.
	best, at := math.Inf(1), 0.0
	for c := 0.0; c <= .7; c += 1e-4 {
		if v := math.Exp(-.6-c) + math.Exp(-c-3*(.7-c)); v < best {
			best, at = v, c
		}
	}
	if web, code := share(t, p, ProposalName, "web"), share(t, p, ProposalName, "code"); web != .3 || math.Abs(code-at) > 2e-3 {
		t.Errorf("web %v and code %v, want .3 and %v", web, code, at)
	}

	in = swarm()
	in.KL, in.Tokens = 1e6, []float64{10, 20, 70}
	p = propose(t, in)
	if web, code := share(t, p, ProposalName, "web"), share(t, p, ProposalName, "code"); math.Abs(web-.1) > 1e-4 || math.Abs(code-.2) > 1e-4 {
		t.Errorf("web %v and code %v, want the prior", web, code)
	}

	in = swarm()
	in.Tokens, in.Target, in.Passes = []float64{10, 20, 70}, 100, 2
	p = propose(t, in)
	if web := share(t, p, ProposalName, "web"); web > .2+1e-9 {
		t.Errorf("web %v, want .2 at most", web)
	}
	if unimax := share(t, p, "unimax", "web"); math.Abs(unimax-.2) > 1e-6 {
		t.Errorf("unimax gives web %v, want .2", unimax)
	}
	if got := p.Mixtures[0].Passes[slices.Index(p.Sources, "web")]; got > 2+1e-9 {
		t.Errorf("%v passes over web", got)
	}
}

// Another order of sources, runs and metrics changes no bit.
func TestOrder(t *testing.T) {
	in := swarm()
	in.Tokens, in.KL = []float64{10, 20, 70}, .05
	want := propose(t, in)
	turned := in
	turned.Sources, turned.Tokens = []string{"books", "web", "code"}, []float64{70, 10, 20}
	turned.Shares = nil
	for _, x := range in.Shares {
		turned.Shares = append(turned.Shares, []float64{x[2], x[0], x[1]})
	}
	slices.Reverse(turned.Shares)
	turned.Runs = slices.Clone(in.Runs)
	slices.Reverse(turned.Runs)
	turned.Metrics = nil
	for _, m := range slices.Backward(in.Metrics) {
		m.Scores = slices.Clone(m.Scores)
		slices.Reverse(m.Scores)
		turned.Metrics = append(turned.Metrics, m)
	}
	if got := propose(t, turned); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) { // as texts, for NaN is not NaN
		t.Errorf("another order gives\n%+v\nwant\n%+v", got, want)
	}
	if !reflect.DeepEqual(want.Sources, []string{"books", "code", "web"}) {
		t.Errorf("sources %v", want.Sources)
	}
}

// Shares are written so that they sum to exactly 1.
func TestDecimalsSumToOne(t *testing.T) {
	for _, m := range propose(t, swarm()).Mixtures {
		units := 0
		for _, text := range m.Decimals {
			var whole, part int
			if _, err := fmt.Sscanf(text, "%d.%06d", &whole, &part); err != nil {
				t.Fatal(err)
			}
			units += whole*1_000_000 + part
		}
		if units != 1_000_000 {
			t.Errorf("%s: %v sums to %d millionths", m.Name, m.Decimals, units)
		}
	}
}

func TestWarnings(t *testing.T) {
	in := swarm()
	for i := range in.Runs { // noise of period 4
		in.Metrics[0].Scores[i] = 3 + float64(i*i%7)/10
	}
	in.Metrics[1].Weight = 0
	text := strings.Join(propose(t, in).Warnings, "\n")
	for _, want := range []string{"near: the law predicts runs that it was not fitted to no better than noise may", "goal: the law", "nothing keeps a source"} {
		if !strings.Contains(text, want) {
			t.Errorf("warnings lack %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "far:") {
		t.Errorf("a metric without a weight is warned of:\n%s", text)
	}
}

func TestRefused(t *testing.T) {
	for want, change := range map[string]func(*Input){
		"want one of loglinear, linear": func(in *Input) { in.Law = "gp" },
		"metric near is named twice":    func(in *Input) { in.Metrics[1].Name = "near" },
		"no metric has a weight":        func(in *Input) { in.Metrics[0].Weight, in.Metrics[1].Weight = 0, 0 },
		"a bound of wiki":               func(in *Input) { in.Bounds = []Bound{{"wiki", 0, 1}} },
		"needs as many runs": func(in *Input) {
			in.Runs, in.Shares = in.Runs[12:15], in.Shares[12:15]
			in.Metrics[0].Scores = in.Metrics[0].Scores[:3]
			in.Metrics[1].Scores = in.Metrics[1].Scores[:3]
		},
	} {
		in := swarm()
		change(&in)
		if _, err := Propose(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
