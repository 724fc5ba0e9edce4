package show

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A Table is a table of words and numbers, in the one look of our tables. In a file or a pipe each
// row is a line, however long. On a terminal the table fits the columns there are; nothing is cut
// off. In this order, and only as far as it must: headers break at spaces; long names that stand in
// many rows, or that there is no room for, get short ones, with a key below; empty columns go; what
// the first column says of many rows is said once, in the line above them; columns move together;
// words break within their cells; and what is still too wide becomes several tables, each of which
// begins with the columns that say what a row is.
type Table struct {
	Words    []int // columns of words, beside the first ones, that may break; from 0
	Names    []int // columns of names that may become short ones, from 0
	Hidden   []int // columns that are left out, from 0
	Sections bool  // the first column says what all rows up to the next separator are of

	header Row
	left   int // columns that say what a row is: words, aligned to the left
	rows   []Row
}

// Row is the cells of a row of a table; a nil one is a line between two rows.
type Row []any

// NewTable is a table without rows: the first left columns are words, the others numbers.
func NewTable(header Row, left int) *Table { return &Table{header: header, left: left} }

// AppendRow adds a row; cells that it lacks are empty.
func (t *Table) AppendRow(row Row) { t.rows = append(t.rows, row) }

// AppendSeparator adds a line between two rows.
func (t *Table) AppendSeparator() { t.rows = append(t.rows, nil) }

// Render is the table as w can show it.
func (t *Table) Render(w io.Writer) Rendered {
	width := Columns(w)
	s := t.sheet()
	if width == 0 || s.width() <= width {
		return Rendered(s.writer(s.all()).Render())
	}
	s.breakHeaders()
	if s.width() > width {
		s.dropEmpty()
	}
	var key []string
	if s.width() > width {
		key = s.shorten(width)
	}
	if s.width() > width && t.Sections {
		s.divide()
	}
	if s.width() > width {
		s.padding = 1
	}
	if s.width() > width {
		s.breakWords(width)
	}
	var out []string
	for _, part := range s.parts(width) {
		out = append(out, s.titled(s.writer(part).Render(), width))
	}
	text := strings.Join(out, "\n\n")
	if len(key) > 0 {
		text += "\n"
	}
	for n, name := range key {
		const indent = 5
		text += fmt.Sprintf("\n%-*s%s", indent, fmt.Sprintf(" m%d", n+1), strings.ReplaceAll(broken(name, max(width-indent, 10)), "\n", "\n"+strings.Repeat(" ", indent)))
	}
	return Rendered(text)
}

// RenderMarkdown is the table in Markdown.
func (t *Table) RenderMarkdown() string {
	s := t.sheet()
	return s.writer(s.all()).RenderMarkdown()
}

// A sheet is a table whose cells are text, on its way to a width.
type sheet struct {
	left    int
	words   []bool     // by column: aligned to the left, may break
	names   []bool     // by column: may be replaced by short names
	cells   [][]string // the header first; nil is a separator
	padding int        // between columns
	titles  []string   // of the rows between separators
}

func (t *Table) sheet() *sheet {
	var shown []int
	for i := range t.header {
		if !slices.Contains(t.Hidden, i) {
			shown = append(shown, i)
		}
	}
	s := &sheet{left: t.left, padding: 2}
	for _, i := range shown {
		s.words = append(s.words, i < t.left || slices.Contains(t.Words, i))
		s.names = append(s.names, slices.Contains(t.Names, i))
	}
	row := func(cells Row) []string {
		out := make([]string, len(shown))
		for k, i := range shown {
			if i < len(cells) {
				out[k] = Printable(cells[i])
			}
		}
		return out
	}
	s.cells = append(s.cells, row(t.header))
	for _, cells := range t.rows {
		if cells == nil {
			s.cells = append(s.cells, nil)
		} else {
			s.cells = append(s.cells, row(cells))
		}
	}
	return s
}

func (s *sheet) all() []int {
	all := make([]int, len(s.words))
	for i := range all {
		all[i] = i
	}
	return all
}

