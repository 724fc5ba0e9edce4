package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// printResult prints the table of correlations, what weakens them, and where everything lies.
func printResult(w io.Writer, p *study.Compiled, out string) error {
	correlations, err := csvOutput(p, kind.OutCorrCSV)
	if err != nil {
		return err
	}
	rows, err := csvOutput(p, kind.OutWarningsCSV)
	if err != nil {
		return err
	}
	warned := warningsOf(rows)
	if len(correlations.rows) > 0 {
		err = printCorrelations(w, correlations, warned, float64(p.Study.Correlate.Level))
	} else {
		_, err = fmt.Fprintln(w, "no correlations: the study trains no reference models (reference.seq)")
	}
	if err != nil {
		return err
	}
	warned.print(w)
	_, err = fmt.Fprintf(w, "\nreport: %s\n", filepath.Join(out, "report.html"))
	return err
}

// csvTable is a table of a study's comparison, by the names of its columns.
type csvTable struct {
	column map[string]int
	rows   [][]string
}

func csvOutput(p *study.Compiled, name string) (t csvTable, err error) {
	data, err := p.ResultOutput(name)
	if err != nil {
		return t, err
	}
	rows, err := readCSV(data)
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	t.column = map[string]int{}
	for i, column := range rows[0] {
		t.column[column] = i
	}
	t.rows = rows[1:]
	return t, nil
}

// readCSV reads a table that a step left, each cell as the text that it stands for.
func readCSV(data []byte) ([][]string, error) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	for _, row := range rows {
		for i, cell := range row {
			row[i] = tables.ParseCSVText(cell)
		}
	}
	return rows, err
}

func (t csvTable) text(row []string, column string) string {
	at, ok := t.column[column]
	if !ok {
		panic(fmt.Sprintf("internal error: the table has no column %q", column)) // we write it
	}
	return row[at]
}

// number writes a number with so many decimals; what is not known is a dash.
func (t csvTable) number(row []string, column string, digits int) string {
	v, err := strconv.ParseFloat(t.text(row, column), 64)
	if err != nil {
		return "-"
	}
	return show.Fixed(v, digits)
}

// warned is what the sample of mixtures cannot support: of all proxies of a set in words, of one proxy by codes that stand beside its row.
type warned struct {
	sentences []string
	weak      map[[3]string][]string // set of mixtures, evaluation set, proxy -> codes
}

func warningsOf(t csvTable) warned {
	w := warned{weak: map[[3]string][]string{}}
	for _, r := range t.rows {
		group, set, proxy := t.text(r, "mixture_set"), t.text(r, "eval_set"), t.text(r, "proxy")
		if proxy != "" {
			at := [3]string{group, set, proxy}
			w.weak[at] = append(w.weak[at], t.text(r, "code"))
			continue
		}
		about := group
		if set != "" {
			about += ", " + set
		}
		w.sentences = append(w.sentences, about+": "+t.text(r, "message"))
	}
	return w
}

// print says what holds of all proxies, and what the codes in the table mean.
func (w warned) print(out io.Writer) {
	lines := slices.Clone(w.sentences)
	var codes []string
	for _, c := range w.weak {
		codes = append(codes, c...)
	}
	if means := weaknesses(codes); means != "" {
		lines = append(lines, "weak evidence: "+means+". Each study's warnings.csv says more.")
	}
	if len(lines) > 0 {
		fmt.Fprintln(out)
	}
	for _, l := range lines {
		show.Printf(out, "%s\n", l)
	}
}

// weaknesses says what codes of warnings about one proxy mean, of those that occur.
func weaknesses(codes []string) string {
	var words []string
	for _, w := range [][2]string{
		{tables.WarnOverflow, "perplexities that overflow"},
		{tables.WarnFew, "fewer mixtures than an interval can be trusted with"},
		{tables.WarnAlike, "references that hardly differ"},
		{tables.WarnNone, "scores all alike, or too few mixtures for a correlation"},
		{tables.WarnBounds, "no interval"},
		{tables.WarnZero, "the interval holds zero"},
		{tables.WarnChance, "as high a correlation is likely by chance"},
		{tables.WarnOne, "the correlation hangs on one mixture"},
		{tables.WarnNoise, "seeds alone can make such a difference"},
	} {
		if slices.Contains(codes, w[0]) {
			words = append(words, w[0]+": "+w[1])
		}
	}
	return strings.Join(words, "; ")
}

// printCorrelations shows how well proxies predict references and what they would choose; level is the coverage of the intervals. On a
// terminal, proxies of a set that are alike in every number are one row: merged = macro = micro, where each partition has one unit.
func printCorrelations(w io.Writer, c csvTable, warned warned, level float64) error {
	percent := show.Percent(level) + " interval"
	header := show.Row{"eval set", "proxy", "n", "pearson", percent, "spearman", "kendall", "chooses", "rank", "regret"}
	if len(warned.weak) > 0 {
		header = append(header, "weak for")
	}
	t := show.NewTable(header, 2)
	t.Names, t.Words, t.Sections = []int{7}, []int{7, 10}, true
	groups := map[string]bool{}
	for _, r := range c.rows {
		groups[c.text(r, "mixture_set")] = true
	}
	last := ""
	for i := 0; i < len(c.rows); i++ {
		r := c.rows[i]
		group, set, proxies := c.text(r, "mixture_set"), c.text(r, "eval_set"), c.text(r, "proxy")
		weak := strings.Join(warned.weak[[3]string{group, set, proxies}], ", ")
		for show.Columns(w) > 0 && i+1 < len(c.rows) && c.alike(r, c.rows[i+1], "proxy") {
			i++
			proxies += " = " + c.text(c.rows[i], "proxy")
		}
		if len(groups) > 1 {
			set = group + ": " + set
		}
		if last != "" && set != last {
			t.AppendSeparator()
		}
		label := set
		if set == last {
			label = ""
		}
		last = set
		interval := c.number(r, "pearson_low", 2) + " to " + c.number(r, "pearson_high", 2)
		if c.number(r, "pearson_low", 2) == "-" {
			interval = "-"
		}
		chosen, place := c.text(r, "chosen"), c.text(r, "chosen_place")
		if chosen == "" {
			chosen, place = "-", "-"
		}
		t.AppendRow(show.Row{label, proxies, c.text(r, "n"), c.number(r, "pearson", 3), interval, c.number(r, "spearman", 3), c.number(r, "kendall", 3),
			chosen, place, c.number(r, "regret", 2), weak})
	}
	_, err := fmt.Fprintln(w, t.Render(w))
	return err
}

// alike reports whether two rows have the same in every column but one.
func (t csvTable) alike(a, b []string, but string) bool {
	for column, i := range t.column {
		if column != but && a[i] != b[i] {
			return false
		}
	}
	return true
}
