package specs

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// field is one key of the study language, as its Go type, comment and tags tell it.
type field struct {
	name    string // the YAML key
	index   []int  // for reflect.Value.FieldByIndex
	typ     reflect.Type
	doc     string // sentences, then lines that begin with "- word: ", if any
	unit    string
	preset  string // the default tag, YAML
	example string
	effect  string // the key tag
	names   string // the names tag: what the keys of a map, or a text, may look like
	enum    []string
	need    bool
	one     bool // of the keys below exactly one must be given
	whole   bool // is replaced as a whole where a study is laid over another
	partial bool // in the schema: of a study that need not hold every key
	bounds  bounds
}

// bounds are the tags min, max (inclusive), above, below (exclusive); nil where the tag is absent.
type bounds struct{ min, max, above, below *float64 }

// fieldsOf lists the keys of a struct in declared order, with those of embedded structs in their
// place.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous {
			for _, f := range fieldsOf(sf.Type) {
				f.index = append([]int{i}, f.index...)
				out = append(out, f)
			}
			continue
		}
		name, given := sf.Tag.Lookup("yaml")
		if !given {
			name, _, _ = strings.Cut(sf.Tag.Get("json"), ",")
		}
		if !sf.IsExported() || name == "-" {
			continue
		}
		f := field{
			name: name, index: []int{i}, typ: sf.Type,
			doc: docOf(t, sf), unit: sf.Tag.Get("unit"), preset: sf.Tag.Get("default"), example: sf.Tag.Get("example"),
			effect: sf.Tag.Get("key"), names: sf.Tag.Get("names"),
			need: sf.Tag.Get("need") == "yes", one: sf.Tag.Get("one") == "yes", whole: sf.Tag.Get("whole") == "yes",
			bounds: bounds{min: bound(sf.Tag, "min"), max: bound(sf.Tag, "max"), above: bound(sf.Tag, "above"), below: bound(sf.Tag, "below")},
		}
		if words := sf.Tag.Get("enum"); words != "" {
			f.enum = strings.Split(words, "|")
		}
		out = append(out, f)
	}
	return out
}

// docOf is the documentation of a key: the comment of its field, or the doc tag of a struct of
// another package.
func docOf(t reflect.Type, sf reflect.StructField) string {
	if doc, ok := sf.Tag.Lookup("doc"); ok {
		return doc
	}
	return comments[t.Name()+"."+sf.Name]
}

func bound(tag reflect.StructTag, name string) *float64 {
	text, ok := tag.Lookup(name)
	if !ok {
		return nil
	}
	x, err := parseFloat(text)
	if err != nil {
		panic(fmt.Sprintf("internal error: tag %s:%q: %v", name, text, err))
	}
	return &x
}

// holds reports whether x is within the bounds. Integers beyond 2^53 are rounded here, far above
// any bound we write.
func (b bounds) holds(x float64) bool {
	return (b.min == nil || x >= *b.min) && (b.max == nil || x <= *b.max) && (b.above == nil || x > *b.above) && (b.below == nil || x < *b.below)
}

// String says what the bounds ask for: "1 or more", "above 0 and below 1".
func (b bounds) String() string {
	var parts []string
	switch {
	case b.min != nil && b.max != nil && *b.min == *b.max:
		return number(*b.min)
	case b.min != nil && b.max != nil:
		return fmt.Sprintf("%s to %s", number(*b.min), number(*b.max))
	case b.min != nil && b.below == nil:
		return number(*b.min) + " or more"
	case b.min != nil:
		parts = append(parts, "from "+number(*b.min))
	case b.above != nil:
		parts = append(parts, "above "+number(*b.above))
	}
	if b.max != nil {
		parts = append(parts, "at most "+number(*b.max))
	}
	if b.below != nil {
		parts = append(parts, "below "+number(*b.below))
	}
	return strings.Join(parts, " and ")
}

// number writes a float as people do: 16777216, 1e12, 0.05, 1e-5.
func number(x float64) string {
	const inFull = 1e9
	if math.Abs(x) < inFull && x == math.Trunc(x) {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	text := strconv.FormatFloat(x, 'g', -1, 64)
	return strings.NewReplacer("e+0", "e", "e-0", "e-", "e+", "e").Replace(text)
}
