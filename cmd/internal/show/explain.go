package show

import (
	"fmt"
	"strings"

	"ablate/pipeline"
)

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
