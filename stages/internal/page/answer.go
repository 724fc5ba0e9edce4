package page

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/specs/ident"
)

// answer is the head of the page: a headline, what it rests on, and, where eval sets disagree, who
// wants what.
type answer struct {
	Headline string
	Deck     string
	Check    string
	Proxy    string // which proxy predicted, and why that one
	Picks    []pick // when there is more than one
}

// pick is one chosen mixture and the eval sets it was chosen for.
type pick struct {
	Mixture string
	Sets    []string
}

func (d Data) answer() answer {
	var picks []pick
	decided := 0
	candidates := 0
	for _, c := range d.Choices {
		if c.Chosen == "" {
			continue
		}
		decided++
		candidates = max(candidates, c.Candidates)
		i := slices.IndexFunc(picks, func(p pick) bool { return p.Mixture == c.Chosen })
		if i < 0 {
			picks = append(picks, pick{Mixture: c.Chosen})
			i = len(picks) - 1
		}
		picks[i].Sets = append(picks[i].Sets, c.Set)
	}
	if decided == 0 {
		return answer{Headline: "No mixture could be chosen", Deck: "No mixture has a proxy score on any eval set."}
	}
	slices.SortStableFunc(picks, func(a, b pick) int { return len(b.Sets) - len(a.Sets) })
	a := answer{Check: d.check(), Proxy: d.support()}
	of := "Of " + plural(candidates, "candidate mixture") + ", "
	first := picks[0]
	switch {
	case len(picks) == 1 && decided == 1:
		a.Headline = "Train on " + spaced(first.Mixture)
		a.Deck = fmt.Sprintf("%sit has the %s predicted %s on %s.", of, d.Extreme(), d.MetricName(), first.Sets[0])
	case len(picks) == 1:
		a.Headline = "Train on " + spaced(first.Mixture)
		a.Deck = fmt.Sprintf("%sit has the %s predicted %s on %s.", of, d.Extreme(), d.MetricName(), all(decided))
	case 2*len(first.Sets) > decided:
		a.Headline = "Train on " + spaced(first.Mixture) + ", mostly"
		a.Deck = fmt.Sprintf("%sit has the %s predicted %s on %d of %d eval sets. On the other sets, other mixtures have it:",
			of, d.Extreme(), d.MetricName(), len(first.Sets), decided)
		a.Picks = picks
	default:
		a.Headline = "It depends on what the model will read"
		a.Deck = fmt.Sprintf("%sno mixture has the %s predicted %s on most of the %d eval sets. The choice on each set:",
			of, d.Extreme(), d.MetricName(), decided)
		a.Picks = picks
	}
	return a
}

// check says how the choices fared against the reference.
func (d Data) check() string {
	var checked, right, untrained, decided int
	worst := -1
	for i, c := range d.Choices {
		if c.Chosen == "" {
			continue
		}
		decided++
		if c.Rank == 0 || c.References == 0 {
			if c.References > 0 {
				untrained++
			}
			continue
		}
		checked++
		if c.Rank == 1 {
			right++
		}
		if loss := c.loss(); loss > 0 && (worst < 0 || loss > d.Choices[worst].loss()) {
			worst = i
		}
	}
	var s []string
	switch {
	case checked == 0 && untrained == 0:
		return "No reference model was trained, so nothing checks this choice: it depends on the proxy alone."
	case checked == 0:
		return "No reference model was trained on a chosen mixture, so nothing checks the choice itself."
	case right == checked && checked == decided:
		s = append(s, "Models trained on the whole mixtures agree every time.")
	case right == checked:
		s = append(s, fmt.Sprintf("Models trained on the whole mixtures agree on %s where that could be checked.", all(checked)))
	default:
		s = append(s, fmt.Sprintf("Models trained on the whole mixtures agree on %d of %s.", right, plural(checked, "eval set")))
	}
	if worst >= 0 {
		c := d.Choices[worst]
		side := "above"
		if c.Below() {
			side = "below"
		}
		s = append(s, fmt.Sprintf("The costliest miss is on %s: the choice ranks %s of %d and its %s is %s %s the best.",
			c.Set, ordinal(c.Rank), c.References, named(c.Metric).Name, percent(c.loss()), side))
	}
	if untrained > 0 {
		s = append(s, fmt.Sprintf("On %s the chosen mixture has no reference model.", plural(untrained, "eval set")))
	}
	return strings.Join(s, " ")
}

// loss is what trusting the proxy costs, as a share of the best score.
func (c Choice) loss() float64 {
	if c.BestReference == 0 {
		return math.NaN()
	}
	return math.Abs((c.ChosenReference - c.BestReference) / c.BestReference)
}

// Below reports whether the chosen's score lies below the best's, as a worse one does where higher
// is better.
func (c Choice) Below() bool { return c.ChosenReference < c.BestReference }

// all names every one of n eval sets.
func all(n int) string {
	switch n {
	case 1:
		return "the one eval set"
	case 2:
		return "both eval sets"
	}
	return "all " + plural(n, "eval set")
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return whole(n) + suffix
}

// spaced is a mixture's name in a headline: its components as a person reads them, apart from the
// signs between them.
func spaced(mixture string) string {
	components := ident.ParseMixture(mixture)
	for i, c := range components {
		components[i] = ident.Unescape(c)
	}
	return strings.Join(components, " + ")
}

// fewMixtures is where a correlation's interval stops being worth much: the percentile bootstrap of
// fewer pairs is too narrow.
const fewMixtures = 10

// remark says in words what weakens a correlation as evidence; empty: nothing does.
func (c Correlation) remark() string {
	if math.IsNaN(c.Pearson.Value) {
		return "Not defined: a correlation needs at least three mixtures with different scores."
	}
	var s []string
	if c.N < fewMixtures {
		s = append(s, fmt.Sprintf("only %s", plural(c.N, "mixture")))
	}
	var crossing []string
	for _, i := range []struct {
		name string
		Interval
	}{{"Pearson", c.Pearson}, {"Spearman", c.Spearman}, {"Kendall", c.Kendall}} {
		if i.Low <= 0 && i.High >= 0 {
			crossing = append(crossing, i.name)
		}
	}
	switch {
	case math.IsNaN(c.Pearson.Low):
		s = append(s, "too few for an interval")
	case len(crossing) == 3:
		s = append(s, "the intervals include zero, so this may be chance")
	case len(crossing) == 2:
		s = append(s, fmt.Sprintf("the intervals of %s include zero, so this may be chance", list(crossing)))
	case len(crossing) == 1:
		s = append(s, fmt.Sprintf("the interval of %s includes zero, so this may be chance", crossing[0]))
	}
	if len(s) == 0 {
		return ""
	}
	joined := strings.Join(s, "; ")
	return strings.ToUpper(joined[:1]) + joined[1:] + "."
}
