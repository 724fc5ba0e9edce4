package reporting

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"ablate/cache"
	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/stages/kind"
	"ablate/stages/report"
)

// madeFile tells what the tables and figures of an output directory were made of, and what they
// are.
const madeFile = "layouts.json"

type madeLayouts struct {
	Of    string            `json:"of"`    // SHA-256 of all that goes in
	Files map[string]string `json:"files"` // name -> SHA-256
}

// layoutFiles are the tables and figures beside the report of a finished study. To draw them takes
// longer than all else that a run without work does, so they are drawn only if something that goes
// into them or what is in dir differs from the last time; there names them if not.
func layoutFiles(dir string, p *study.Compiled) (files []output.Named, there []string, err error) {
	in := report.LayoutInput{Study: p.Study.Name, InDomain: kind.InDomain, Params: p.Plan.Steps[p.Plan.Result].Params, Costs: mixtureCosts(p)}
	result := p.State.Entries[p.Plan.Result]
	costs, err := json.Marshal(in.Costs)
	if err != nil {
		return nil, nil, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "layouts %d\nstudy %q\nkey %s\ncosts %s\n", report.LayoutVersion, in.Study, p.State.Keys[p.Plan.Result], costs)
	fmt.Fprintf(h, "params %s\n", in.Params) // the key holds those of the step; names of mixtures are told apart here
	for _, o := range result.Outputs {
		fmt.Fprintf(h, "output %q %s\n", o.Name, o.Digest)
	}
	ledgers, err := studyLedgers(p, h)
	if err != nil {
		return nil, nil, err
	}
	in.Ledgers = ledgers
	if in.Trainings, err = trainingsByShares(p, h); err != nil {
		return nil, nil, err
	}
	of := hex.EncodeToString(h.Sum(nil))
	if there, ok := layoutsThere(dir, of); ok {
		return nil, there, nil
	}
	if in.Scores, err = p.Output(p.Plan.Result, kind.OutScores); err != nil {
		return nil, nil, err
	}
	if in.Correlations, err = p.Output(p.Plan.Result, kind.OutCorrelations); err != nil {
		return nil, nil, err
	}
	made, err := report.Layouts(in)
	if err != nil {
		return nil, nil, err
	}
	list := madeLayouts{Of: of, Files: map[string]string{}}
	for _, f := range made {
		files = append(files, output.Named{Name: f.Name, Data: f.Data})
		list.Files[f.Name] = sum(f.Data)
	}
	data, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	return append(files, output.Named{Name: madeFile, Data: append(data, '\n')}), nil, nil
}

// studyLedgers are the ledgers of a study's splits; h gets what they hold and which texts their
// names mean.
func studyLedgers(p *study.Compiled, h io.Writer) ([]report.LayoutLedger, error) {
	var out []report.LayoutLedger
	for _, split := range p.Plan.Splits {
		e := p.State.Entries[split.Step]
		path, err := p.Output(split.Step, kind.OutLedger)
		if err != nil {
			return nil, err
		}
		l := report.LayoutLedger{Set: split.PartitionSet, Path: path}
		if split.Seed {
			l.Set = ""
		}
		l.Text = func(input string) (string, string, error) {
			t, ok := p.Plan.EvalText(split.Step, input)
			if !ok {
				return "", "", fmt.Errorf("internal error: split %s has no input %q to decontaminate against", p.Plan.Steps[split.Step].ID, input)
			}
			return t.EvalSet, t.Corpus, nil
		}
		ledger, _ := e.Output(kind.OutLedger)
		fmt.Fprintf(h, "ledger %q %s\n", l.Set, ledger.Digest)
		for _, in := range p.Plan.Steps[split.Step].Inputs {
			if t, ok := p.Plan.EvalText(split.Step, in.Role); ok {
				fmt.Fprintf(h, "text %q %q %q\n", in.Role, t.EvalSet, t.Corpus)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// trainingsByShares are the trainings whose sources have shares; h gets what they gave and what they
// are called.
func trainingsByShares(p *study.Compiled, h io.Writer) ([]report.LayoutTraining, error) {
	var out []report.LayoutTraining
	for _, m := range p.Plan.Models {
		names := p.Plan.Sources(m.Step)
		if names == nil {
			continue
		}
		path, err := p.Output(m.Step, kind.OutSources)
		if err != nil {
			return nil, err
		}
		table, _ := p.State.Entries[m.Step].Output(kind.OutSources)
		fmt.Fprintf(h, "sources %q %q %s\n", m.Name, names, table.Digest)
		out = append(out, report.LayoutTraining{Model: m.Name, Sources: names, Path: path})
	}
	return out, nil
}

// layoutsThere reports whether the directory holds what would be made, byte for byte, and names it.
func layoutsThere(dir, of string) ([]string, bool) {
	var made madeLayouts
	data, err := cache.ReadFollowed(filepath.Join(dir, madeFile), study.MostOutput)
	if err != nil || json.Unmarshal(data, &made) != nil || made.Of != of {
		return nil, false
	}
	for name, digest := range made.Files {
		if data, err := cache.ReadFollowed(filepath.Join(dir, filepath.FromSlash(name)), study.MostOutput); err != nil || sum(data) != digest {
			return nil, false
		}
	}
	return append(slices.Sorted(maps.Keys(made.Files)), madeFile), true
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// mixtureCosts are what comparing all mixtures of a set takes, over the components that it draws
// from.
func mixtureCosts(p *study.Compiled) []report.LayoutCost {
	var out []report.LayoutCost
	for _, g := range p.Plan.Growth {
		c := report.LayoutCost{Group: g.Group, K: g.K, Repeat: g.Repeat, Of: g.Of, Beside: g.Beside}
		for _, at := range g.Points {
			c.Points = append(c.Points, report.LayoutPoint(at))
		}
		out = append(out, c)
	}
	return out
}
