package specs

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ablate/specs/ident"
)

func (c *checker) mixtures() {
	for _, name := range sortedKeys(c.s.Mixtures) {
		here, m := at("mixtures", name), c.s.Mixtures[name]
		if len(m.From) == 0 && !c.given(under(here, "from")...) && !c.given(under(here, "cross")...) && c.ok(at("partitions"), under(here, "from"), under(here, "cross")) {
			switch sets := sortedKeys(c.s.Partitions); len(sets) {
			case 0: // every set of partitions is wrong
			case 1:
				m.From = sets
				c.s.Mixtures[name] = m
			default:
				c.fail(here, "missing key \"from\": the study has %d partition sets, so name one or several: %s", len(sets), strings.Join(sets, ", "))
			}
		}
		for _, list := range []struct {
			key  string
			sets []string
		}{{"from", m.From}, {"cross", m.Cross}} {
			if !c.given(under(here, list.key)...) {
				continue
			}
			for i, set := range list.sets {
				known(c, under(under(here, list.key), itoa(i)), "partition set", set, c.s.Partitions, "partitions")
			}
			c.once(under(here, list.key), list.sets)
		}
		c.mixture(here, m)
	}
	for i, name := range c.s.Reference.Seq {
		known(c, at("reference", "seq", itoa(i)), "mixture set", name, c.s.Mixtures, "mixtures")
	}
	c.once(at("reference", "seq"), c.s.Reference.Seq)
}

func (c *checker) mixture(here []string, m Mixture) {
	path := func(key string) []string { return under(here, key) }
	list, choose, cross, sample := c.given(path("list")...), c.given(path("choose")...), c.given(path("cross")...), c.given(path("sample")...)
	if m.Shares != nil || c.given(path("shares")...) {
		c.shares(here, m)
		c.lengthOf(here, m)
		return
	}
	switch {
	case list && (choose || cross):
		key := "choose"
		if cross {
			key = "cross"
		}
		c.fail(path(key), "%s and list exclude each other: mixtures are either chosen or listed; leave one of the two keys out", key)
	case cross && choose:
		c.fail(path("choose"), "choose and cross exclude each other: cross already takes one component of each set; leave one of the two keys out")
	case cross && c.given(path("from")...):
		c.fail(path("from"), "has no meaning with cross, which names the partition sets itself")
	case cross && len(m.Cross) < 2 && c.whole(path("cross")...):
		c.fail(path("cross"), "want two or more partition sets, found %d; for one set, write choose: 1", len(m.Cross))
	case cross && m.Repeat && c.ok(path("repeat")):
		c.fail(path("repeat"), "has no meaning with cross: each component comes from a different partition set")
	case list && len(m.List) == 0:
		c.fail(path("list"), "is empty; name at least one mixture")
	case !list && !choose && !cross && c.ok(path("list"), path("choose"), path("cross")):
		c.fail(here, "missing key: want choose (how many components are drawn), cross (one of each of several sets), list (mixtures by name) or shares (mixtures by the shares of their components)")
	case list && sample:
		c.fail(path("sample"), "has no meaning with list: all mixtures of a list are taken")
	case list && c.given(path("fix")...):
		c.fail(path("fix"), "has no meaning with list: name the component in each mixture")
	case list && c.given(path("where")...):
		c.fail(path("where"), "has no meaning with list: every listed mixture is taken")
	}
	if (list || choose || cross) && c.given(path("seed")...) && !sample && c.ok(path("sample")) {
		c.fail(path("seed"), "has no meaning without sample: all mixtures are taken")
	}
	if w := m.Where; w.MaxUnits > 0 && w.MaxUnits < w.MinUnits && c.whole(path("where")...) {
		c.fail(path("where"), "max_units %d is below min_units %d", w.MaxUnits, w.MinUnits)
	} else if w.Units > 0 && (w.MinUnits > 0 || w.MaxUnits > 0) && c.whole(path("where")...) {
		c.fail(path("where"), "units gives an exact number, so leave min_units and max_units out")
	}
	c.lengthOf(here, m)
	if c.ok(path("of")) && c.whole(path("from")...) && c.whole(path("cross")...) {
		fixed := c.fixed(path("fix"), m)
		c.choice(here, m, fixed)
		c.listed(path("list"), m)
	}
}

func (c *checker) lengthOf(here []string, m Mixture) {
	if t := under(here, "tokens"); c.given(t...) && c.ok(t, at("train", "batch")) && m.Tokens > 0 && m.Tokens < c.s.Train.Batch {
		c.fail(t, "%d is less than one batch, %s", m.Tokens, c.orDefault(at("train", "batch"), c.s.Train.Batch))
	}
}

