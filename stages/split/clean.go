package split

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ablate/cache/table"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// decontaminate removes from the units, after they are cut, each document that shares a paragraph
// with an evaluation document or, where Overlap is set, paragraphs that make up this share of its
// bytes. Only the document itself decides its share, so a licence header can be told from a leak
// without counting how common it is, which would change with every document added.
//
// Held-out documents count whether their partition is kept or not: a partition that is added to the
// study later must not change the units that are there.
func (s *splitting) decontaminate(ctx context.Context) error {
	for _, p := range s.partitions {
		p.removed = make([][]document, len(p.cut.units))
	}
	s.filter = tables.Filter{Kind: tables.FilterNone, Sets: []tables.FilterSet{}}
	if len(s.params.Against) == 0 {
		return nil
	}
	c, err := s.contamination(ctx)
	if err != nil {
		return err
	}
	s.filter = c.filter()
	hits, err := s.search(ctx, c)
	if err != nil {
		return err
	}
	if s.params.Bloom != nil {
		if err := s.confirm(ctx, hits); err != nil {
			return err
		}
	}
	return s.remove(hits)
}

// contamination gathers the paragraphs of all evaluation text: in one reading, or for Bloom
// filters, whose size must be known first, in two.
func (s *splitting) contamination(ctx context.Context) (contamination, error) {
	if s.params.Bloom == nil {
		c := newExact(s.params.Common)
		return c, s.eachEvaluated(ctx, func(set, id string, ps []tables.Fingerprint) { c.add(set, id, ps) })
	}
	var sets []tables.FilterSet
	if err := s.eachEvaluated(ctx, func(set, _ string, ps []tables.Fingerprint) { sets = countSet(sets, set, len(ps)) }); err != nil {
		return nil, err
	}
	c := newBlooms(*s.params.Bloom, sets)
	return c, s.eachEvaluated(ctx, func(set, _ string, ps []tables.Fingerprint) { c.add(set, ps) })
}

// paragraphs reads the paragraph table of an input.
func paragraphs(in kind.Input) ([]tables.ParagraphRow, error) {
	rows, err := table.ReadRows[tables.ParagraphRow](in.Path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Role, err)
	}
	return rows, nil
}

func (s *splitting) shardParagraphs(shard int) ([]tables.ParagraphRow, error) {
	in, err := s.job.Input(kind.Role("paragraphs", shard))
	if err != nil {
		return nil, err
	}
	rows, err := paragraphs(in)
	if err == nil && len(rows) != s.shards[shard].Docs() {
		err = fmt.Errorf("%s has %d documents, %s has %d", in.Role, len(rows), kind.Role("tokens", shard), s.shards[shard].Docs())
	}
	return rows, err
}

// eachEvaluated calls f for every document that must not be trained on, with its paragraphs.
func (s *splitting) eachEvaluated(ctx context.Context, f func(set, id string, paragraphs []tables.Fingerprint)) error {
	each := func(rows []tables.ParagraphRow, set func(i int) string) error {
		for i, row := range rows {
			name := set(i)
			if name == "" {
				continue
			}
			ps, err := tables.Fingerprints(row.Hashes)
			if err != nil {
				return fmt.Errorf("paragraphs of document %q: %w", row.ID, err)
			}
			f(name, row.ID, ps)
		}
		return ctx.Err()
	}
	if slices.Contains(s.params.Against, kind.AgainstHeldout) {
		for shard := range s.shards {
			rows, err := s.shardParagraphs(shard)
			if err != nil {
				return err
			}
			if err := each(rows, func(i int) string { return heldoutSet("heldout", s.heldOut[place{shard, i}]) }); err != nil {
				return err
			}
		}
		for _, in := range s.job.Numbered("heldout") {
			rows, err := paragraphs(in)
			if err != nil {
				return err
			}
			e := s.params.Elsewhere
			if e == nil {
				return fmt.Errorf("internal error: input %s, but nothing says what is held out of it", in.Role)
			}
			if err := each(rows, func(i int) string { return heldoutSet(in.Role, holdOut(e.Seed, rows[i].ID, e.Validation, e.Test)) }); err != nil {
				return err
			}
		}
	}
	if slices.Contains(s.params.Against, kind.AgainstEval) {
		for _, in := range s.job.Numbered("against") {
			rows, err := paragraphs(in)
			if err != nil {
				return err
			}
			if err := each(rows, func(int) string { return in.Role }); err != nil {
				return err
			}
		}
	}
	return nil
}

// heldoutSet is what the ledger calls held-out documents; empty for a document to train on.
func heldoutSet(of string, f fate) string {
	switch f {
	case toTest:
		return of + " test"
	case toValidation:
		return of + " validation"
	}
	return ""
}

