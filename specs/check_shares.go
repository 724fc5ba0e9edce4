package specs

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"ablate/specs/ident"
)

var shareForm = regexp.MustCompile(`^(([0-9]{1,18}(\.[0-9]{1,18})?|\.[0-9]{1,18})%?|[0-9]{1,18}/[0-9]{1,18})$`)

// Share reads a share exactly: 70%, 0.7 or 7/10, from 0 to 1.
func Share(text string) (*big.Rat, error) {
	if strings.HasPrefix(text, "-") {
		return nil, fmt.Errorf("found %s: a share is 0 or more", clip(text))
	}
	number, percent := strings.CutSuffix(text, "%")
	share, ok := new(big.Rat), shareForm.MatchString(text)
	if ok {
		_, ok = share.SetString(number)
	}
	if !ok {
		return nil, fmt.Errorf("want a share such as 70%%, 0.7 or 7/10, found %q", clip(text))
	}
	if percent {
		share.Quo(share, big.NewRat(100, 1))
	}
	if share.Cmp(big.NewRat(1, 1)) > 0 {
		hint := ""
		if number == text && share.Cmp(big.NewRat(100, 1)) <= 0 {
			hint = fmt.Sprintf("; did you mean %s%%?", text)
		}
		return nil, fmt.Errorf("found %s: a share is 1 at most%s", text, hint)
	}
	return share, nil
}

// Lattice is the number of steps into which a lattice of shares divides 1.
func Lattice(text string) (int, error) {
	share, err := Share(text)
	if err != nil {
		return 0, err
	}
	if share.Sign() == 0 || !share.Num().IsInt64() || share.Num().Int64() != 1 {
		return 0, fmt.Errorf("%s does not divide 1 into a whole number of steps; write one divided by the number of steps, such as 1/4", text)
	}
	if steps := share.Denom(); steps.Cmp(big.NewInt(MostSteps)) > 0 {
		return 0, fmt.Errorf("%s divides 1 into %s steps; %s at most are planned", text, Thousands(steps), Thousands(big.NewInt(MostSteps)))
	}
	return int(share.Denom().Int64()), nil
}

// MostSteps is the largest number of steps of a lattice, and the grid that sampled shares are
// rounded to.
const MostSteps = 10_000

// Strength reads the strength of a Dirichlet distribution, as its least and its most.
func (d Dirichlet) strength() (least, most float64, err error) {
	if len(d.Strength) < 1 || len(d.Strength) > 2 {
		return 0, 0, fmt.Errorf("want one number, or the least and the most of two, found %d", len(d.Strength))
	}
	var ends [2]float64
	for i := range ends {
		text := d.Strength[min(i, len(d.Strength)-1)]
		x, err := parseFloat(text)
		if errors.Is(err, errNotNumber) || err == nil && !(x >= leastStrength && x <= mostStrength) {
			return 0, 0, fmt.Errorf("want a number from %s to %s, found %s", number(leastStrength), number(mostStrength), clip(text))
		}
		if err != nil {
			return 0, 0, err
		}
		ends[i] = x
	}
	if ends[0] > ends[1] {
		return 0, 0, fmt.Errorf("the least, %s, is above the most, %s", d.Strength[0], d.Strength[1])
	}
	return ends[0], ends[1], nil
}

// Strengths are the least and the most strength of a distribution of a checked study.
func (d Dirichlet) Strengths() (least, most float64) {
	least, most, err := d.strength()
	if err != nil {
		panic("internal error: " + err.Error())
	}
	return least, most
}

// Beyond these, sampled shares are the corners of the simplex, or its one point around, to the
// grid.
const leastStrength, mostStrength = 1e-3, 1e6

