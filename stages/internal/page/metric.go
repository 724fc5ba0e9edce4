package page

import (
	"fmt"
	"slices"
	"strings"

	"ablate/stages/kind"
)

// named is the metric of scores; those that name none are perplexities.
func named(m kind.Metric) kind.Metric {
	if m.Name == "" {
		return kind.Perplexity
	}
	return m
}

// metrics are those of all scores on the page, each once.
func (d Data) metrics() []kind.Metric {
	var all []kind.Metric
	add := func(m kind.Metric) {
		if m = named(m); !slices.ContainsFunc(all, func(k kind.Metric) bool { return k.Name == m.Name }) {
			all = append(all, m)
		}
	}
	for _, c := range d.Choices {
		add(c.Metric)
	}
	for _, t := range d.Scores {
		add(t.Metric)
	}
	if all == nil {
		add(kind.Metric{})
	}
	return all
}

// Extreme is where among scores the best one is.
func (d Data) Extreme() string { return d.word(kind.Metric.Extreme, "best") }

// Direction is which of two scores is the better one.
func (d Data) Direction() string { return d.word(kind.Metric.Direction, "better") }

// MetricName is what every score is, or a score where they differ.
func (d Data) MetricName() string {
	return d.word(func(m kind.Metric) string { return m.Name }, "score")
}

// word is what all metrics have in common, or the other word.
func (d Data) word(of func(kind.Metric) string, other string) string {
	all := d.metrics()
	if slices.ContainsFunc(all, func(m kind.Metric) bool { return of(m) != of(all[0]) }) {
		return other
	}
	return of(all[0])
}

// Directions says of each metric which scores are the better ones.
func (d Data) Directions() string {
	var s []string
	for _, m := range d.metrics() {
		s = append(s, m.Direction()+" "+m.Name)
	}
	is := "is"
	if len(s) > 1 {
		is = "are"
	}
	return fmt.Sprintf("%s %s better.", capital(list(s)), is)
}

// InUnit is the unit of all scores in words, for behind their name.
func (d Data) InUnit() string {
	unit := d.word(func(m kind.Metric) string { return m.Unit }, "")
	if unit == "" {
		return ""
	}
	return ", in " + unit + ","
}

// explained says what a metric is, among the words of the page.
func explained(m kind.Metric) Fact {
	what := m.Formula
	if m.Unit != "" {
		what += ", in " + m.Unit
	}
	return Fact{m.Name, fmt.Sprintf("%s. %s is better. The score of several models or domains is the mean of theirs.", what, capital(m.Direction()))}
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
