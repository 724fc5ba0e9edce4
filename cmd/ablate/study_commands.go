package main

import (
	"fmt"
	"io"
	"math/big"
	"os"
	"regexp"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/output"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs"
	"ablate/stages"
	"ablate/stages/kind"
)

type exportCommand struct {
	Study  string   `arg:"" help:"A YAML file, or the name of a shipped study."`
	Models []string `arg:"" help:"A trained model as ablate plan --steps names it (seed, unit/SET/PARTITION,2005-2007 or unit/SET/PARTITION/0, seq/SET/MIXTURE), or an average: micro/SET/MIXTURE, macro/..., merged/... Several are averaged; WEIGHT:MODEL gives one another weight than 1, a number above 0. Signs in the names of partitions that would join names are written as percent signs and two digits, such as %2B for a plus sign." name:"model"`
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
	if err := checkFile("-o", cmd.To, nil); err != nil {
		return err
	}
	return a.withPlan(cmd.Study, func(p *compiled, c *cache.Cache) error {
		if err := checkFile("-o", cmd.To, p.reads()); err != nil {
			return err
		}
		i, err := p.plan.Find(parts[0].Model)
		if len(parts) > 1 || err != nil || p.plan.Steps[i].Kind != kind.Train {
			if i, err = p.plan.AddMerge(parts); err != nil {
				return usageError{err}
			}
		}
		plan, at := p.plan.Sub(i)
		i = at[0]
		state, err := plan.Resolve(stages.Kinds(), c.Lookup)
		if err != nil {
			return err
		}
		if _, run, waits := state.Count(); plan.Steps[i].Kind == kind.Merge && run == 1 && waits == 0 {
			state, err = runner.Run(a.ctx, plan, runner.Options{Cache: c, Kinds: stages.Kinds(), Slots: 1, Version: version})
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
		if err := cmd.copy(path); err != nil {
			return err
		}
		if output.IsStdout(cmd.To) {
			return nil // a line more would be part of the model
		}
		_, err = fmt.Fprintf(a.stdout, "%s\n", cmd.To)
		return err
	})
}

// weighs matches a model with what is meant for a weight: text without letters before a colon, for the name of every model begins with a letter, and partitions
// may have colons in their names. A weight is not written with e.
var weighs = regexp.MustCompile(`^([^\pL:]*|[-+]?[0-9][^/:]*):(.*)$`)

// weighted reads MODEL and WEIGHT:MODEL.
func weighted(args []string) ([]pipeline.Weighted, error) {
	var parts []pipeline.Weighted
	for _, arg := range args {
		w := pipeline.Weighted{Model: arg, Weight: big.NewRat(1, 1)}
		if m := weighs.FindStringSubmatch(arg); m != nil {
			weight, err := specs.Weight(m[1])
			if err != nil {
				return nil, fmt.Errorf("model %q: %w", arg, err)
			}
			w.Weight, w.Model = weight, m[2]
		}
		parts = append(parts, w)
	}
	return parts, nil
}

// copy copies a checkpoint to where the person wants it.
func (cmd exportCommand) copy(from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	err = output.To(cmd.To, func(w io.Writer) error { _, err := io.Copy(w, in); return err })
	if err != nil {
		return placeError(fmt.Errorf("-o %s: %w", cmd.To, err))
	}
	return nil
}
