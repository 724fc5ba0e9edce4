package running

import (
	"errors"
	"fmt"
	"slices"

	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/stages/kind"
)

// blame puts the place in the study before the failures that one of its keys is to blame for.
func blame(p *study.Compiled, err error) error {
	var failed *runner.FailedError
	if !errors.As(err, &failed) {
		return err
	}
	for i := range failed.Failures {
		f := &failed.Failures[i]
		if n, err := p.Plan.Find(f.Step); err == nil {
			f.Err = p.State.Blame(p.Study, n, f.Err)
		}
		var key *kind.KeyError
		if !errors.As(f.Err, &key) {
			continue
		}
		if at := readBy(p, f.Step); at != nil {
			f.Err = fmt.Errorf("%s: %w", p.Study.At(append(at, key.Key...)...), f.Err)
		}
	}
	return err
}

// readBy is the place in the study of the corpus or evaluation set whose documents a step reads;
// nil: it reads none.
func readBy(p *study.Compiled, id string) []string {
	i := slices.IndexFunc(p.Plan.Steps, func(s *pipeline.Step) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	for _, split := range p.Plan.Splits {
		if split.Step == i {
			return []string{"corpora", p.CorpusOf(split)}
		}
	}
	of := func(files []pipeline.File) bool {
		return slices.ContainsFunc(p.Plan.Steps[i].Inputs, func(in pipeline.Input) bool {
			return in.File != nil && slices.ContainsFunc(files, func(f pipeline.File) bool { return f.Path == in.File.Path })
		})
	}
	for name, files := range p.Sources.EvalSets {
		if of(files) {
			return []string{"eval", "out_of_domain", name}
		}
	}
	for name, files := range p.Sources.Corpora {
		if of(files) {
			return []string{"corpora", name}
		}
	}
	return nil
}
