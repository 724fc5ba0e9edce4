package split

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ablate/cache/table"
	"ablate/specs/ident"
	"ablate/specs/nearest"
	"ablate/specs/words"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// split divides a corpus into partitions, holds documents out, cuts the rest into units and then
// removes from the units what decontamination finds. Everything that decides about one document
// looks at that document alone, but for the cut itself, which looks at those before it in its
// partition.
//
// Of documents with one identity the first counts, in the order of the shards, and the others are
// left out, listed and counted in the table of sizes. It is no error unless the study says so, or
// more than mostDifferent of the documents have another text than the one whose identity they bear:
// where a corpus brings no identities they are hashes of the text, and this is what removes its
// exact duplicates.
func split(ctx context.Context, job *kind.Job) error {
	var p kind.SplitParams
	if err := job.Decode(&p); err != nil {
		return err
	}
	if err := checkSplit(p); err != nil {
		return err
	}
	s := &splitting{job: job, params: p}
	defer s.close()
	for _, work := range []func(context.Context) error{s.open, s.divide, s.cut, s.decontaminate, s.write} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := work(ctx); err != nil {
			return fmt.Errorf("split: %w", err)
		}
	}
	return nil
}

func checkSplit(p kind.SplitParams) error {
	if !slices.Contains([]string{kind.SmallError, kind.SmallDrop, kind.SmallKeep, kind.SmallMerge}, p.Small) {
		return fmt.Errorf("internal error: split: small is %q", p.Small)
	}
	if p.Cut != kind.CutDocument && (p.Cut != kind.CutOrder || p.Order == kind.OrderByID) {
		return fmt.Errorf("internal error: split: cut is %q, order %q", p.Cut, p.Order)
	}
	for _, a := range p.Against {
		if a != kind.AgainstHeldout && a != kind.AgainstEval {
			return fmt.Errorf("internal error: split: against is %q", a)
		}
	}
	if !(p.Validation >= 0 && p.Test >= 0 && p.Validation+p.Test <= 1) {
		return fmt.Errorf("internal error: split: held out %g for validation and %g for test", p.Validation, p.Test)
	}
	if b := p.Bloom; b != nil && !(b.FalsePositives > 0 && b.FalsePositives < 1 && p.Common == 0) {
		return fmt.Errorf("internal error: split: a Bloom filter of rate %g, common %d", b.FalsePositives, p.Common)
	}
	return nil
}

// splitting is a split under way.
type splitting struct {
	job    *kind.Job
	params kind.SplitParams

	shards     []*table.Tokens
	partitions map[string]*partition
	names      []string // of the partitions, sorted
	duplicates []document
	twice      []tables.DuplicateRow // the same documents, or those that would be
	folded     map[string]bool       // names of the study's fold that a document has
	values     map[value]*having     // of the metadata that divide the corpus
	merged     map[string]string     // partition -> the one it was merged into
	heldOut    map[place]fate        // documents of all partitions that are held out, kept ones and excluded ones
	ledger     []tables.LedgerRow
	filter     tables.Filter
}

// A place is where a document's tokens are.
type place struct{ shard, row int }

// A partition is its documents, before and after the cut.
type partition struct {
	training, test, validation []document
	kept                       bool // not left out by the study
	small                      bool // dropped as too small
	cut                        cut
	spans                      []span       // of each unit, before decontamination
	removed                    [][]document // of each unit
}

// open opens the shards.
func (s *splitting) open(context.Context) error {
	ins := s.job.Numbered("tokens")
	if len(ins) == 0 {
		return errors.New("internal error: no input tokens.0")
	}
	for _, in := range ins {
		t, err := table.OpenTokens(in.Path)
		if err != nil {
			return fmt.Errorf("%s: %w", in.Role, err)
		}
		s.shards = append(s.shards, t)
	}
	return nil
}

func (s *splitting) close() {
	for _, t := range s.shards {
		t.Close() // a mapping that is only read: nothing can be lost
	}
}

