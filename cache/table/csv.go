package table

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"strconv"
)

// WriteCSV writes rows as comma-separated values for people and spreadsheets: a line of column
// names, then a line a row, ending in a line feed. Floats have as many digits as it takes to read
// the same one back; lists are JSON arrays, a null is an empty cell, and strings are as CSVText
// gives them.
func WriteCSV[T any](path string, rows []T) error {
	return create("write csv", path, func(w io.Writer) error {
		layout, err := layoutOf(reflect.TypeFor[T]())
		if err != nil {
			return err
		}
		return writeCSV(w, layout, reflect.ValueOf(rows))
	})
}

func writeCSV(w io.Writer, layout rowLayout, rows reflect.Value) error {
	out := csv.NewWriter(w)
	line := make([]string, len(layout.columns))
	for i, c := range layout.columns {
		line[i] = c.Name
	}
	// The writer remembers its first error for the end.
	_ = out.Write(line)
	for i := range rows.Len() {
		for k, c := range layout.columns {
			cell, err := c.cell(rows.Index(i).FieldByIndex(c.index))
			if err != nil {
				return err
			}
			line[k] = cell
		}
		_ = out.Write(line)
	}
	out.Flush()
	return out.Error()
}

func (c *column) cell(v reflect.Value) (string, error) {
	if c.list {
		if v.Len() == 0 {
			return "[]", nil
		}
		b, err := json.Marshal(v.Interface())
		return string(b), err
	}
	if c.isNull(v) {
		return "", nil
	}
	switch c.element {
	case reflect.String:
		return CSVText(v.String()), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), nil
	}
	return strconv.FormatInt(v.Int(), 10), nil
}
