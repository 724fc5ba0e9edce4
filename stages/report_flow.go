package stages

import (
	"fmt"
	"slices"

	"ablate/stages/internal/figure"
	"ablate/stages/internal/plot"
	"ablate/stages/internal/report"
)

// flow draws the steps, collapsed by kind.
func (b *reportBuilder) flow() error {
	var seconds float64
	for _, s := range b.in.Steps {
		b.d.Steps = append(b.d.Steps, report.Steps(s))
		seconds += s.Seconds
	}
	if len(b.in.Flow) == 0 {
		return nil
	}
	f := plot.Flow{About: "The steps of the study by kind, each to the right of what it takes from"}
	for _, s := range b.in.Steps {
		n := plot.FlowNode{Name: s.Kind, Count: "×" + figure.Count(float64(s.Count))}
		cost := report.Duration(s.Seconds)
		if s.Tokens > 0 {
			cost += ", " + figure.Count(float64(s.Tokens)) + " tokens"
		} else {
			cost += ", " + report.Bytes(s.Bytes)
		}
		for _, line := range []string{s.Of, report.RanFound(s.Count, s.Found), cost} {
			if line != "" {
				n.Lines = append(n.Lines, line)
			}
		}
		if seconds > 0 {
			n.Share = s.Seconds / seconds
		}
		n.Label = fmt.Sprintf("%s %s: %d steps, %s; %s, %s", s.Kind, s.Of, s.Count, report.RanFound(s.Count, s.Found), cost, report.Bytes(s.Bytes))
		f.Nodes = append(f.Nodes, n)
	}
	for _, e := range b.in.Flow {
		from, to := b.in.Steps[e.From], b.in.Steps[e.To]
		f.Edges = append(f.Edges, plot.FlowEdge{From: e.From, To: e.To, Times: e.Times,
			Label: fmt.Sprintf("%s %s to %s %s, taken %d times", from.Kind, from.Of, to.Kind, to.Of, e.Times)})
	}
	svg, err := f.SVG()
	if err != nil {
		return err
	}
	b.d.Flow = &report.Figure{Title: "Steps by kind", SVG: svg}
	return nil
}

// averages are the correlations of scores that are means over all sets out of domain, which the paper calls the average.
func (b *reportBuilder) averages() error {
	b.d.Paper = publishedIn(b.in.Study)
	if len(b.in.Params) == 0 {
		return nil
	}
	l, err := newLayouts(LayoutInput{Study: b.in.Study, Scores: b.in.Scores, Correlations: b.in.Correlations, Params: b.in.Params, InDomain: b.in.InDomain})
	if err != nil {
		return err
	}
	for _, g := range l.groups {
		if !slices.Contains(l.sets[g], OutOfDomain) {
			continue
		}
		for _, p := range l.params.Proxies {
			if r, ok := l.rows[LayoutPlace{g, OutOfDomain, p}]; ok {
				b.d.Averages = append(b.d.Averages, report.Average{
					Set: b.title(groupSet{g, l.setTitle(g, OutOfDomain)}), Proxy: p, Pearson: r.Pearson, Published: r.Published,
				})
			}
		}
	}
	return nil
}