// choice compares a drawn set of mixtures with what there is to draw from, where the study declares
// it.
func (c *checker) choice(here []string, m Mixture, fixed map[string]int) {
	if m.Choose < 1 && len(m.Cross) == 0 || !c.ok(under(here, "choose")) || !c.whole(under(here, "where")...) {
		return
	}
	limit := big.NewInt(MostMixtures + 1)
	asked := big.NewInt(int64(m.Sample))
	possible := big.NewInt(1)
	draws := [][]string{m.From}
	k := int64(m.Choose)
	if len(m.Cross) > 0 {
		draws, k = nil, 1
		for _, set := range m.Cross {
			draws = append(draws, []string{set})
		}
	}
	for _, sets := range draws {
		n, ok := c.drawable(sets, m, fixed)
		if !ok {
			return
		}
		what := m.Of + " in " + strings.Join(sets, " and ")
		if m.Where != (Where{}) || len(fixed) > 0 {
			what += ", without those of fix and where"
		}
		if k > n && !m.Repeat || n == 0 {
			key := "choose"
			if len(m.Cross) > 0 {
				key = "cross"
			}
			c.fail(under(here, key), "%d is more than exist (%s: %d)", k, what, n)
			return
		}
		if m.Repeat {
			possible.Mul(possible, atLeast(n+k-1, k, limit))
			what += ", with repetition"
		} else {
			possible.Mul(possible, atLeast(n, k, limit))
		}
		if len(draws) == 1 && possible.Cmp(asked) < 0 {
			c.fail(under(here, "sample"), "%d is more than exist: choose %d of %d (%s) gives %d", m.Sample, k, n, what, possible)
			return
		}
	}
	switch key := "choose"; {
	case possible.Cmp(asked) < 0:
		c.fail(under(here, "sample"), "%d is more than exist: %s crossed gives %d", m.Sample, strings.Join(m.Cross, " and "), possible)
	case m.Sample == 0 && possible.Cmp(limit) >= 0:
		if len(m.Cross) > 0 {
			key = "cross"
		}
		c.fail(under(here, key), "%s", TooManyMixtures(c.counted(draws, m, fixed)))
	}
}

// MostMixtures is the largest number of mixtures that a study compares. The plan of a mixture, its
// evaluations and its reference takes some 40 KB of memory, so that as many take 4 GB.
const MostMixtures = 100_000

// TooManyMixtures says that a set of mixtures asks for more than MostMixtures, and what to do.
func TooManyMixtures(count *big.Int) string {
	return fmt.Sprintf("this selects %s mixtures, and a study compares at most %s: add sample: N to compare N of them (`ablate rank` scores the others by a proxy)",
		Thousands(count), Thousands(big.NewInt(MostMixtures)))
}

