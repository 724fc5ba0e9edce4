package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/output"
	"ablate/pipeline"
	"ablate/stages/kind"
	"ablate/stages/train"
)

// writeBatches writes the sequences that a model is trained on, in their order. The units must be in the cache; the model need not.
func (cmd exportCommand) writeBatches(a *app) error {
	if len(cmd.Models) != 1 {
		return usageError{fmt.Errorf("--batches: want one model, which is trained; got %d: an average is not trained", len(cmd.Models))}
	}
	name := cmd.Models[0]
	if err := checkFile("-o", cmd.To, nil); err != nil { // known before the batches are written
		return err
	}
	return a.withPlan(cmd.Study, func(p *compiled, c *cache.Cache) error {
		i, err := p.plan.Find(name)
		if err != nil {
			return usageError{fmt.Errorf("--batches wants a model that is trained, not an average: %w", err)}
		}
		if k := p.plan.Steps[i].Kind; k != kind.Train {
			return usageError{fmt.Errorf("--batches: %s is no training but of kind %s; `ablate plan --steps` lists the models that are trained", p.plan.Steps[i].ID, k)}
		}
		batches := train.Batches{Params: p.plan.Steps[i].Params}
		for _, in := range p.plan.Steps[i].Inputs {
			if !strings.HasPrefix(in.Role, "unit.") {
				continue
			}
			from := p.plan.Steps[in.Step].ID
			if p.state.Status[in.Step] != pipeline.Hit {
				return fmt.Errorf("what %s is trained on is not in the cache yet: step %s has not run; `ablate run %s` does it", name, from, cmd.Study)
			}
			path, err := outputPath(c, p.state.Entries[in.Step], in.Output)
			if err != nil {
				return err
			}
			batches.Units = append(batches.Units, kind.Input{Role: in.Role, Path: path, Name: from + " " + in.Output})
		}
		if err := checkFile("-o", cmd.To, p.reads()); err != nil {
			return err
		}
		dir, err := makeTemp("ablate-batches-*")
		if err != nil {
			return err
		}
		path := filepath.Join(dir, batchesFile)
		rows, err := batches.Write(a.ctx, path)
		if err == nil {
			err = cmd.copy(path)
		}
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			return err
		}
		if output.IsStdout(cmd.To) {
			return nil // a line more would be part of the file
		}
		_, err = fmt.Fprintf(a.stdout, "%s: %d sequences\n", cmd.To, rows)
		return err
	})
}
