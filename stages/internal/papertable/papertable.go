// Package papertable sets tables of correlations as papers print them: in Markdown and in LaTeX. A
// table is given ready; nothing is computed or ordered here.
//
// A cell is our value with three decimals, bold where it is the highest of its row, and behind it
// in brackets what was published.
package papertable

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Table is a table. Each row has a text for every stub and a cell for every column.
type Table struct {
	Caption   string
	Label     string   // of LaTeX, without tab:
	Stubs     []string // names of the columns before the numbers
	Columns   []string
	Rows      []Row
	Miniature bool // what was published is of a larger study than ours
}

// Row is one line. N counts the mixtures that were compared, at most over the columns.
type Row struct {
	Stubs []string
	N     int
	Cells []Cell
	Rule  bool // a line above
}

// Cell is a value of ours and one that was published; NaN: there is none.
type Cell struct{ Value, Published float64 }

// None is a cell without anything.
var None = Cell{math.NaN(), math.NaN()}

// published reports for each column, and for any, whether something published stands in it.
func (t Table) published() (columns []bool, any bool) {
	columns = make([]bool, len(t.Columns))
	for _, r := range t.Rows {
		for i, c := range r.Cells {
			if !math.IsNaN(c.Published) {
				columns[i], any = true, true
			}
		}
	}
	return columns, any
}

// note explains the brackets, where there are any.
func (t Table) note() string {
	_, any := t.published()
	switch {
	case any && t.Miniature:
		return t.Caption + " Brackets hold the published value of the study that this study is a miniature of."
	case any:
		return t.Caption + " Brackets hold the published value."
	}
	return t.Caption
}

// best is the highest value of a row, of two or more; else infinite.
func (r Row) best() float64 {
	best, n := math.Inf(-1), 0
	for _, c := range r.Cells {
		if !math.IsNaN(c.Value) {
			best = max(best, c.Value)
			n++
		}
	}
	if n < 2 {
		return math.Inf(1)
	}
	return best
}

// digits writes a correlation: three decimals, a true minus sign.
func digits(v float64, minus string) string {
	if math.IsNaN(v) {
		return "–"
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', 3, 64)
	if v < 0 && strings.Trim(s, "0.") != "" {
		s = minus + s
	}
	return s
}

// Markdown writes the table with its columns aligned, so that it reads well as it is.
func (t Table) Markdown() []byte {
	cells := [][]string{append(append(append([]string(nil), t.Stubs...), "n"), t.Columns...)}
	for _, r := range t.Rows {
		line := append(append([]string(nil), r.Stubs...), strconv.Itoa(r.N))
		best := r.best()
		for _, c := range r.Cells {
			s := digits(c.Value, "−")
			if c.Value == best {
				s = "**" + s + "**"
			}
			if !math.IsNaN(c.Published) {
				s += " [" + digits(c.Published, "−") + "]"
			}
			line = append(line, s)
		}
		cells = append(cells, line)
	}
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, s := range line {
			line[i] = markdown.Replace(s)
			widths[i] = max(widths[i], len([]rune(line[i])), 3)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n", t.note())
	for k, line := range cells {
		for i, s := range line {
			pad := strings.Repeat(" ", widths[i]-len([]rune(s)))
			if i < len(t.Stubs) {
				fmt.Fprintf(&b, "| %s%s ", s, pad)
			} else {
				fmt.Fprintf(&b, "| %s%s ", pad, s)
			}
		}
		b.WriteString("|\n")
		if k > 0 {
			continue
		}
		for i, w := range widths {
			if i < len(t.Stubs) {
				fmt.Fprintf(&b, "| %s ", strings.Repeat("-", w))
			} else {
				fmt.Fprintf(&b, "| %s: ", strings.Repeat("-", w-1))
			}
		}
		b.WriteString("|\n")
	}
	return b.Bytes()
}

// What Markdown takes as markup inside a cell. An underline inside a word is none.
var markdown = strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;")

// LaTeX writes a table environment for the package booktabs.
func (t Table) LaTeX() []byte {
	var b bytes.Buffer
	b.WriteString("% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n")
	fmt.Fprintf(&b, "\\begin{tabular}{%sr%s}\n\\toprule\n", strings.Repeat("l", len(t.Stubs)), strings.Repeat("r", len(t.Columns)))
	var head []string
	for _, s := range append(append(append([]string(nil), t.Stubs...), "n"), t.Columns...) {
		head = append(head, latex.Replace(s))
	}
	fmt.Fprintf(&b, "%s \\\\\n\\midrule\n", strings.Join(head, " & "))
	for _, r := range t.Rows {
		if r.Rule {
			b.WriteString("\\midrule\n")
		}
		var line []string
		for _, s := range r.Stubs {
			line = append(line, latex.Replace(s))
		}
		line = append(line, strconv.Itoa(r.N))
		best := r.best()
		for _, c := range r.Cells {
			s := digits(c.Value, "$-$")
			if math.IsNaN(c.Value) {
				s = "--"
			}
			if c.Value == best {
				s = "\\textbf{" + s + "}"
			}
			if !math.IsNaN(c.Published) {
				s += " {\\scriptsize [" + digits(c.Published, "$-$") + "]}"
			}
			line = append(line, s)
		}
		fmt.Fprintf(&b, "%s \\\\\n", strings.Join(line, " & "))
	}
	fmt.Fprintf(&b, "\\bottomrule\n\\end{tabular}\n\\caption{%s}\n\\label{tab:%s}\n\\end{table}\n", latex.Replace(t.note()), label(t.Label))
	return b.Bytes()
}

var latex = strings.NewReplacer(`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "%", `\%`, "_", `\_`, "^", `\textasciicircum{}`,
	"~", `\textasciitilde{}`, "\n", " ", "–", "--", "−", "$-$")

// label keeps what LaTeX takes in a label.
func label(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-:./+", r) {
			return r
		}
		return '-'
	}, s)
}
