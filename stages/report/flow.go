package report

import (
	"fmt"
	"strings"

	"ablate/stages/internal/page"
	"ablate/stages/internal/paperfig"
	"ablate/stages/internal/svg"
)

// flow draws the steps, collapsed by kind.
func (b *builder) flow() error {
	var seconds float64
	for _, s := range b.in.Steps {
		b.d.Steps = append(b.d.Steps, page.Steps(s))
		seconds += s.Seconds
	}
	if len(b.in.Flow) == 0 {
		return nil
	}
	f := svg.Flow{About: "The steps of the study by kind, each to the right of its inputs"}
	for _, s := range b.in.Steps {
		n := svg.FlowNode{Name: s.Kind, Count: "×" + paperfig.Count(float64(s.Count))}
		cost := page.Duration(s.Seconds)
		if s.Tokens > 0 {
			cost += ", " + paperfig.Count(float64(s.Tokens)) + " tokens"
		} else {
			cost += ", " + page.Bytes(s.Bytes)
		}
		for _, line := range []string{s.Of, page.RanFound(s.Count, s.Found), cost} {
			if line != "" {
				n.Lines = append(n.Lines, line)
			}
		}
		if seconds > 0 {
			n.Share = s.Seconds / seconds
		}
		n.Label = fmt.Sprintf("%s: %d steps, %s; %s, %s", s.name(), s.Count, page.RanFound(s.Count, s.Found), cost, page.Bytes(s.Bytes))
		f.Nodes = append(f.Nodes, n)
	}
	for _, e := range b.in.Flow {
		from, to := b.in.Steps[e.From], b.in.Steps[e.To]
		f.Edges = append(f.Edges, svg.FlowEdge{From: e.From, To: e.To, Times: e.Times,
			Label: fmt.Sprintf("%s to %s, taken %d times", from.name(), to.name(), e.Times)})
	}
	drawing, err := f.SVG()
	if err != nil {
		return err
	}
	b.d.Flow = &page.Figure{Title: "Steps by kind", SVG: drawing}
	return nil
}

func (s Steps) name() string { return strings.TrimSpace(s.Kind + " " + s.Of) }
