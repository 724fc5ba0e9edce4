package show

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs/words"
	"ablate/stages/kind"
)

// Display shows a run to a person: a line for each step as it ends and, on a terminal, a status
// line that is drawn over and over with the steps under way, tokens per second and the time left.
// It writes nothing that a person cannot act on: hits are counted, not listed.
type Display struct {
	w     io.Writer
	width func() int // columns of the terminal; nil: not a terminal
	plan  *pipeline.Plan
	quiet bool

	mu     sync.Mutex
	active []*activity
	steps  map[string]*tally // by kind
	total  int               // steps to do
	done   int
	tokens int64 // trained, steps done
	left   int64 // to train, all steps not done
	bytes  int64 // of raw files, steps done
	unread int64 // of raw files, all steps not done
	drawn  bool

	expected time.Duration // that the run will go on for; 0: not known

	rate rate
}

// activity is a step under way.
type activity struct {
	step        int
	began       time.Time
	done, total int64
	unit        string
	docs        int64
}

// String is the step's progress in words: "45% of 27.1 MB, 12.3k documents".
func (a *activity) String() string {
	text := fmt.Sprintf("%d%%", 100*a.done/a.total)
	if a.unit == "bytes" {
		text += " of " + words.Count(a.total, "B")
	}
	if a.docs > 0 {
		text += ", " + words.Count(a.docs, "documents")
	}
	return text
}

// tally is what steps of one kind took so far.
type tally struct {
	left int
	done int
	took time.Duration
}

// rate is trained tokens per second over the last half minute or so.
type rate struct {
	at     []time.Time
	tokens []int64
}

func (r *rate) add(now time.Time, tokens int64) {
	r.at, r.tokens = append(r.at, now), append(r.tokens, tokens)
	for len(r.at) > 2 && now.Sub(r.at[0]) > 30*time.Second {
		r.at, r.tokens = r.at[1:], r.tokens[1:]
	}
}

func (r *rate) perSecond() float64 {
	if len(r.at) < 2 {
		return 0
	}
	n := len(r.at) - 1
	if d := r.at[n].Sub(r.at[0]).Seconds(); d > 0.5 {
		return float64(r.tokens[n]-r.tokens[0]) / d
	}
	return 0
}

// NewDisplay writes to w, with a status line where w is a terminal. A quiet one shows failures and
// warnings only.
func NewDisplay(w io.Writer, quiet bool) *Display {
	d := &Display{w: w, quiet: quiet, steps: map[string]*tally{}}
	if f := terminal(w); f != nil && !quiet {
		d.width = func() int { return Columns(f) }
	}
	return d
}

// show begins to show a plan, with the state it starts from.
func (d *Display) show(state *pipeline.State) {
	plan := state.Plan
	d.plan, d.steps = plan, map[string]*tally{}
	d.total, d.done, d.left, d.tokens, d.unread, d.bytes, d.active, d.rate = 0, 0, 0, 0, 0, 0, nil, rate{}
	for i, s := range plan.Steps {
		if state.Status[i] == pipeline.Hit {
			continue
		}
		d.total++
		d.left += s.Cost.Tokens
		d.unread += s.Cost.Bytes
		d.kind(s.Kind).left++
	}
}

func (d *Display) kind(k string) *tally {
	if d.steps[k] == nil {
		d.steps[k] = &tally{}
	}
	return d.steps[k]
}

// Event takes one event of the run, and how long the run will go on for; nil: as before.
func (d *Display) Event(e runner.Event, left *time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if left != nil {
		d.expected = *left
	}
	if e.What == runner.Planned {
		d.show(e.State)
		return
	}
	var step *pipeline.Step
	if e.Step >= 0 {
		step = d.plan.Steps[e.Step]
	}
	switch e.What {
	case runner.Started:
		d.active = append(d.active, &activity{step: e.Step, began: time.Now()})
	case runner.Progress:
		for _, a := range d.active {
			if a.step == e.Step {
				a.done, a.total, a.unit, a.docs = e.Done, e.Total, e.Unit, e.Docs
			}
		}
	case runner.Finished, runner.Reused:
		d.end(e.Step)
		t := d.kind(step.Kind)
		t.left--
		t.done++
		t.took += e.Took
		d.done++
		d.tokens += step.Cost.Tokens
		d.left -= step.Cost.Tokens
		d.bytes += step.Cost.Bytes
		d.unread -= step.Cost.Bytes
		d.line(d.finished(step, e))
	case runner.Failed:
		d.end(e.Step)
		d.line(failed(step, e))
	case runner.Warning:
		d.line("warning: " + e.Message)
	case runner.Conflict:
		d.line(fmt.Sprintf("warning: step %s is not deterministic: %v", step.ID, e.Err))
	case runner.Notice:
		d.line(e.Message)
	}
	d.draw()
}

func (d *Display) end(step int) {
	for i, a := range d.active {
		if a.step == step {
			d.active = append(d.active[:i], d.active[i+1:]...)
			return
		}
	}
}

// failed is a line about a step that failed. The cause comes once, with the run's own error; until
// then it can be read in the log.
func failed(s *pipeline.Step, e runner.Event) string {
	if e.Message == "" {
		return fmt.Sprintf("FAILED %s %s", e.Key.Short(), s.ID)
	}
	return fmt.Sprintf("FAILED %s %s; its log is %s", e.Key.Short(), s.ID, e.Message)
}

