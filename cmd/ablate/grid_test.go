package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// terminal is a writer of so many columns.
type terminal struct {
	bytes.Buffer
	wide int
}

func (t *terminal) columns() int { return t.wide }

const (
	longName = "ComputationalBiology,2007-2010+MaterialsScience,2018-2019+NonlinearScience,1993-2003"
	wideName = "材料科学与工程,二〇一八至二〇一九"
)

// grids are tables of every shape that we print, with names as people have them.
func grids() map[string]*grid {
	results := newTable(table.Row{"eval set", "proxy", "n", "pearson", "95% interval", "spearman", "chooses", "regret", "weak for"}, 2)
	results.names, results.words, results.sections = []int{6}, []int{6, 8}, true
	for k, set := range []string{"in-domain", "far_away_text_of_another_kind", wideName} {
		if k > 0 {
			results.AppendSeparator()
		}
		results.AppendRow(table.Row{set, "merged = macro = micro", 12, "-0.957", "-1.00 to -0.89", "-1.000", longName, "8.46", "zero, chance, one"})
		results.AppendRow(table.Row{"", "mean_ind", 12, "0.957", "0.90 to 1.00", "1.000", wideName + "+" + longName, "0.00", ""})
	}
	words := newTable(table.Row{"", "models", "tokens", "hours"}, 1)
	words.AppendRow(table.Row{"reference models of the mixtures selected", 12, "29.7k", ""})
	words.AppendSeparator()
	words.AppendRow(table.Row{"modular: a model for every unit", 14, "7.17k", ""})
	distinct := newTable(table.Row{"", "mixture", "proxy loss", "expected loss"}, 2)
	distinct.names = []int{1}
	distinct.AppendRow(table.Row{1, longName, "5.7004", "5.6985"})
	distinct.AppendRow(table.Row{2, wideName, "5.7005", "5.6986"})
	bare := newTable(table.Row{"unit", "tokens"}, 1)
	hidden := newTable(table.Row{"removed because of", "documents", "false positives"}, 1)
	hidden.hidden = []int{2}
	hidden.AppendRow(table.Row{"held out of the same corpus, validation", 7, 3})
	return map[string]*grid{"results": results, "words": words, "distinct": distinct, "bare": bare, "hidden": hidden}
}

// On a terminal no line is wider than it, and nothing of any cell is lost.
func TestGridFits(t *testing.T) {
	for name, g := range grids() {
		for _, width := range []int{40, 60, 80, 100, 132, 200} {
			t.Run(fmt.Sprint(name, " in ", width), func(t *testing.T) {
				got := string(g.Render(&terminal{wide: width}))
				if n := text.LongestLineLen(got); n > width {
					t.Errorf("%d columns:\n%s", n, got)
				}
				letters := func(s string) (n map[rune]int) {
					n = map[rune]int{}
					for _, r := range s {
						n[r]++
					}
					return n
				}
				have := letters(got)
				for _, l := range g.lines {
					for i, cell := range l.cells {
						for r, n := range letters(fmt.Sprint(cell)) {
							if !(name == "hidden" && i == 2) && r != ' ' && have[r] < n {
								t.Errorf("%q of %q is lost:\n%s", r, cell, got)
							}
						}
					}
				}
				for _, h := range g.header {
					for _, word := range strings.Fields(fmt.Sprint(h)) {
						if word != "false" && word != "positives" && word != "hours" && word != "eval" && word != "set" && !strings.Contains(got, word) {
							t.Errorf("header %q is lost:\n%s", h, got)
						}
					}
				}
			})
		}
	}
}

// In a file or a pipe each row is a line, with every name in full.
func TestGridInAPipe(t *testing.T) {
	for name, g := range grids() {
		rows := 0
		for _, l := range g.lines {
			rows++
			if l.cells == nil {
				continue
			}
			line := ""
			for i, cell := range l.cells {
				if !(name == "hidden" && i == 2) {
					line += fmt.Sprint(cell, " ")
				}
			}
			want := strings.Join(strings.Fields(line), " ")
			found := false
			for got := range strings.SplitSeq(string(g.Render(&bytes.Buffer{})), "\n") {
				found = found || strings.Join(strings.Fields(got), " ") == want
			}
			if !found {
				t.Errorf("%s: no line is %q:\n%s", name, want, g.Render(&bytes.Buffer{}))
			}
		}
		const header = 2
		if got := strings.Count(string(g.Render(&bytes.Buffer{})), "\n") + 1; rows > 0 && got != rows+header {
			t.Errorf("%s: %d lines, want %d", name, got, rows+header)
		}
	}
}

