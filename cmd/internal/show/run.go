package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/running"
	"ablate/cmd/internal/study/timing"
	"ablate/runner"
)

// Run shows a run while it goes on: its progress and what must be known about each study at its
// end.
type Run struct {
	Out, Err io.Writer
	Quiet    bool // failures and results only
	JSON     bool // events of the steps as lines of JSON on Out, and no results
	Several  bool // studies, so that each line of JSON names its own, and one table at the end is the result

	display  *Display
	expected *expectForm // not printed yet
}

// Hear takes an event of the run.
func (r *Run) Hear(e study.Event) {
	switch e := e.(type) {
	case study.Note:
		if !r.Quiet {
			Printf(r.Err, "%s\n", e.Text)
		}
	case running.Begins:
		if !r.JSON {
			fmt.Fprintf(r.Err, "study %d of %d: %s\n", e.N, e.Of, e.Name)
		}
	case running.Expects:
		r.expects(e)
	case study.Progress:
		r.progress(e)
	case study.StepsEnded:
		if r.display != nil {
			r.display.Close()
			r.display = nil
		}
		conflicts(r.Err, e.Conflicts)
		MovedBy(r.Err, e.Moved)
	case running.Read:
		r.readings(e)
	case running.Ends:
		r.ended(e.Finished)
	default:
		Hear(r.Err, e)
	}
}

func (r *Run) progress(e study.Progress) {
	if r.JSON {
		r.line(e)
		return
	}
	if r.display == nil {
		r.display = NewDisplay(r.Err, r.Quiet)
	}
	r.display.Event(e.Event, e.Left)
}

// expects says how long a study takes.
func (r *Run) expects(e running.Expects) {
	if r.JSON {
		line := expectForm{Event: "estimate", Estimate: e.Estimate}
		if r.Several {
			line.Study = e.Study
		}
		r.expected = &line // behind the event that the plan is made, which is the first of a run
		return
	}
	if !r.Quiet && len(e.Kinds) > 0 {
		Printf(r.Err, "%s\n", Expected(e.Estimate))
	}
}

// expectForm is the line of `ablate run --json` that says how long the run takes.
type expectForm struct {
	Event string `json:"event"`
	Study string `json:"study,omitempty"`
	timing.Estimate
}

// outcomeForm is the line of `ablate run --json` that says how the estimate did.
type outcomeForm struct {
	Event string `json:"event"`
	Study string `json:"study,omitempty"`
	timing.Outcome
}

// outcome says how the estimate did, where something ran.
func (r *Run) outcome(f *running.Finished) {
	if f.Outcome == nil || f.Ran == 0 {
		return
	}
	if r.JSON {
		line := outcomeForm{Event: "estimated", Outcome: *f.Outcome}
		if r.Several {
			line.Study = f.Study.Name
		}
		_ = json.NewEncoder(r.Out).Encode(line)
		return
	}
	if !r.Quiet {
		Printf(r.Err, "%s\n", Outcome(*f.Outcome))
	}
}

// readings says what became of documents.
func (r *Run) readings(e running.Read) {
	for _, x := range e.Readings {
		switch {
		case r.JSON:
			r.line(study.Progress{Study: e.Study, Event: runner.Event{What: runner.Notice, Step: -1, Message: Reading(x)}})
		case !r.Quiet:
			Printf(r.Err, "%s\n", Reading(x))
		}
	}
}

// ended shows what a study came to.
func (r *Run) ended(f *running.Finished) {
	r.outcome(f)
	if r.JSON {
		return
	}
	fmt.Fprintf(r.Err, "%d steps: %d were in the cache%s, %d ran; %.2fs\n", len(f.Plan.Steps), len(f.Plan.Steps)-f.Ran, fromElsewhere(f), f.Ran, f.Took.Seconds())
	switch {
	case f.Result == nil:
		Catalogue(r.Out, f.Catalogue)
		Changes(r.Out, f.Changes)
	case !r.Several:
		Result(r.Out, f.Result)
	}
}

