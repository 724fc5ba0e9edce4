// Package tasks makes tasks of the steps of a plan. It is the one place that knows both.
package tasks

import (
	"fmt"
	"path/filepath"

	"ablate/pipeline"
	"ablate/runner/exec"
)

// Of makes the task of step i, whose key is known. Its needs, its priority and when its run began
// are left to who carries the plan out. It looks at no byte: whether the inputs are there is seen
// when they are opened.
func Of(s *pipeline.State, i int) (*exec.Task, error) {
	if s.Status[i] == pipeline.Waits {
		return nil, fmt.Errorf("internal error: step %s waits for others and has no key yet", s.Plan.Steps[i].ID)
	}
	step := s.Step(i)
	k, err := s.Kinds.Named(step.Kind)
	if err != nil {
		return nil, err
	}
	t := &exec.Task{
		Key: s.Keys[i], Kind: k.Name, Version: k.Version(), Params: step.Params, Inputs: make([]exec.Input, len(step.Inputs)), Attempt: 1,
		Step: s.Plan.Steps[i].ID, Study: s.Plan.Study,
	}
	for n, in := range step.Inputs {
		if t.Inputs[n], err = input(s, in); err != nil {
			return nil, fmt.Errorf("step %s: input %s: %w", t.Step, in.Role, err)
		}
	}
	return t, nil
}

func input(s *pipeline.State, in pipeline.Input) (exec.Input, error) {
	if f := in.File; f != nil {
		path, err := filepath.Abs(f.Path) // another process has another working directory
		return exec.Input{Role: in.Role, Digest: f.Digest, Size: f.Size, Path: path, Name: f.Name}, err
	}
	from := s.Plan.Steps[in.Step]
	if s.Status[in.Step] != pipeline.Hit {
		return exec.Input{}, fmt.Errorf("step %s, which makes it, is not done", from.ID)
	}
	out, ok := s.Entries[in.Step].Output(in.Output)
	if !ok {
		return exec.Input{}, fmt.Errorf("step %s left no output %q", from.ID, in.Output)
	}
	return exec.Input{Role: in.Role, Digest: out.Digest, Size: out.Size, Name: from.ID + " " + in.Output, Files: from.FileNames()}, nil
}
