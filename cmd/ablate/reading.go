package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// A reading is what became of the documents of a corpus or an evaluation set.
type reading struct {
	tables.Reading
	name      string
	evalSet   bool
	duplicate int64 // of a corpus that is divided: documents left out since one before them has their identity
	absent    string
}

// readings are those of all corpora and evaluation sets, in the order of the plan.
func readings(p *study.Compiled) ([]reading, error) {
	list, err := corpora(p)
	if err != nil {
		return nil, err
	}
	var out []reading
	for _, x := range list {
		r := reading{name: x.Name, evalSet: x.EvalSet, absent: p.Study.Corpora[x.Name].Absent}
		if x.EvalSet {
			r.absent = p.Study.Eval.OutOfDomain[x.Name].Absent
		}
		if r.Reading, err = tables.Readings(x.Counts); err != nil {
			return nil, fmt.Errorf("%s: %w", x.Name, err)
		}
		out = append(out, r)
	}
	for _, split := range p.Plan.Splits {
		path, err := p.Output(split.Step, kind.OutSizes)
		if err != nil {
			return nil, err
		}
		rows, err := tables.Sizes(path)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(out, func(r reading) bool { return !r.evalSet && r.name == p.CorpusOf(split) })
		for _, row := range rows {
			if row.Part == tables.PartDuplicate && i >= 0 {
				out[i].duplicate = max(out[i].duplicate, row.Documents)
			}
		}
	}
	return out, nil
}

// words are the reading in a line.
func (r reading) words() string {
	what := "corpus"
	if r.evalSet {
		what = "evaluation set"
	}
	text := fmt.Sprintf("%s %s: %s", what, r.name, r.Words())
	if len(r.Absent) > 0 {
		text += fmt.Sprintf(" (%q stands for them)", r.absent)
	}
	if r.duplicate > 0 {
		text += fmt.Sprintf("; %d kept documents are left out, since one before them has the same identity", r.duplicate)
	}
	return text
}

// tellNotes says which files were passed over, and what the study most likely does not mean, before anything is computed.
func tellNotes(w io.Writer, p *study.Compiled) {
	for _, note := range p.Notes() {
		show.Printf(w, "%s\n", note)
	}
}

// readingLines are a line for each corpus and evaluation set, or for those only of which something was left out or not found.
func readingLines(p *study.Compiled, all bool) ([]string, error) {
	list, err := readings(p)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, r := range list {
		if all || r.Notable() || r.duplicate > 0 {
			lines = append(lines, r.words())
		}
	}
	return lines, nil
}

// blame puts the place in the study before the failures that one of its keys is to blame for.
func blame(p *study.Compiled, err error) error {
	var failed *runner.FailedError
	if !errors.As(err, &failed) {
		return err
	}
	for i := range failed.Failures {
		f := &failed.Failures[i]
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

// readBy is the place in the study of the corpus or evaluation set whose documents a step reads; nil: it reads none.
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
