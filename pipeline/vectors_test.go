package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"ablate/specs"
	"ablate/specs/ident"
	"ablate/stages/kind"
)

// withMixtures is the small study with other sets of mixtures.
func withMixtures(t *testing.T, mixtures, seq string, replace ...string) *specs.Study {
	t.Helper()
	return parsed(t, append([]string{"  pairs: {choose: 2}\n", mixtures, "{seq: pairs}", "{seq: " + seq + "}"}, replace...)...)
}

// Mixtures by shares are named by them, on a lattice, listed or sampled, and counted.
func TestMixturesByShares(t *testing.T) {
	for _, c := range []struct {
		name, set string
		possible  int64
		want      []string
	}{
		{"listed", "{list: [{gamma: 30%, alpha: 0.7}, {beta: 1/3, alpha: 2/3, gamma: 0}, {beta: 100%}]}", 3,
			[]string{"alpha=0.7+gamma=0.3", "alpha=2/3+beta=1/3", "beta=1"}},
		{"lattice", "{shares: {lattice: 1/2}}", 6,
			[]string{"alpha=1", "alpha=0.5+beta=0.5", "alpha=0.5+gamma=0.5", "beta=1", "beta=0.5+gamma=0.5", "gamma=1"}},
		{"a part of the lattice", "{shares: {lattice: 50%}, where: {units: 1}}", 3, []string{"beta=1", "beta=0.5+gamma=0.5", "gamma=1"}},
		{"capped", "{shares: {lattice: 1/2, caps: {alpha: 60%}}}", 5,
			[]string{"alpha=0.5+beta=0.5", "alpha=0.5+gamma=0.5", "beta=1", "beta=0.5+gamma=0.5", "gamma=1"}},
		{"one cap for all", "{shares: {lattice: 1/2, caps: 50%}}", 3, []string{"alpha=0.5+beta=0.5", "alpha=0.5+gamma=0.5", "beta=0.5+gamma=0.5"}},
		{"units", "{of: units, shares: {lattice: 1}}", 4, []string{"alpha/0=1", "alpha/1=1", "beta=1", "gamma=1"}},
		{"units listed", "{of: units, list: [{alpha/0: 0.25, beta: 0.75}]}", 1, []string{"alpha/0=0.25+beta=0.75"}},
		{"sets and shares", "{list: [[alpha, beta], {alpha: 0.4, beta: 0.6}]}", 2, []string{"alpha+beta", "alpha=0.4+beta=0.6"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := compiled(t, withMixtures(t, "  x: "+c.set+"\n", "x"))
			if got := mixtureNames(p); !slices.Equal(got, c.want) {
				t.Errorf("mixtures %q, want %q", got, c.want)
			}
			if got := p.Summary.MixturesPossible; got.Cmp(big.NewInt(c.possible)) != 0 {
				t.Errorf("%d mixtures are possible, want %d", got, c.possible)
			}
		})
	}
}

// All shares, however they came about, are fractions that sum to exactly 1, are named as they are,
// and keep to caps.
func TestSharesAreExact(t *testing.T) {
	p := compiled(t, withMixtures(t, `  drawn: {shares: {dirichlet: {around: tokens, strength: [0.1, 20]}, sample: 300, caps: {alpha: 60%, gamma: 0.5}}}
  lattice: {shares: {lattice: 1/7, sample: 20}}
  given: {list: [{alpha: 1/3, beta: 2/3}, [alpha, beta]]}
`, "[]"))
	var params kind.CorrelateParams
	if err := json.Unmarshal(p.Steps[p.Result].Params, &params); err != nil {
		t.Fatal(err)
	}
	if len(params.Shares) != 321 {
		t.Fatalf("%d mixtures have shares, want 321: all but the set", len(params.Shares))
	}
	one := big.NewRat(1, 1)
	for _, m := range params.Shares {
		sum, parts := new(big.Rat), ident.ParseMixture(m.Mixture)
		if len(parts) != len(m.Shares) {
			t.Errorf("mixture %s has %d shares", m.Mixture, len(m.Shares))
		}
		for _, part := range parts {
			name, share, ok := ident.ParseShare(part)
			if !ok || m.Shares[name] != share.RatString() || share.Sign() <= 0 {
				t.Errorf("mixture %s: %s has share %q", m.Mixture, part, m.Shares[name])
			}
			sum.Add(sum, share)
			if most := map[string]*big.Rat{"alpha": big.NewRat(3, 5), "gamma": big.NewRat(1, 2)}[name]; m.Group == "drawn" && most != nil && share.Cmp(most) > 0 {
				t.Errorf("mixture %s is beyond the caps", m.Mixture)
			}
		}
		if sum.Cmp(one) != 0 {
			t.Errorf("mixture %s sums to %s", m.Mixture, sum.RatString())
		}
	}
}

