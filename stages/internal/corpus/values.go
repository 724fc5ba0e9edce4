package corpus

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Values is what the documents of a file, or of several, have of one name of metadata.
type Values struct {
	Absent int64 // kept documents that have none: they bear Options.Absent
	Found  int64 // documents that have one, kept or left out by Options.Between

	// Of names in Options.Between: the whole numbers among the values, where there are any, and the
	// first value that is none.
	Numbers     bool
	Least, Most int64
	Other       string
}

// add adds the values of further documents.
func (v *Values) add(o Values) {
	v.Absent += o.Absent
	v.Found += o.Found
	v.Other = or(v.Other, o.Other)
	if o.Numbers {
		v.number(o.Least)
		v.number(o.Most)
	}
}

func (v *Values) number(n int64) {
	if !v.Numbers {
		v.Least, v.Most, v.Numbers = n, n, true
	}
	v.Least, v.Most = min(v.Least, n), max(v.Most, n)
}

// note takes down a value that Options.Between bounds.
func (v *Values) note(text string) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		v.number(n)
	} else {
		v.Other = or(v.Other, text)
	}
}

// found is what a reader has seen of each field, by its number.
type found struct {
	values []Values
	absent []bool // of the document that is being read
	first  []byte // line of the first document of JSON Lines: what fields there are
}

// mostFirst bounds the copy of the first line, in bytes.
const mostFirst = 1 << 20

// describe gives a document its value of field i, or says that it has none. Fields come sorted by
// name.
func (rd *reader) describe(d *Document, i int, text string, has bool) {
	name := rd.fields[i].name
	if rd.absent[i] = !has; !has {
		text = rd.compiled.absentValue
		d.Lacks = append(d.Lacks, name)
	}
	d.Meta[name] = text
}

// noted counts the values of the document that is being read, before it is known whether it is
// kept.
func (rd *reader) noted(d *Document) {
	for i := range rd.fields {
		if rd.absent[i] {
			continue
		}
		v := &rd.values[i]
		v.Found++
		if rd.fields[i].bounded {
			v.note(d.Meta[rd.fields[i].name])
		}
	}
}

// kept counts what a kept document lacks.
func (rd *reader) kept() {
	for i, absent := range rd.absent {
		if absent {
			rd.values[i].Absent++
		}
	}
}

// finish puts what was found into the counts.
func (rd *reader) finish() {
	if rd.compiled == nil {
		return
	}
	lacking := false
	for i, v := range rd.values {
		if rd.counts.Values == nil {
			rd.counts.Values = map[string]Values{}
		}
		rd.counts.Values[rd.fields[i].name] = v
		lacking = lacking || v.Found == 0
	}
	if lacking && rd.counts.Read > 0 {
		rd.counts.Paths = rd.paths()
	}
}

// named reports metadata that come from the names of files or the columns of an index, not from
// fields.
func (f *field) named() bool { return f.expr != nil || f.column != "" }

// mostPaths bounds how many fields are listed.
const mostPaths = 200

// paths lists where metadata of these documents could come from: the fields of the first document
// of JSON Lines, in the order of their names, or else the name that expressions are matched
// against.
func (rd *reader) paths() []string {
	if rd.fields[0].named() {
		return []string{rd.name}
	}
	var object map[string]any
	if json.Unmarshal(rd.first, &object) != nil { // or there is none: a table names its columns itself
		return nil
	}
	var list []string
	var walk func(prefix string, of map[string]any)
	walk = func(prefix string, of map[string]any) {
		for _, key := range slices.Sorted(maps.Keys(of)) {
			if len(list) >= mostPaths {
				return
			}
			if inner, ok := of[key].(map[string]any); ok {
				walk(prefix+key+".", inner)
				continue
			}
			list = append(list, prefix+key)
		}
	}
	walk("", object)
	return list
}
