package specs

import (
	"math/big"
	"slices"
	"strconv"
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
	path := func(key string) []string { return under(here, key) }
	list, choose, sample := c.given(path("list")...), c.given(path("choose")...), c.given(path("sample")...)
	switch {
	case list && choose:
		c.fail(path("choose"), "choose and list exclude each other: mixtures are drawn, or named")
	case list && len(m.List) == 0:
		c.fail(path("list"), "is empty; name at least one mixture")
	case !list && !choose && c.ok(path("list"), path("choose")):
		c.fail(here, "missing key: want choose (how many components are drawn) or list (mixtures by name)")
	case list && sample:
		c.fail(path("sample"), "has no meaning with list: all mixtures of a list are taken")
	}
	if (list || choose) && c.given(path("seed")...) && !sample && c.ok(path("sample")) {
		c.fail(path("seed"), "has no meaning without sample: all mixtures are taken")
	}
	if c.ok(path("of")) {
		c.choice(here, m)
		c.listed(path("list"), m)
	}
}

// choice compares a drawn set of mixtures with what there is to draw from, where the study declares it.
func (c *checker) choice(here []string, m Mixture) {
	parts := c.catalogue(m.From)
	if parts == nil || m.Choose < 1 || !c.ok(under(here, "choose")) {
		return
	}
	n := int64(len(parts))
	if m.Of == "units" {
		n = 0
		for _, part := range parts {
			n += int64(c.s.Partitions[m.From].Units[part]) // at most 1e6 each, and parts fit a file
		}
	}
	k := int64(m.Choose)
	if k > n {
		c.fail(under(here, "choose"), "%d is more than there are in %s (%s: %d)", k, m.From, m.Of, n)
		return
	}
	// C(n-k+i, i) grows with i until it is C(n, k), and at least doubles while i <= n-k; so this takes 64 rounds at most.
	possible, sample := big.NewInt(1), big.NewInt(int64(m.Sample))
	k = min(k, n-k)
	for i := int64(1); i <= k && possible.Cmp(sample) < 0; i++ {
		possible.Mul(possible, big.NewInt(n-k+i))
		possible.Div(possible, big.NewInt(i))
	}
	if sample.Cmp(possible) > 0 {
		c.fail(under(here, "sample"), "%d is more than there are: choose %d of %d (%s in %s) gives %d", m.Sample, m.Choose, n, m.Of, m.From, possible)
	}
}

// listed checks mixtures given by name: the names where the study declares its partitions, repetitions always.
func (c *checker) listed(path []string, m Mixture) {
	parts := c.catalogue(m.From)
	lines := map[string]int{}
	for i, names := range m.List {
		here := under(path, itoa(i))
		c.once(here, names)
		for j, name := range names {
			if parts != nil && name != "" {
				c.component(under(here, itoa(j)), m, parts, name)
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

// component checks a name against the declared partitions. Units go by partition/0, partition/1, ..., or by their range, and the only unit
// of a partition by the partition's name.
func (c *checker) component(here []string, m Mixture, parts []string, name string) {
	units := c.s.Partitions[m.From].Units
	if m.Of != "units" {
		if !slices.Contains(parts, name) {
			c.fail(here, "unknown partition %q%s", clip(name), didYouMean(name, parts))
		}
		return
	}
	if c.s.Partitions[m.From].Order != "id" && RangeOf(name, parts) != "" {
		return // whether there is such a unit is known once the corpus has been split
	}
	part, number := name, ""
	if i := strings.LastIndexByte(name, '/'); i >= 0 && !slices.Contains(parts, name) {
		part, number = name[:i], name[i+1:]
	}
	n := units[part]
	u, err := strconv.Atoi(number)
	switch {
	case !slices.Contains(parts, part):
		c.fail(here, "unknown unit %q: unknown partition %q%s", clip(name), clip(part), didYouMean(part, parts))
	case n == 1 && number != "":
		c.fail(here, "unknown unit %q: partition %s has one unit, which goes by the name %q", clip(name), part, part)
	case n > 1 && (err != nil || u < 0 || u >= n || strconv.Itoa(u) != number):
		c.fail(here, "unknown unit %q: the units of partition %s are %s/0 to %s/%d", clip(name), part, part, part, n-1)
	}
}

// RangeOf returns the partition that a unit named by a range, such as Biology,2005-2007, would be of; "" where there is none.
func RangeOf(name string, parts []string) string {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == ',' && slices.Contains(parts, name[:i]) && strings.Contains(name[min(len(name), i+2):], "-") {
			return name[:i]
		}
	}
	return ""
}

// evaluation checks that there is something to evaluate on, and that each proxy can be computed from it.
func (c *checker) evaluation() {
	inDomain := at("eval", "in_domain")
	if c.ok(inDomain) && c.s.Eval.InDomain == "mixture" && c.given("heldout", "test") && c.s.Heldout.Test == 0 {
		c.fail(at("heldout", "test"), "eval.in_domain: mixture evaluates on test documents, and 0%% are kept out; give a share, or in_domain: none")
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
