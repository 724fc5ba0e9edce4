package text

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"ablate/cache/table"
	"ablate/stages/internal/bpe"
	"ablate/stages/internal/corpus"
	"ablate/stages/internal/step"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// tokenize turns files into tokens, metadata and paragraph hashes.
func tokenize(ctx context.Context, job *kind.Job) error {
	var p kind.TokenizeParams
	if err := job.Decode(&p); err != nil {
		return err
	}
	if p.Paragraph != corpus.ParagraphLine && p.Paragraph != corpus.ParagraphBlank {
		return fmt.Errorf("internal error: paragraph is %q", p.Paragraph)
	}
	tok, err := openTokenizer(job)
	if err != nil {
		return fmt.Errorf("tokenize: %w", err)
	}
	in, err := openFiles(job, p.Read, 1)
	if err != nil {
		return fmt.Errorf("tokenize: %w", err)
	}
	in.tok = tok
	path, err := step.Out(job, kind.OutTokens)
	if err != nil {
		return err
	}
	w, err := table.CreateTokens(path, tok.Vocab())
	if err != nil {
		return err
	}
	defer w.Close()
	t := &tokenizing{params: p, names: slices.Sorted(maps.Keys(p.Read.Metadata)), out: w, file: in.name, seen: map[string]corpus.Place{}}
	t.encoding = newEncoding(tok, max(1, job.Threads), job.Now, p, t.names, t.write)
	defer t.encoding.stop()
	counts, err := in.each(ctx, t.add)
	if err != nil {
		return fmt.Errorf("tokenize: %w", err)
	}
	if err := t.encoding.finish(); err != nil {
		return fmt.Errorf("tokenize: %w", err)
	}
	counts.Withdraw(tables.DroppedDuplicate, t.twice.n, t.twice.bytes, t.twice.places)
	gone := missingOf(counts, p.Read)
	if p.NonEmpty {
		if err := gone.Check(); err != nil {
			return fmt.Errorf("tokenize: %w", err)
		}
		if t.tokens == 0 {
			return fmt.Errorf("tokenize: the files of the evaluation set hold no text: %s", tables.InWords(counts.Read, counts.Kept, counts.Dropped))
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := step.JSON(job, kind.OutMissing, gone); err != nil {
		return err
	}
	return t.save(job, counts)
}

func openTokenizer(job *kind.Job) (*bpe.Tokenizer, error) {
	in, err := job.Input("tokenizer")
	if err != nil {
		return nil, err
	}
	f, err := os.Open(in.Path)
	if err != nil {
		return nil, fmt.Errorf("open tokenizer: %w", err)
	}
	defer f.Close()
	return bpe.Load(f)
}

// tokenizing writes documents as they come out of an encoding.
type tokenizing struct {
	params   kind.TokenizeParams
	names    []string // of metadata, sorted
	encoding *encoding
	out      *table.TokenWriter

	file  func(i int) string // name of the i-th file
	seen  map[string]corpus.Place
	kept  int64    // documents that are kept though their identity came before
	twice struct { // documents whose identity came before
		n, bytes int64
		places   []corpus.Place
	}

	documents  []tables.DocumentRow
	places     []tables.PlaceRow
	paragraphs []tables.ParagraphRow
	tokens     int64
}

func (t *tokenizing) add(d corpus.Document) error {
	if t.params.NonEmpty || t.params.Duplicate != "" { // of a corpus, split sees to it, which knows all files
		first, ok := t.seen[d.ID]
		switch {
		case !ok:
			t.seen[d.ID] = d.Place
		case t.params.Duplicate != "":
			return t.duplicate(d, first)
		default:
			t.kept++
		}
	}
	return t.encoding.add(d)
}

// write appends a document.
func (t *tokenizing) write(d *encoded) error {
	if err := t.out.Append(d.row.ID, d.tokens, d.row.Bytes, d.row.Chars, d.row.Words); err != nil {
		return err
	}
	t.documents = append(t.documents, d.row)
	t.paragraphs = append(t.paragraphs, tables.ParagraphRow{ID: d.row.ID, Hashes: d.hashes, Lengths: d.lengths})
	p := d.doc.Place
	t.places = append(t.places, tables.PlaceRow{File: p.File, Line: p.Line + p.Row, Byte: p.Byte})
	t.tokens += d.row.Tokens
	return nil
}

// save writes the tables.
func (t *tokenizing) save(job *kind.Job, c corpus.Counts) error {
	if err := step.Table(job, kind.OutDocuments, t.documents); err != nil {
		return err
	}
	if err := step.Table(job, kind.OutParagraphs, t.paragraphs); err != nil {
		return err
	}
	if err := step.Table(job, kind.OutPlaces, t.places); err != nil {
		return err
	}
	return step.JSON(job, kind.OutCounts, tables.TokenizeCounts{
		Files: c.Files, Read: c.Read, Kept: c.Kept, Dropped: nonNil(c.Dropped), Bytes: c.Bytes, Tokens: t.tokens, Metadata: append([]string{}, t.names...),
		Absent: absent(c), Twice: t.kept, Places: c.Places,
	})
}

func nonNil(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}

// countWords counts the pieces between white space, the words of the paper's perplexity per word.
func countWords(text string) int64 {
	n := int64(0)
	for range strings.FieldsSeq(text) {
		n++
	}
	return n
}

// paragraphHashes returns the hashes of the distinct paragraphs, in the form in which they are
// compared, with at least minTokens tokens, two numbers each, in order of first appearance, and how
// many bytes of the text each makes up.
func paragraphHashes(e *bpe.Encoder, text, mode string, minTokens int) (hashes []uint64, lengths []int64) {
	seen := map[tables.Fingerprint]int{}
	var scratch []uint32
	for p, size := range corpus.Paragraphs(text, mode) {
		var long bool
		if long, scratch = atLeast(e, p, minTokens, scratch); !long {
			continue
		}
		f := tables.FingerprintOf(p)
		n, ok := seen[f]
		if !ok {
			n = len(lengths)
			seen[f] = n
			hashes = append(hashes, binary.BigEndian.Uint64(f[:8]), binary.BigEndian.Uint64(f[8:]))
			lengths = append(lengths, 0)
		}
		lengths[n] += int64(size)
	}
	return hashes, lengths
}

// atLeast says whether a paragraph has n tokens or more, mostly without encoding it a second time:
// a token has at least one byte and never parts of two words with white space between them, so
// words are a lower bound of tokens and bytes an upper one.
func atLeast(e *bpe.Encoder, paragraph string, n int, scratch []uint32) (bool, []uint32) {
	if len(paragraph) < n {
		return false, scratch
	}
	words := 0
	for range strings.FieldsSeq(paragraph) {
		if words++; words >= n {
			return true, scratch
		}
	}
	scratch = e.Encode(scratch[:0], paragraph)
	return len(scratch) >= n, scratch
}
