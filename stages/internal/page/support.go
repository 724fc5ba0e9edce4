package page

import (
	"fmt"
	"slices"
)

// support says which proxies chose and why those: by their correlation with the references where
// that supports one, else by an order that is fixed beforehand. It warns of what choosing among
// proxies does to the bound of the chosen.
func (d Data) support() string {
	var supported, doubtful, unjudged []Choice
	for _, c := range d.Choices {
		switch {
		case c.Chosen == "":
		case c.Support.Supported:
			supported = append(supported, c)
		case c.Support.References > 0:
			doubtful = append(doubtful, c)
		default:
			unjudged = append(unjudged, c)
		}
	}
	if len(supported)+len(doubtful) == 0 {
		if len(unjudged) == 0 || unjudged[0].Proxy == "" {
			return ""
		}
		return fmt.Sprintf("The predictions are by %s, the proxy that ablate uses when too few references judge the proxies.", proxiesOf(unjudged))
	}
	var s string
	if len(supported) > 0 {
		where := ""
		if len(supported) < len(d.Choices) {
			where = " on " + setsOf(supported)
		}
		least, judged := supported[0].Support, 0
		for _, c := range supported {
			if c.Support.Low < least.Low {
				least = c.Support
			}
			judged = max(judged, c.Support.Judged)
		}
		proxies := proxiesOf(supported)
		whose := "whose correlation with the references has the highest lower bound"
		if proxies != supported[0].Proxy {
			whose = "the proxies whose correlations with the references have the highest lower bounds there"
		}
		s = fmt.Sprintf("The predictions%s are by %s, %s (%s at the lowest, r %s).", where, proxies, whose, bound(least.Low), bound(least.R))
		if judged > 1 {
			s += fmt.Sprintf(" The same references chose among %d proxies and measured the chosen, so this bound is optimistic: the best of several proxies looks better than it is.", judged)
		}
	}
	if len(doubtful) > 0 {
		s += fmt.Sprintf(" On %s no proxy’s correlation has a lower bound above zero. The prediction there is by %s, which ablate uses in this case, and is hardly better than a guess.",
			setsOf(doubtful), proxiesOf(doubtful))
	}
	if len(unjudged) > 0 {
		s += fmt.Sprintf(" On %s too few references judge the proxies, so the prediction is by %s.", setsOf(unjudged), proxiesOf(unjudged))
	}
	if s[0] == ' ' {
		s = s[1:]
	}
	return s
}

// proxiesOf names the proxies of choices, and where there are several the eval sets of each.
func proxiesOf(choices []Choice) string {
	var names []string
	for _, c := range choices {
		if !slices.Contains(names, c.Proxy) {
			names = append(names, c.Proxy)
		}
	}
	if len(names) < 2 {
		return names[0]
	}
	for i, name := range names {
		names[i] += " on " + setsOf(slices.DeleteFunc(slices.Clone(choices), func(c Choice) bool { return c.Proxy != name }))
	}
	return list(names)
}

// setsOf names a few eval sets, and counts more.
func setsOf(choices []Choice) string {
	const few = 3
	if len(choices) > few {
		return plural(len(choices), "eval set")
	}
	var names []string
	for _, c := range choices {
		names = append(names, c.Set)
	}
	return list(names)
}
