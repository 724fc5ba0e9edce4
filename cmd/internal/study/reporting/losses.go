package reporting

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// LossesFile holds the losses of all documents, by every model behind a score.
const LossesFile = kind.OutLosses

// keepLosses leaves the table of all losses of a finished study in its output directory, if it is
// asked for. A table that was asked for once is kept up to date by later runs that do not ask: it
// is made again where what it says it was made of is no longer so.
func keepLosses(ctx context.Context, out *output.Dir, p *study.Compiled, asked bool) (err error) {
	path := filepath.Join(out.Path(), LossesFile)
	switch _, err := os.Lstat(path); {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case !asked && err != nil:
		return nil
	}
	in := Losses(ctx, p)
	if !asked {
		if of, err := tables.LossesOf(path); err == nil && of == in.Of {
			return nil
		}
	}
	dir, err := study.TempDir("ablate-losses-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	made := filepath.Join(dir, LossesFile)
	if err := in.Write(made); err != nil {
		return err
	}
	return placeError(out.Path(), out.Write([]output.Named{{Name: LossesFile, Path: made}}, nil))
}

// Losses gathers what the table is made of.
func Losses(ctx context.Context, p *study.Compiled) tables.StudyLosses {
	in := tables.StudyLosses{Table: func(eval int) (string, error) {
		if err := ctx.Err(); err != nil {
			return "", context.Cause(ctx)
		}
		return p.Output(eval, kind.OutLosses)
	}}
	h := sha256.New()
	for _, s := range p.Plan.Scores {
		fmt.Fprintf(h, "score %q\n", []string{s.MixtureSet, s.Mixture, s.Scorer, s.Set})
		score := tables.LossScore{Group: s.MixtureSet, Mixture: s.Mixture, Scorer: s.Scorer, Set: s.Set}
		for _, d := range s.Domains {
			domain := tables.LossDomain{Name: d.Name}
			for _, e := range d.Evals {
				losses, _ := p.State.Entries[e.Step].Output(kind.OutLosses)
				fmt.Fprintf(h, "losses %q %q %s\n", d.Name, e.Model, losses.Digest)
				domain.Models = append(domain.Models, tables.LossModel{Name: e.Model, Eval: e.Step})
			}
			score.Domains = append(score.Domains, domain)
		}
		in.Scores = append(in.Scores, score)
	}
	in.Of = hex.EncodeToString(h.Sum(nil))
	return in
}
