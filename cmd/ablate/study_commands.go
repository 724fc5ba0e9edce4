package main

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/stages"
	"ablate/stages/kind"
)

type exportCommand struct {
	Study  string   `arg:"" help:"A YAML file, or the name of a shipped study."`
	Models []string `arg:"" help:"A trained model as ablate plan --steps names it (seed, unit/SET/PARTITION,2005-2007 or unit/SET/PARTITION/0, seq/SET/MIXTURE), or an average: micro/SET/MIXTURE, macro/..., merged/... Several are averaged; WEIGHT:MODEL gives one another weight than 1." name:"model"`
	To     string   `short:"o" help:"File to write (default: model.safetensors, or batches.parquet)." placeholder:"FILE"`

	Batches bool `help:"Write the sequences that the model is trained on instead of its parameters, in their order, with their documents and token ids (Parquet)."`
}

// Files that are written where -o names none.
const (
	modelFile   = "model.safetensors"
	batchesFile = "batches.parquet"
)

// Run copies a checkpoint out of the cache. An average is made and stored first, as a step like any other.
func (cmd exportCommand) Run(a *app) error {
	if cmd.To == "" {
		cmd.To = modelFile
		if cmd.Batches {
			cmd.To = batchesFile
		}
	}
	if cmd.Batches {
		return cmd.writeBatches(a)
	}
	parts, err := weighted(cmd.Models)
	if err != nil {
		return usageError{err}
	}
	return a.withPlan(cmd.Study, func(p *compiled, c *cache.Cache) error {
		i, err := p.plan.Find(parts[0].Model)
		if len(parts) > 1 || err != nil || p.plan.Steps[i].Kind != kind.Train {
			if i, err = p.plan.AddMerge(parts); err != nil {
				return usageError{err}
			}
		}
		plan, at := p.plan.Sub(i)
		i = at[0]
		state, err := plan.Resolve(c.Lookup)
		if err != nil {
			return err
		}
		if _, run, waits := state.Count(); plan.Steps[i].Kind == kind.Merge && run == 1 && waits == 0 {
			state, err = runner.Run(a.ctx, plan, runner.Options{Cache: c, Table: stages.Table(), Slots: 1, Version: version})
			if err != nil {
				return err
			}
		}
		if state.Status[i] != pipeline.Hit {
			return fmt.Errorf("%s is not in the cache yet; `ablate run %s` trains it", strings.Join(cmd.Models, " "), cmd.Study)
		}
		path, err := outputPath(c, state.Entries[i], kind.OutModel)
		if err != nil {
			return err
		}
		if err := copyFile(cmd.To, path); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%s\n", cmd.To)
		return nil
	})
}

// weighted reads MODEL and WEIGHT:MODEL.
func weighted(args []string) ([]pipeline.Weighted, error) {
	var parts []pipeline.Weighted
	for _, arg := range args {
		w := pipeline.Weighted{Model: arg, Weight: big.NewRat(1, 1)}
		if weight, model, ok := strings.Cut(arg, ":"); ok {
			w.Model = model
			if _, ok := w.Weight.SetString(weight); !ok {
				return nil, fmt.Errorf("model %q: weight %q is no number; want 2, 0.5 or 1/3", arg, weight)
			}
		}
		parts = append(parts, w)
	}
	return parts, nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := aside(filepath.Dir(to))
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	err = errors.Join(err, out.Chmod(0o644), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}

type initCommand struct {
	File string `arg:"" optional:"" default:"study.yaml" help:"File to write."`
}

// Run writes a study that runs as it is, to be changed.
func (cmd initCommand) Run(a *app) error {
	f, err := os.OpenFile(cmd.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return usageError{err}
	}
	if _, err := f.WriteString(template); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s: try `ablate plan %s`, then `ablate run %s`\n", cmd.File, cmd.File, cmd.File)
	return nil
}
