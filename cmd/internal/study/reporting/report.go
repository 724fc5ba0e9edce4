// Package reporting leaves the report of a finished study in its output directory: the page, tables
// and figures, the record of the run. All of it follows from the study and its cache.
package reporting

import (
	"context"
	"encoding/json"
	"fmt"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/runner/audit"
	"ablate/specs/words"
)

// Options of a report that is written again.
type Options struct {
	Out    string // where it goes; "": out/STUDY
	Force  bool   // into a folder that holds files which no run of ablate wrote
	Losses bool   // with the losses of all documents
}

// Again writes the report of a study again, from the cache alone.
func Again(ctx context.Context, s *study.Session, name string, opt Options) (*Result, error) {
	var r *Result
	err := s.WithPlan(ctx, name, study.Planning{Assume: true}, func(p *study.Compiled) error {
		if _, run, waits := p.State.Count(); run+waits > 0 || p.Plan.Partial != "" {
			return fmt.Errorf("the cache lacks %s of the study%s; `ablate run %s` makes the report complete", words.Counted(run+waits, "step", "steps"), raised(p), name)
		}
		out, err := Look(Dir(opt.Out, p.Study), p.Study, opt.Force)
		if err != nil {
			return err
		}
		was, err := Claim(out, p, true)
		if err != nil {
			return err
		}
		if was != "" {
			s.Say(Replaces(out, was))
		}
		if err := Write(ctx, out, p, opt.Losses); err != nil {
			return err
		}
		r, err = ResultOf(p, out.Path())
		return err
	})
	return r, err
}

// Replaces warns of a folder that holds the report of another study.
func Replaces(out *output.Dir, was string) study.Warning {
	return study.Warning{Text: fmt.Sprintf("%s holds the report of study %s, which this run replaces", out.Path(), was)}
}

// Write leaves what a run promises in the output directory. A file that holds the same bytes
// already is not touched. With losses, the table of all losses is left, too; a table that is there
// is kept up to date without.
func Write(ctx context.Context, out *output.Dir, p *study.Compiled, losses bool) error {
	files, there, err := Files(out.Path(), p)
	if err != nil {
		return err
	}
	if err := out.Write(files, there); err != nil {
		return placeError(out.Path(), err)
	}
	return keepLosses(ctx, out, p, losses)
}

// Files are the files of a report; there names those that dir holds already, byte for byte. The
// same cache gives the same bytes.
func Files(dir string, p *study.Compiled) (files []output.Named, there []string, err error) {
	result := p.State.Entries[p.Plan.Result]
	for _, o := range result.Outputs {
		data, err := p.ResultOutput(o.Name)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, output.Named{Name: o.Name, Data: data})
	}
	html, err := page(p)
	if err != nil {
		return nil, nil, err
	}
	layouts, there, err := layoutFiles(dir, p)
	if err != nil {
		return nil, nil, err
	}
	plan, err := json.MarshalIndent(p.State.Estimate(), "", "  ")
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
		output.Named{Name: PageFile, Data: html},
		output.Named{Name: PlanFile, Data: append(plan, '\n')},
		output.Named{Name: study.StudyFile, Data: p.Study.Text()},
		output.Named{Name: study.SourcesFile, Data: src},
		output.Named{Name: study.ProvenanceFile, Data: append(prov, '\n')}), there, nil
}
