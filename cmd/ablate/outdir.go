package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/runner/audit"
	"ablate/specs"
	"ablate/specs/words"
	"ablate/stages/kind"
)

// Files of a report that are made here and record no run.
const (
	reportFile = "report.html"
	planFile   = "plan.json"
)

// reportNames are the files that the report of every study has, and reportFolders its folders.
var (
	reportNames = []string{
		reportFile, planFile, study.StudyFile, study.SourcesFile, study.ProvenanceFile, madeFile, lossesFile,
		kind.OutScores, kind.OutScoresCSV, kind.OutCorrelations, kind.OutCorrCSV,
		kind.OutDecisions, kind.OutDecisionsCSV, kind.OutWarnings, kind.OutWarningsCSV,
	}
	reportFolders = []string{"tables", "figures", "logs"}
)

// outDir is where the report of a study goes.
func outDir(given string, s *specs.Study) string {
	if given != "" {
		return given
	}
	return filepath.Join("out", filepath.FromSlash(s.Name))
}

// lookOut looks at the output directory of a study before any work: whether it is ours, and whether
// it can be written to.
func lookOut(dir string, s *specs.Study, force bool) (*output.Dir, error) {
	out, err := output.Look(dir, output.Options{
		Study: s.Name, Names: reportNames, Above: reportFolders, Force: force,
		Known: []output.Named{{Name: study.StudyFile, Data: s.Text()}}, Inputs: s.Files(),
	})
	return out, reportError(dir, err)
}

// claimOut makes the output directory and marks it, once it is known what the study reads.
func claimOut(w io.Writer, out *output.Dir, p *study.Compiled, ignoreSpace bool) error {
	out.Protect(p.Reads())
	need, free := reportBytes(p.Plan), out.Free()
	if free >= 0 && need > free && !ignoreSpace {
		return fmt.Errorf("the disk of the report is too small: the report takes about %s, and %s is free on the file system of %s\n"+
			"make room, name another place with --out, or run it all the same with --ignore-space", words.Bytes(need), words.Bytes(free), out.Path())
	}
	if err := out.Claim(); err != nil {
		return reportError(out.Path(), err)
	}
	if was := out.Was(); was != "" {
		fmt.Fprintf(w, "warning: %s holds the report of study %s, which this run replaces\n", out.Path(), was)
	}
	return nil
}

// checkFile says before any work whether the file that an option names can be written. What a command
// reads is no place for it.
func checkFile(option, path string, reads []string) error {
	err := output.Check(path)
	if err == nil && output.Reads(path, reads) {
		err = errors.New("the study reads this file; name another")
	}
	if err != nil {
		return fault.Place(fmt.Errorf("%s %s: %w", option, path, err))
	}
	return nil
}

// reportBytes is about what the report of a plan takes of the disk: figures and tables, and what
// plan.json, provenance.json and the page say of each step. Measured: 0.7 MB with 85 steps, 3.1 MB
// with 434.
func reportBytes(plan *pipeline.Plan) int64 {
	const figures, step = 512 << 10, 6 << 10
	return figures + step*int64(len(plan.Steps))
}

// reportError says that a report cannot be written to dir.
func reportError(dir string, err error) error {
	var foreign *output.ForeignError
	if err == nil || errors.As(err, &foreign) {
		return fault.Place(err)
	}
	return fault.Place(fmt.Errorf("the report cannot be written to %s: %w; name another folder with --out", dir, err))
}

// makeTemp makes a folder for temporary files.
func makeTemp(pattern string) (string, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", fault.Place(fmt.Errorf("temporary files cannot be written to %s: %w; set TMPDIR to a folder that can be written to", os.TempDir(), err))
	}
	return dir, nil
}

// writeOut leaves what a run promises in the output directory. The same cache gives the same bytes, and a file that holds them already
// is not touched.
func writeOut(out *output.Dir, p *study.Compiled) error {
	files, there, err := reportFiles(out.Path(), p)
	if err != nil {
		return err
	}
	return reportError(out.Path(), out.Write(files, there))
}

// reportFiles are the files of a report; there names those that dir holds already.
func reportFiles(dir string, p *study.Compiled) (files []output.Named, there []string, err error) {
	result := p.State.Entries[p.Plan.Result]
	for _, o := range result.Outputs {
		data, err := p.ResultOutput(o.Name)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, output.Named{Name: o.Name, Data: data})
	}
	page, err := renderReport(p)
	if err != nil {
		return nil, nil, err
	}
	layouts, there, err := layoutFiles(dir, p)
	if err != nil {
		return nil, nil, err
	}
	plan, err := json.MarshalIndent(p.State.Account(), "", "  ")
	if err != nil {
		return nil, nil, err
	}
	prov, err := json.MarshalIndent(audit.Provenance(p.State), "", "  ")
	if err != nil {
		return nil, nil, err
	}
	src, err := study.WriteSources(p.Sources)
	if err != nil {
		return nil, nil, err
	}
	return append(append(files, layouts...),
		output.Named{Name: reportFile, Data: page},
		output.Named{Name: planFile, Data: append(plan, '\n')},
		output.Named{Name: study.StudyFile, Data: p.Study.Text()},
		output.Named{Name: study.SourcesFile, Data: src},
		output.Named{Name: study.ProvenanceFile, Data: append(prov, '\n')}), there, nil
}
