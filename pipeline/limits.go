package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ablate/stages/kind"
)

// This file refuses, at the study's line and before anything is computed, what a step would refuse
// once it is reached.

// UnitSizes are the tokens of units by partition set and partition, in the order of the units, as
// found by splitting.
type UnitSizes map[string]map[string][]int64

// checkVocab compares the rows of embeddings that the study gives with the ids of its
// tokenizer.json. Package specs does so where the tokenizer is trained; rows of a preset grow with
// the tokenizer.
func (c *compiler) checkVocab() error {
	if c.study.Tokenizer.Train != nil {
		return nil
	}
	var errs []error
	check := func(rows int, path ...string) {
		if c.study.Holds(path...) && rows > 0 && rows < c.vocab {
			errs = append(errs, c.study.Errorf(path, "%d rows are fewer than the %d ids of tokenizer.file", rows, c.vocab))
		}
	}
	check(c.study.Model.Vocab, "model", "vocab")
	if m := c.study.Reference.Model; m != nil {
		check(m.Vocab, "reference", "model", "vocab")
	}
	return errors.Join(errs...)
}

// checkTrainings refuses reference models of more units than one training takes, or of units that
// are too short for their context.
func (c *compiler) checkTrainings(mixtures []mixture) error {
	var errs []error
	var trained []component
	refused := map[string]bool{} // sets of mixtures, each once
	for _, m := range mixtures {
		if !slices.Contains(c.study.Reference.Seq, m.group) {
			continue
		}
		if n := m.units(); n > kind.MostUnits && !refused[m.group] {
			refused[m.group] = true
			errs = append(errs, c.study.Errorf([]string{"mixtures", m.group},
				"mixture %s has %d units, and a model is trained on %d at most: make units larger, or mixtures of fewer components", shortened(m.name()), n, kind.MostUnits))
		}
		if c.reference != c.own {
			trained = append(trained, baseUnits(m.components)...)
		}
	}
	return errors.Join(append(errs, c.checkUnits(trained, c.reference, "reference.model"))...)
}

// checkUnits refuses units without a whole sequence and its last target, where their sizes are
// known. section is of the model that would be trained on them.
func (c *compiler) checkUnits(within []component, sc *scale, section string) error {
	least := int64(sc.model.Context) + 1
	short := map[string][]string{} // by set of partitions
	var sets []string
	for _, x := range baseUnits(within) {
		sizes := c.src.Sizes[x.part.set][x.part.name]
		if x.unit >= len(sizes) || sizes[x.unit] >= least {
			continue
		}
		if short[x.part.set] == nil {
			sets = append(sets, x.part.set)
		}
		short[x.part.set] = append(short[x.part.set], fmt.Sprintf("%s (%d tokens)", x.name(), sizes[x.unit]))
	}
	var errs []error
	for _, set := range sets {
		units := short[set]
		what, have := "unit", "has"
		if len(units) > 1 {
			what, have = "units", "have"
		}
		errs = append(errs, c.study.Errorf([]string{"partitions", set, "unit", "tokens"},
			"%s %s %s fewer than the %d tokens that one sequence (%s.context) and its last target need: make units larger, shorten the context, or leave small partitions out with except",
			what, listSome(units, 5), have, least, section))
	}
	return errors.Join(errs...)
}

// shortened is a name for the middle of a message.
func shortened(name string) string {
	const most = 80
	if r := []rune(name); len(r) > most {
		return strings.TrimRight(string(r[:most]), "+") + "..."
	}
	return name
}
