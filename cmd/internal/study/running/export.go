package running

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/reporting"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/specs"
	"ablate/stages"
	"ablate/stages/kind"
	"ablate/stages/train"
)

// weighs matches a model with what is meant for a weight: text without letters before a colon, for
// the name of every model begins with a letter, and partitions may have colons in their names. A
// weight is not written with e.
var weighs = regexp.MustCompile(`^([^\pL:]*|[-+]?[0-9][^/:]*):(.*)$`)

// Weighted reads MODEL and WEIGHT:MODEL.
func Weighted(args []string) ([]pipeline.Weighted, error) {
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

// Export copies a checkpoint out of the cache into a file: a trained model, or the average of
// several, each as MODEL or WEIGHT:MODEL. An average is made and stored first, as a step like any
// other.
func Export(ctx context.Context, s *study.Session, name string, models []string, to string) error {
	parts, err := Weighted(models)
	if err != nil {
		return fault.Usage(err)
	}
	if err := reporting.CheckFile("-o", to, nil); err != nil {
		return err
	}
	return s.WithPlan(ctx, name, study.Planning{Assume: true}, func(p *study.Compiled) error {
		if err := reporting.CheckFile("-o", to, p.Reads()); err != nil {
			return err
		}
		path, err := model(ctx, s, p, parts)
		if err != nil {
			return err
		}
		if path == "" {
			return fmt.Errorf("%s is not in the cache yet; `ablate run %s` trains it", strings.Join(models, " "), name)
		}
		return copyTo(to, path)
	})
}

// model is where a trained model or an average lies in the cache, after the average was made; empty
// where something is not trained yet.
func model(ctx context.Context, s *study.Session, p *study.Compiled, parts []pipeline.Weighted) (string, error) {
	i, err := p.Plan.Find(parts[0].Model)
	if len(parts) > 1 || err != nil || p.Plan.Steps[i].Kind != kind.Train {
		if i, err = p.Plan.AddMerge(parts); err != nil {
			return "", fault.Usage(err)
		}
	}
	plan, at := p.Plan.Sub(i)
	i = at[0]
	state, err := plan.Resolve(stages.Kinds(), p.Cache.Lookup)
	if err != nil {
		return "", err
	}
	if _, run, waits := state.Count(); plan.Steps[i].Kind == kind.Merge && run == 1 && waits == 0 {
		with, err := s.Running()
		if err != nil {
			return "", err
		}
		with.Cache = p.Cache
		if state, err = runner.Run(ctx, plan, with); err != nil {
			return "", err
		}
	}
	if state.Status[i] != pipeline.Hit {
		return "", nil
	}
	return study.OutputPath(p.Cache, state.Entries[i], kind.OutModel)
}

// copyTo copies a file of the cache to where a person wants it.
func copyTo(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	err = output.To(to, func(w io.Writer) error { _, err := io.Copy(w, in); return err })
	if err != nil {
		return fault.Place(fmt.Errorf("-o %s: %w", to, err))
	}
	return nil
}

// ExportBatches writes the sequences that a model is trained on, in their order, and returns how
// many there are. The units must be in the cache; the model need not.
func ExportBatches(ctx context.Context, s *study.Session, name string, models []string, to string) (sequences int64, err error) {
	if len(models) != 1 {
		return 0, fault.Usagef("--batches: name one trained model, not %d models: an average is not trained", len(models))
	}
	if err := reporting.CheckFile("-o", to, nil); err != nil { // known before the batches are written
		return 0, err
	}
	err = s.WithPlan(ctx, name, study.Planning{Assume: true}, func(p *study.Compiled) error {
		batches, err := batchesOf(p, name, models[0])
		if err != nil {
			return err
		}
		if err := reporting.CheckFile("-o", to, p.Reads()); err != nil {
			return err
		}
		dir, err := study.TempDir("ablate-batches-*")
		if err != nil {
			return err
		}
		path := filepath.Join(dir, "batches.parquet")
		sequences, err = batches.Write(ctx, path)
		if err == nil {
			err = copyTo(to, path)
		}
		return errors.Join(err, os.RemoveAll(dir))
	})
	return sequences, err
}

// batchesOf gathers what a model is trained on.
func batchesOf(p *study.Compiled, name, model string) (train.Batches, error) {
	var batches train.Batches
	i, err := p.Plan.Find(model)
	if err != nil {
		return batches, fault.Usagef("--batches: name a trained model, not an average: %w", err)
	}
	step := p.Plan.Steps[i]
	if step.Kind != kind.Train {
		return batches, fault.Usagef("--batches: %s is a step of kind %s, not a training; `ablate plan --steps` lists the trained models", step.ID, step.Kind)
	}
	batches.Params = step.Params
	for _, in := range step.Inputs {
		if !strings.HasPrefix(in.Role, "unit.") {
			continue
		}
		from := p.Plan.Steps[in.Step].ID
		if p.State.Status[in.Step] != pipeline.Hit {
			return batches, fmt.Errorf("the training data of %s is not in the cache yet: step %s has not run; `ablate run %s` runs it", model, from, name)
		}
		path, err := p.Output(in.Step, in.Output)
		if err != nil {
			return batches, err
		}
		batches.Units = append(batches.Units, kind.Input{Role: in.Role, Path: path, Name: from + " " + in.Output})
	}
	return batches, nil
}
