package show

import (
	"fmt"
	"io"

	"ablate/cmd/internal/study/doctor"
	"ablate/specs/words"
)

// Doctor prints what a machine can do, and what is wrong with it.
func Doctor(w io.Writer, r *doctor.Report) {
	for _, c := range r.Checks {
		if c.Found != "" || c.Problem == "" {
			Printf(w, "%-11s %s\n", c.Name, c.Found)
		}
		if c.Problem != "" {
			Printf(w, "%-11s PROBLEM: %s\n", c.Name, c.Problem)
		}
	}
	t := NewTable(Row{"preset", "parameters", "training, tokens/s", "evaluating, tokens/s", "hours per billion tokens"}, 1)
	for _, p := range r.Presets {
		t.AppendRow(Row{p.Name, words.Count(p.Parameters, ""), words.Count(int64(p.Train), ""), words.Count(int64(p.Evaluate), ""), Hours(p.Hours)})
	}
	fmt.Fprintf(w, "\n%s\n\n", t.Render(w))
	for _, p := range r.Presets {
		if p.ScaledFrom != "" {
			Printf(w, "Other presets from 10M parameters on have the speed of %s, in proportion to their parameters.\n", p.ScaledFrom)
			break
		}
	}
	if r.Ready {
		Printf(w, "A run can begin on this machine.\n")
	} else {
		Printf(w, "No run can begin on this machine until the problems above are mended.\n")
	}
}
