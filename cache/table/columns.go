package table

import (
	"fmt"
	"reflect"
	"strings"
)

// A Column describes a column of a row table.
type Column struct {
	Name string
	Type string // string, bool, int32, int64, float64, list<string>, list<int64> or list<uint64>
	Unit string
	Doc  string
}

// A Versioned row states which version of its columns this program writes and reads. The version is kept in the file;
// ReadRows refuses another one. Rows without a version read only files without one.
type Versioned interface{ TableVersion() string }

// Columns describes the columns of T, a struct, in the order of its fields. Every exported field has the tag
// `col:"name"`, and usually `unit:"..."` and `doc:"..."`; `col:"-"` leaves a field out of the table. The fields of an
// embedded struct without tag stand in its place. It panics for a T that WriteRows would refuse: a mistake in the
// program, not in its input.
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
	case "string", "bool", "int32", "int64", "float64", "list<string>", "list<int64>", "list<uint64>":
		return nil
	}
	return fmt.Errorf("type %v: want string, bool, int32, int64, float64, []string, []int64 or []uint64", t)
}

func typeString(element reflect.Kind, list bool) string {
	if list {
		return "list<" + element.String() + ">"
	}
	return element.String()
}