// divide reads the metadata and decides each document's partition and fate.
func (s *splitting) divide(ctx context.Context) error {
	s.partitions, s.heldOut = map[string]*partition{}, map[place]fate{}
	s.folded, s.merged, s.values = map[string]bool{}, map[string]string{}, map[value]*having{}
	seen, documents := map[string]place{}, 0
	for shard, t := range s.shards {
		if err := ctx.Err(); err != nil {
			return err
		}
		in, err := s.job.Input(kind.Role("documents", shard))
		if err != nil {
			return err
		}
		rows, err := table.ReadRows[tables.DocumentRow](in.Path)
		if err != nil {
			return fmt.Errorf("%s: %w", in.Role, err)
		}
		if len(rows) != t.Docs() {
			return fmt.Errorf("%s has %d documents, %s has %d", in.Role, len(rows), kind.Role("tokens", shard), t.Docs())
		}
		documents += len(rows)
		for i, row := range rows {
			if err := s.place(place{shard, i}, row, seen); err != nil {
				return fmt.Errorf("%s: document %q: %w", in.Role, row.ID, err)
			}
		}
	}
	missing, err := s.missing()
	if err != nil {
		return err
	}
	if len(seen) == 0 {
		return fmt.Errorf("the corpus has no documents: %s", tables.InWords(missing.Read, 0, missing.Dropped))
	}
	if err := s.mistaken(); err != nil {
		return err
	}
	s.names = slices.Sorted(maps.Keys(s.partitions))
	if err := s.duplicated(); err != nil {
		return err
	}
	if err := s.shared(documents); err != nil {
		return err
	}
	return s.choose()
}

func (s *splitting) place(at place, row tables.DocumentRow, seen map[string]place) error {
	d := document{shard: at.shard, row: at.row, id: row.ID, tokens: row.Tokens}
	if first, ok := seen[d.id]; !ok {
		seen[d.id] = at
	} else if s.params.Duplicate != kind.DuplicateKeep {
		s.duplicates = append(s.duplicates, d)
		s.twice = append(s.twice, tables.DuplicateRow{ID: d.id, Shard: int64(at.shard), Row: int64(at.row), FirstShard: int64(first.shard), FirstRow: int64(first.row)})
		return nil
	}
	name, order := kind.AllDocuments, d.id
	if len(s.params.By) > 0 {
		var values []string
		for _, by := range s.params.By {
			v, err := metadata(row, by)
			if err != nil {
				return err
			}
			s.note(value{by, v}, !slices.Contains(row.Absent, by))
			values = append(values, v)
		}
		name = ident.Join(values)
	}
	if into, ok := s.params.Fold[name]; ok {
		s.folded[name] = true
		name = into
	}
	if s.params.Order != kind.OrderByID {
		v, err := metadata(row, s.params.Order)
		if err != nil {
			return err
		}
		d.order = newOrderValue(v)
	} else {
		d.order = orderValue{text: order}
	}
	p := s.partitions[name]
	if p == nil {
		p = &partition{}
		s.partitions[name] = p
	}
	f := holdOut(s.params.Seed, d.id, s.params.Validation, s.params.Test)
	switch f {
	case toTest:
		p.test = append(p.test, d)
	case toValidation:
		p.validation = append(p.validation, d)
	default:
		p.training = append(p.training, d)
	}
	if f != toTrain {
		s.heldOut[at] = f
	}
	return nil
}

func metadata(row tables.DocumentRow, name string) (string, error) {
	i := slices.Index(row.Names, name)
	if i < 0 || i >= len(row.Values) {
		return "", fmt.Errorf("no metadata %q; there is %s", name, words.Enumerate(nearest.Sorted(name, row.Names)))
	}
	return row.Values[i], nil
}

// called is what a person calls an input: the step that left it, without the word tokenize, or its
// role where nobody gave it a name.
func (s *splitting) called(role string) string {
	in, err := s.job.Input(role)
	end := strings.LastIndexByte(in.Name, ' ') // behind it is the name of the output
	if err != nil || end < 0 {
		return role
	}
	return strings.TrimPrefix(in.Name[:end], kind.Tokenize+"/")
}

// choose marks the partitions that the study keeps. A partition named in vain is an error, for a
// misspelt one would be left out in silence.
func (s *splitting) choose() error {
	wanted, by := slices.Clone(s.params.Only), func(string) string { return "only" }
	if len(s.params.Only) == 0 {
		wanted, by = slices.Sorted(maps.Keys(s.params.Declared)), func(name string) string { return "declared." + name }
	}
	var errs []error
	blame := func(param, format string, args ...any) {
		errs = append(errs, &kind.ParamError{Param: param, Err: fmt.Errorf(format, args...)})
	}
	for _, name := range slices.Sorted(maps.Keys(s.params.Fold)) {
		if !s.folded[name] {
			blame("fold."+name, "fold: no document belongs to partition %q; the corpus has %s", name, words.Enumerate(nearest.Sorted(name, s.names)))
		}
	}
	for _, name := range wanted {
		if s.partitions[name] == nil {
			blame(by(name), "no document belongs to partition %q; the corpus has %s", name, words.Enumerate(nearest.Sorted(name, s.names)))
		}
	}
	kept := 0
	for name, p := range s.partitions {
		_, declared := s.params.Declared[name]
		p.kept = (len(s.params.Only) == 0 || slices.Contains(s.params.Only, name)) &&
			(len(s.params.Declared) == 0 || declared) && !slices.Contains(s.params.Except, name)
		if p.kept {
			kept++
		}
	}
	for _, name := range s.names {
		if n := len(kind.Escape(name)); s.partitions[name].kept && n > kind.LongestPartition {
			blame("by", "partition %.60q...: its name has %d bytes, which are %d in the names of files, and may be %d there (small letters, digits and - _ , . are one byte each, "+
				"others two or three); leave it out with except, fold it into one of a shorter name, or divide the corpus by other metadata", name, len(name), n, kind.LongestPartition)
		}
	}
	if kept == 0 && len(errs) == 0 {
		blame("except", "all partitions are left out; the corpus has %s", words.Enumerate(s.names))
	}
	return errors.Join(errs...)
}