// Thousands writes a whole number above 0 with its digits grouped by three. A number of more than
// 40 digits is rounded down to four: 1.234e57.
func Thousands(n *big.Int) string {
	digits := n.String()
	if len(digits) > 40 {
		return fmt.Sprintf("%s.%se%d", digits[:1], digits[1:4], len(digits)-1)
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// counted is the number of combinations of some draws of declared sets.
func (c *checker) counted(draws [][]string, m Mixture, fixed map[string]int) *big.Int {
	count, k := big.NewInt(1), int64(m.Choose)
	if len(m.Cross) > 0 {
		k = 1
	}
	for _, sets := range draws {
		n, _ := c.drawable(sets, m, fixed) // choice has seen that it is known
		if m.Repeat {
			n += k - 1
		}
		count.Mul(count, new(big.Int).Binomial(n, k))
	}
	return count
}

// atLeast is C(n, k), or some number between limit and it.
func atLeast(n, k int64, limit *big.Int) *big.Int {
	// C(n-k+i, i) grows with i until it is C(n, k), and at least doubles while i <= n-k; so this
	// takes 64 rounds at most.
	possible := big.NewInt(1)
	k = min(k, n-k)
	for i := int64(1); i <= k && possible.Cmp(limit) < 0; i++ {
		possible.Mul(possible, big.NewInt(n-k+i))
		possible.Div(possible, big.NewInt(i))
	}
	return possible
}

// drawable is the number of components of some sets of partitions that can be drawn; not ok where
// one declares none.
func (c *checker) drawable(sets []string, m Mixture, fixed map[string]int) (n int64, ok bool) {
	if len(sets) == 0 { // none was named, which is reported
		return 0, false
	}
	for _, set := range sets {
		parts := c.catalogue(set)
		if parts == nil {
			return 0, false
		}
		for _, part := range parts {
			units := c.s.Partitions[set].Units[part]
			switch {
			case !m.Where.Holds(units):
			case m.Of == "units":
				n += int64(units) // at most 1e6 each, and parts fit a file
			default:
				n++
			}
		}
		n -= int64(fixed[set])
	}
	return n, true
}

// fixed checks the components that every mixture has, and counts those that could otherwise be
// drawn, by set of partitions.
func (c *checker) fixed(path []string, m Mixture) map[string]int {
	count := map[string]int{}
	c.once(path, m.Fix)
	for i, name := range m.Fix {
		set := c.component(under(path, itoa(i)), m, sortedKeys(c.s.Partitions), name)
		if set == "" {
			continue
		}
		part, _ := c.partOf(set, name)
		if m.Where.Holds(c.s.Partitions[set].Units[part]) && !m.Repeat {
			count[set]++
		}
	}
	return count
}

// listed checks mixtures given by name: the names where the study declares its partitions,
// repetitions always.
func (c *checker) listed(path []string, m Mixture) {
	lines := map[string]int{}
	for i, x := range m.List {
		here, names := under(path, itoa(i)), x.Names
		if !m.Repeat {
			c.once(here, names)
		}
		for j, name := range names {
			if name != "" {
				c.component(under(here, itoa(j)), m, m.From, name)
			}
		}
		sorted := join(slices.Sorted(slices.Values(names)))
		if x.Shares != nil {
			for _, name := range sortedKeys(x.Shares) {
				c.component(under(here, name), m, m.From, name)
			}
			sorted, names = c.vector(here, x.Shares), sortedKeys(x.Shares)
		}
		if first, ok := lines[sorted]; ok && len(names) > 0 {
			c.fail(here, "the same mixture as on line %d", first)
			continue
		}
		lines[sorted] = c.s.At(here...).Line
	}
}

// partOf is the partition that a component's name speaks of, without set and unit, and how the name
// writes the partition; "" where there is none.
func (c *checker) partOf(set, name string) (part, written string) {
	if c.rangeIn(set, name) {
		written = RangeOf(strings.TrimPrefix(name, set+"/"), c.partNames(set))
		part, _ = c.declared(set, written)
		return part, written
	}
	for _, whole := range []string{name, strings.TrimPrefix(name, set+"/")} {
		if part, ok := c.declared(set, whole); ok {
			return part, whole
		}
		if i := strings.LastIndexByte(whole, '/'); i >= 0 {
			if part, ok := c.declared(set, whole[:i]); ok {
				return part, whole[:i]
			}
		}
	}
	return "", ""
}

// declared finds a partition by its name, or as longer names write it.
func (c *checker) declared(set, written string) (part string, ok bool) {
	p := c.s.Partitions[set]
	if _, ok := p.Units[written]; ok {
		return written, true
	}
	part, err := ident.ParseText(written, len(p.By))
	_, ok = p.Units[part]
	return part, ok && err == nil
}

// partNames are the declared partitions of a set, in both forms.
func (c *checker) partNames(set string) []string {
	var names []string
	for part := range c.s.Partitions[set].Units {
		names = append(names, part, ident.Text(part, len(c.s.Partitions[set].By)))
	}
	return names
}

// component checks a name against the declared partitions and returns the set it is of, "" where
// that is unknown. Units go by partition/0, partition/1, ..., or by their range, and the only unit
// of a partition by the partition's name; a set's name may stand before it.
func (c *checker) component(here []string, m Mixture, sets []string, name string) string {
	var in, all []string
	if len(sets) == 0 {
		return ""
	}
	for _, set := range sets {
		parts := c.catalogue(set)
		if parts == nil {
			return ""
		}
		all = append(all, parts...)
		if part, _ := c.partOf(set, name); part != "" && slices.Contains(parts, part) {
			in = append(in, set)
		}
	}
	what := "partition"
	if m.Of == "units" {
		what = "unit"
	}
	switch {
	case len(in) > 1:
		c.fail(here, "%q could be of %s; write %s", clip(name), strings.Join(in, " or "), in[0]+"/"+name)
		return ""
	case len(in) == 0 && what == "unit":
		part := name
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			part = name[:i]
		}
		c.fail(here, "unknown unit %q: unknown partition %q%s", clip(name), clip(part), didYouMean(part, all))
		return ""
	case len(in) == 0:
		c.fail(here, "unknown partition %q%s", clip(name), didYouMean(name, all))
		return ""
	}
	if what == "unit" && c.rangeIn(in[0], name) {
		return in[0] // whether there is such a unit is known once the corpus has been split
	}
	part, written := c.partOf(in[0], name)
	number := strings.TrimPrefix(strings.TrimPrefix(name, in[0]+"/"), written)
	if n := c.s.Partitions[in[0]].Units[part]; what == "unit" {
		u, err := strconv.Atoi(strings.TrimPrefix(number, "/"))
		switch {
		case n == 1 && number != "":
			c.fail(here, "unknown unit %q: partition %s has one unit, which is called %q", clip(name), part, part)
		case n > 1 && (err != nil || u < 0 || u >= n || "/"+strconv.Itoa(u) != number):
			c.fail(here, "unknown unit %q: the units of partition %s are %s/0 to %s/%d", clip(name), part, part, part, n-1)
		}
	} else if number != "" {
		c.fail(here, "unknown partition %q%s", clip(name), didYouMean(name, all))
	}
	return in[0]
}

// rangeIn reports whether a name is of a unit of a set by its range.
func (c *checker) rangeIn(set, name string) bool {
	p := c.s.Partitions[set]
	_, whole := c.declared(set, name)
	return p.Order != "id" && !whole && RangeOf(strings.TrimPrefix(name, set+"/"), c.partNames(set)) != ""
}

// RangeOf returns the partition that a unit named by a range, such as Biology,2005-2007, would be
// of; "" where there is none.
func RangeOf(name string, parts []string) string {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == ',' && slices.Contains(parts, name[:i]) && strings.Contains(name[min(len(name), i+2):], "-") {
			return name[:i]
		}
	}
	return ""
}

