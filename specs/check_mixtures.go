package specs

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

func (c *checker) mixtures() {
	for _, name := range sortedKeys(c.s.Mixtures) {
		here, m := at("mixtures", name), c.s.Mixtures[name]
		if m.From == "" && !c.given(under(here, "from")...) && c.ok(at("partitions"), under(here, "from")) {
			switch sets := sortedKeys(c.s.Partitions); len(sets) {
			case 0: // every set of partitions is wrong
			case 1:
				m.From = sets[0]
				c.s.Mixtures[name] = m
			default:
				c.fail(here, "missing key \"from\": the study has %d sets of partitions: %s", len(sets), strings.Join(sets, ", "))
			}
		} else {
			known(c, under(here, "from"), "set of partitions", m.From, c.s.Partitions, "partitions")
		}
		c.mixture(here, m)
	}
	for i, name := range c.s.Reference.Seq {
		known(c, at("reference", "seq", itoa(i)), "set of mixtures", name, c.s.Mixtures, "mixtures")
	}
	c.once(at("reference", "seq"), c.s.Reference.Seq)
}

func (c *checker) mixture(here []string, m Mixture) {
	path := func(keys ...string) []string { return append(slices.Clip(here), keys...) }
	list, choose := c.given(path("list")...), c.given(path("choose")...)
	switch {
	case list && choose:
		c.fail(path("choose"), "choose and list exclude each other: mixtures are drawn, or named")
	case !list && !choose && c.ok(path("list"), path("choose")):
		c.fail(here, "missing key: want choose (how many components are drawn) or list (mixtures by name)")
	}
	for _, key := range []string{"sample", "seed"} {
		if list && !choose && c.given(path(key)...) {
			c.fail(path(key), "has no meaning with list: all mixtures of a list are taken")
		}
	}
	if !choose && m.Sample == 0 && c.given(path("seed")...) && !list || choose && !c.given(path("sample")...) && c.given(path("seed")...) && c.ok(path("sample")) {
		c.fail(path("seed"), "has no meaning without sample: all combinations are taken")
	}
	components := c.components(m)
	if components == nil || !c.ok(path("of")) {
		components = nil
	}
	if choose && components != nil && c.ok(path("choose")) {
		c.choice(here, m, len(components))
	}
	c.listed(path("list"), m.List, components)
}

// choice compares a drawn set of mixtures with what there is to draw from: n components.
func (c *checker) choice(here []string, m Mixture, n int) {
	what := fmt.Sprintf("the %d %s of partitions.%s", n, m.Of, m.From)
	if m.Choose > n {
		c.fail(under(here, "choose"), "%d is more than %s", m.Choose, what)
		return
	}
	possible := new(big.Int).Binomial(int64(n), int64(m.Choose))
	if big.NewInt(int64(m.Sample)).Cmp(possible) > 0 {
		c.fail(under(here, "sample"), "%d is more than the %d combinations of %d of %s", m.Sample, possible, m.Choose, what)
	}
}

// components are the names of what a set of mixtures is drawn from, where the study declares them: partitions, or units as partition/0,
// partition/1, ...; the only unit of a partition goes by the partition's name.
func (c *checker) components(m Mixture) []string {
	parts := c.catalogue(m.From)
	if m.Of != "units" || parts == nil {
		return parts
	}
	const most = 1 << 20 // a mistyped count must not fill the memory; no study has so many units
	var units []string
	for _, part := range parts {
		n := c.s.Partitions[m.From].Units[part]
		if n == 1 {
			units = append(units, part)
			continue
		}
		if n > most-len(units) {
			return nil
		}
		for u := range n {
			units = append(units, fmt.Sprintf("%s/%d", part, u))
		}
	}
	return units
}

// listed checks mixtures given by name; components is nil where the names are not known yet.
func (c *checker) listed(path []string, list [][]string, components []string) {
	have := map[string]bool{}
	for _, x := range components {
		have[x] = true
	}
	lines := map[string]int{}
	for i, names := range list {
		here := under(path, itoa(i))
		c.once(here, names)
		for j, name := range names {
			if components != nil && !have[name] && name != "" {
				c.fail(under(here, itoa(j)), "unknown component %q%s", clip(name), didYouMean(name, components))
			}
		}
		sorted := join(slices.Sorted(slices.Values(names)))
		if first, ok := lines[sorted]; ok && len(names) > 0 {
			c.fail(here, "the same mixture as on line %d", first)
			continue
		}
		lines[sorted] = c.s.At(here...).Line
	}
}

// evaluation checks that there is something to evaluate on, and that each proxy can be computed from it.
func (c *checker) evaluation() {
	inDomain := at("eval", "in_domain")
	if c.ok(inDomain) && c.s.Eval.InDomain == "mixture" && c.ok(at("heldout", "test"), at("heldout")) && c.s.Heldout.Test == 0 {
		if c.given("heldout", "test") {
			c.fail(at("heldout", "test"), "eval.in_domain: mixture evaluates on test documents, and 0%% are kept out; give a share, or in_domain: none")
		}
	}
	if c.whole("eval") && c.s.Eval.InDomain == "none" && len(c.s.Eval.OutOfDomain) == 0 {
		c.fail(inDomain, "none, and eval.out_of_domain names no set: nothing to evaluate on")
	}
	if c.ok(inDomain, at("proxies")) && c.s.Eval.InDomain == "none" {
		if !c.given("proxies") {
			c.s.Proxies = slices.DeleteFunc(c.s.Proxies, func(p string) bool { return p == "ind_id" })
		}
		if i := slices.Index(c.s.Proxies, "ind_id"); i >= 0 {
			c.fail(at("proxies", itoa(i)), "ind_id needs eval.in_domain: mixture, found none")
		}
	}
	c.once(at("proxies"), c.s.Proxies)
}