func (d *Display) finished(s *pipeline.Step, e runner.Event) string {
	line := fmt.Sprintf("%4d/%d %s %-8s %s", d.done, d.total, e.Key.Short(), short(e.Took), s.ID)
	if e.What == runner.Reused {
		return line + " (another run put it into the cache)"
	}
	if s.Cost.Bytes > 0 && e.Took > 0 {
		line += fmt.Sprintf(", %s at %s/s", words.Count(s.Cost.Bytes, "B"), words.Count(int64(float64(s.Cost.Bytes)/e.Took.Seconds()), "B"))
	}
	if s.Cost.Tokens > 0 && e.Took > 0 {
		line += fmt.Sprintf(", %s at %s/s", words.Count(s.Cost.Tokens, "tokens"), words.Count(int64(float64(s.Cost.Tokens)/e.Took.Seconds()), "tokens"))
	}
	return line
}

// line writes a line above the status line. Without a terminal the many short steps are gathered
// into a line every few seconds.
func (d *Display) line(text string) {
	text = cache.PrintableLines(text)
	if d.width == nil {
		if !d.quiet || strings.HasPrefix(text, "FAILED") || strings.HasPrefix(text, "warning") {
			fmt.Fprintln(d.w, text)
		}
		return
	}
	d.erase()
	if !strings.HasPrefix(text, "FAILED") && !strings.HasPrefix(text, "warning") { // what a person must read is whole
		text = clip(text, d.width())
	}
	fmt.Fprintln(d.w, text)
}

func (d *Display) erase() {
	if d.drawn {
		fmt.Fprint(d.w, "\r\x1b[2K")
		d.drawn = false
	}
}

// Close ends the status line.
func (d *Display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.width != nil {
		d.erase()
	}
}

// draw renews the status line.
func (d *Display) draw() {
	if d.width == nil || d.plan == nil || d.total == 0 {
		return
	}
	now := time.Now()
	trained, read := d.tokens, d.bytes
	for _, a := range d.active {
		switch s := d.plan.Steps[a.step]; {
		case a.unit == "tokens" && s.Kind == kind.Train:
			trained += a.done
		case a.unit == "bytes" && s.Kind == kind.Tokenize:
			read += a.done
		}
	}
	d.rate.add(now, trained)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d/%d", bar(d.share(trained, read), 20), d.done, d.total)
	if r := d.rate.perSecond(); r > 0 {
		fmt.Fprintf(&b, "  %s/s", words.Count(int64(r), "tokens"))
	}
	if eta, ok := d.eta(trained); d.expected > 0 {
		fmt.Fprintf(&b, "  %s left", short(d.expected))
	} else if ok {
		fmt.Fprintf(&b, "  %s left", short(eta))
	}
	for _, a := range d.active {
		fmt.Fprintf(&b, "  %s", d.plan.Steps[a.step].ID)
		if a.total > 0 {
			fmt.Fprintf(&b, " %v", a)
		}
	}
	d.erase()
	fmt.Fprint(d.w, clip(b.String(), d.width()-1))
	d.drawn = true
}

// share is how much of the run is done: of the tokens where there is something to train, else of
// the bytes where there are files to read, else of the steps.
func (d *Display) share(trained, read int64) float64 {
	steps := float64(d.done) / float64(d.total)
	if all := d.tokens + d.left; all > 0 {
		return 0.9*float64(trained)/float64(all) + float64(0.1*steps)
	}
	if all := d.bytes + d.unread; all > 0 {
		return 0.9*float64(read)/float64(all) + float64(0.1*steps)
	}
	return steps
}

// eta adds what is left to train at the present rate and the other steps at the mean of their kind
// so far. It is unknown until something of the kind that is left has been seen.
func (d *Display) eta(trained int64) (time.Duration, bool) {
	var left float64
	if tokens := d.tokens + d.left - trained; tokens > 0 {
		r := d.rate.perSecond()
		if r == 0 {
			return 0, false
		}
		left += float64(tokens) / r
	}
	for k, t := range d.steps {
		if k == kind.Train || t.left == 0 || t.done == 0 {
			continue
		}
		left += float64(t.left) * t.took.Seconds() / float64(t.done) / float64(max(1, len(d.active)))
	}
	return time.Duration(left * float64(time.Second)), left > 0
}

func bar(share float64, width int) string {
	n := min(width, max(0, int(float64(share*float64(width))+0.5)))
	return "[" + strings.Repeat("=", n) + strings.Repeat(" ", width-n) + "]"
}

// clip cuts a line to so many columns of a terminal.
func clip(line string, columns int) string { return text.Snip(line, columns, "…") }

// Status gives a function that writes a line over the one before on the terminal that w is, a few
// times a second at most; nil where w is none.
func Status(w io.Writer) func(line string) {
	f := terminal(w)
	if f == nil {
		return nil
	}
	var last time.Time
	return func(line string) {
		if now := time.Now(); now.Sub(last) >= 200*time.Millisecond {
			last = now
			fmt.Fprintf(f, "\r\x1b[K%s\r", line)
		}
	}
}
