package split

import (
	"context"
	"fmt"

	"ablate/cache/table"
	"ablate/stages/internal/step"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// write leaves the token files, the ledger, the sizes and the catalogue.
func (s *splitting) write(ctx context.Context) error {
	var total, done, docsDone int64 // bytes of text, bytes, documents
	for _, name := range s.kept() {
		p := s.partitions[name]
		for _, docs := range append([][]document{p.test, p.validation}, p.cut.units...) {
			total += s.textBytes(docs)
		}
	}
	file := func(name string, docs []document, eos bool) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.writeTokens(name, docs, eos); err != nil {
			return err
		}
		done, docsDone = done+s.textBytes(docs), docsDone+int64(len(docs))
		if s.job.Documents != nil {
			s.job.Documents(docsDone)
		}
		step.Progress(s.job, done, total, "bytes")
		return nil
	}
	catalogue := tables.Catalogue{Units: map[string]int{}, Dropped: map[string]string{}, Merged: s.merged}
	for _, name := range s.kept() {
		p := s.partitions[name]
		catalogue.Units[name] = len(p.cut.units)
		for u, docs := range p.cut.units {
			if err := file(kind.UnitOutput(name, u), docs, true); err != nil {
				return err
			}
		}
		if err := file(kind.TestOutput(name), p.test, false); err != nil {
			return err
		}
		if err := file(kind.ValidationOutput(name), p.validation, false); err != nil {
			return err
		}
	}
	for _, name := range s.names {
		if p := s.partitions[name]; p.kept && p.small {
			catalogue.Dropped[name] = fmt.Sprintf("%d tokens, less than half a unit of %d", trainingTokens(p.training), s.params.UnitTokens)
		}
	}
	if err := step.Table(s.job, kind.OutLedger, s.ledger); err != nil {
		return err
	}
	if err := step.JSON(s.job, kind.OutFilter, s.filter); err != nil {
		return err
	}
	if err := step.Table(s.job, kind.OutSizes, s.sizes()); err != nil {
		return err
	}
	if err := step.Table(s.job, kind.OutTimeline, s.timeline()); err != nil {
		return err
	}
	if err := step.Table(s.job, kind.OutDuplicates, s.twice); err != nil {
		return err
	}
	return step.JSON(s.job, kind.OutCatalogue, catalogue)
}

// textBytes is the length of the documents' text.
func (s *splitting) textBytes(docs []document) (n int64) {
	for _, d := range docs {
		n += s.shards[d.shard].Doc(d.row).Bytes
	}
	return n
}

func (s *splitting) writeTokens(name string, docs []document, eos bool) (err error) {
	path, err := step.Out(s.job, name)
	if err != nil {
		return err
	}
	w, err := table.CreateTokens(path, s.params.Vocab)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := w.Close(); err == nil {
			err = cerr
		}
	}()
	var tokens []uint32
	for _, d := range docs {
		t := s.shards[d.shard]
		tokens = t.DocTokens(d.row, tokens[:0])
		if eos {
			tokens = append(tokens, s.params.EOS)
		}
		info := t.Doc(d.row)
		if err := w.Append(d.id, tokens, info.Bytes, info.Chars, info.Words); err != nil {
			return err
		}
	}
	return nil
}

// sizes accounts for every document of the corpus.
func (s *splitting) sizes() []tables.SizeRow {
	var rows []tables.SizeRow
	part := func(partition, part string, unit int64, docs []document, tokens int64) {
		if len(docs) > 0 || part == tables.PartTest || part == tables.PartValidation {
			rows = append(rows, tables.SizeRow{Partition: partition, Part: part, Unit: unit, Documents: int64(len(docs)), Tokens: tokens})
		}
	}
	for _, name := range s.names {
		p := s.partitions[name]
		if !p.kept || p.small {
			why := tables.PartExcluded
			if p.kept {
				why = tables.PartSmall
			}
			all := append(append(append([]document(nil), p.training...), p.test...), p.validation...)
			part(name, why, -1, all, trainingTokens(all))
			continue
		}
		for u, docs := range p.cut.units {
			rows = append(rows, tables.SizeRow{
				Partition: name, Part: tables.PartUnit, Unit: int64(u), Name: p.spans[u].name, First: p.spans[u].first, Last: p.spans[u].last,
				Documents: int64(len(docs)), Tokens: trainingTokens(docs),
				RemovedDocuments: int64(len(p.removed[u])), RemovedTokens: trainingTokens(p.removed[u]),
			})
		}
		part(name, tables.PartTest, -1, p.test, textTokens(p.test))
		part(name, tables.PartValidation, -1, p.validation, textTokens(p.validation))
		part(name, tables.PartUnused, -1, p.cut.unused, trainingTokens(p.cut.unused))
	}
	part("", tables.PartDuplicate, -1, s.duplicates, trainingTokens(s.duplicates))
	return rows
}
