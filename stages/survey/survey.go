// Package survey looks at files of text before there is a study: what fields their documents have,
// which values, how much text, how many tokens that is, and how fast this machine trains a model.
// It reads a bounded part of each file, by the same readers as the steps of a run, so that a value
// found here is the value that a run finds.
//
// Not promised: that what stands behind the part that was read is like the part that was read.
package survey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"ablate/stages/internal/corpus"
	"ablate/stages/internal/corpus/parquet"
	"ablate/stages/text"
)

// What a survey gives, as the readers of corpora have it.
type (
	Document = corpus.Document
	Counts   = corpus.Counts
	FieldUse = corpus.FieldUse
	Uses     = corpus.Uses
	Options  = corpus.Options
)

// Extent says how much of a file was read.
type Extent struct {
	File      text.File
	Size      int64   // bytes of the file
	Documents int64   // that were looked at: lines or rows
	Share     float64 // of the file that was looked at, by its bytes or rows: 1 where it was read whole

	last int64 // number of the last line or row; 0: read all
}

// Fields looks at the fields of files of JSON Lines or Parquet, at most so many bytes of content of
// each.
func Fields(ctx context.Context, format string, files []text.File, most int64) (*Uses, []Extent, error) {
	uses := &Uses{}
	var extents []Extent
	for _, f := range files {
		e, err := fields(ctx, uses, format, f, most)
		if err != nil {
			return nil, nil, err
		}
		extents = append(extents, e)
	}
	return uses, extents, nil
}

func fields(ctx context.Context, uses *Uses, format string, f text.File, most int64) (Extent, error) {
	e := Extent{File: f, Share: 1}
	info, err := os.Stat(f.Path)
	if err != nil {
		return e, fmt.Errorf("%s: %w", f.Path, err)
	}
	e.Size = info.Size()
	if format == corpus.FormatTable {
		if _, _, err := corpus.OtherThanTable(corpus.Options{Format: format}, f.Path, f.Path); err != nil {
			return e, err
		}
		in, err := parquet.Open(f.Path)
		if err != nil {
			return e, fmt.Errorf("%s: %w", f.Path, err)
		}
		defer in.Close()
		s, err := corpus.TableUse(ctx, uses, in, most)
		if err != nil {
			return e, fmt.Errorf("%s: %w", f.Path, err)
		}
		if e.Documents = s.Documents; !s.All {
			e.last = s.Last
			e.Share = float64(s.Documents) / float64(max(in.NumRows(), s.Documents, 1))
		}
		return e, nil
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return e, err
	}
	defer file.Close()
	read := &meter{r: file}
	s, err := corpus.LinesUse(ctx, uses, f.Path, read, most)
	if err != nil {
		return e, err
	}
	if e.Documents = s.Documents; !s.All {
		e.last = s.Last
		e.Share = min(1, float64(read.n)/float64(max(e.Size, 1)))
	}
	return e, nil
}

// errEnough ends the reading of a file.
var errEnough = errors.New("enough documents")

// Documents calls each for the documents of a file, as far as the extent of [Fields] goes, or all
// of them for an extent that has only the file. What cannot be used is dropped and counted, but for
// a file of another format, which is an error.
func Documents(ctx context.Context, opt Options, e Extent, each func(Document)) (Counts, error) {
	opt.Bad = map[string]string{}
	for _, fault := range []string{corpus.BadLine, corpus.BadText, corpus.BadUTF8, corpus.BadSurrogate, corpus.BadEmpty} {
		opt.Bad[fault] = corpus.Drop
	}
	emit := func(d Document) error {
		if e.last > 0 && max(d.Place.Row, d.Place.Line) > e.last {
			return errEnough
		}
		each(d)
		return nil
	}
	if opt.Format == corpus.FormatTable {
		counts, err := rows(ctx, opt, e, emit)
		return counts, whole(err)
	}
	file, err := os.Open(e.File.Path)
	if err != nil {
		return Counts{}, err
	}
	defer file.Close()
	counts, err := corpus.Read(ctx, opt, e.File.Name, file, emit)
	return counts, whole(err)
}

func rows(ctx context.Context, opt Options, e Extent, emit func(Document) error) (Counts, error) {
	wishes, err := opt.Columns()
	if err != nil {
		return Counts{}, err
	}
	in, err := parquet.Open(e.File.Path)
	if err != nil {
		return Counts{}, fmt.Errorf("%s: %w", e.File.Path, err)
	}
	defer in.Close()
	for i, w := range wishes {
		if !in.Has(w.Path) {
			wishes[i].Path = nil // of several files with other columns than the first
		}
	}
	return corpus.ReadRows(ctx, opt, e.File.Name, func(each func(int64, []parquet.Cell) error) error { return in.Rows(ctx, wishes, each) }, emit)
}

// whole is the error of a reading that may have ended early on purpose.
func whole(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// meter counts the bytes that pass through a reader.
type meter struct {
	r io.Reader
	n int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	return n, err
}

// Check reads a file as a run does, and returns what a run would end with.
func Check(ctx context.Context, opt Options, e Extent) error {
	if opt.Format == corpus.FormatTable {
		_, err := rows(ctx, opt, e, func(Document) error { return nil })
		return err
	}
	file, err := os.Open(e.File.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = corpus.Read(ctx, opt, e.File.Path, file, func(Document) error { return nil })
	return err
}
