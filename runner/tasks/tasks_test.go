package tasks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner/exec"
	"ablate/stages/kind"
)

// state is of a plan of two steps: the first reads a raw file, the second what the first made, and
// something that it did not make.
func state(t *testing.T, output string, found bool) *pipeline.State {
	t.Helper()
	text := []byte("12345")
	file := &pipeline.File{Name: "a.txt", Path: "a.txt", Digest: cache.DigestOf(text), Size: 5}
	step := func(id string, in pipeline.Input) *pipeline.Step {
		return &pipeline.Step{ID: id, Kind: "copy", Params: json.RawMessage(`{"x":1}`), Inputs: []pipeline.Input{in}}
	}
	p := &pipeline.Plan{Study: "own", Result: -1, Steps: []*pipeline.Step{
		step("first", pipeline.Input{Role: "file.0", File: file}),
		step("second", pipeline.Input{Role: "text", Step: 0, Output: "out.txt"}),
	}}
	kinds := kind.Kinds{{Name: "copy", History: []string{"first", "second"}}}
	s, err := p.Resolve(kinds, func(cache.Key) (*cache.Entry, error) {
		if found {
			return &cache.Entry{Outputs: []cache.Output{{Name: "out.txt", Digest: cache.DigestOf(text), Size: 5}}}, nil
		}
		return nil, &cache.Miss{Reason: cache.Absent}
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Steps[1].Inputs[0].Output = output
	return s
}

func TestOf(t *testing.T) {
	s := state(t, "out.txt", true)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []exec.Input{
		{Role: "file.0", Digest: cache.DigestOf([]byte("12345")), Size: 5, Path: filepath.Join(dir, "a.txt"), Name: "a.txt"},
		{Role: "text", Digest: cache.DigestOf([]byte("12345")), Size: 5, Name: "first out.txt", Files: []string{"a.txt"}},
	} {
		task, err := Of(s, i)
		if err != nil {
			t.Fatal(err)
		}
		if err := task.Check(); err != nil {
			t.Error(err)
		}
		got := task.Inputs[0]
		if task.Key != s.Keys[i] || task.Kind != "copy" || task.Version != 2 || string(task.Params) != `{"x":1}` || task.Step != s.Plan.Steps[i].ID || task.Study != "own" || task.Attempt != 1 {
			t.Errorf("task %+v", task)
		}
		if strings.Join(got.Files, " ") != strings.Join(want.Files, " ") || got.Role != want.Role || got.Digest != want.Digest || got.Size != want.Size || got.Path != want.Path || got.Name != want.Name {
			t.Errorf("input %+v, want %+v", got, want)
		}
	}
}

// There is no task of a step whose inputs are not known.
func TestOfWhatCannotBegin(t *testing.T) {
	if _, err := Of(state(t, "out.txt", false), 1); err == nil || !strings.Contains(err.Error(), "step second waits for others and has no key yet") {
		t.Errorf("a step that waits: %v", err)
	}
	if _, err := Of(state(t, "more.txt", true), 1); err == nil || err.Error() != `step second: input text: step first left no output "more.txt"` {
		t.Errorf("an output that there is not: %v", err)
	}
	s := state(t, "out.txt", true)
	s.Revoke(0, &cache.Miss{Reason: cache.Absent})
	if _, err := Of(s, 1); err == nil || err.Error() != "step second: input text: step first, which makes it, is not done" {
		t.Errorf("a step whose output was lost: %v", err)
	}
}