// search returns the documents that share a paragraph.
func (s *splitting) search(ctx context.Context, c contamination) (map[place]hit, error) {
	hits := map[place]hit{}
	for shard := range s.shards {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows, err := s.shardParagraphs(shard)
		if err != nil {
			return nil, err
		}
		for i, row := range rows {
			at := place{shard, i}
			if _, out := s.heldOut[at]; out {
				continue
			}
			ps, err := tables.Fingerprints(row.Hashes)
			if err != nil {
				return nil, fmt.Errorf("paragraphs of document %q: %w", row.ID, err)
			}
			if len(row.Lengths) != len(ps) {
				return nil, fmt.Errorf("paragraphs of document %q: %d hashes and %d lengths", row.ID, len(ps), len(row.Lengths))
			}
			var h hit
			var shared int64 // bytes
			for n, p := range ps {
				if e, ok := c.find(p); ok {
					if h.paragraphs == nil {
						h.evalDocument, h.paragraph = e, p
					}
					h.paragraphs = append(h.paragraphs, p)
					shared += row.Lengths[n]
				}
			}
			if h.paragraphs != nil && float64(shared) >= s.params.Overlap*float64(s.shards[shard].Doc(i).Bytes) {
				hits[at] = h
			}
		}
	}
	return hits, nil
}

// confirm looks the paragraphs that Bloom filters found up in the evaluation text itself, which
// takes a third reading of its hashes, but memory for what was found alone. A hit then names the
// document that an exact set would name, and one that no evaluation document holds is known to be
// wrong. It is removed all the same: that is what a Bloom filter costs, and the paper's rule.
func (s *splitting) confirm(ctx context.Context, hits map[place]hit) error {
	found := newExact(0)
	for _, h := range hits {
		for _, p := range h.paragraphs {
			found.paragraphs[p] = evaluated{first: -1}
		}
	}
	if err := s.eachEvaluated(ctx, func(set, id string, ps []tables.Fingerprint) {
		for _, p := range ps {
			if e, ok := found.paragraphs[p]; ok && e.first < 0 {
				found.paragraphs[p] = evaluated{first: int32(len(found.docs))}
				found.docs = append(found.docs, evalDocument{set, id})
			}
		}
	}); err != nil {
		return err
	}
	for at, h := range hits {
		i := slices.IndexFunc(h.paragraphs, func(p tables.Fingerprint) bool { return found.paragraphs[p].first >= 0 })
		if h.wrong = i < 0; !h.wrong {
			h.paragraph = h.paragraphs[i]
			h.evalDocument = found.docs[found.paragraphs[h.paragraph].first]
		}
		hits[at] = h
	}
	return nil
}

// evaluated says for a person where evaluation text is from, of which the ledger names the role.
func (s *splitting) evaluated(set string) string {
	role, part, _ := strings.Cut(set, " ")
	switch {
	case role == "heldout":
		return "held out of the same corpus, " + part
	case part != "":
		return fmt.Sprintf("held out of %s, %s", s.called(role), part)
	}
	return s.called(role)
}

// remove takes the hits out of the units and writes them into the ledger. A unit that loses
// everything is an error: a study must not train on less than it names.
func (s *splitting) remove(hits map[place]hit) error {
	var errs []error
	for _, name := range s.kept() {
		p := s.partitions[name]
		for u, docs := range p.cut.units {
			var left []document
			for _, d := range docs {
				h, ok := hits[place{d.shard, d.row}]
				if !ok {
					left = append(left, d)
					continue
				}
				p.removed[u] = append(p.removed[u], d)
				s.ledger = append(s.ledger, tables.LedgerRow{
					Partition: name, Unit: int64(u), Name: p.spans[u].name, Document: d.id, Tokens: d.tokens + 1, EvalSet: h.set, EvalID: h.id,
					Paragraph: hex.EncodeToString(h.paragraph[:]), FalsePositive: h.wrong,
				})
			}
			if len(left) == 0 {
				first := s.ledger[len(s.ledger)-1]
				errs = append(errs, fmt.Errorf("unit %s of partition %q: decontamination removes %s, %q because of %q (%s); decontaminate.overlap spares documents that share little, such as a licence header",
					p.spans[u].name, name, whole(len(docs)), first.Document, first.EvalID, s.evaluated(first.EvalSet)))
			}
			p.cut.units[u] = left
		}
	}
	return errors.Join(errs...)
}

// whole is all documents of a unit in words.
func whole(documents int) string {
	if documents == 1 {
		return "its only document"
	}
	return fmt.Sprintf("all its %d documents", documents)
}
