package table

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// A Column describes a column of a row table.
type Column struct {
	Name string
	Type string // string, bool, int32, int64, float64, list<string>, list<int32>, list<int64> or list<uint64>
	Unit string
	Doc  string

	Nullable bool // a value may be missing
}

// A Versioned row states which version of its columns this program writes and reads. The version is
// kept in the file; ReadRows refuses another one. Rows without a version read only files without
// one.
type Versioned interface{ TableVersion() string }

// Columns describes the columns of T, a struct, in the order of its fields. Every exported field
// has the tag `col:"name"`, and usually `unit:"..."` and `doc:"..."`; `col:"-"` leaves a field out
// of the table. The fields of an embedded struct without tag stand in its place.
//
// A field with the tag `null:"VALUE"` is a nullable column: a row in which the field is VALUE has
// null in the file, and a null is read as VALUE. VALUE is NaN for a float64, the empty string for a
// string, and a number for an int64. Lists, bools and int32 have no nulls.
//
// It panics for a T that WriteRows would refuse: a mistake in the program, not in its input.
func Columns[T any]() []Column {
	layout, err := layoutOf(reflect.TypeFor[T]())
	if err != nil {
		panic("internal error: table: " + err.Error())
	}
	columns := make([]Column, len(layout.columns))
	for i, c := range layout.columns {
		columns[i] = c.Column
	}
	return columns
}

// rowLayout maps a struct to columns.
type rowLayout struct {
	version string
	columns []column
}

type column struct {
	Column
	index   []int        // of the field, for reflect.Value.FieldByIndex
	element reflect.Kind // of the field or, in a list, of its elements
	list    bool
	null    any // of the field's type: what stands for null in a nullable column
}

func layoutOf(t reflect.Type) (rowLayout, error) {
	if t.Kind() != reflect.Struct {
		return rowLayout{}, fmt.Errorf("row type %v is not a struct", t)
	}
	var layout rowLayout
	if v, ok := reflect.New(t).Interface().(Versioned); ok {
		layout.version = v.TableVersion()
		if layout.version == "" {
			return rowLayout{}, fmt.Errorf("row type %v: TableVersion is empty", t)
		}
	}
	if err := layout.addFields(t, nil); err != nil {
		return rowLayout{}, fmt.Errorf("row type %v: %w", t, err)
	}
	if len(layout.columns) == 0 {
		return rowLayout{}, fmt.Errorf("row type %v has no field with a col tag", t)
	}
	seen := map[string]bool{}
	for _, c := range layout.columns {
		if seen[c.Name] {
			return rowLayout{}, fmt.Errorf("row type %v: two columns %s", t, c.Name)
		}
		seen[c.Name] = true
	}
	return layout, nil
}

func (l *rowLayout) addFields(t reflect.Type, parent []int) error {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int(nil), parent...), i)
		name, tagged := f.Tag.Lookup("col")
		switch {
		case name == "-":
			continue
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct:
			if err := l.addFields(f.Type, index); err != nil {
				return err
			}
			continue
		case !f.IsExported() && !tagged:
			continue
		case !f.IsExported():
			return fmt.Errorf("field %s has a col tag but is not exported", f.Name)
		case name == "":
			return fmt.Errorf(`field %s has no col tag (col:"-" leaves it out)`, f.Name)
		case strings.ContainsAny(name, ".,"):
			return fmt.Errorf("field %s: column name %q has a dot or comma", f.Name, name)
		}
		c := column{Column: Column{Name: name, Unit: f.Tag.Get("unit"), Doc: f.Tag.Get("doc")}, index: index}
		if err := c.setType(f.Type); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		if null, ok := f.Tag.Lookup("null"); ok {
			if err := c.setNull(null); err != nil {
				return fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
		l.columns = append(l.columns, c)
	}
	return nil
}

func (c *column) setType(t reflect.Type) error {
	c.element = t.Kind()
	if c.element == reflect.Slice {
		c.list, c.element = true, t.Elem().Kind()
	}
	c.Type = typeString(c.element, c.list)
	switch c.Type {
	case "string", "bool", "int32", "int64", "float64", "list<string>", "list<int32>", "list<int64>", "list<uint64>":
		return nil
	}
	return fmt.Errorf("type %v: want string, bool, int32, int64, float64, []string, []int32, []int64 or []uint64", t)
}

func typeString(element reflect.Kind, list bool) string {
	if list {
		return "list<" + element.String() + ">"
	}
	return element.String()
}

// setNull makes the column nullable; word is the value that stands for null.
func (c *column) setNull(word string) error {
	switch {
	case c.Type == "float64" && word == "NaN":
		c.null = math.NaN()
	case c.Type == "string" && word == "":
		c.null = ""
	case c.Type == "int64":
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return fmt.Errorf("null %q: want a whole number", word)
		}
		c.null = n
	default:
		return fmt.Errorf("null %q of a %s: want NaN of a float64, an empty string, or a number of an int64", word, c.Type)
	}
	c.Nullable = true
	return nil
}

// isNull reports whether a field's value stands for null.
func (c *column) isNull(field reflect.Value) bool {
	switch null := c.null.(type) {
	case float64:
		return math.IsNaN(field.Float())
	case string:
		return field.String() == null
	case int64:
		return field.Int() == null
	}
	return false
}

// format is the version of the rules by which the table lies in its file: 2 where a column is
// nullable.
func (l rowLayout) format() string {
	for _, c := range l.columns {
		if c.Nullable {
			return nullableVersion
		}
	}
	return rowsVersion
}

// pandas is metadata by which pandas reads nullable whole numbers as such; it would turn them into
// floats. It is empty where there are none. The form is that of
// https://pandas.pydata.org/docs/development/developer.html.
func (l rowLayout) pandas() string {
	type typed struct {
		Name   string  `json:"name"`
		Field  string  `json:"field_name"`
		Pandas string  `json:"pandas_type"`
		NumPy  string  `json:"numpy_type"`
		Meta   *string `json:"metadata"`
	}
	columns := []typed{}
	for _, c := range l.columns {
		if c.Nullable && c.Type == "int64" {
			columns = append(columns, typed{Name: c.Name, Field: c.Name, Pandas: "int64", NumPy: "Int64"})
		}
	}
	if len(columns) == 0 {
		return ""
	}
	text, err := json.Marshal(map[string]any{"index_columns": []string{}, "columns": columns})
	if err != nil {
		panic("internal error: " + err.Error()) // plain words
	}
	return string(text)
}
