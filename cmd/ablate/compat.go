package main

import (
	"context"
	"io"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/corpora"
	"ablate/cmd/internal/study/reporting"
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
