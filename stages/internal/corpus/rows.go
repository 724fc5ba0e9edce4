package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode/utf8"

	"ablate/stages/internal/corpus/parquet"
)

// Columns are the wishes for the cells that ReadRows wants of each row, in order: text, identity, metadata.
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

// ReadRows is Read for the rows of a table, which rows calls its argument with, one after the other: of a row its number from 1 and the
// cells that Columns asks for.
func ReadRows(ctx context.Context, opt Options, name string, rows func(each func(row int64, cells []parquet.Cell) error) error, emit func(Document) error) (Counts, error) {
	rd := &reader{name: name, emit: emit, limit: maxDocument, piece: opt.PieceBytes}
	rd.counts.Files = 1
	var err error
	if rd.compiled, err = opt.compile(); err != nil {
		return rd.counts, err
	}
	err = rows(func(row int64, cells []parquet.Cell) error {
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
		value, ok, f := value(cells[2+i], m.path)
		if f != nil {
			return d, f
		}
		rd.describe(&d, m.name, value, ok)
	}
	return d, nil
}

// value is a cell's text, and whether there is one.
func value(c parquet.Cell, p fieldPath) (text string, ok bool, f *fault) {
	switch {
	case !c.Present:
		return "", false, nil
	case !utf8.ValidString(c.Text):
		return "", false, faultf(BadUTF8, "column %q is not valid UTF-8", p.source)
	}
	return c.Text, true, nil
}
