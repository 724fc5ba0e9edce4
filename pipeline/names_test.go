package pipeline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ranges are what the units of the test study are called once it has been split.
var ranges = UnitNames{"parts": {"alpha": {"alpha,1990-1999", "alpha,2000-2009"}, "beta": {"beta,1990-2009"}, "gamma": {"gamma,1990-2009"}}}

func compiledWith(t *testing.T, names UnitNames, replace ...string) *Plan {
	t.Helper()
	src := sources()
	src.Names = names
	p, err := Compile(parsed(t, replace...), src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mixtureNames(p *Plan) (names []string) {
	for _, m := range p.Mixtures {
		names = append(names, m.Name)
	}
	return names
}

// Names change what steps are called and nothing else: not which mixtures are drawn, nor the
// definition of any training or evaluation.
func TestNamesEnterNoTraining(t *testing.T) {
	units := []string{"choose: 2", "of: units, choose: 2, sample: 3"}
	a, b := compiledWith(t, nil, units...), compiledWith(t, ranges, units...)
	if len(a.Steps) != len(b.Steps) || len(a.Numbered) != 1 || len(b.Numbered) != 0 {
		t.Fatalf("%d steps and sets %v numbered, then %d and %v", len(a.Steps), a.Numbered, len(b.Steps), b.Numbered)
	}
	long := strings.NewReplacer("alpha/0", "alpha,1990-1999", "alpha/1", "alpha,2000-2009", "beta", "beta,1990-2009", "gamma", "gamma,1990-2009")
	var want []string
	for _, name := range mixtureNames(a) {
		want = append(want, long.Replace(name))
	}
	if diff := cmp.Diff(want, mixtureNames(b)); diff != "" {
		t.Errorf("mixtures, - by numbers, + by ranges:\n%s", diff)
	}
	renamed := 0
	for i := range a.Steps {
		if a.Steps[i].ID != b.Steps[i].ID {
			renamed++
		}
		if a.Steps[i].definition != b.Steps[i].definition && a.Steps[i].ID != "correlate" {
			t.Errorf("%s and %s are two things", a.Steps[i].ID, b.Steps[i].ID)
		}
	}
	if renamed < 7 { // four units and three references at least
		t.Errorf("%d steps have other names", renamed)
	}
}

func TestUnitsAreFoundByBothNames(t *testing.T) {
	p := compiledWith(t, ranges, "choose: 2", "of: units, list: [[beta, alpha/1], [\"alpha,1990-1999\", \"gamma,1990-2009\"]]")
	if diff := cmp.Diff([]string{"alpha,2000-2009+beta,1990-2009", "alpha,1990-1999+gamma,1990-2009"}, mixtureNames(p)); diff != "" {
		t.Errorf("mixtures, - want, + got:\n%s", diff)
	}
	for name, want := range map[string]string{
		"unit/parts/alpha/1":              "unit/parts/alpha,2000-2009",
		"alpha/1":                         "unit/parts/alpha,2000-2009",
		"parts/alpha,2000-2009":           "unit/parts/alpha,2000-2009",
		"unit/parts/beta/0":               "unit/parts/beta,1990-2009",
		"seq/pairs/alpha/1+beta":          "seq/pairs/alpha,2000-2009+beta,1990-2009",
		"seq/pairs/alpha,1990-1999+gamma": "",
	} {
		i, err := p.Find(name)
		if want == "" {
			if err == nil {
				t.Errorf("%s is %s", name, p.Steps[i].ID)
			}
			continue
		}
		if err != nil || p.Steps[i].ID != want {
			t.Errorf("%s: step %d, %v, want %s", name, i, err, want)
		}
	}
	if r, err := p.recipe("micro/pairs/alpha/1+beta"); err != nil || r.name != "micro/pairs/alpha,2000-2009+beta,1990-2009" {
		t.Errorf("recipe %q, %v", r.name, err)
	}
	if r, err := p.recipe("micro/pairs/beta+alpha/1"); err != nil || r.name != "micro/pairs/alpha,2000-2009+beta,1990-2009" {
		t.Errorf("recipe in another order %q, %v", r.name, err)
	}
	src := sources()
	src.Names = ranges
	_, err := Compile(parsed(t, "choose: 2", "of: units, list: [[alpha/0, \"alpha,1990-1999\"]]"), src, nil)
	if err == nil || !strings.Contains(err.Error(), "alpha,1990-1999 is in this mixture already") {
		t.Errorf("one unit by two names: %v", err)
	}
}

// A declared catalogue has no ranges: a list of them waits for the split.
func TestRangesWaitForTheSplit(t *testing.T) {
	list := []string{"choose: 2", "of: units, list: [[\"alpha,1990-1999\", beta]]"}
	if p := compiledWith(t, nil, list...); !strings.Contains(p.Partial, "the units of parts are known once") {
		t.Errorf("partial: %q", p.Partial)
	}
	if p := compiledWith(t, ranges, list...); p.Partial != "" || len(p.Mixtures) != 1 {
		t.Errorf("partial: %q, mixtures %v", p.Partial, mixtureNames(p))
	}
}

func TestSameStart(t *testing.T) {
	for _, c := range []struct {
		old, now string
		want     bool
	}{
		{"unit/parts/alpha,2006-2029", "unit/parts/alpha,2006-2025", true},
		{"unit/parts/alpha,2006-2029", "unit/parts/alpha,2007-2029", false},
		{"unit/parts/alpha,2006-2029", "unit/parts/beta,2006-2029", false},
		{"unit/parts/alpha,-300--200", "unit/parts/alpha,-300-50", true},
		{"unit/parts/alpha,-300--200", "unit/parts/alpha,-200-50", false},
		{"unit/parts/alpha/0", "unit/parts/alpha/0", false},
		{"seq/pairs/alpha,2006-2029", "seq/pairs/alpha,2006-2025", false},
		{"unit/parts/alpha,", "unit/parts/alpha,", false},
	} {
		if got := sameStart(c.old, c.now); got != c.want {
			t.Errorf("%s and %s: %v", c.old, c.now, got)
		}
	}
}
