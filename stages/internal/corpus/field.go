package corpus

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// compiled is Options made ready: defaults filled in, paths parsed, metadata in order of names.
type compiled struct {
	text, id fieldPath
	fields   []field
	piece    int64
	bad      map[string]string // what becomes of each fault
	bounds   []bound

	absentValue string
	root        node // of the paths: text, id, fields
	scan        scanner
	scratch     []byte
}

// A field is one piece of metadata: a path for JSONL, an expression for text.
type field struct {
	name string
	path fieldPath
	expr *regexp.Regexp

	column string // tokens: of the index, or the name of the array

	bounded bool // Options.Between has a range for it
}

// parseExpression reads an expression with one group.
func (f *field) parseExpression(source string) (err error) {
	f.expr, err = regexp.Compile(source)
	if err == nil && f.expr.NumSubexp() != 1 {
		err = fmt.Errorf("expression %q has %d groups, want 1: its match is the value", source, f.expr.NumSubexp())
	}
	return err
}

// fromName applies the expression to a file's name.
func (f *field) fromName(name string) (value string, has bool) {
	m := f.expr.FindStringSubmatchIndex(name)
	if m == nil || m[2] < 0 {
		return "", false
	}
	return name[m[2]:m[3]], true
}

func (o Options) compile() (*compiled, error) {
	if formats := []string{FormatText, FormatJSONL, FormatTable, FormatToken}; !slices.Contains(formats, o.Format) {
		return nil, fmt.Errorf("corpus: format %q: want one of %q", o.Format, formats)
	}
	c := &compiled{absentValue: or(o.Absent, "NA"), piece: o.PieceBytes}
	var err error
	if c.bad, err = policies(o.Bad); err != nil {
		return nil, fmt.Errorf("corpus: %w", err)
	}
	if c.text, err = parsePath(or(o.TextField, "text")); err != nil {
		return nil, fmt.Errorf("corpus: text field: %w", err)
	}
	if c.id, err = parsePath(or(o.IDField, "id")); err != nil {
		return nil, fmt.Errorf("corpus: id field: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Metadata)) {
		_, bounded := o.Between[name]
		f := field{name: name, bounded: bounded}
		switch o.Format {
		case FormatText:
			err = f.parseExpression(o.Metadata[name])
		case FormatToken:
			err = parseTokenField(&f, o.Metadata[name])
		default:
			f.path, err = parsePath(o.Metadata[name])
		}
		if err != nil {
			return nil, fmt.Errorf("corpus: metadata %s: %w", name, err)
		}
		c.fields = append(c.fields, f)
	}
	if c.bounds, err = bounds(o.Between, o.Metadata); err != nil {
		return nil, fmt.Errorf("corpus: %w", err)
	}
	c.root.add(c.text.steps, 0)
	c.root.add(c.id.steps, 1)
	for i, f := range c.fields {
		c.root.add(f.path.steps, 2+i)
	}
	c.scan.found = make([]span, 2+len(c.fields))
	return c, nil
}

func or(value, ifEmpty string) string {
	if value == "" {
		return ifEmpty
	}
	return value
}

// A fieldPath leads from the object of a line to a value.
type fieldPath struct {
	source string
	steps  []pathStep
}

type pathStep struct {
	key   string
	index int // of an array, where key is ""
}

// parsePath reads keys between dots, each with any number of [n] behind it.
func parsePath(source string) (fieldPath, error) {
	p := fieldPath{source: source}
	bad := func(why string) (fieldPath, error) {
		return fieldPath{}, fmt.Errorf("field path %q: %s: want keys and indices such as metadata.fields[0]", source, why)
	}
	for part := range strings.SplitSeq(source, ".") {
		key, rest, indexed := strings.Cut(part, "[")
		if key == "" {
			return bad("a key is empty")
		}
		p.steps = append(p.steps, pathStep{key: key})
		for indexed {
			var digits, after string
			var closed bool
			if digits, after, closed = strings.Cut(rest, "]"); !closed {
				return bad("a [ is not closed")
			}
			n, err := strconv.ParseUint(digits, 10, 31)
			if err != nil {
				return bad(fmt.Sprintf("index %q is no number", digits))
			}
			p.steps = append(p.steps, pathStep{index: int(n)})
			if rest, indexed = strings.CutPrefix(after, "["); !indexed && after != "" {
				return bad(fmt.Sprintf("%q follows an index", after))
			}
		}
	}
	return p, nil
}
