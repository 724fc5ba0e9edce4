package show

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/specs/ident"
	"ablate/specs/words"
)

// Explanation prints why a step would run.
func Explanation(w io.Writer, x pipeline.Explanation) {
	key := ""
	if x.Status != pipeline.Waits {
		key = ", key " + x.Key.Short()
	}
	Printf(w, "%s: %s%s\n", x.ID, x.Status, key)
	for n, r := range x.Because {
		indent := strings.Repeat("  ", n+1)
		if n > 0 {
			Printf(w, "%s%s:\n", indent[2:], r.Step)
		}
		if r.Note != "" {
			Printf(w, "%s%s\n", indent, r.Note)
		}
		if r.Nearest == "" { // never seen: all that it is made of
			for _, d := range r.Differs {
				Printf(w, "%s  %s\n", indent, keyInput(d))
			}
			continue
		}
		Printf(w, "%snearest in the cache: %s\n", indent, r.Nearest)
		if len(r.Differs) == 0 {
			Printf(w, "%sthe key inputs are the same, but the outputs are lost\n", indent)
			continue
		}
		for _, d := range r.Differs[:min(ShownDifferences, len(r.Differs))] {
			Printf(w, "%s%s\n", indent, Changed(d))
		}
		if more := len(r.Differs) - ShownDifferences; more > 0 {
			Printf(w, "%sand %d more key inputs\n", indent, more)
		}
	}
	reach(w, x.Reach)
}

// reach says which steps before this one would run, and which steps depend on it.
func reach(w io.Writer, r pipeline.Reach) {
	for _, side := range []struct {
		says  string
		parts []pipeline.Part
	}{{"steps that it depends on and that would run", r.Upstream}, {"steps that depend on it", r.Downstream}} {
		if len(side.parts) == 0 {
			continue
		}
		var names []string
		steps := 0
		for _, part := range side.parts {
			names, steps = append(names, part.InWords()), steps+part.Count
		}
		Printf(w, "%s: %d: %s\n", side.says, steps, strings.Join(names, ", "))
	}
}

// ShownDifferences is how many key inputs of a step are shown: what a person changed at once is
// mostly fewer.
const ShownDifferences = 5

// Changed says what a key input was, is, and where the study says so.
func Changed(d pipeline.Difference) string {
	return at(fmt.Sprintf("%s: %s -> %s", d.InWords(), valueOrAbsent(d.Old), valueOrAbsent(d.New)), d)
}

// Because says in a line why a step would run: the first key input that differs, or that there is
// nothing to compare the step with.
func Because(r pipeline.Reason) string {
	if r.Nearest == "" || len(r.Differs) == 0 {
		return r.Note
	}
	return Changed(r.Differs[0])
}

// keyInput says what a key input is and where the study says so.
func keyInput(d pipeline.Difference) string {
	return at(fmt.Sprintf("%s = %s", d.InWords(), valueOrAbsent(d.New)), d)
}

func at(text string, d pipeline.Difference) string {
	if d.At != "" {
		text += "   (" + d.At + ")"
	}
	return text
}

func valueOrAbsent(v string) string {
	if v == "" {
		return "(absent)"
	}
	if len(v) == 64 && !strings.ContainsAny(v, "\" ") { // a digest
		return v[:8]
	}
	return v
}

// Difference prints how two studies or runs differ.
func Difference(w io.Writer, d *study.Difference) {
	Printf(w, "A %s\nB %s\n", d.A, d.B)
	for _, n := range d.Notes {
		fmt.Fprintln(w, n)
	}
	fmt.Fprintln(w, "\nstudy")
	for _, v := range d.Study {
		Printf(w, "  %s: %s -> %s   (%s -> %s)\n", v.Key, words.OrAbsent(v.Old), words.OrAbsent(v.New), v.OldAt, v.NewAt)
	}
	if len(d.Study) == 0 {
		fmt.Fprintln(w, "  no differences")
	}
	Printf(w, "\nsteps\n  %d are the same\n", d.Steps)
	for _, g := range d.Changes {
		Printf(w, "  %s: %s\n", g.How, someOf(g.Steps, g.Kind))
		if g.Through != "" {
			Printf(w, "    only because %s differs\n", g.Through)
		}
		for _, v := range g.Differs[:min(ShownDifferences, len(g.Differs))] {
			Printf(w, "    %s\n", Changed(v))
		}
		if more := len(g.Differs) - ShownDifferences; more > 0 {
			Printf(w, "    and %d more key inputs\n", more)
		}
	}
	differentResults(w, d)
	fmt.Fprintln(w, "\ncost")
	t := NewTable(Row{"", "A", "B", "B - A"}, 1)
	for _, c := range d.Costs {
		t.AppendRow(Row{c.What, amount(c.Cost[0], c.Unit), amount(c.Cost[1], c.Unit), amount(c.Cost[1]-c.Cost[0], c.Unit)})
	}
	fmt.Fprintln(w, t.Render(w))
}

// differentResults shows correlations side by side.
func differentResults(w io.Writer, d *study.Difference) {
	if len(d.Results) == 0 {
		fmt.Fprintln(w, "\nresults\n  neither study has results in the cache")
		return
	}
	fmt.Fprintln(w, "\nresults")
	t := NewTable(Row{"mixtures", "eval set", "proxy", "pearson A", "pearson B", "B - A", "chooses A", "chooses B", "regret A", "regret B"}, 3)
	t.Names = []int{6, 7}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return math.NaN()
		}
		return v
	}
	for _, r := range d.Results {
		a, b := number(r.Pearson[0]), number(r.Pearson[1])
		t.AppendRow(Row{r.Group, r.Set, r.Proxy, Fixed(a, 3), Fixed(b, 3), Fixed(b-a, 3), dash(ident.Shown(r.Chooses[0])), dash(ident.Shown(r.Chooses[1])),
			Fixed(number(r.Regret[0]), 2), Fixed(number(r.Regret[1]), 2)})
	}
	fmt.Fprintln(w, t.Render(w))
}

// someOf names the first of some steps and counts the others.
func someOf(steps []string, kind string) string {
	if len(steps) == 1 {
		return steps[0]
	}
	return fmt.Sprintf("%d %s steps, %s first", len(steps), kind, steps[0])
}

func amount(v float64, unit string) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	switch unit {
	case "h", "s":
		return sign + strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
	case "steps":
		return sign + strconv.FormatFloat(v, 'f', 0, 64)
	}
	return sign + words.Count(int64(v), unit)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
