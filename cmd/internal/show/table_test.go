package show

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
)

// screen is a writer of so many columns.
type screen struct {
	bytes.Buffer
	wide int
}

func (t *screen) Columns() int { return t.wide }

const (
	longName = "ComputationalBiology,2007-2010+MaterialsScience,2018-2019+NonlinearScience,1993-2003"
	wideName = "材料科学与工程,二〇一八至二〇一九"
)

// sampleTables are tables of every shape that we print, with names as people have them.
func sampleTables() map[string]*Table {
	results := NewTable(Row{"eval set", "proxy", "n", "pearson", "95% interval", "spearman", "chooses", "regret", "weak for"}, 2)
	results.Names, results.Words, results.Sections = []int{6}, []int{6, 8}, true
	for k, set := range []string{"in-domain", "far_away_text_of_another_kind", wideName} {
		if k > 0 {
			results.AppendSeparator()
		}
		results.AppendRow(Row{set, "merged = macro = micro", 12, "-0.957", "-1.00 to -0.89", "-1.000", longName, "8.46", "zero, chance, one"})
		results.AppendRow(Row{"", "mean_ind", 12, "0.957", "0.90 to 1.00", "1.000", wideName + "+" + longName, "0.00", ""})
	}
	words := NewTable(Row{"", "models", "tokens", "hours"}, 1)
	words.AppendRow(Row{"reference models of the mixtures selected", 12, "29.7k", ""})
	words.AppendSeparator()
	words.AppendRow(Row{"modular: a model for every unit", 14, "7.17k", ""})
	distinct := NewTable(Row{"", "mixture", "proxy loss", "expected loss"}, 2)
	distinct.Names = []int{1}
	distinct.AppendRow(Row{1, longName, "5.7004", "5.6985"})
	distinct.AppendRow(Row{2, wideName, "5.7005", "5.6986"})
	bare := NewTable(Row{"unit", "tokens"}, 1)
	hidden := NewTable(Row{"removed because of", "documents", "false positives"}, 1)
	hidden.Hidden = []int{2}
	hidden.AppendRow(Row{"held out of the same corpus, validation", 7, 3})
	return map[string]*Table{"results": results, "words": words, "distinct": distinct, "bare": bare, "hidden": hidden}
}

// On a terminal no line is wider than it, and nothing of any cell is lost.
func TestTableFits(t *testing.T) {
	for name, g := range sampleTables() {
		for _, width := range []int{40, 60, 80, 100, 132, 200} {
			t.Run(fmt.Sprint(name, " in ", width), func(t *testing.T) {
				got := string(g.Render(&screen{wide: width}))
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
				for _, l := range g.rows {
					for i, cell := range l {
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
func TestTableInAPipe(t *testing.T) {
	for name, g := range sampleTables() {
		rows := 0
		for _, l := range g.rows {
			rows++
			if l == nil {
				continue
			}
			line := ""
			for i, cell := range l {
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
func TestPrintfKeepsTables(t *testing.T) {
	g := NewTable(Row{"name", "n"}, 1)
	g.AppendRow(Row{"a\nb\x1b[2J", 1})
	var out bytes.Buffer
	if err := Printf(&out, "study %s\n%s\n%d left\n", "c\nd", g.Render(&out), 3); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if lines := strings.Split(got, "\n"); len(lines) != 6 || lines[0] != `study c\nd` || !strings.Contains(lines[3], `a\nb\x1b[2J`) || lines[4] != "3 left" {
		t.Errorf("got\n%s", got)
	}
}
