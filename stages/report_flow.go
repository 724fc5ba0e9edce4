package stages

import (
	"fmt"
	"math"
	"slices"
	"strings"

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
		n.Label = fmt.Sprintf("%s: %d steps, %s; %s, %s", s.name(), s.Count, report.RanFound(s.Count, s.Found), cost, report.Bytes(s.Bytes))
		f.Nodes = append(f.Nodes, n)
	}
	for _, e := range b.in.Flow {
		from, to := b.in.Steps[e.From], b.in.Steps[e.To]
		f.Edges = append(f.Edges, plot.FlowEdge{From: e.From, To: e.To, Times: e.Times,
			Label: fmt.Sprintf("%s to %s, taken %d times", from.name(), to.name(), e.Times)})
	}
	svg, err := f.SVG()
	if err != nil {
		return err
	}
	b.d.Flow = &report.Figure{Title: "Steps by kind", SVG: svg}
	return nil
}

func (s ReportSteps) name() string { return strings.TrimSpace(s.Kind + " " + s.Of) }

// averages are the correlations of scores that are means over all sets out of domain, which the paper calls the average, and their scatter.
func (b *reportBuilder) averages() error {
	b.d.Paper, b.d.Miniature = publishedIn(b.in.Study), isMiniature(b.in.Study)
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
		title := b.title(groupSet{g, l.setTitle(g, OutOfDomain)})
		f := plot.Scatter{Title: title, XLabel: proxyAxis, YLabel: referenceAxis, Diagonal: true}
		var paper []string
		for _, p := range l.params.Proxies {
			at := LayoutPlace{g, OutOfDomain, p}
			s := plot.Series{Name: p, Fit: true}
			pairs := l.pairs[at]
			for i, m := range pairs.mixtures {
				s.Points = append(s.Points, plot.Point{X: pairs.proxies[i], Y: pairs.references[i], Label: m})
			}
			f.Series = append(f.Series, s)
			r, ok := l.rows[at]
			if !ok {
				continue
			}
			b.d.Averages = append(b.d.Averages, report.Average{Set: title, Proxy: p, Pearson: r.Pearson, Published: r.Published})
			if !math.IsNaN(r.Published) {
				paper = append(paper, fmt.Sprintf("%s %.3f", p, r.Published))
			}
		}
		svg, err := f.SVG()
		if err != nil {
			return err
		}
		note := l.note(g, OutOfDomain)
		caption := strings.ToUpper(note[:1]) + note[1:] + "."
		if len(paper) > 0 {
			of := ""
			if b.d.Miniature {
				of = ", of the study at its own size,"
			}
			caption += " The paper prints" + of + " " + strings.Join(paper, ", ") + "."
		}
		b.d.Scatters = append(b.d.Scatters, report.Figure{Title: title, Caption: caption, SVG: svg})
	}
	return nil
}