// shares checks a set of mixtures by the shares of their components.
func (c *checker) shares(here []string, m Mixture) {
	path := func(key string) []string { return under(here, key) }
	inside := func(keys ...string) []string {
		p := path("shares")
		for _, key := range keys {
			p = under(p, key)
		}
		return p
	}
	for _, key := range []string{"list", "choose", "cross", "fix", "repeat"} {
		if c.given(path(key)...) {
			c.fail(path(key), "has no meaning with shares, which mix all components of from")
		}
	}
	for _, key := range []string{"sample", "seed"} {
		if c.given(path(key)...) {
			c.fail(path(key), "belongs to shares here: write shares: {%s: ...}", key)
		}
	}
	s := m.Shares
	if s == nil {
		return
	}
	lattice, dirichlet := c.given(inside("lattice")...), c.given(inside("dirichlet")...)
	switch {
	case lattice && dirichlet:
		c.fail(inside("dirichlet"), "dirichlet and lattice exclude each other")
	case !lattice && !dirichlet && c.ok(inside("lattice"), inside("dirichlet")):
		c.fail(inside(), "missing key: want lattice (all shares in equal steps) or dirichlet (shares at random); mixtures with given shares stand in list")
	case dirichlet && !c.given(inside("sample")...) && c.ok(inside("sample")):
		c.fail(inside("dirichlet"), "missing key \"sample\": how many mixtures are drawn, as shares: {dirichlet: {...}, sample: 60}")
	case lattice && c.given(inside("seed")...) && !c.given(inside("sample")...) && c.ok(inside("sample")):
		c.fail(inside("seed"), "has no meaning without sample: the whole lattice is taken")
	}
	if lattice && c.ok(inside("lattice")) {
		if _, err := Lattice(s.Lattice); err != nil {
			c.fail(inside("lattice"), "%v", err)
		}
	}
	c.caps(inside("caps"), m)
	if d := s.Dirichlet; d != nil {
		if around := inside("dirichlet", "around"); d.Around.Each != nil && c.whole(around...) {
			for _, name := range sortedKeys(d.Around.Each) {
				c.component(under(around, name), m, m.From, name)
			}
			c.vector(around, d.Around.Each)
		}
		if at := inside("dirichlet", "strength"); c.whole(at...) {
			if _, _, err := d.strength(); err != nil {
				c.fail(at, "%v", err)
			}
		}
	}
}

// onlyShares reports whether every mixture of the study has shares of its own.
func (c *checker) onlyShares() bool {
	for _, m := range c.s.Mixtures {
		if m.Shares == nil && (m.List == nil || slices.ContainsFunc(m.List, func(x Listed) bool { return x.Shares == nil })) {
			return false
		}
	}
	return len(c.s.Mixtures) > 0 && c.whole("mixtures")
}

// caps checks the largest shares of components.
func (c *checker) caps(here []string, m Mixture) {
	caps := m.Shares.Caps
	check := func(path []string, text string) {
		if share, err := Share(text); err != nil {
			c.fail(path, "%v", err)
		} else if share.Sign() == 0 {
			c.fail(path, "a cap of 0 leaves the component out of every mixture; give a share above 0, or leave its partition out by except")
		}
	}
	if caps.All != "" && c.ok(here) {
		check(here, caps.All)
	}
	for _, name := range sortedKeys(caps.Each) {
		c.component(under(here, name), m, m.From, name)
		if c.ok(under(here, name)) {
			check(under(here, name), caps.Each[name])
		}
	}
}

// vector checks that shares by name are shares and sum to exactly 1, and returns what is the same
// for equal ones.
func (c *checker) vector(here []string, shares map[string]string) string {
	sum, good := new(big.Rat), true
	var parts []string
	for _, name := range sortedKeys(shares) {
		share, err := Share(shares[name])
		if err != nil {
			c.fail(under(here, name), "%v", err)
			good = false
			continue
		}
		sum.Add(sum, share)
		if share.Sign() > 0 {
			parts = append(parts, name+"="+share.RatString())
		}
	}
	if good && sum.Cmp(big.NewRat(1, 1)) != 0 && c.whole(here...) {
		c.fail(here, "shares sum to %s, want exactly 1", ident.Share(sum))
	}
	return join(parts)
}

// replay checks the text that is mixed into a training.
func (c *checker) replay(here []string, r *Replay) {
	if r == nil {
		return
	}
	known(c, under(here, "of"), "corpus", r.Of, c.s.Corpora, "corpora")
	if at := under(here, "share"); c.ok(at) && c.given(at...) {
		if share, err := Share(r.Share); err != nil {
			c.fail(at, "%v", err)
		} else if share.Cmp(big.NewRat(1, 1)) == 0 {
			c.fail(at, "all of the training's tokens would be replayed, and none be of its own text; give less than 100%%")
		}
	}
}
