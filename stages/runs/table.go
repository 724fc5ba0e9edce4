package runs

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Table is a CSV file with one row a run: numbers by run and column.
type Table struct {
	Path    string
	Key     string   // the column that names runs
	Runs    []string // in the order of the file
	Columns []string // of numbers, in the order of the file
	Values  [][]float64
	Ignored []string // columns that are no numbers of a run, each with the reason

	line []int // of each run
}

// sheet is a CSV file as text.
type sheet struct {
	path   string
	header []string
	rows   [][]string
	line   []int
}

// neverNumbers are columns that olmix writes beside its sources and metrics.
var neverNumbers = []string{"run", "name", "index"}

// open reads a CSV file as pandas, polars and spreadsheets write it: with or without a byte order
// mark, with any line ends, with a comma, a semicolon or a tab between cells, with or without
// quotes.
func open(path string) (*sheet, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(text, []byte("PAR1")) || bytes.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("%s is not a CSV file: it holds bytes that are no text", path)
	}
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = separator(text)
	s := &sheet{path: path}
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("%s:%d: %d cells, and the header has %d", path, line, len(row), len(s.header))
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return nil, fmt.Errorf("%s:%d:%d: %w", path, bad.Line, bad.Column, bad.Err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if s.header == nil {
			s.header = row
			continue
		}
		if !slices.ContainsFunc(row, func(c string) bool { return c != "" }) {
			continue // spreadsheets leave such rows at the end
		}
		line, _ := r.FieldPos(0)
		s.rows, s.line = append(s.rows, row), append(s.line, line)
	}
	if len(s.rows) == 0 {
		return nil, fmt.Errorf("%s: no rows below a header", path)
	}
	seen := map[string]bool{}
	for i, name := range s.header {
		if seen[name] {
			return nil, fmt.Errorf("%s: two columns are called %q", path, name)
		}
		if seen[name] = true; name == "" && i > 0 {
			return nil, fmt.Errorf("%s: column %d has no name", path, i+1)
		}
	}
	return s, nil
}

// separator is the first of comma, semicolon and tab that the header has; a comma where it has
// none. Quoted names may hold any of them.
func separator(text []byte) rune {
	quoted := false
	for _, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',' || c == ';' || c == '\t':
			return rune(c)
		case c == '\n' || c == '\r':
			return ','
		}
	}
	return ','
}

// table takes the runs from a column and the numbers from all others: not from those of
// neverNumbers, and not from columns of text.
func (s *sheet) table(key string, percent bool) (*Table, error) {
	t := &Table{Path: s.path, Key: key, line: s.line, Values: make([][]float64, len(s.rows))}
	at := slices.Index(s.header, key)
	first := map[string]int{}
	for i, row := range s.rows {
		run := row[at]
		if run == "" {
			return nil, fmt.Errorf("%s:%d: no name of a run in column %q", s.path, s.line[i], key)
		}
		if line, twice := first[run]; twice {
			return nil, fmt.Errorf("%s:%d: run %s is in line %d, too", s.path, s.line[i], run, line)
		}
		first[run] = s.line[i]
		t.Runs = append(t.Runs, run)
	}
	for c, name := range s.header {
		switch {
		case c == at:
			continue
		case name == "":
			t.Ignored = append(t.Ignored, "the first, which has no name")
			continue
		case slices.Contains(neverNumbers, name):
			t.Ignored = append(t.Ignored, name)
			continue
		case s.isText(c, percent):
			t.Ignored = append(t.Ignored, name+" (text)")
			continue
		}
		t.Columns = append(t.Columns, name)
		for i, row := range s.rows {
			v, err := number(row[c], percent)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: run %s, column %s: %w", s.path, s.line[i], t.Runs[i], name, err)
			}
			t.Values[i] = append(t.Values[i], v)
		}
	}
	if len(t.Columns) == 0 {
		return nil, fmt.Errorf("%s: no columns of numbers beside %q", s.path, key)
	}
	return t, nil
}

// isText says whether no cell of a column is a number and some cell is a text.
func (s *sheet) isText(c int, percent bool) bool {
	some := false
	for _, row := range s.rows {
		if missing(row[c]) {
			continue
		}
		if _, err := number(row[c], percent); err == nil || decimalComma.MatchString(row[c]) {
			return false
		}
		some = true
	}
	return some
}

// decimalComma is a number as spreadsheets of some languages write it.
var decimalComma = regexp.MustCompile(`^-?[0-9]*,[0-9]+%?$`)

// missing says whether a cell is what pandas, polars or R write for no value.
func missing(cell string) bool {
	return slices.Contains([]string{"", "nan", "na", "n/a", "null", "none", "<na>"}, strings.ToLower(cell))
}

func number(cell string, percent bool) (float64, error) {
	if missing(cell) {
		return 0, fmt.Errorf("no value (%q)", cell)
	}
	text, isPercent := cell, false
	if percent {
		text, isPercent = strings.CutSuffix(cell, "%")
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if decimalComma.MatchString(cell) {
		return 0, fmt.Errorf("%q has a decimal comma: write a point", cell)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", cell)
	}
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("%q is not finite", cell)
	}
	if isPercent {
		v /= 100
	}
	return v, nil
}
