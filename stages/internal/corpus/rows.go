package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"ablate/stages/internal/corpus/parquet"
)

// Columns are the wishes for the cells that ReadRows wants of each row, in order: text, identity,
// metadata.
func (o Options) Columns() ([]parquet.Column, error) {
	c, err := o.compile()
	if err != nil {
		return nil, err
	}
	all := []parquet.Column{{Path: c.text.words(), Text: true}, {Path: c.id.words()}}
	for _, f := range c.fields {
		all = append(all, parquet.Column{Path: f.path.words()})
	}
	return all, nil
}

func (p fieldPath) words() []string {
	var out []string
	for _, s := range p.steps {
		if s.key != "" {
			out = append(out, s.key)
		} else {
			out = append(out, "["+strconv.Itoa(s.index)+"]")
		}
	}
	return out
}

// OtherThanTable reports a file that is no table by its first bytes, and what becomes of it: an
// error, or counts where the options drop it.
func OtherThanTable(opt Options, name, path string) (counts Counts, other bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return counts, false, err
	}
	defer f.Close()
	head := make([]byte, headBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return counts, false, fmt.Errorf("corpus: %s: %w", name, err)
	}
	if head = head[:n]; strings.HasPrefix(string(head), "PAR") { // PARE: it is encrypted
		return counts, false, nil
	}
	if err = unlike(head, FormatTable); err == nil {
		err = fmt.Errorf("the file is no Parquet file, it begins with %q", head[:min(len(head), 16)])
	}
	rd := &reader{name: name}
	if bad := rd.prepare(opt); bad != nil {
		return rd.counts, true, bad
	}
	err = rd.fault(faultf(BadFormat, "%w", err), Place{}, rd.whole)
	return rd.counts, true, err
}

// ReadRows is Read for the rows of a table, which rows calls its argument with, one after the
// other: of a row its number from 1 and the cells that Columns asks for.
func ReadRows(ctx context.Context, opt Options, name string, rows func(each func(row int64, cells []parquet.Cell) error) error, emit func(Document) error) (Counts, error) {
	rd := &reader{name: name, emit: emit, limit: maxDocument}
	if err := rd.prepare(opt); err != nil {
		return rd.counts, err
	}
	err := rows(func(row int64, cells []parquet.Cell) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		where := func(int) string { return fmt.Sprintf("corpus: %s: row %d", rd.name, row) }
		d, f := rd.row(cells)
		if f != nil {
			return rd.fault(f, Place{Row: row}, where)
		}
		return rd.document(d, Place{Row: row}, where)
	})
	rd.finish()
	return rd.counts, err
}

func (rd *reader) row(cells []parquet.Cell) (d Document, f *fault) {
	text := cells[0]
	if !text.Present || !text.String {
		return d, faultf(BadText, "column %q holds no text here: name the column that does with the corpus's key text", rd.text.source)
	}
	if !utf8.ValidString(text.Text) {
		return d, faultf(BadUTF8, "column %q is not valid UTF-8", rd.text.source)
	}
	d.Text = text.Text
	if d.ID, _, f = value(cells[1], rd.id); f != nil {
		return d, f
	}
	if d.ID == "" {
		sum := sha256.Sum256([]byte(d.Text))
		d.ID = hex.EncodeToString(sum[:8])
	}
	d.Meta = make(map[string]string, len(rd.fields))
	for i, m := range rd.fields {
		text, has, f := value(cells[2+i], m.path)
		if f != nil {
			return d, f
		}
		rd.describe(&d, i, text, has)
	}
	return d, nil
}

// value is a cell's text, and whether there is one.
func value(c parquet.Cell, p fieldPath) (text string, has bool, f *fault) {
	switch {
	case !c.Present:
		return "", false, nil
	case !utf8.ValidString(c.Text):
		return "", false, faultf(BadUTF8, "column %q is not valid UTF-8", p.source)
	}
	return c.Text, true, nil
}
