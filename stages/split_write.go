package stages

import (
	"context"
	"fmt"

	"ablate/cache/table"
	"ablate/stages/kind"
)

// Catalogue is catalogue.json: the partitions of a split and how many units each has. A partition that is dropped as too small is not
// among them and says why; one that is merged says into which.
type Catalogue struct {
	Units   map[string]int    `json:"units"`
	Dropped map[string]string `json:"dropped,omitempty"`
	Merged  map[string]string `json:"merged,omitempty"`
}

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
		progress(s.job, done, total, "bytes")
		return nil
	}
	catalogue := Catalogue{Units: map[string]int{}, Dropped: map[string]string{}, Merged: s.merged}
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
	if err := writeTable(s.job, kind.OutLedger, s.ledger); err != nil {
		return err
	}
	if err := writeJSON(s.job, kind.OutFilter, s.filter); err != nil {
		return err
	}
	if err := writeTable(s.job, kind.OutSizes, s.sizes()); err != nil {
		return err
	}
	if err := writeTable(s.job, kind.OutTimeline, s.timeline()); err != nil {
		return err
	}
	if err := writeTable(s.job, kind.OutDuplicates, s.twice); err != nil {
		return err
	}
	return writeJSON(s.job, kind.OutCatalogue, catalogue)
}

// textBytes is the length of the documents' text.
func (s *splitting) textBytes(docs []document) (n int64) {
	for _, d := range docs {
		n += s.shards[d.shard].Doc(d.row).Bytes
	}
	return n
}

func writeTable[T any](job *kind.Job, name string, rows []T) error {
	path, err := out(job, name)
	if err != nil {
		return err
	}
	return table.WriteRows(path, rows)
}

func (s *splitting) writeTokens(name string, docs []document, eos bool) (err error) {
	path, err := out(s.job, name)
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
func (s *splitting) sizes() []SizeRow {
	var rows []SizeRow
	part := func(partition, part string, unit int64, docs []document, tokens int64) {
		if len(docs) > 0 || part == PartTest || part == PartValidation {
			rows = append(rows, SizeRow{Partition: partition, Part: part, Unit: unit, Documents: int64(len(docs)), Tokens: tokens})
		}
	}
	for _, name := range s.names {
		p := s.partitions[name]
		if !p.kept || p.small {
			why := PartExcluded
			if p.kept {
				why = PartSmall
			}
			all := append(append(append([]document(nil), p.training...), p.test...), p.validation...)
			part(name, why, -1, all, trainingTokens(all))
			continue
		}
		for u, docs := range p.cut.units {
			rows = append(rows, SizeRow{
				Partition: name, Part: PartUnit, Unit: int64(u), Name: p.spans[u].name, First: p.spans[u].first, Last: p.spans[u].last,
				Documents: int64(len(docs)), Tokens: trainingTokens(docs),
				RemovedDocuments: int64(len(p.removed[u])), RemovedTokens: trainingTokens(p.removed[u]),
			})
		}
		part(name, PartTest, -1, p.test, textTokens(p.test))
		part(name, PartValidation, -1, p.validation, textTokens(p.validation))
		part(name, PartUnused, -1, p.cut.unused, trainingTokens(p.cut.unused))
	}
	part("", PartDuplicate, -1, s.duplicates, trainingTokens(s.duplicates))
	return rows
}
