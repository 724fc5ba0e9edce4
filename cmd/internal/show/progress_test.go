package show

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ablate/pipeline"
	"ablate/runner"
	"ablate/stages/kind"
)

// shown plays a run of three steps to a display; width is that of its terminal, 0 for none.
func shown(width int, quiet bool, more ...runner.Event) string {
	plan := &pipeline.Plan{Steps: []*pipeline.Step{
		{ID: "tokenize/a", Kind: kind.Tokenize, Cost: pipeline.Cost{Bytes: 30_000_000}},
		{ID: "unit/a", Kind: kind.Train, Cost: pipeline.Cost{Tokens: 4_000}},
		{ID: "correlate", Kind: kind.Correlate},
	}}
	var out bytes.Buffer
	d := NewDisplay(&out, quiet)
	if width > 0 {
		d.width = func() int { return width }
	}
	d.Event(runner.Event{What: runner.Planned, Step: -1, State: &pipeline.State{Plan: plan, Status: make([]pipeline.Status, 3)}}, nil)
	for i := range plan.Steps {
		d.Event(runner.Event{What: runner.Started, Step: i}, nil)
		d.Event(runner.Event{What: runner.Progress, Step: i, Done: 1, Total: 2, Unit: "tokens"}, nil)
		d.Event(runner.Event{What: runner.Finished, Step: i, Took: 2 * time.Second}, nil)
	}
	for _, e := range more {
		d.Event(e, nil)
	}
	d.Close()
	return out.String()
}

func TestDisplayLines(t *testing.T) {
	want := `   1/3 00000000 2.0s     tokenize/a, 30 MB at 15 MB/s
   2/3 00000000 2.0s     unit/a, 4k tokens at 2k tokens/s
   3/3 00000000 2.0s     correlate
`
	if got := shown(0, false); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A quiet display shows what a person must read. A terminal does not obey what stands in a name or
// an error.
func TestDisplayQuiet(t *testing.T) {
	got := shown(0, true, runner.Event{What: runner.Notice, Step: -1, Message: "nothing"}, runner.Event{What: runner.Warning, Step: -1, Message: "a\x1b[2Jb"},
		runner.Event{What: runner.Reused, Step: 2}, runner.Event{What: runner.Conflict, Step: 1, Err: errors.New("other bytes")})
	if want := "warning: a\\x1b[2Jb\nwarning: step unit/a is not deterministic: other bytes\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A failure is one line, with the place where its cause can be read at once; the cause itself comes
// with the run's own error.
func TestDisplayFailure(t *testing.T) {
	boom := errors.New("unit/a: a long story\nof two lines")
	got := shown(0, true, runner.Event{What: runner.Failed, Step: 1, Err: boom, Message: "out/logs/unit_a.log"}, runner.Event{What: runner.Failed, Step: 2, Err: boom})
	if want := "FAILED 00000000 unit/a; its log is out/logs/unit_a.log\nFAILED 00000000 correlate\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDisplayStatusLine(t *testing.T) {
	const width = 40
	text := shown(width, false)
	if !strings.Contains(text, "[====================] ") || !strings.HasSuffix(text, "\r\x1b[2K") {
		t.Errorf("no whole bar, or it was left standing: %q", text[max(0, len(text)-200):])
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if n := len([]rune(strings.TrimPrefix(part, "\x1b[2K"))); n > width {
			t.Errorf("a line of %d columns on a terminal of %d: %q", n, width, part)
		}
	}
}

// A step that reads files shows how far it is in bytes and documents, and the bar goes by the bytes
// of all files.
func TestDisplayReading(t *testing.T) {
	plan := &pipeline.Plan{Steps: []*pipeline.Step{
		{ID: "tokenize/a", Kind: kind.Tokenize, Cost: pipeline.Cost{Bytes: 30_000_000}},
		{ID: "tokenize/b", Kind: kind.Tokenize, Cost: pipeline.Cost{Bytes: 10_000_000}},
	}}
	var out bytes.Buffer
	d := NewDisplay(&out, false)
	d.width = func() int { return 100 }
	d.Event(runner.Event{What: runner.Planned, Step: -1, State: &pipeline.State{Plan: plan, Status: make([]pipeline.Status, 2)}}, nil)
	d.Event(runner.Event{What: runner.Started, Step: 0}, nil)
	d.Event(runner.Event{What: runner.Progress, Step: 0, Done: 15_000_000, Total: 30_000_000, Unit: "bytes", Docs: 12_345}, nil)
	if text := out.String(); !strings.HasSuffix(text, "0/2  tokenize/a 50% of 30 MB, 12.3k documents") || !strings.Contains(text, "[=======             ]") {
		t.Errorf("status line %q", text) // 0.9 of 15/40 is 7 of 20
	}
	d.Event(runner.Event{What: runner.Finished, Step: 0, Took: 2 * time.Second}, nil)
	if text := out.String(); !strings.Contains(text, "2.0s     tokenize/a, 30 MB at 15 MB/s") {
		t.Errorf("line of a finished step: %q", text)
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{bar(0, 4), "[    ]"}, {bar(0.5, 4), "[==  ]"}, {bar(1.2, 4), "[====]"}, {clip("abcdef", 4), "abc…"}, {clip("abc", 4), "abc"}, {clip("材料科学", 5), "材料…"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestStatusNeedsATerminal(t *testing.T) {
	var out bytes.Buffer
	if Status(&out) != nil {
		t.Error("a status line without a terminal")
	}
	if fmt.Sprint(Columns(&out)) != "0" {
		t.Error("a buffer has columns")
	}
}