// kept returns the names of the partitions that have units.
func (s *splitting) kept() []string {
	var names []string
	for _, name := range s.names {
		if p := s.partitions[name]; p.kept && !p.small {
			names = append(names, name)
		}
	}
	return names
}

// cut orders and cuts every partition that the study keeps. All that is wrong is said at once.
func (s *splitting) cut(context.Context) error {
	var small, untested []string
	var errs []error
	blame := func(param, format string, args ...any) {
		errs = append(errs, &kind.ParamError{Param: param, Err: fmt.Errorf(format, args...)})
	}
	ends := documentEnds
	if s.params.Cut == kind.CutOrder {
		ends = valueEnds
	}
	if s.params.Small == kind.SmallMerge {
		if err := s.merge(); err != nil {
			return err
		}
	}
	for _, name := range s.names {
		p := s.partitions[name]
		sortDocuments(p.training)
		sortDocuments(p.test)
		sortDocuments(p.validation)
		if !p.kept {
			continue
		}
		declared := s.params.Declared[name]
		p.cut = cutUnits(p.training, s.params.UnitTokens, declared, ends)
		size := trainingTokens(p.training)
		switch {
		case len(p.training) == 0 && (s.params.UnitTokens == 0 || s.params.Small == kind.SmallKeep || declared > 0):
			blame("test", "partition %q: all %d documents are held out, none is left to train on", name, len(p.test)+len(p.validation))
		case len(p.cut.units) == 0 && s.params.Small == kind.SmallKeep && declared <= 1:
			p.cut = cut{units: [][]document{p.training}}
		case len(p.cut.units) < declared:
			blame("declared."+name, "partition %q: %d units of %d tokens are declared, but its %d tokens make %d",
				name, declared, s.params.UnitTokens, size, len(p.cut.units))
		case len(p.cut.units) == 0:
			p.small = true
			small = append(small, fmt.Sprintf("%s (%d tokens of %d documents, %d held out)", name, size, len(p.training), len(p.test)+len(p.validation)))
		}
		p.spans = spans(ident.Text(name, len(s.params.By)), s.params.Order, p.cut.units)
		if s.params.Test > 0 && len(p.test) == 0 && len(s.params.By) > 0 && !p.small {
			untested = append(untested, fmt.Sprintf("%s (%d documents)", name, len(p.training)+len(p.validation)))
		}
	}
	switch {
	case len(small) > 0 && s.params.Small == kind.SmallError:
		blame("unit_tokens", "%d of %d partitions have less than half a unit of %d tokens: %s; make units smaller, leave these partitions out with except, join them with fold, or say small: drop, merge or keep",
			len(small), len(s.names), s.params.UnitTokens, strings.Join(small, ", "))
	case len(small) > 0 && s.params.Small == kind.SmallMerge:
		blame("unit_tokens", "all %d small partitions together have less than half a unit of %d tokens: %s; make units smaller, leave them out with except, or say small: drop or keep",
			len(s.merged), s.params.UnitTokens, strings.Join(small, ", "))
	}
	if len(untested) > 0 {
		blame("test", "%d partitions have no document among the %.6g%% held out for test: %s; hold out more, leave these partitions out with except, or hold out 0%% for test if nothing is evaluated in-domain",
			len(untested), 100*s.params.Test, strings.Join(untested, ", "))
	}
	if len(errs) == 0 && len(s.kept()) == 0 {
		blame("unit_tokens", "no partition has half a unit of %d tokens: %s", s.params.UnitTokens, strings.Join(small, ", "))
	}
	return errors.Join(errs...)
}
