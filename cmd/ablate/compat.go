package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/reporting"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Names of files that audit.go, bundle.go, explain.go and plan.go still use.
const (
	reportFile = reporting.PageFile
	planFile   = reporting.PlanFile
	lossesFile = reporting.LossesFile
)

var (
	reportNames = reporting.Names
	outDir      = reporting.Dir
	checkFile   = reporting.CheckFile
	makeTemp    = study.TempDir
)

func reportFiles(dir string, p *study.Compiled) ([]output.Named, []string, error) {
	return reporting.Files(dir, p)
}

func studyLosses(ctx context.Context, p *study.Compiled) tables.StudyLosses {
	return reporting.Losses(ctx, p)
}

func tellNotes(w io.Writer, p *study.Compiled) {
	for _, note := range p.Notes() {
		show.Printf(w, "%s\n", note)
	}
}

func printCatalogue(w io.Writer, p *study.Compiled) error {
	list, err := corpora.Catalogue(p)
	show.Catalogue(w, list)
	return err
}

func readCSV(data []byte) ([][]string, error) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	for _, row := range rows {
		for i, cell := range row {
			row[i] = tables.ParseCSVText(cell)
		}
	}
	return rows, err
}

func readingLines(p *study.Compiled, all bool) (lines []string, err error) {
	list, err := corpora.Readings(p)
	for _, r := range list {
		if all || r.Notable() {
			lines = append(lines, show.Reading(r))
		}
	}
	return lines, err
}

func claimOut(w io.Writer, out *output.Dir, p *study.Compiled, ignoreSpace bool) error {
	was, err := reporting.Claim(out, p, ignoreSpace)
	if was != "" {
		fmt.Fprintln(w, "warning:", reporting.Replaces(out, was).Text)
	}
	return err
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
