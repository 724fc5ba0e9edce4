package parquet

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
)

// openGolden opens a file of testdata/golden.
func openGolden(t *testing.T, name string) *File {
	f, err := Open("testdata/golden/" + name + ".parquet")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// What cannot be read is told from the schema, before a row is.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		file, path string
		text       bool
		want       string
	}{
		{"nested", "text", true, ""},
		{"types", "large", true, ""},
		{"types", "view", true, ""},
		{"types", "binary", true, ""},
		{"types", "dictionary", true, ""},
		{"parquet-go", "kind", true, ""},
		{"nested", "list", false, ""},
		{"nested", "list.[2]", true, ""},
		{"nested", "list", true, `field "list" is of type array, want a string: name the field that holds the text with the corpus's key text`},
		{"nested", "meta.field", true, `field "meta.field" is of type array, want a string`},
		{"nested", "meta", true, `field "meta" is of type object, want a string`},
		{"nested", "map", true, `field "map" is of type map, want a string`},
		{"types", "i64", true, `field "i64" is of type number, want a string`},
		{"types", "bool", true, `field "bool" is of type boolean, want a string`},
		{"types", "uuid", true, `field "uuid" is of type uuid, want a string`},
		{"times", "day", true, `field "day" is of type date, want a string`},
		{"times", "zoned", true, `field "zoned" is of type timestamp, want a string`},
		{"types", "body", true, "no column body: the file has bool, i8, i16"},
		{"types", "body", true, "name the field that holds the text"},
		{"nested", "meta.source.nam", false, "no column meta.source.nam: the file has list, deep, meta.field, meta.year, meta.source.name, meta.source.url, records.k, records.v, map, text, large, fixed"},
		{"nested", "map.m0", false, "no column map.m0"},
		{"nested", "meta", false, "column meta is of type object, want a string, a number or an array of them: name a field inside it; the file has list, deep, meta.field"},
		{"nested", "map", false, "column map is of type map, which is not read: write the key that you want as a column of its own"},
		{"nested", "records", false, "column records is of type object"},
		{"nested", "text.[0]", false, "column text[0]: text is of type string and has no element [0]"},
		{"nested", "records.k", false, "column records.k: records is of type array: say which element, as in records[0]"},
		{"nested", "deep.[0].[0].[0]", false, "column deep[0][0][0]: deep[0][0] is of type number and has no element [0]"},
		{"nested", "text.more", false, "no column text.more"},
	} {
		t.Run(c.file+" "+c.path, func(t *testing.T) {
			f := openGolden(t, c.file)
			w := Column{Path: strings.Split(c.path, "."), Text: c.text}
			err := f.Check(w)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if err != nil {
				rows := f.Rows(context.Background(), []Column{w}, func(int64, []Cell) error { t.Error("a row is read"); return nil })
				if rows == nil || !strings.Contains(rows.Error(), err.Error()) {
					t.Errorf("Rows says %v, Check %v", rows, err)
				}
			}
		})
	}
}

