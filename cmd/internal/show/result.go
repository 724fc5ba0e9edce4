package show

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/reporting"
	"ablate/specs/ident"
	"ablate/stages/tables"
)

// Result prints the table of correlations, what weakens them, and where everything lies.
func Result(w io.Writer, r *reporting.Result) error {
	warned := warningsOf(r.Warnings)
	var err error
	if len(r.Correlations.Rows) > 0 {
		err = correlations(w, r.Correlations, warned, r.Level)
	} else {
		_, err = fmt.Fprintln(w, "no correlations: the study trains no reference models; name mixture sets in reference.seq to train them")
	}
	if err != nil {
		return err
	}
	warned.print(w)
	_, err = fmt.Fprintf(w, "\nreport: %s\n", filepath.Join(r.Out, reporting.PageFile))
	return err
}

// number writes a number with so many decimals; what is not known is a dash.
func number(t study.Table, row []string, column string, digits int) string {
	v, err := strconv.ParseFloat(t.Text(row, column), 64)
	if err != nil {
		return "-"
	}
	return Fixed(v, digits)
}

// warned is what the sample of mixtures cannot support: of all proxies of a set in words, of one
// proxy by codes that stand beside its row.
type warned struct {
	sentences []string
	weak      map[[3]string][]string // set of mixtures, evaluation set, proxy -> codes
}

func warningsOf(t study.Table) warned {
	w := warned{weak: map[[3]string][]string{}}
	for _, r := range t.Rows {
		group, set, proxy := t.Text(r, "mixture_set"), t.Text(r, "eval_set"), t.Text(r, "proxy")
		if proxy != "" {
			at := [3]string{group, set, proxy}
			w.weak[at] = append(w.weak[at], t.Text(r, "code"))
			continue
		}
		about := group
		if set != "" {
			about += ", " + set
		}
		w.sentences = append(w.sentences, about+": "+t.Text(r, "message"))
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
	if means := Weaknesses(codes); means != "" {
		lines = append(lines, "weak evidence: "+means+". Each study's warnings.csv says more.")
	}
	if len(lines) > 0 {
		fmt.Fprintln(out)
	}
	for _, l := range lines {
		Printf(out, "%s\n", l)
	}
}

// Weaknesses says what codes of warnings about one proxy mean, of those that occur.
func Weaknesses(codes []string) string {
	var words []string
	for _, w := range [][2]string{
		{tables.WarnOverflow, "some perplexities overflow"},
		{tables.WarnFew, "too few mixtures for a reliable interval"},
		{tables.WarnAlike, "the references hardly differ"},
		{tables.WarnNone, "all scores are equal, or too few mixtures have scores"},
		{tables.WarnBounds, "there is no interval"},
		{tables.WarnZero, "the interval shown or its BCa form, in correlations.csv, includes zero"},
		{tables.WarnChance, "chance often gives as high a correlation"},
		{tables.WarnOne, "the correlation depends on one mixture"},
		{tables.WarnNoise, "the difference is within seed noise"},
	} {
		if slices.Contains(codes, w[0]) {
			words = append(words, w[0]+": "+w[1])
		}
	}
	return strings.Join(words, "; ")
}

// correlations shows how well proxies predict references and what they would choose; level is the
// coverage of the intervals. On a terminal, proxies of a set that are alike in every number are one
// row: merged = macro = micro, where each partition has one unit.
func correlations(w io.Writer, c study.Table, warned warned, level float64) error {
	percent := Percent(level) + " interval"
	header := Row{"eval set", "proxy", "n", "pearson", percent, "spearman", "kendall", "chooses", "rank", "regret"}
	if len(warned.weak) > 0 {
		header = append(header, "weak for")
	}
	t := NewTable(header, 2)
	t.Names, t.Words, t.Sections = []int{7}, []int{7, 10}, true
	groups := map[string]bool{}
	for _, r := range c.Rows {
		groups[c.Text(r, "mixture_set")] = true
	}
	last := ""
	for i := 0; i < len(c.Rows); i++ {
		r := c.Rows[i]
		group, set, proxies := c.Text(r, "mixture_set"), c.Text(r, "eval_set"), c.Text(r, "proxy")
		weak := strings.Join(warned.weak[[3]string{group, set, proxies}], ", ")
		for Columns(w) > 0 && i+1 < len(c.Rows) && c.Alike(r, c.Rows[i+1], "proxy") {
			i++
			proxies += " = " + c.Text(c.Rows[i], "proxy")
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
		interval := number(c, r, "pearson_low", 2) + " to " + number(c, r, "pearson_high", 2)
		if number(c, r, "pearson_low", 2) == "-" {
			interval = "-"
		}
		chosen, place := c.Text(r, "chosen"), c.Text(r, "chosen_place")
		if chosen == "" {
			chosen, place = "-", "-"
		}
		t.AppendRow(Row{label, proxies, c.Text(r, "n"), number(c, r, "pearson", 3), interval, number(c, r, "spearman", 3), number(c, r, "kendall", 3),
			ident.Shown(chosen), place, number(c, r, "regret", 2), weak})
	}
	_, err := fmt.Fprintln(w, t.Render(w))
	return err
}
