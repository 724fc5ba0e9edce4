package show

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/reporting"
	"ablate/cmd/internal/study/running"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs"
	"ablate/stages/tables"
)

// TestTellConflicts: a step that gave other bytes is told with both digests, and with who made
// which.
func TestTellConflicts(t *testing.T) {
	entry := func(text, host string) *cache.Entry {
		return &cache.Entry{Kind: "train", Outputs: []cache.Output{{Name: "model", Digest: cache.DigestOf([]byte(text)), Size: 1}},
			Provenance: cache.Provenance{Host: host, Started: "2026-01-02T03:04:05Z", CPU: "a \x1b[31mcpu"}}
	}
	var said strings.Builder
	conflicts(&said, nil)
	if said.Len() > 0 {
		t.Errorf("said %q of nothing", said.String())
	}
	conflicts(&said, []*cache.Conflict{{First: entry("a", "one"), Second: entry("b", "two")}})
	for _, want := range []string{"NOT DETERMINISTIC", cache.DigestOf([]byte("a")).String(), cache.DigestOf([]byte("b")).String(), "on one", "on two", "ablate cache verify"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q does not say %q", said.String(), want)
		}
	}
	if strings.Contains(strings.SplitN(said.String(), "now:", 2)[0], "\x1b") {
		t.Error("an escape of another's entry reaches the terminal")
	}
}

// What a person sees of a run, by the flags: everything, failures and results only, or lines of
// JSON without results.
func TestRunIsShown(t *testing.T) {
	plan := &pipeline.Plan{Steps: []*pipeline.Step{{ID: "seed"}, {ID: "far"}}}
	of := &specs.Study{Name: "small"}
	var table study.Table
	var err error
	if table, err = study.ReadTable([]byte("mixture_set,eval_set,proxy,n,pearson,pearson_low,pearson_high,spearman,kendall,chosen,chosen_place,regret\n")); err != nil {
		t.Fatal(err)
	}
	warnings, err := study.ReadTable([]byte("mixture_set,eval_set,proxy,code,message\n"))
	if err != nil {
		t.Fatal(err)
	}
	finished := &running.Finished{
		Compiled: &study.Compiled{Study: of, Plan: plan}, Ran: 1, Remote: 1, Took: 1500 * time.Millisecond,
		Result: &reporting.Result{Study: "small", Correlations: table, Warnings: warnings, Out: "out/small"},
	}
	events := []study.Event{
		running.Begins{N: 2, Of: 3, Name: "small.yaml"},
		study.Note{Text: "a note"},
		study.Warning{Text: "a warning"},
		study.Progress{Study: "small", Event: runner.Event{What: runner.Planned, Step: -1, State: &pipeline.State{Plan: plan, Status: []pipeline.Status{pipeline.Run, pipeline.Hit}}}},
		study.Progress{Study: "small", Step: "seed", Event: runner.Event{What: runner.Failed, Step: 0, Err: errors.New("a failure")}},
		study.StepsEnded{Study: "small", Moved: study.Moved{Remote: "there", Read: remote.Count{Entries: 1, Blobs: 2, Bytes: 3000}, Unsent: 4}},
		running.Read{Study: "small", Readings: []corpora.Reading{{Reading: tables.Reading{Files: 1, Read: 3, Kept: 2, Dropped: map[string]int64{"empty": 1}}, Name: "parts"}}},
		running.Ends{Finished: finished},
	}
	for _, c := range []struct {
		name     string
		run      Run
		out, err []string // in this order
		not      []string // nowhere
	}{
		{"one study", Run{},
			[]string{"no correlations", "report: out/small/report.html"},
			[]string{"a note\n", "warning: a warning\n", "remote there: read 1 entry, 2 blobs, 3 kB\n", "4 results of this run could not be written", "corpus parts: ",
				"2 steps: 1 were in the cache (1 of them from the remote), 1 ran; 1.50s\n"}, nil},
		{"quiet", Run{Quiet: true}, []string{"report: "}, []string{"warning: a warning\n", "2 steps: "}, []string{"a note", "corpus parts"}},
		{"several", Run{Several: true}, nil, []string{"study 2 of 3: small.yaml\n", "2 steps: "}, []string{"report: "}},
		{"JSON of several", Run{JSON: true, Several: true, Quiet: true},
			[]string{`{"event":"failed","study":"small","step":"seed","message":"a failure"}` + "\n", `{"event":"notice","study":"small","message":"corpus parts: `},
			[]string{"warning: a warning\n"}, []string{"study 2 of 3", "2 steps: ", "report: "}},
		{"JSON", Run{JSON: true}, []string{`{"event":"planned","hit":1,"steps":2}` + "\n", `{"event":"failed","step":"seed","message":"a failure"}` + "\n"}, []string{"a note\n"}, []string{"report: "}},
	} {
		var out, err strings.Builder
		c.run.Out, c.run.Err = &out, &err
		for _, e := range events {
			c.run.Hear(e)
		}
		for _, x := range []struct {
			got  string
			want []string
		}{{out.String(), c.out}, {err.String(), c.err}} {
			rest := x.got
			for _, want := range x.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Errorf("%s: %q does not say %q, or not there", c.name, x.got, want)
					continue
				}
				rest = after
			}
		}
		for _, not := range c.not {
			if strings.Contains(out.String()+err.String(), not) {
				t.Errorf("%s: says %q", c.name, not)
			}
		}
	}
}
