package study

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"

	"ablate/stages/tables"
)

// Table is a table that a step left, each cell as the text that it stands for.
type Table struct {
	column map[string]int
	Rows   [][]string
}

// ReadTable reads a table in CSV with the names of its columns in the first row.
func ReadTable(data []byte) (Table, error) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err == nil && len(rows) == 0 {
		err = errors.New("a table without the names of its columns")
	}
	if err != nil {
		return Table{}, err
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = tables.ParseCSVText(cell)
		}
	}
	t := Table{column: map[string]int{}, Rows: rows[1:]}
	for i, column := range rows[0] {
		t.column[column] = i
	}
	return t, nil
}

// Text is the cell of a row in a column that the program writes into every such table.
func (t Table) Text(row []string, column string) string {
	at, ok := t.column[column]
	if !ok {
		panic(fmt.Sprintf("internal error: the table has no column %q", column))
	}
	return row[at]
}

// Alike reports whether two rows have the same in every column but one.
func (t Table) Alike(a, b []string, but string) bool {
	for column, i := range t.column {
		if column != but && a[i] != b[i] {
			return false
		}
	}
	return true
}