// The order in which a study lists components, shares and sets changes no byte of a plan.
func TestOrderOfSourcesSaysNothing(t *testing.T) {
	plan := func(given, around, caps string) string {
		p := compiled(t, withMixtures(t, fmt.Sprintf("  x: {list: [{%s}]}\n  y: {shares: {dirichlet: {around: {%s}, strength: 2}, sample: 5, caps: {%s}}}\n", given, around, caps), "[x, y]"))
		return describe(p)
	}
	a := plan("alpha: 50%, beta: 30%, gamma: 20%", "alpha: 0.5, beta: 0.3, gamma: 0.2", "alpha: 90%, gamma: 80%")
	b := plan("gamma: 20%, alpha: 50%, beta: 30%", "beta: 0.3, gamma: 0.2, alpha: 0.5", "gamma: 80%, alpha: 90%")
	if a != b {
		t.Errorf("another plan in another order:\n%s\n%s", a, b)
	}
}

// A merge at the middle of two components is the macro average of the pair, by key; at a corner it
// is the component's own average, or the model of its only unit.
func TestSharesMeetSets(t *testing.T) {
	p := compiled(t, withMixtures(t, `  pairs: {choose: 2}
  ones: {choose: 1}
  x: {list: [{alpha: 50%, beta: 50%}, {alpha: 100%}, {beta: 1}]}
`, "[]", "\ntrain: {", "\nproxies: [macro, merged, micro, weighted, mixmin]\ntrain: {"))
	for _, c := range []struct{ scorer, shares, otherScorer, set string }{
		{"macro", "alpha=0.5+beta=0.5", "macro", "alpha+beta"},
		{"micro", "alpha=0.5+beta=0.5", "macro", "alpha+beta"}, // a component's units divide its share
		{"merged", "alpha=0.5+beta=0.5", "merged", "alpha+beta"},
		{"weighted", "alpha=0.5+beta=0.5", "merged", "alpha+beta"},
		{"mixmin", "alpha=0.5+beta=0.5", "mixmin", "alpha+beta"},
		{"mixmin", "alpha=1", "mixmin", "alpha"},
		{"macro", "alpha=1", "macro", "alpha"},
		{"merged", "alpha=1", "merged", "alpha"},
		{"macro", "beta=1", "macro", "beta"},
	} {
		if got, want := evalsOf(t, p, c.shares, c.scorer), evalsOf(t, p, c.set, c.otherScorer); !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%s of %s is evaluated by steps %v, %s of %s by %v", c.scorer, c.shares, got, c.otherScorer, c.set, want)
		}
	}
}

// evalsOf are the steps behind the scores of a mixture outside the domain.
func evalsOf(t *testing.T, p *Plan, mixture, scorer string) (steps []int) {
	t.Helper()
	for _, s := range p.Scores {
		if s.Mixture == mixture && s.Scorer == scorer && s.Set == "far" {
			for _, d := range s.Domains {
				for _, e := range d.Evals {
					steps = append(steps, e.Step)
				}
			}
		}
	}
	return steps
}

// A reference trains with the shares as quotas, on the units of its components alone, for as long
// as the units of all components ask for, unless the study lists its mixtures or says how long.
func TestReferencesByShares(t *testing.T) {
	for _, c := range []struct {
		set, id string
		sources []kind.Source
		tokens  int64
	}{
		{"{list: [{gamma: 30%, alpha: 0.7}]}", "seq/x/alpha=0.7+gamma=0.3", []kind.Source{{Share: "7/10", Units: 2}, {Share: "3/10", Units: 1}}, 6144},
		{"{list: [{gamma: 30%, alpha: 0.7}], tokens: 900}", "seq/x/alpha=0.7+gamma=0.3", []kind.Source{{Share: "7/10", Units: 2}, {Share: "3/10", Units: 1}}, 1024},
		{"{shares: {lattice: 1/4}}", "seq/x/beta=0.25+gamma=0.75", []kind.Source{{Share: "1/4", Units: 1}, {Share: "3/4", Units: 1}}, 8192},
		{"{shares: {lattice: 1/4}}", "seq/x/alpha=1", []kind.Source{{Share: "1", Units: 2}}, 8192},
		{"{shares: {lattice: 1/4}}", "seq/x/beta=1", nil, 8192}, // one unit alone
		{"{of: units, shares: {lattice: 1/2}}", "seq/x/alpha/0=0.5+beta=0.5", []kind.Source{{Share: "1/2", Units: 1}, {Share: "1/2", Units: 1}}, 8192},
	} {
		p := compiled(t, withMixtures(t, "  x: "+c.set+"\n", "x"))
		got := trainParams(t, p, c.id)
		if !slices.Equal(got.Sources, c.sources) || got.Tokens != c.tokens || (got.Sampling == "") != (c.sources != nil) {
			t.Errorf("%s: %s: sources %v, sampling %q, %d tokens; want %v and %d", c.set, c.id, got.Sources, got.Sampling, got.Tokens, c.sources, c.tokens)
		}
	}
}