// evaluation checks that there is something to evaluate on, and that each proxy can be computed
// from it.
func (c *checker) evaluation() {
	inDomain := at("eval", "in_domain")
	if c.ok(inDomain) && c.s.Eval.InDomain == "mixture" && c.given("heldout", "test") && c.s.Heldout.Test == 0 {
		c.fail(at("heldout", "test"), "eval.in_domain: mixture evaluates on held-out test documents, and 0%% are held out; give a share above 0%%, or write in_domain: none")
	}
	if c.whole("eval") && c.s.Eval.InDomain == "none" && len(c.s.Eval.OutOfDomain) == 0 {
		c.fail(inDomain, "none, and eval.out_of_domain names no set: nothing to evaluate on")
	}
	if c.ok(inDomain, at("proxies")) && c.s.Eval.InDomain == "none" {
		if !c.given("proxies") {
			c.s.Proxies = slices.DeleteFunc(c.s.Proxies, func(p string) bool { return p == "ind_id" })
		}
		for i, p := range c.s.Proxies {
			if strings.HasSuffix(p, "_id") {
				c.fail(at("proxies", itoa(i)), "%s needs eval.in_domain: mixture, found none", p)
			}
		}
	}
	if i := slices.Index(c.s.Proxies, "small_seq"); i >= 0 && c.s.Reference.Model == nil && c.ok(at("reference", "model")) {
		c.fail(at("proxies", itoa(i)), "small_seq needs reference.model: without reference.model, references have the study's own architecture")
	}
	if c.given("proxies") && c.onlyShares() {
		for i, p := range c.s.Proxies {
			if !TakesShares(p) {
				c.fail(at("proxies", itoa(i)), "%s scores sets of components, and every mixture of the study has shares of its own; take macro, merged, micro, weighted or small_seq", p)
			}
		}
	}
	c.once(at("proxies"), c.s.Proxies)
	c.weights()
}

// Weight reads a weight of an average: a whole number, a decimal or a fraction above 0.
func Weight(text string) (*big.Rat, error) {
	w, ok := new(big.Rat), weightForm.MatchString(text)
	if ok {
		_, ok = w.SetString(text)
	}
	if !ok || w.Sign() <= 0 {
		return nil, fmt.Errorf("weight %q: want a number above 0, such as 2, 0.5 or 1/3", clip(text))
	}
	return w, nil
}

var weightForm = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,18}|/[0-9]{1,18})?$`)

// weights checks the proxy weighted.
func (c *checker) weights() {
	here := at("weights")
	if !slices.Contains(c.s.Proxies, "weighted") && c.given(here...) && c.whole("proxies") {
		c.fail(here, "has no meaning without weighted among the proxies")
	}
	for _, name := range sortedKeys(c.s.Weights.Given) {
		if _, err := Weight(c.s.Weights.Given[name]); err != nil {
			c.fail(at("weights", "components", name), "%v", err)
		}
	}
}
