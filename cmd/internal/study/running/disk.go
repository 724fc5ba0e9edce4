package running

import (
	"fmt"
	"slices"

	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/specs/words"
	"ablate/stages"
	"ablate/stages/kind"
)

// diskNeeds are what the steps of a plan that must run will take of the disk, in bytes.
type diskNeeds struct {
	trainings   int
	checkpoints int64 // what trainings leave: exact but for headers
	aside       int64 // what trainings under way keep to go on from
	corpora     int64 // tokens of corpora and units: a guess, from the size of the raw files
}

// diskNeedsOf adds up what is not in the cache yet. Of a text, tokens and tables take about its
// size, as do the units that are cut from it; compressed files give more. jobs is how many steps
// run at once.
func diskNeedsOf(s *pipeline.State, jobs int) (diskNeeds, error) {
	var n diskNeeds
	var aside []int64
	known := map[string]kind.Needs{} // a study has thousands of steps with the same parameters
	for i, step := range s.Plan.Steps {
		if s.Status[i] == pipeline.Hit {
			continue
		}
		alike := step.Kind + " " + string(step.Params)
		take, ok := known[alike]
		if !ok {
			var err error
			if take, err = s.Kinds.Needs(step.Kind, step.Params, 1); err != nil {
				return n, fmt.Errorf("step %s: %w", step.ID, err)
			}
			known[alike] = take
		}
		if take.Leaves > 0 {
			n.trainings++
			n.checkpoints += take.Leaves
			aside = append(aside, take.Aside)
		}
		if step.Kind == kind.Tokenize {
			n.corpora += 2 * step.Cost.Bytes
		}
	}
	slices.Sort(aside)
	for _, saved := range aside[max(0, len(aside)-jobs):] {
		n.aside += saved
	}
	return n, nil
}

// check says what the run will take where that is more than there is: as an error when the
// checkpoints alone do not fit, else as a warning. free is -1 where it is not known; dir is the
// cache's.
func (n diskNeeds) check(free int64, dir string) (warning string, err error) {
	sure := n.checkpoints + n.aside
	switch {
	case free < 0 || sure+n.corpora <= free:
		return "", nil
	case sure > free:
		return "", fmt.Errorf("the disk of the cache is too small: the %d trainings of this run leave %s of checkpoints and take up to %s more while they run, and %s is free on the file system of %s\n"+
			"make room (`ablate cache gc --dry-run` lists what could be removed), name another place with --cache, or run anyway with --ignore-space",
			n.trainings, words.Bytes(n.checkpoints), words.Bytes(n.aside), words.Bytes(free), dir)
	}
	return fmt.Sprintf("the disk of the cache may be too small: the run takes about %s, which includes a rough estimate of %s for the corpora, and %s is free on the file system of %s",
		words.Bytes(sure+n.corpora), words.Bytes(n.corpora), words.Bytes(free), dir), nil
}

// checkDisk holds what a part of a study's plan will leave against what is free, before the part
// begins.
func (r *running) checkDisk(p *study.Compiled, part *pipeline.Plan) error {
	jobs := r.with.Slots
	if r.with.Jobs > 0 {
		jobs = min(jobs, r.with.Jobs)
	}
	state := p.State
	if state.Plan != part {
		var err error
		if state, err = part.Resolve(stages.Kinds(), r.cache.Lookup); err != nil {
			return err
		}
	}
	n, err := diskNeedsOf(state, jobs)
	if err != nil {
		return err
	}
	warning, err := n.check(r.cache.Free(), r.cache.Dir())
	if warning != "" {
		r.s.Say(study.Warning{Text: warning})
	}
	return err
}
