package main

import (
	"fmt"
	"io"
	"slices"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/specs/words"
	"ablate/stages/kind"
)

// space is what the steps of a plan that must run will take of the disk, in bytes.
type space struct {
	trainings   int
	checkpoints int64 // what trainings leave: exact but for headers
	aside       int64 // what trainings under way keep to go on from
	corpora     int64 // tokens of corpora and units: a guess, from the size of the raw files
}

// need adds up what is not in the cache yet. Of a text, tokens and tables take about its size, as do the units that are cut from it;
// compressed files give more. jobs is how many steps run at once.
func need(s *pipeline.State, jobs int) (space, error) {
	var n space
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

// check says what the run will take where that is more than there is: as an error when the checkpoints alone do not fit, else as a warning.
// free is -1 where it is not known.
func (n space) check(w io.Writer, free int64, c *cache.Cache) error {
	sure := n.checkpoints + n.aside
	switch {
	case free < 0 || sure+n.corpora <= free:
		return nil
	case sure > free:
		return fmt.Errorf("the disk of the cache is too small: %d trainings to come leave %s of checkpoints and keep up to %s aside while they run, and %s is free on the file system of %s\n"+
			"make room (`ablate cache gc --dry-run` says what could go), name another place with --cache, or run it all the same with --ignore-space",
			n.trainings, words.Bytes(n.checkpoints), words.Bytes(n.aside), words.Bytes(free), c.Dir())
	}
	_, err := fmt.Fprintf(w, "warning: the disk of the cache may be too small: the run takes about %s, of which %s for the corpora is a guess, and %s is free on the file system of %s\n",
		words.Bytes(sure+n.corpora), words.Bytes(n.corpora), words.Bytes(free), c.Dir())
	return err
}
