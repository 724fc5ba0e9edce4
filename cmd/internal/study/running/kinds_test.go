package running

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/reporting"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/stages"
	"ablate/stages/kind"
)

// lengths is a kind of no study: a step writes how many bytes its input has.
func lengths(seen *int64) kind.Kind {
	type params struct {
		Unit string `json:"unit"`
	}
	return kind.Kind{
		Name: "length", History: []string{"first"},
		Run: func(_ context.Context, job *kind.Job) error {
			var p params
			if err := job.Decode(&p); err != nil {
				return err
			}
			in, err := job.Input("text")
			if err != nil {
				return err
			}
			data, err := os.ReadFile(in.Path)
			if err != nil {
				return err
			}
			*seen = job.Memory
			return os.WriteFile(filepath.Join(job.Dir, "length.txt"), fmt.Appendf(nil, "%d %s\n", len(data), p.Unit), 0o666)
		},
		Needs: func(job *kind.Job) (kind.Needs, error) {
			return kind.Needs{Memory: int64(job.Threads) << 20, LeastMemory: 1 << 10, Leaves: 3, Aside: 4}, nil
		},
		Differ:  func(output, made, given string) string { return output + " is another length" },
		Origins: map[string]string{"unit": "*.text"},
		Titles:  map[string]string{kind.RoleCorpus: "lengths of corpora"},
	}
}

// A kind that no room knows of is planned, carried out, found again, explained, reported and
// audited by nothing but its value.
func TestKindOfOnesOwn(t *testing.T) {
	var seen int64
	own := lengths(&seen)
	kinds := append(stages.Kinds(), own)
	path := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(path, []byte("12345"), 0o666); err != nil {
		t.Fatal(err)
	}
	digest, _, err := cache.FileDigestNow(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	step := func(id string, in pipeline.Input) *pipeline.Step {
		in.Role = "text"
		return &pipeline.Step{
			ID: id, Kind: own.Name, About: pipeline.About{Role: kind.RoleCorpus, Corpus: "go"}, Params: json.RawMessage(`{"unit":"bytes"}`), Inputs: []pipeline.Input{in},
		}
	}
	plan := &pipeline.Plan{Study: "own", Result: -1, Steps: []*pipeline.Step{
		step("first", pipeline.Input{File: &pipeline.File{Name: "a.txt", Path: path, Digest: digest, Size: 5}}),
		step("second", pipeline.Input{Step: 0, Output: "length.txt"}),
	}}
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	before, err := plan.Resolve(kinds, c.Lookup)
	if err != nil {
		t.Fatal(err)
	}
	if before.Status[0] != pipeline.Run || before.Status[1] != pipeline.Waits {
		t.Fatalf("planned as %v", before.Status)
	}
	if n, err := diskNeedsOf(before, 1); err != nil || n.checkpoints != 6 || n.aside != 4 {
		t.Errorf("needs of the disk %+v, %v", n, err)
	}
	state, err := runner.Run(t.Context(), plan, runner.Options{Cache: c, Kinds: kinds, Slots: 2, Memory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if seen != 2<<20 {
		t.Errorf("a step had %d bytes of memory, want the %d that it needs", seen, 2<<20)
	}
	out, err := study.OutputPath(c, state.Entries[1], "length.txt")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(out); err != nil || string(text) != "8 bytes\n" {
		t.Errorf("the second step left %q, %v", text, err)
	}
	if keys := strings.Join(state.Origin(nil, 1, "param unit"), "."); keys != "corpora.go.text" {
		t.Errorf("the parameter comes from %s", keys)
	}
	if steps, flow, err := reporting.StepsByKind(state); err != nil || len(steps) != 1 || steps[0].Of != "lengths of corpora" || steps[0].Count != 2 || len(flow) != 0 {
		t.Errorf("steps %+v, flow %+v, %v", steps, flow, err)
	}
	if got := kinds.Difference("length", "length.txt", out, out); got != "length.txt is another length" {
		t.Errorf("difference %q", got)
	}
	// A line of history is another version, so that nothing old is served; a kind that nobody has
	// is an error, not a step that is left out.
	later := own
	later.History = append(later.History, "counts the end of a line, too")
	if now, err := plan.Resolve(append(stages.Kinds(), later), c.Lookup); err != nil || now.Status[0] != pipeline.Run || now.Keys[0] == state.Keys[0] {
		t.Errorf("of version 2: %v", err)
	}
	if _, err := plan.Resolve(stages.Kinds(), c.Lookup); err == nil || !strings.Contains(err.Error(), `step first: internal error: there is no kind of step "length"`) {
		t.Errorf("of no kind: %v", err)
	}
}
