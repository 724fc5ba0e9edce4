package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"ablate/cache"
)

// A grid is a table of words and numbers, in the one look of our tables. In a file or a pipe each row is a line, however long. On a terminal
// the grid fits the columns there are; nothing is cut off. In this order, and only as far as it must: headers break at spaces; long names
// that stand in many rows, or that there is no room for, get short ones, with a key below; empty columns go; what the first column says of many rows is said once, in the line above them;
// columns move together; words break within their cells; and what is still too wide becomes several tables, each of which begins with the
// columns that say what a row is.
type grid struct {
	header   table.Row
	left     int   // columns that say what a row is: words, aligned to the left
	words    []int // other columns of words that may break, from 0
	names    []int // columns of names that may become short ones, from 0
	hidden   []int
	sections bool // the first column says what all rows up to the next separator are of
	lines    []gridLine
}

type gridLine struct {
	cells     table.Row // nil: a line between rows
	separator bool
}

// newTable is a grid without rows: the first left columns are words, the others numbers.
func newTable(header table.Row, left int) *grid { return &grid{header: header, left: left} }

// AppendRow adds a row; cells that it lacks are empty.
func (g *grid) AppendRow(row table.Row) { g.lines = append(g.lines, gridLine{cells: row}) }

// AppendSeparator adds a line between two rows.
func (g *grid) AppendSeparator() { g.lines = append(g.lines, gridLine{separator: true}) }

// columnsOf is the width of the terminal that w is; 0 where it is none.
func columnsOf(w io.Writer) int {
	switch f := w.(type) {
	case interface{ columns() int }:
		return f.columns()
	case *os.File:
		if term.IsTerminal(int(f.Fd())) {
			if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
				return n
			}
			return 80
		}
	}
	return 0
}

// rendered is text of ours in lines of its own, such as a table, whose values are printable already: tell
// leaves it as it is.
type rendered string

// Render is the table as w can show it.
func (g *grid) Render(w io.Writer) rendered {
	width := columnsOf(w)
	s := g.sheet()
	if width == 0 || s.width() <= width {
		return rendered(s.writer(s.all()).Render())
	}
	s.breakHeaders()
	if s.width() > width {
		s.dropEmpty()
	}
	var key []string
	if s.width() > width {
		key = s.shorten(width)
	}
	if s.width() > width && g.sections {
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
	table := strings.Join(out, "\n\n")
	if len(key) > 0 {
		table += "\n"
	}
	for n, name := range key {
		const indent = 5
		table += fmt.Sprintf("\n%-*s%s", indent, fmt.Sprintf(" m%d", n+1), strings.ReplaceAll(broken(name, max(width-indent, 10)), "\n", "\n"+strings.Repeat(" ", indent)))
	}
	return rendered(table)
}

// RenderMarkdown is the table in Markdown.
func (g *grid) RenderMarkdown() string {
	s := g.sheet()
	return s.writer(s.all()).RenderMarkdown()
}

// A sheet is a grid whose cells are text, on its way to a width.
type sheet struct {
	left    int
	words   []bool     // by column: aligned to the left, may break
	names   []bool     // by column: may be replaced by short names
	cells   [][]string // the header first; nil is a separator
	padding int        // between columns
	titles  []string   // of the rows between separators
}

func (g *grid) sheet() *sheet {
	var shown []int
	for i := range g.header {
		if !slices.Contains(g.hidden, i) {
			shown = append(shown, i)
		}
	}
	s := &sheet{left: g.left, padding: 2}
	for _, i := range shown {
		s.words = append(s.words, i < g.left || slices.Contains(g.words, i))
		s.names = append(s.names, slices.Contains(g.names, i))
	}
	row := func(cells table.Row) []string {
		out := make([]string, len(shown))
		for k, i := range shown {
			if i < len(cells) {
				out[k] = printable(cells[i])
			}
		}
		return out
	}
	s.cells = append(s.cells, row(g.header))
	for _, l := range g.lines {
		if l.separator {
			s.cells = append(s.cells, nil)
		} else {
			s.cells = append(s.cells, row(l.cells))
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

// shorten replaces the names in some columns by m1, m2, ..., and returns them in that order. Names that stand in one row each stay where
// they have room to be broken: the key would be as long as the table.
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

// divide takes the first column away where it says one thing of all rows between two separators; the separators will say it.
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

// parts divides the columns into tables that fit. Each begins with the columns that say what a row is.
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

// broken breaks a cell into lines of at most width columns: behind a sign that joins the parts of a name, or a space, where there is one.
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

// folded breaks prose at its spaces into lines of at most width columns; lines after the first begin with some spaces. A longer word stays
// whole, so that it can be copied. Without a width nothing is broken.
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

// printable is a value as a person sees it. Names come from data, so what does not print stands as an
// escape; an error may have several lines.
func printable(value any) string {
	if err, ok := value.(error); ok {
		lines := strings.Split(err.Error(), "\n")
		for i, line := range lines {
			lines[i] = cache.Printable(line)
		}
		return strings.Join(lines, "\n")
	}
	return cache.Printable(fmt.Sprint(value))
}

// tell prints prose, folded to the width of the terminal that w is. What does not print in its values
// is escaped, but for a value that is rendered.
func tell(w io.Writer, format string, args ...any) error {
	args = slices.Clone(args)
	for i, arg := range args {
		switch arg.(type) {
		case string, error, fmt.Stringer:
			args[i] = printable(arg)
		}
	}
	_, err := fmt.Fprint(w, folded(fmt.Sprintf(format, args...), columnsOf(w), 2))
	return err
}