// fromElsewhere says how many steps the upstream and the remote had, if any.
func fromElsewhere(f *running.Finished) string {
	var parts []string
	if f.Upstream > 0 {
		parts = append(parts, fmt.Sprintf("%d of them upstream", f.Upstream))
	}
	if f.Remote > 0 {
		parts = append(parts, fmt.Sprintf("%d of them from the remote", f.Remote))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// conflicts says at the end, where it is not overlooked, that steps gave other bytes than another
// run's.
func conflicts(w io.Writer, list []*cache.Conflict) {
	for _, e := range list {
		fmt.Fprintf(w, "NOT DETERMINISTIC: %v\n  first: %s on %s, %s\n  now:   %s on %s, %s\n", e,
			e.First.Provenance.Started, cache.Printable(e.First.Provenance.Host), cache.Printable(e.First.Provenance.CPU),
			e.Second.Provenance.Started, e.Second.Provenance.Host, e.Second.Provenance.CPU)
	}
	if len(list) > 0 {
		fmt.Fprintln(w, "The first results are used, and everything made from them is consistent. The cache keeps both: `ablate cache verify` reports the conflict until `ablate cache rm KEY` removes it.")
	}
}

// eventForm is a line of `ablate run --json`.
type eventForm struct {
	Event   string  `json:"event"`
	Study   string  `json:"study,omitempty"`
	Step    string  `json:"step,omitempty"`
	Key     string  `json:"key,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Done    int64   `json:"done,omitempty"`
	Total   int64   `json:"total,omitempty"`
	Unit    string  `json:"unit,omitempty"`
	Docs    int64   `json:"documents,omitempty"`
	Message string  `json:"message,omitempty"`
	Hit     int     `json:"hit,omitempty"`
	Steps   int     `json:"steps,omitempty"`

	Left *float64 `json:"left_seconds,omitempty"`
}

// eventNames are the names of the runner's events, in the order of runner.What.
var eventNames = [...]string{"planned", "started", "progress", "finished", "reused", "failed", "warning", "conflict", "notice"}

// line prints an event as a line of JSON.
func (r *Run) line(p study.Progress) {
	e := p.Event
	line := eventForm{
		Event: eventNames[e.What], Step: p.Step, Seconds: e.Took.Seconds(), Done: e.Done, Total: e.Total, Unit: e.Unit, Docs: e.Docs, Message: e.Message,
	}
	if r.Several {
		line.Study = p.Study
	}
	if e.State != nil {
		line.Hit, _, _ = e.State.Count()
		line.Steps = len(e.State.Plan.Steps)
	}
	if p.Left != nil {
		left := p.Left.Seconds()
		line.Left = &left
	}
	if !e.Key.IsZero() {
		line.Key = e.Key.String()
	}
	if e.Err != nil {
		line.Message = e.Err.Error()
	}
	_ = json.NewEncoder(r.Out).Encode(line) // a reader that went away must not stop the run
	if e.What == runner.Planned && r.expected != nil {
		_ = json.NewEncoder(r.Out).Encode(r.expected)
		r.expected = nil
	}
}

// Hear shows what any operation may tell.
func Hear(w io.Writer, e study.Event) {
	switch e := e.(type) {
	case study.Note:
		Printf(w, "%s\n", e.Text)
	case study.Warning:
		fmt.Fprintln(w, "warning:", e.Text)
	}
}

// Notes prints what is no mistake, a line each.
func Notes(w io.Writer, notes []string) {
	for _, note := range notes {
		Printf(w, "%s\n", note)
	}
}

// MovedBy says what a run moved to and from its remote, and what it did not.
func MovedBy(w io.Writer, m study.Moved) {
	if m.Remote == "" {
		return
	}
	if m.Read != (remote.Count{}) {
		fmt.Fprintf(w, "remote %s: read %s\n", m.Remote, Moved(m.Read))
	}
	if m.Wrote != (remote.Count{}) {
		fmt.Fprintf(w, "remote %s: wrote %s\n", m.Remote, Moved(m.Wrote))
	}
	RemoteConflicts(w, m.Remote, m.Conflicts)
	if m.Unsent > 0 {
		fmt.Fprintf(w, "remote %s: %d results of this run could not be written to it; `ablate cache push` writes them\n", m.Remote, m.Unsent)
	}
}