// The table of results on a terminal of 100 columns.
func TestCorrelationsOnATerminal(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(`mixture_set,eval_set,proxy,n,pearson,pearson_low,pearson_high,spearman,kendall,chosen,chosen_place,regret
pairs,in-domain,mean_ind,12,0.94,0.831,0.98,0.929,0.857,"` + longName + `",1,0
pairs,in-domain,merged,12,0.96,0.85,0.99,0.95,0.86,"` + longName + `",1,0
pairs,in-domain,macro,12,0.96,0.85,0.99,0.95,0.86,"` + longName + `",1,0
pairs,in-domain,micro,12,0.96,0.85,0.99,0.95,0.86,"` + longName + `",1,0
pairs,far,merged,12,-0.2,-0.7,0.4,-0.1,-0.1,"` + wideName + `",4,1.25e+40
pairs,far,macro,12,-0.2,-0.7,0.4,-0.1,-0.2,"` + wideName + `",4,1.25e+40
pairs,far,micro,12,NaN,NaN,NaN,NaN,NaN,,0,NaN
`)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	c := csvTable{column: map[string]int{}, rows: rows[1:]}
	for i, name := range rows[0] {
		c.column[name] = i
	}
	warned := warned{weak: map[[3]string][]string{{"pairs", "far", "merged"}: {"zero", "chance"}, {"pairs", "far", "macro"}: {"zero"}}}
	show := func(width int) string {
		w := &terminal{wide: width}
		if err := printCorrelations(w, c, warned, 0.95); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.SplitSeq(w.String(), "\n") {
			lines = append(lines, strings.TrimRight(line, " "))
		}
		return strings.Join(lines, "\n")
	}
	want := `proxy                   n pearson  95% interval spearman kendall chooses rank   regret weak for
── in-domain
mean_ind               12   0.940  0.83 to 0.98    0.929   0.857 m1         1     0.00
merged = macro = micro 12   0.960  0.85 to 0.99    0.950   0.860 m1         1     0.00
── far
merged                 12  -0.200 -0.70 to 0.40   -0.100  -0.100 m2         4 1.25e+40 zero, chance
macro                  12  -0.200 -0.70 to 0.40   -0.100  -0.200 m2         4 1.25e+40 zero
micro                  12       -             -        -       - -          -        -

 m1  ComputationalBiology,2007-2010+MaterialsScience,2018-2019+NonlinearScience,1993-2003
 m2  材料科学与工程,二〇一八至二〇一九
`
	if diff := cmp.Diff(want, show(100)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, show(100))
	}
	if got := show(0); strings.Count(got, "0.960") != 3 || strings.Count(got, longName) != 4 || strings.Count(got, "\n") != 10 {
		t.Errorf("in a pipe each proxy has its line, with the name in full:\n%s", got)
	}
}

func TestFolded(t *testing.T) {
	for _, c := range []struct {
		name, prose   string
		width, indent int
		want          string
	}{
		{"no terminal", "one two three", 0, 2, "one two three"},
		{"fits", "one two", 7, 2, "one two"},
		{"folds", "one two three", 8, 2, "one two\n  three"},
		{"keeps the margin", "  one two three", 9, 2, "  one two\n    three"},
		{"a long word stays whole", "see seq/pairs/alpha+beta+gamma there", 12, 2, "see\n  seq/pairs/alpha+beta+gamma\n  there"},
		{"each line by itself", "one two three\nfour five six\n", 9, 0, "one two\nthree\nfour five\nsix\n"},
		{"wide characters", "材料 科学 工程", 9, 0, "材料 科学\n工程"},
	} {
		if got := folded(c.prose, c.width, c.indent); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestBroken(t *testing.T) {
	for _, c := range []struct {
		name, cell string
		width      int
		want       string
	}{
		{"fits", "alpha+beta", 10, "alpha+beta"},
		{"behind a plus", "alpha+beta", 8, "alpha+\nbeta"},
		{"at a space", "smallest unit", 9, "smallest\nunit"},
		{"nowhere", "abcdefghij", 4, "abcd\nefgh\nij"},
		{"wide characters", "材料科学", 5, "材料\n科学"},
		{"narrower than a character", "材料", 1, "材料"},
	} {
		if diff := cmp.Diff(c.want, broken(c.cell, c.width)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Values are escaped, tables are not.
func TestTellKeepsTables(t *testing.T) {
	g := newTable(table.Row{"name", "n"}, 1)
	g.AppendRow(table.Row{"a\nb\x1b[2J", 1})
	var out bytes.Buffer
	if err := tell(&out, "study %s\n%s\n%d left\n", "c\nd", g.Render(&out), 3); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if lines := strings.Split(got, "\n"); len(lines) != 6 || lines[0] != `study c\nd` || !strings.Contains(lines[3], `a\nb\x1b[2J`) || lines[4] != "3 left" {
		t.Errorf("got\n%s", got)
	}
}
