package show

import (
	"fmt"
	"io"
	"strings"

	"ablate/pipeline"
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
				Printf(w, "%s  %s\n", indent, ingredient(d))
			}
			continue
		}
		Printf(w, "%snearest in the cache: %s\n", indent, r.Nearest)
		if len(r.Differs) == 0 {
			Printf(w, "%sthe same ingredients; its outputs are gone\n", indent)
			continue
		}
		for _, d := range r.Differs[:min(ShownDifferences, len(r.Differs))] {
			Printf(w, "%s%s\n", indent, Changed(d))
		}
		if more := len(r.Differs) - ShownDifferences; more > 0 {
			Printf(w, "%sand %d more ingredients\n", indent, more)
		}
	}
}

// ShownDifferences is how many ingredients of a step are shown: what a person changed at once is mostly fewer.
const ShownDifferences = 5

// Changed says what an ingredient was, is, and where the study says so.
func Changed(d pipeline.Difference) string {
	return at(fmt.Sprintf("%s: %s -> %s", d.InWords(), valueOrAbsent(d.Old), valueOrAbsent(d.New)), d)
}

// Because says in a line why a step would run: the first ingredient that differs, or that there is nothing to compare the step with.
func Because(r pipeline.Reason) string {
	if r.Nearest == "" || len(r.Differs) == 0 {
		return r.Note
	}
	return Changed(r.Differs[0])
}

// ingredient says what an ingredient is and where the study says so.
func ingredient(d pipeline.Difference) string {
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