func TestHas(t *testing.T) {
	f := openGolden(t, "nested")
	for path, want := range map[string]bool{"text": true, "meta": true, "meta.source": true, "meta.source.url": true, "list.[7]": true, "records.[0].k": true, "records.k": false, "met": false, "meta.sources": false, "text.[0]": false} {
		if got := f.Has(strings.Split(path, ".")); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

// schema is a schema's elements by the format's own depth-first order.
func schema(t *testing.T, elements ...element) *File {
	f := &File{}
	for i := range elements {
		if elements[i].children > 0 {
			elements[i].physical = -1
		}
		if elements[i].logical.id != 0 || elements[i].converted == 0 {
			elements[i].converted = -1
		}
	}
	if err := f.grow(elements); err != nil {
		t.Fatal(err)
	}
	return f
}

// The ways in which a list was written over the years ("Backward-compatibility rules" of
// LogicalTypes.md), each with what leads to its text.
func TestListForms(t *testing.T) {
	root := element{name: "schema", children: 1}
	list := func(name string, children int64) element {
		return element{name: name, repetition: optional, children: children, logical: logicalType{id: logicalList}}
	}
	old := element{name: "l", repetition: optional, children: 1, converted: 3}
	group := func(name string, repetition, children int64) element {
		return element{name: name, repetition: repetition, children: children}
	}
	leaf := func(name string, repetition int64) element {
		return element{name: name, repetition: repetition, physical: physicalBytes}
	}
	for _, c := range []struct {
		name     string
		elements []element
		path     string
		def, rep int
		places   []int
	}{
		{"three levels", []element{root, list("l", 1), group("list", repeated, 1), leaf("element", optional)}, "l.[1]", 3, 1, []int{1}},
		{"Hive's names", []element{root, old, group("bag", repeated, 1), leaf("array_element", optional)}, "l", 3, 1, []int{0}},
		{"two levels", []element{root, list("l", 1), leaf("element", repeated)}, "l.[2]", 2, 1, []int{2}},
		{"a struct of two fields", []element{root, list("l", 1), group("element", repeated, 2), leaf("a", required), leaf("b", required)}, "l.[0].b", 2, 1, []int{0}},
		{"a struct called array", []element{root, list("l", 1), group("array", repeated, 1), leaf("a", required)}, "l.[0].a", 2, 1, []int{0}},
		{"a struct called l_tuple", []element{root, list("l", 1), group("l_tuple", repeated, 1), leaf("a", required)}, "l.[3].a", 2, 1, []int{3}},
		{"a list of itself", []element{root, leaf("l", repeated)}, "l.[4]", 1, 1, []int{4}},
		{"structs in a list of itself", []element{root, group("l", repeated, 1), leaf("a", optional)}, "l.[1].a", 2, 1, []int{1}},
		{"lists of lists", []element{root, list("l", 1), group("list", repeated, 1), list("element", 1), group("list", repeated, 1), leaf("element", required)}, "l.[1]", 4, 2, []int{1, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, err := schema(t, c.elements...).resolve(strings.Split(c.path, "."))
			if err != nil {
				t.Fatal(err)
			}
			if target.node.leaf < 0 || target.node.def != c.def || target.node.rep != c.rep || !slices.Equal(target.place, c.places) {
				t.Errorf("%s of levels %d and %d at %v, want a column of %d and %d at %v", target.node.name, target.node.def, target.node.rep, target.place, c.def, c.rep, c.places)
			}
		})
	}
}

// A schema must be a tree of the elements that are there, no deeper than any table's is, and a name
// in it one column.
func TestFooterErrors(t *testing.T) {
	element := func(children byte) string { // name "a", and children where there are some
		if children == 0 {
			return "\x15\x0c\x38\x01a\x00"
		}
		return "\x48\x01a\x15" + string([]byte{2 * children}) + "\x00"
	}
	footer := func(elements ...string) string {
		return "\x15\x02\x19" + string([]byte{byte(len(elements))<<4 | 0x0c}) + strings.Join(elements, "") + "\x16\x00\x19\x0c\x00"
	}
	deep := strings.Repeat(element(1), deepest+1) + element(0)
	for _, c := range []struct{ name, footer, want string }{
		{"two columns", footer(element(2), element(0), element(0)), ""},
		{"children that are not there", footer(element(3), element(0), element(0)), `element "a" of the schema has 3 children, 2 elements follow`},
		{"an element too many", footer(element(1), element(0), element(0)), `element "a" of the schema is in none`},
		{"too deep", "\x15\x02\x19\xfc" + string([]byte{deepest + 2}) + deep + "\x16\x00\x19\x0c\x00", "more than 64 deep"},
		{"lists in lists", "\x79" + strings.Repeat("\x19", 100) + "\x00", "lists within lists more than 64 deep"},
		{"structs in structs", "\x7c" + strings.Repeat("\x1c", 100), "structs within structs more than 64 deep"},
		{"a map of too many", "\x7b\xff\xff\xff\xff\x0f\x88\x00", "map of 4294967295"},
		{"text of too many", "\x78\xff\xff\xff\xff\x0f\x00", "it ends inside a value"},
		{"an unknown type", "\x7e\x00", "value of type 14"},
		{"nothing", "", "it ends inside a value"},
		{"no schema", "\x00", "no schema"},
		{"a number without end", "\x16" + strings.Repeat("\xff", 20), "a number of more than 64 bits"},
		{"rows that no group has", "\x15\x02\x19\x2c" + element(1) + element(0) + "\x16\x06\x19\x0c\x00", "the row groups have 0 rows, the footer says 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := withFooter([]byte(magic), int64(len(magic)), []byte(c.footer))
			_, err := New(bytes.NewReader(file), int64(len(file)))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	for file, want := range map[string]string{
		"PAR1": "4 bytes, a Parquet file has at least 12", "PAR1\x00\x00\x00\x00PARE": "encrypted", "PAR1\x00\x00\x00\x00PAR2": "cut short",
		"PAR1\x01\x00\x00\x00PAR1": "footer of 1 bytes, the file has 0 for it",
	} {
		if _, err := New(strings.NewReader(file), int64(len(file))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", file, err, want)
		}
	}
}
