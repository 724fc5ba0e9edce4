package show

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"ablate/cmd/internal/study/auditing"
	"ablate/runner/audit"
	"ablate/specs/words"
)

// AuditJSON prints what an audit found.
func AuditJSON(w io.Writer, r *auditing.Result) error {
	return JSON(w, struct {
		Study string `json:"study"`
		Cache string `json:"cache"`
		Out   string `json:"out"`
		Sound bool   `json:"sound"`
		Seed  uint64 `json:"seed,omitempty"`
		audit.Result
	}{r.Study, r.Cache, r.Out, r.Sound(), r.Seed, r.Result})
}

// Packed prints that a bundle was written to a file.
func Packed(w io.Writer, file string, r *auditing.Result) error {
	return Printf(w, "bundle: %s, %s; `ablate audit %s` checks it\n", file, words.Bytes(r.Packed), file)
}

// Audit prints what an audit found and what it could not check; a quiet one prints findings only.
// name is the study, or the bundle, as a person called it.
func Audit(w io.Writer, r *auditing.Result, name string, quiet bool) {
	if !quiet {
		checked(w, r, name)
	}
	for _, f := range r.Findings {
		Printf(w, "%s\n", f)
	}
	switch n := len(r.Findings); {
	case n == 1:
		fmt.Fprintln(w, "\n1 difference")
	case n > 1:
		Printf(w, "\n%d differences\n", n)
	case quiet:
	case r.Report.Of == 0:
		fmt.Fprintln(w, "the audit found no differences in the cache, and checked no report; "+onWord(r))
	default:
		fmt.Fprintln(w, "the audit found no differences; "+onWord(r))
	}
}

// checked prints how much was checked, and what was not.
func checked(w io.Writer, r *auditing.Result, name string) {
	if r.Bundle != nil {
		Printf(w, "study %s, bundle %s, packed by %s\n\n", r.Study, name, r.Bundle.Program)
	} else {
		Printf(w, "study %s, cache %s, report %s\n\n", r.Study, r.Cache, r.Out)
	}
	Printf(w, "raw files   %d of %d have the content that the run read; %s\n", r.Raw.Checked, r.Raw.Of, words.Bytes(r.Raw.Bytes))
	Printf(w, "steps       %d of %d: the key follows from the study and the content of the inputs\n", r.Steps.Checked, r.Steps.Of)
	if r.Upstream > 0 {
		Printf(w, "upstream    %d of these steps: the cache has no entry, %s has\n", r.Upstream, r.Beneath)
	}
	Printf(w, "blobs       %d of %d have the digest that is their name; %s\n", r.Blobs.Checked, r.Blobs.Of, words.Bytes(r.Blobs.Bytes))
	if r.Report.Of > 0 {
		Printf(w, "report      %d of %d files equal those made again from the cache\n", r.Report.Checked, r.Report.Of)
	} else {
		Printf(w, "report      not checked\n")
	}
	for _, e := range unasked(r.Executed) {
		Printf(w, "executed    %s\n", e)
	}
	for _, e := range r.Executed {
		if e.Unasked && e.Same {
			continue
		}
		verdict := "every byte the same"
		if !e.Same {
			verdict = "DIFFERS"
		}
		Printf(w, "executed    %s: %d outputs, %s; %.1fs, %.1fs when it was made\n", e.Step, e.Outputs, verdict, e.Seconds, e.Was)
	}
	if r.Drawn {
		Printf(w, "drawn with  --seed %d\n", r.Seed)
	}
	Printf(w, "\nnot checked\n")
	for _, u := range r.Unchecked {
		Printf(w, "  %s: %s\n", u.What, u.Why)
	}
	fmt.Fprintln(w)
}

// unasked counts, kind by kind, the steps that an audit executed again by itself and found the
// same.
func unasked(list []audit.Executed) []string {
	count, took := map[string]int{}, map[string]float64{}
	for _, e := range list {
		if e.Unasked && e.Same {
			count[e.Kind]++
			took[e.Kind] += e.Seconds
		}
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprintf("%d %s steps, every byte the same; %.1fs", count[k], k, took[k]))
	}
	return out
}

// onWord says what an audit without findings rests on.
func onWord(r *auditing.Result) string {
	var parts []string
	n := 0
	for _, k := range slices.Sorted(maps.Keys(r.OnWord)) {
		n += r.OnWord[k]
		parts = append(parts, fmt.Sprintf("%d %s", r.OnWord[k], k))
	}
	if n == 0 {
		return "every step was executed again"
	}
	return fmt.Sprintf("%d of %d steps were not executed again, so that their results rest on trust in who ran them (%s); --recompute all executes them", n, r.All, strings.Join(parts, ", "))
}
