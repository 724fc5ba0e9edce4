package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ablate/cache"
	"ablate/stages"
	"ablate/stages/kind"
)

// lossesFile holds the losses of all documents, by every model behind a score.
const lossesFile = kind.OutLosses

// writeLosses leaves the table of all losses of a finished study in a directory, if it is asked for. A table that was asked for once is kept
// up to date by later runs that do not ask: it is made again where what it says it was made of is no longer so.
func writeLosses(ctx context.Context, dir string, p *compiled, c *cache.Cache, asked bool) error {
	path := filepath.Join(dir, lossesFile)
	_, err := os.Lstat(path)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !asked && !there {
		return nil
	}
	in := studyLosses(ctx, p, c)
	if !asked {
		if of, err := stages.LossesOf(path); err == nil && of == in.Of {
			return nil
		}
	}
	f, err := aside(dir)
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(0o644), f.Close())
	if err == nil {
		err = in.Write(f.Name())
	}
	if err == nil && there && sameFiles(ctx, f.Name(), path) {
		return os.Remove(f.Name())
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// sameFiles reports whether two files can be read and hold the same bytes.
func sameFiles(ctx context.Context, a, b string) bool {
	x, _, errA := cache.FileDigestNow(ctx, a)
	y, _, errB := cache.FileDigestNow(ctx, b)
	return errA == nil && errB == nil && x == y
}

// studyLosses gathers what the table is made of.
func studyLosses(ctx context.Context, p *compiled, c *cache.Cache) stages.StudyLosses {
	in := stages.StudyLosses{Table: func(eval int) (string, error) {
		if err := ctx.Err(); err != nil {
			return "", context.Cause(ctx)
		}
		return outputPath(c, p.state.Entries[eval], kind.OutLosses)
	}}
	h := sha256.New()
	for _, s := range p.plan.Scores {
		fmt.Fprintf(h, "score %q\n", []string{s.Group, s.Mixture, s.Scorer, s.Set})
		score := stages.LossScore{Group: s.Group, Mixture: s.Mixture, Scorer: s.Scorer, Set: s.Set}
		for _, d := range s.Domains {
			domain := stages.LossDomain{Name: d.Name}
			for _, e := range d.Evals {
				losses, _ := p.state.Entries[e.Step].Output(kind.OutLosses)
				fmt.Fprintf(h, "losses %q %q %s\n", d.Name, e.Model, losses.Digest)
				domain.Models = append(domain.Models, stages.LossModel{Name: e.Model, Eval: e.Step})
			}
			score.Domains = append(score.Domains, domain)
		}
		in.Scores = append(in.Scores, score)
	}
	in.Of = hex.EncodeToString(h.Sum(nil))
	return in
}
