package corpus

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"ablate/stages/internal/corpus/parquet"
)

// A FieldUse says what the documents of a file, or of several, have at one path of JSON Lines or in
// one column of a table. A document counts once: by the kind of its value.
type FieldUse struct {
	Path    string // as a study writes the path
	Texts   int64  // documents with a string there
	Numbers int64  // with a number, or a value of a column that is not text
	Truths  int64  // with true or false
	Lists   int64  // with a list of such values, or an empty one
	Objects int64  // with an object, or with a list of objects or of lists
	Bytes   int64  // of the strings
	Odd     bool   // no study can name the path: a key has a sign in it that paths use
}

// Documents are those that have the field.
func (u FieldUse) Documents() int64 { return u.Texts + u.Numbers + u.Truths + u.Lists + u.Objects }

// A Uses gathers what fields documents have.
type Uses struct {
	Documents int64 // looked at
	Crowded   bool  // there are more than mostUses fields, so that some are missing here
	fields    map[string]*FieldUse
}

// mostUses bounds how many fields are told apart. Records that use identities as keys have more.
const mostUses = 2000

// Fields are the fields in the order of their paths.
func (u *Uses) Fields() []FieldUse {
	var list []FieldUse
	for _, f := range u.fields {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b FieldUse) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// field is what is known of a path; nil: there are too many.
func (u *Uses) field(path string, odd bool) *FieldUse {
	f := u.fields[path]
	if f != nil {
		return f
	}
	if len(u.fields) >= mostUses {
		u.Crowded = true
		return nil
	}
	if u.fields == nil {
		u.fields = map[string]*FieldUse{}
	}
	f = &FieldUse{Path: path, Odd: odd}
	u.fields[path] = f
	return f
}

// object notes the fields of one object and of the objects in it.
func (u *Uses) object(prefix string, odd bool, of map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(of)) {
		value := of[key]
		strange := odd || key == "" || strings.ContainsAny(key, ".[]")
		if inner, ok := value.(map[string]any); ok {
			u.object(prefix+key+".", strange, inner)
		}
		if value == nil {
			continue
		}
		if f := u.field(prefix+key, strange); f != nil {
			f.note(value)
		}
	}
}

func (u *FieldUse) note(value any) {
	switch v := value.(type) {
	case string:
		u.Texts++
		u.Bytes += int64(len(v))
	case json.Number:
		u.Numbers++
	case bool:
		u.Truths++
	case []any:
		nested := slices.ContainsFunc(v, func(e any) bool {
			switch e.(type) {
			case map[string]any, []any:
				return true
			}
			return false
		})
		if nested {
			u.Objects++
		} else {
			u.Lists++
		}
	case map[string]any:
		u.Objects++
	}
}

// A Stretch is the part of a file that was looked at, from its first document on.
type Stretch struct {
	Documents int64 // in it: lines, those of white space aside, or rows
	Last      int64 // number of the last line or row, from 1
	All       bool  // there is nothing behind it
}

// LinesUse adds the fields of a file of JSON Lines to u, of its first lines up to so many bytes.
// Lines that are no JSON object are passed over: [Read] tells of them.
func LinesUse(ctx context.Context, u *Uses, name string, r io.Reader, most int64) (Stretch, error) {
	in, _, closer, err := open(r, lineBuffer)
	if err != nil {
		return Stretch{}, fmt.Errorf("corpus: %s: %w", name, err)
	}
	defer closer()
	head, _ := in.Peek(headBytes)
	if err := unlike(head, FormatJSONL); err != nil {
		return Stretch{}, fmt.Errorf("corpus: %s: %w", name, err)
	}
	return linesUse(ctx, u, name, in, most)
}

func linesUse(ctx context.Context, u *Uses, name string, in *bufio.Reader, most int64) (s Stretch, err error) {
	rd := &reader{limit: maxDocument, compiled: &compiled{}}
	var line, long []byte
	for read := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		s.Last++
		var size int64
		line, long, size, err = rd.line(in, long)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return s, fmt.Errorf("corpus: %s:%d: %w", name, s.Last, err)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			s.Documents++
			decoder := json.NewDecoder(bytes.NewReader(line))
			decoder.UseNumber()
			var object map[string]any
			if decoder.Decode(&object) == nil && object != nil {
				u.Documents++
				u.object("", false, object)
			}
		}
		if last {
			s.All = true
			return s, nil
		}
		if read += size; read >= most {
			_, err := in.Peek(1)
			s.All = errors.Is(err, io.EOF)
			return s, nil
		}
	}
}

// errEnough ends the reading of rows.
var errEnough = errors.New("enough rows")

// TableUse adds the columns of a table to u, of its first rows up to so many bytes of their values.
// Columns that no study can name, such as maps, are passed over.
func TableUse(ctx context.Context, u *Uses, in *parquet.File, most int64) (s Stretch, err error) {
	var wishes []parquet.Column
	var uses []*FieldUse
	var texts []bool
	for _, name := range in.Columns() {
		path, err := parsePath(name)
		if err != nil {
			continue
		}
		wish := parquet.Column{Path: path.words()}
		if in.Check(wish) != nil {
			continue
		}
		if f := u.field(name, false); f != nil {
			wishes, uses = append(wishes, wish), append(uses, f)
			wish.Text = true
			texts = append(texts, in.Check(wish) == nil)
		}
	}
	read := int64(0)
	err = in.Rows(ctx, wishes, func(_ int64, cells []parquet.Cell) error {
		if read >= most {
			return errEnough
		}
		s.Documents++
		u.Documents++
		for i, c := range cells {
			read += int64(len(c.Text))
			switch {
			case !c.Present:
			case texts[i]:
				uses[i].Texts++
				uses[i].Bytes += int64(len(c.Text))
			case c.String:
				uses[i].Lists++
			case c.Text == "true" || c.Text == "false":
				uses[i].Truths++
			default:
				uses[i].Numbers++
			}
		}
		return nil
	})
	s.Last = s.Documents
	if errors.Is(err, errEnough) {
		return s, nil
	}
	s.All = err == nil
	return s, err
}