// column is the width of a column, without padding.
func (s *sheet) column(i int) int {
	most := 0
	for _, row := range s.cells {
		if row != nil {
			most = max(most, text.LongestLineLen(row[i]))
		}
	}
	return most
}

func (s *sheet) width() int {
	sum := 0
	for i := range s.words {
		sum += s.column(i) + s.padding
	}
	return sum
}

// breakHeaders breaks headers that are wider than what is below them, at their spaces.
func (s *sheet) breakHeaders() {
	for i, h := range s.cells[0] {
		s.cells[0][i] = ""
		widest := s.column(i)
		for _, word := range strings.Fields(h) {
			widest = max(widest, text.StringWidthWithoutEscSequences(word))
		}
		s.cells[0][i] = folded(h, widest, 0)
	}
}

// dropEmpty takes away the columns in which no row has anything.
func (s *sheet) dropEmpty() {
	for i := len(s.words) - 1; i >= s.left; i-- {
		if slices.ContainsFunc(s.cells[1:], func(row []string) bool { return row != nil && row[i] != "" }) {
			continue
		}
		s.words, s.names = slices.Delete(s.words, i, i+1), slices.Delete(s.names, i, i+1)
		for n, row := range s.cells {
			if row != nil {
				s.cells[n] = slices.Delete(row, i, i+1)
			}
		}
	}
}

// shorten replaces the names in some columns by m1, m2, ..., and returns them in that order. Names
// that stand in one row each stay where they have room to be broken: the key would be as long as
// the table.
func (s *sheet) shorten(width int) []string {
	const short, roomy = 6, 30
	rows, number := 0, map[string]int{}
	var order []string
	long := false
	room := width - s.width()
	for i, named := range s.names {
		if !named {
			continue
		}
		room += s.column(i)
		for _, row := range s.cells[1:] {
			if row == nil || row[i] == "" || row[i] == "-" {
				continue
			}
			rows++
			if number[row[i]] == 0 {
				order = append(order, row[i])
				number[row[i]] = len(order)
			}
			long = long || text.StringWidthWithoutEscSequences(row[i]) > short
		}
	}
	if !long || rows == len(order) && room >= roomy {
		return nil
	}
	for i, named := range s.names {
		for _, row := range s.cells[1:] {
			if named && row != nil && number[row[i]] > 0 {
				row[i] = fmt.Sprintf("m%d", number[row[i]])
			}
		}
	}
	return order
}

// divide takes the first column away where it says one thing of all rows between two separators;
// the separators will say it.
func (s *sheet) divide() {
	titles := []string{""}
	for _, row := range s.cells[1:] {
		last := &titles[len(titles)-1]
		switch {
		case row == nil:
			titles = append(titles, "")
		case row[0] != "" && *last != "":
			return
		case row[0] != "":
			*last = row[0]
		}
	}
	s.titles, s.left, s.words, s.names = titles, s.left-1, s.words[1:], s.names[1:]
	for i, row := range s.cells {
		if row != nil {
			s.cells[i] = row[1:]
		}
	}
}

// titled writes the titles in place of the lines that stand above what they are of.
func (s *sheet) titled(table string, width int) string {
	if s.titles == nil {
		return table
	}
	lines, n := strings.Split(table, "\n"), 0
	for i, line := range lines {
		if strings.Trim(line, "─") == "" && line != "" && n < len(s.titles) {
			lines[i] = "── " + strings.ReplaceAll(broken(s.titles[n], max(width-3, 10)), "\n", "\n   ")
			n++
		}
	}
	return strings.Join(lines, "\n")
}