// Replay is one more source of every training but the seed model's, and a study without it has the
// trainings that it had.
func TestReplay(t *testing.T) {
	const with = "\ntrain: {replay: {of: seed, share: 25%}, "
	mixtures := "  pairs: {choose: 2}\n  x: {list: [{gamma: 30%, alpha: 0.7}]}\n"
	p := compiled(t, withMixtures(t, mixtures, "[pairs, x]", "\ntrain: {", with, "eval:\n", "proxies: [merged]\neval:\n"))
	for id, want := range map[string][]kind.Source{
		"unit/parts/alpha/0":        {{Share: "3/4", Units: 1}, {Share: "1/4", Units: 1}},
		"part/parts/alpha":          {{Share: "3/4", Units: 2, Sampling: "equal"}, {Share: "1/4", Units: 1}},
		"seq/pairs/alpha+beta":      {{Share: "3/4", Units: 3, Sampling: "equal"}, {Share: "1/4", Units: 1}},
		"seq/x/alpha=0.7+gamma=0.3": {{Share: "21/40", Units: 2}, {Share: "9/40", Units: 1}, {Share: "1/4", Units: 1}},
		"seed":                      nil,
	} {
		if got := trainParams(t, p, id).Sources; !slices.Equal(got, want) {
			t.Errorf("%s: sources %v, want %v", id, got, want)
		}
	}
	step := p.Steps[p.index["unit/parts/alpha/0"]]
	if from := p.Steps[step.Inputs[1].Step].ID; from != "pack/seed" {
		t.Errorf("replay is read from %s, want the seed model's text", from)
	}
	none := compiled(t, withMixtures(t, mixtures, "[pairs, x]", "\ntrain: {", "\ntrain: {replay: {of: seed, share: 0%}, "))
	plain := compiled(t, withMixtures(t, mixtures, "[pairs, x]"))
	if describe(none) != describe(plain) {
		t.Error("replay of share 0 makes another plan")
	}
	// Of a corpus that partitions divide, what they hold out is no replay.
	own := compiled(t, withMixtures(t, mixtures, "[pairs, x]", "\ntrain: {", "\ntrain: {replay: {of: parts, share: 1/3}, "))
	var params kind.SplitParams
	if err := json.Unmarshal(own.Steps[own.index["replay/parts"]].Params, &params); err != nil {
		t.Fatal(err)
	}
	if params.Test != .1 || params.UnitTokens != 0 || len(params.By) > 0 {
		t.Errorf("the text to replay is split by %+v", params)
	}
}

// Mistakes that show once the catalogue is known are told at their place.
func TestRefusedShares(t *testing.T) {
	for set, want := range map[string]string{
		"{shares: {lattice: 1/10000}}":                                                            "50,015,001 mixtures",
		"{shares: {lattice: 1/4, sample: 16}}":                                                    "give 15 mixtures",
		"{shares: {lattice: 1/4, caps: 30%}}":                                                     "the caps of the 3 components sum to 0.9",
		"{shares: {lattice: 1/2, caps: 45%}}":                                                     "leave 0 of 2 steps",
		"{shares: {dirichlet: {strength: 0.001}, sample: 5, caps: 34%}}":                          "different mixtures within the caps",
		"{shares: {lattice: 1/2}, where: {units: 7}}":                                             "none is left by where",
		"{list: [{alpha: 0.5, parts/alpha: 0.5}]}":                                                "by its other name",
		"{shares: {dirichlet: {around: {alpha: 0.5, parts/alpha: 0.5}, strength: 1}, sample: 1}}": "by its other name",
	} {
		_, err := Compile(withMixtures(t, "  x: "+set+"\n", "x"), sources(), nil)
		var at specs.Error
		if !errors.As(err, &at) || !strings.Contains(err.Error(), want) || at.Position.Line < 2 {
			t.Errorf("%s: error %v, want one at its line that says %q", set, err, want)
		}
	}
}

// Ten thousand vectors over 30 units are planned in seconds: a tenth of what is allowed here.
func TestManyVectors(t *testing.T) {
	var units []string
	for i := range 30 {
		units = append(units, fmt.Sprintf("p%02d: 1", i))
	}
	begun := time.Now()
	p := compiled(t, withMixtures(t, "  x: {shares: {dirichlet: {strength: [1, 60]}, sample: 10000}}\n", "[]",
		"units: {alpha: 2, beta: 1, gamma: 1}", "units: {"+strings.Join(units, ", ")+"}",
		"heldout: {test: 10%}\n", "heldout: {test: 0%}\nproxies: [macro]\n", "[heldout, eval]", "[eval]", "eval:\n", "eval:\n  in_domain: none\n"))
	took := time.Since(begun)
	if n := p.Summary.MixturesSelected; n != 10_000 {
		t.Errorf("%d mixtures, want 10,000", n)
	}
	t.Logf("planned in %v", took)
}
