package report

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ablate/cache/table"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// correlation is Pearson's, by the formula of textbooks, of the mixtures that have a score by the
// proxy and by the reference; it gives both.
func correlation(scores []tables.ScoreRow, group, set, proxy string) (r float64, xs, ys []float64) {
	by := map[string]map[string]float64{}
	var order []string
	for _, s := range scores {
		if s.Group != group || s.Set != set {
			continue
		}
		if by[s.Mixture] == nil {
			by[s.Mixture] = map[string]float64{}
			order = append(order, s.Mixture)
		}
		by[s.Mixture][s.Scorer] = s.Perplexity
	}
	var mx, my float64
	for _, m := range order {
		x, hasX := by[m][proxy]
		y, hasY := by[m][kind.ScorerSeq]
		if hasX && hasY {
			xs, ys = append(xs, x), append(ys, y)
			mx, my = mx+x, my+y
		}
	}
	n := float64(len(xs))
	mx, my = mx/n, my/n
	var xy, xx, yy float64
	for i := range xs {
		xy, xx, yy = xy+(xs[i]-mx)*(ys[i]-my), xx+(xs[i]-mx)*(xs[i]-mx), yy+(ys[i]-my)*(ys[i]-my)
	}
	return xy / math.Sqrt(xx*yy), xs, ys
}

// Every number of every table is the correlation of the scores, and all four forms of a table say
// the same.
func TestEveryNumberOfTheLayouts(t *testing.T) {
	in := layoutStudy(t)
	scores, err := table.ReadRows[tables.ScoreRow](in.Scores)
	if err != nil {
		t.Fatal(err)
	}
	files := layoutFiles(t, in)
	cells := 0
	for _, name := range []string{"tables/overview", "tables/sets/pairs", "tables/sets/single"} {
		path := filepath.Join(t.TempDir(), "table.parquet")
		if err := os.WriteFile(path, files[name+".parquet"], 0o666); err != nil {
			t.Fatal(err)
		}
		rows, err := table.ReadRows[tables.LayoutRow](path)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(strings.NewReader(string(files[name+".csv"]))).ReadAll()
		if err != nil || len(lines) != len(rows)+1 {
			t.Fatalf("%s: %d lines of CSV for %d rows, %v", name, len(lines), len(rows), err)
		}
		for i, r := range rows {
			cells++
			want, xs, _ := correlation(scores, r.Group, r.Set, r.Proxy)
			if math.Abs(r.Pearson-want) > 1e-12 || r.N != int64(len(xs)) {
				t.Errorf("%s: %s on %s by %s: %v of %d mixtures, want %v of %d", name, r.Group, r.Set, r.Proxy, r.Pearson, r.N, want, len(xs))
			}
			if l := lines[i+1]; l[0] != r.Group || l[1] != r.Set || l[2] != r.Proxy || l[4] != strconv.FormatFloat(r.Pearson, 'g', -1, 64) {
				t.Errorf("%s.csv: %v, want %+v", name, l, r)
			}
			stub := r.Set
			if stub == kind.Average && name != "tables/overview" {
				stub = "average out of domain"
			}
			short := strings.Replace(fmt.Sprintf("%.3f", want), "-", "−", 1)
			if line := lineOf(string(files[name+".md"]), "| ", stub, r.Group, name); !strings.Contains(line, short) {
				t.Errorf("%s.md: the line of %s on %s lacks %s: %s", name, r.Group, r.Set, short, line)
			}
			short = strings.Replace(short, "−", "$-$", 1)
			if line := lineOf(string(files[name+".tex"]), "& ", stub, r.Group, name); !strings.Contains(line, short) {
				t.Errorf("%s.tex: the line of %s on %s lacks %s: %s", name, r.Group, r.Set, short, line)
			}
		}
	}
	if cells != 5+5+2 {
		t.Errorf("%d cells were looked at, want 12", cells)
	}
}

// lineOf is the line of a table that begins with the stubs of a row.
func lineOf(text, between, set, group, name string) string {
	for line := range strings.Lines(text) {
		columns := strings.Split(strings.TrimPrefix(line, "|"), strings.TrimSpace(between))
		for i := range columns {
			columns[i] = strings.TrimSpace(columns[i])
		}
		if name == "tables/overview" && len(columns) > 1 && columns[0] == group && columns[1] == set || name != "tables/overview" && columns[0] == set {
			return line
		}
	}
	return ""
}

// Every panel of every figure has the scores of its set of mixtures on its evaluation set, a series
// a proxy in their order.
func TestEveryPanelOfTheFigures(t *testing.T) {
	in := layoutStudy(t)
	l, err := newLayouts(in)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := table.ReadRows[tables.ScoreRow](in.Scores)
	if err != nil {
		t.Fatal(err)
	}
	panels := 0
	for group, sets := range l.sets {
		for _, m := range sets {
			p := l.panel(group, m, "title")
			if p == nil || p.Title != "title" || len(p.Series) != len(l.params.Proxies) {
				t.Fatalf("%s on %s: panel %+v", group, m.set, p)
			}
			panels++
			for i, proxy := range l.params.Proxies {
				_, xs, ys := correlation(scores, group, m.set, proxy)
				var gotX, gotY []float64
				for _, v := range p.Series[i] {
					gotX, gotY = append(gotX, v.X), append(gotY, v.Y)
				}
				if !slices.Equal(gotX, xs) || !slices.Equal(gotY, ys) {
					t.Errorf("%s on %s by %s: %v over %v, want %v over %v", group, m.set, proxy, gotY, gotX, ys, xs)
				}
			}
		}
	}
	if panels != 5 {
		t.Errorf("%d panels, want in-domain, far, ptb and their mean of pairs, and in-domain of single", panels)
	}
}
