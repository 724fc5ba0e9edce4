package show

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"ablate/cmd/internal/study/doctor"
	"ablate/cmd/internal/study/timing"
	"ablate/specs/words"
)

// About is a time in plain words, as exactly as an estimate is: "about 40 seconds", "about 3
// minutes", "about 2.5 hours".
func About(seconds float64) string {
	unit := func(n float64, one, many string) string {
		text := fmt.Sprintf("%.2g", n)
		if n >= 10 {
			text = fmt.Sprintf("%.0f", n)
		}
		if text == "1" {
			return "about 1 " + one
		}
		return "about " + text + " " + many
	}
	switch {
	case !(seconds >= 0) || math.IsInf(seconds, 0):
		return "a time that is not known"
	case seconds < 1:
		return "less than a second"
	case seconds < 100:
		return unit(math.Round(seconds), "second", "seconds")
	case seconds < 5400:
		return unit(seconds/60, "minute", "minutes")
	case seconds < 48*3600:
		return unit(seconds/3600, "hour", "hours")
	}
	if days := seconds / 86400; days < 730 {
		return unit(days, "day", "days")
	}
	return unit(seconds/86400/365, "year", "years")
}

// Expected is an estimate in a sentence.
func Expected(e timing.Estimate) string {
	text := fmt.Sprintf("What is left of this study takes %s on this machine (%s, %s)", About(e.Seconds), e.Processor, words.Counted(e.Threads, "core", "cores"))
	if e.Until != "" {
		text += ", as far as the split"
	}
	return text + "."
}

// Timing prints an estimate, in all and by kind of step.
func Timing(w io.Writer, e timing.Estimate) {
	if len(e.Kinds) == 0 {
		return
	}
	Printf(w, "\n%s\n", Expected(e))
	var parts []string
	for _, k := range e.Kinds {
		parts = append(parts, fmt.Sprintf("%s %s (%s)", k.Kind, Core(k.CoreSeconds), basis[k.Basis]))
	}
	Printf(w, "Seconds of one core: %s.\n", strings.Join(parts, ", "))
	if len(e.Assumes) > 0 {
		Printf(w, "The estimate assumes that %s.\n", strings.Join(e.Assumes, ", and that "))
	}
}

// basis says in words what an estimate rests on.
var basis = map[timing.Basis]string{timing.Constant: "rough", timing.Probe: "measured", timing.Runs: "from runs"}

// Core is a number of core-seconds, to two digits.
func Core(seconds float64) string {
	if seconds < 10 {
		return fmt.Sprintf("%.2g", seconds)
	}
	digits := 1.0
	for seconds/digits >= 100 {
		digits *= 10
	}
	return Whole(int(math.Round(seconds/digits) * digits))
}

// Outcome says how an estimate did.
func Outcome(o timing.Outcome) string {
	took, estimated := time.Duration(o.Took*float64(time.Second)), time.Duration(o.Estimated*float64(time.Second))
	return fmt.Sprintf("The estimate was %s, and the steps took %s.", short(estimated), short(took))
}

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
