package show

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"ablate/cmd/internal/study/planning"
	"ablate/specs/words"
)

// Efficiency prints what a study took, what the naive way would have, and what the next partition will; name is the study as a person
// called it.
func Efficiency(w io.Writer, e *planning.Efficiency, name string) error {
	Printf(w, "study %s: what its steps took by the clock when they ran; those that ran beside others shared the machine\n\n", e.Study)
	t := NewTable(Row{"", "in the cache", "tokens", "time", "tokens/s"}, 1)
	for _, r := range e.Measured {
		rate := ""
		if r.Tokens > 0 && r.Seconds > 0 {
			rate = words.Count(int64(float64(r.Tokens)/r.Seconds), "")
		}
		t.AppendRow(Row{r.What, fmt.Sprintf("%d of %d", r.Done, r.Steps), Tokens(r.Tokens), Span(&r.Seconds), rate})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
	ways := NewTable(Row{"every one of " + e.Possible.String() + " possible mixtures", "models", "tokens", "training", "evaluating", "together"}, 1)
	add := func(what string, v planning.Way) {
		ways.AppendRow(Row{what, v.Models, BigTokens(Big(v.Tokens)), Span(v.Train), Span(v.Eval), Span(v.Seconds)})
	}
	add("modular: a model for every unit, averages of them", e.Modular)
	add("naive: a model for every mixture", e.Naive)
	for _, n := range e.Next {
		ways.AppendSeparator()
		what := fmt.Sprintf("one more partition of %s (%s, %s)", n.Set, words.Counted(n.Units, "unit", "units"), n.Mixtures.String()+" more mixtures")
		add(what+", modular", n.Modular)
		add("  naive", n.Naive)
	}
	fmt.Fprintf(w, "%s\n\n", ways.Render(w))
	if e.Mixture.Proxy != nil {
		Printf(w, "one more mixture: %s by an average of models that are there (%s evaluations), %s by a model of its own\n",
			Span(e.Mixture.Proxy), strconv.FormatFloat(e.Mixture.Evaluations, 'g', 3, 64), Span(e.Mixture.Reference))
	}
	if e.Saving != nil {
		Printf(w, "the naive way takes %.3g times as long; the units cost less than models of the mixtures from %.0f on\n", *e.Saving, math.Ceil(*e.BreakEven))
	} else {
		Printf(w, "nothing is measured yet; `ablate run %s`, then this again. `ablate plan %s` says what it will cost\n", name, name)
	}
	if e.Covered != "" {
		Printf(w, "%s of %s possible mixtures need no training any more\n", e.Covered, e.Possible)
	}
	if e.Left.Units > 0 {
		Printf(w, "%s still to train: %s tokens\n", words.Counted(e.Left.Units, "unit model is", "unit models are"), words.Count(e.Left.Tokens, ""))
	}
	return Printf(w, "the seed model, which both ways start from, is in neither sum\n")
}
