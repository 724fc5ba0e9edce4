// Package corpora says what the data of a study is: what became of the documents that were read,
// and which partitions and units they were divided into.
package corpora

import (
	"context"
	"fmt"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Data is what is known of a study's corpora once they are split.
type Data struct {
	Study    string
	Passed   []string // files that patterns would match but for what they are
	Notes    []string // those, and what the study most likely does not mean
	Readings []Reading
	Splits   []Split
	Changes  []Change
}

// Split is a set of partitions, or the seed model's corpus, and what its split left about its
// documents.
type Split struct {
	Step   string // that split it
	Key    cache.Key
	Set    string // of partitions, or the seed model's corpus
	Seed   bool   // it is the seed model's corpus, one unit named all
	Corpus string
	Order  string // metadata that orders the documents, or id

	Sizes    []tables.SizeRow
	Timeline []tables.TimelineRow
	Filter   tables.Filter
	Losses   []tables.Loss     // to decontamination, by the evaluation text that made it
	Texts    map[string]string // what a loss's set is in this study, in words
}

// Of tells of a study's corpora. All of them must have been split.
func Of(ctx context.Context, s *study.Session, name string) (*Data, error) {
	var d *Data
	err := s.WithPlan(ctx, name, study.Planning{Assume: true}, func(p *study.Compiled) error {
		for _, split := range p.Plan.Splits {
			if p.State.Status[split.Step] != pipeline.Hit {
				return fmt.Errorf("the corpus of %s has not been split yet; `ablate run %s --corpus` does it", p.Plan.Steps[split.Step].ID, name)
			}
		}
		var err error
		d, err = Read(p)
		return err
	})
	return d, err
}

// Read gathers the data of a study whose corpora are split.
func Read(p *study.Compiled) (*Data, error) {
	d := &Data{Study: p.Study.Name, Passed: p.Sources.Notes, Notes: p.Notes()}
	var err error
	if d.Splits, err = splits(p, true); err != nil {
		return nil, err
	}
	if d.Readings, err = Readings(p); err != nil {
		return nil, err
	}
	d.Changes = Changes(p)
	return d, nil
}

// Catalogue is what is known of a study's partitions: those splits that are in the cache, but for
// the seed model's.
func Catalogue(p *study.Compiled) ([]Split, error) { return splits(p, false) }

// splits are those of a plan that are in the cache, with or without the seed model's.
func splits(p *study.Compiled, seed bool) ([]Split, error) {
	var out []Split
	for _, ref := range p.Plan.Splits {
		if ref.Seed && !seed || p.State.Status[ref.Step] != pipeline.Hit {
			continue
		}
		split, err := readSplit(p, ref)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Plan.Steps[ref.Step].ID, err)
		}
		out = append(out, split)
	}
	return out, nil
}

func readSplit(p *study.Compiled, ref pipeline.SplitRef) (Split, error) {
	s := Split{
		Step: p.Plan.Steps[ref.Step].ID, Key: p.State.Keys[ref.Step], Set: ref.PartitionSet, Seed: ref.Seed, Corpus: p.CorpusOf(ref), Order: "id",
		Texts: map[string]string{},
	}
	if !ref.Seed {
		s.Order = p.Study.Partitions[ref.PartitionSet].Order
	}
	var ledger []tables.LedgerRow
	for _, read := range []struct {
		output string
		from   func(path string) error
	}{
		{kind.OutSizes, func(path string) (err error) { s.Sizes, err = tables.Sizes(path); return }},
		{kind.OutTimeline, func(path string) (err error) { s.Timeline, err = tables.Timeline(path); return }},
		{kind.OutLedger, func(path string) (err error) { ledger, err = tables.Ledger(path); return }},
		{kind.OutFilter, func(path string) (err error) { s.Filter, err = tables.ReadFilter(path); return }},
	} {
		path, err := p.Output(ref.Step, read.output)
		if err != nil {
			return s, err
		}
		if err := read.from(path); err != nil {
			return s, fmt.Errorf("%s: %w", read.output, err)
		}
	}
	s.Losses = tables.Losses(s.Filter, ledger)
	for _, l := range s.Losses {
		s.Texts[l.Set] = TextInWords(p.Plan, ref.Step, l.Set)
	}
	return s, nil
}