// breakWords breaks the widest columns of words until the table fits, or none can be narrower.
func (s *sheet) breakWords(width int) {
	const least = 8 // narrower, a name is hard to read
	room := map[int]int{}
	sum, lowest := 0, 0
	for i, words := range s.words {
		sum, lowest = sum+s.column(i)+s.padding, lowest+s.column(i)+s.padding
		if words && s.column(i) > least {
			room[i] = s.column(i)
			lowest -= s.column(i) - least
		}
	}
	if lowest > width { // into several tables, then, each with half of the width for numbers
		sum = 0
		for i := range s.words {
			if i < s.left {
				sum += s.column(i) + s.padding
			} else if n, ok := room[i]; ok {
				s.breakColumn(i, min(n, width/2-s.padding))
				delete(room, i)
			}
		}
		width /= 2
	}
	for sum > width {
		widest := -1
		for i := range s.words {
			if room[i] > least && (widest < 0 || room[i] > room[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		room[widest]--
		sum--
	}
	for i, n := range room {
		s.breakColumn(i, n)
	}
}

func (s *sheet) breakColumn(i, width int) {
	for _, row := range s.cells {
		if row != nil {
			row[i] = broken(row[i], width)
		}
	}
}

// parts divides the columns into tables that fit. Each begins with the columns that say what a row
// is.
func (s *sheet) parts(width int) [][]int {
	if s.width() <= width {
		return [][]int{s.all()}
	}
	base := 0
	for i := range s.left {
		base += s.column(i) + s.padding
	}
	var out [][]int
	part, sum := s.all()[:s.left:s.left], base
	for i := s.left; i < len(s.words); i++ {
		n := s.column(i) + s.padding
		if sum+n > width && len(part) > s.left {
			out = append(out, part)
			part, sum = s.all()[:s.left:s.left], base
		}
		part, sum = append(part, i), sum+n
	}
	return append(out, part)
}

// writer is a table of some of the columns.
func (s *sheet) writer(columns []int) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder = false
	t.Style().Options.SeparateColumns = false
	if s.padding < 2 {
		t.Style().Box.PaddingLeft = ""
	}
	t.Style().Format.Header = text.FormatDefault
	var configs []table.ColumnConfig
	for k, i := range columns {
		align := text.AlignRight
		if s.words[i] {
			align = text.AlignLeft
		}
		configs = append(configs, table.ColumnConfig{Number: k + 1, Align: align, AlignHeader: align, VAlignHeader: text.VAlignBottom})
	}
	t.SetColumnConfigs(configs)
	for n, row := range s.cells {
		if row == nil {
			t.AppendSeparator()
			continue
		}
		cells := make(table.Row, len(columns))
		for k, i := range columns {
			cells[k] = row[i]
		}
		if n == 0 {
			t.AppendHeader(cells)
		} else {
			t.AppendRow(cells)
		}
	}
	return t
}

// broken breaks a cell into lines of at most width columns: behind a sign that joins the parts of a
// name, or a space, where there is one.
func broken(cell string, width int) string {
	var out []string
	for line := range strings.SplitSeq(cell, "\n") {
		for text.StringWidthWithoutEscSequences(line) > width {
			head := text.Trim(line, width)
			if head == "" { // not even one character fits
				break
			}
			cut := len(head)
			if i := strings.LastIndexAny(head, "+/, :-_="); i > 0 && i < len(head)-1 {
				cut = i + 1
			}
			if next := line[len(head):]; strings.HasPrefix(next, " ") {
				cut = len(head)
			}
			out = append(out, strings.TrimRight(line[:cut], " "))
			line = strings.TrimLeft(line[cut:], " ")
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// folded breaks prose at its spaces into lines of at most width columns; lines after the first
// begin with some spaces. A longer word stays whole, so that it can be copied. Without a width
// nothing is broken.
func folded(prose string, width, indent int) string {
	if width <= 0 {
		return prose
	}
	var out strings.Builder
	for n, line := range strings.Split(prose, "\n") {
		if n > 0 {
			out.WriteByte('\n')
		}
		if text.StringWidthWithoutEscSequences(line) <= width {
			out.WriteString(line)
			continue
		}
		body := strings.TrimLeft(line, " ")
		lead := line[:len(line)-len(body)]
		at := len(lead)
		out.WriteString(lead)
		for k, word := range strings.SplitAfter(body, " ") {
			n := text.StringWidthWithoutEscSequences(strings.TrimRight(word, " "))
			if k > 0 && at+n > width {
				out.WriteString("\n" + lead + strings.Repeat(" ", indent))
				at = len(lead) + indent
			}
			out.WriteString(word)
			at += text.StringWidthWithoutEscSequences(word)
		}
	}
	lines := strings.Split(out.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
