package report

import (
	stdbytes "bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/plot"
	"ablate/stages/internal/stat"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var nan = math.NaN()

// example invents a study like the shipped demo: pairs of areas of Go's source, five proxies, four eval sets. Scores are drawn so that
// proxies differ in quality and eval sets in what they favour.
func example(t *testing.T) Data {
	t.Helper()
	areas := []string{"archive", "cmd", "crypto", "encoding", "go", "net", "runtime", "text"}
	units := []int{1, 3, 3, 2, 2, 3, 2, 1}
	tokens := []int64{112_880, 341_002, 318_455, 224_610, 239_187, 356_741, 236_020, 109_934}
	rng := rand.New(rand.NewPCG(20, 24))
	noise := func(scale float64) float64 { return scale * rng.NormFloat64() }
	d := Data{
		Study:   "go-areas",
		About:   "Which parts of Go’s own source help a model of which other text?",
		Program: "ablate 0.1.0",
		Warnings: []string{
			"The unit of archive has 112,880 tokens and was read 2.7 times in its 300,000 tokens of training; the others fewer than 1.5 times.",
			"All models were trained with one seed, so nothing here says how much a score would move if training were repeated.",
		},
		EvalSets: []EvalSet{
			{"heldout", true, 214, 88_310, 301_552, "Held-out files of the mixture’s own areas."},
			{"opticks", false, 1, 148_011, 568_301, "Isaac Newton, Opticks (1704)."},
			{"tour", false, 96, 41_750, 160_220, "A Tour of Go: short prose and programs."},
			{"spec", false, 1, 62_408, 214_900, "The Go language specification."},
		},
	}
	for i, a := range areas {
		d.Partitions = append(d.Partitions, Partition{a, "go", units[i], 40 * units[i], tokens[i], 4 * units[i], i % 3, int64(i%3) * 1204})
	}
	proxies := []string{"mean_ind", "ind_id", "merged", "macro", "micro"}
	quality := []float64{1.5, 1.2, 0.7, 0.3, 0.4}
	base := []float64{14.2, 61.5, 33.8, 25.1}
	var pairs [][2]int
	for len(pairs) < 12 {
		p := [2]int{rng.IntN(8), rng.IntN(8)}
		if p[0] < p[1] && !contains(pairs, p) {
			pairs = append(pairs, p)
		}
	}
	for _, p := range pairs {
		n := units[p[0]] + units[p[1]]
		d.Mixtures = append(d.Mixtures, Mixture{
			Name: areas[p[0]] + "+" + areas[p[1]], Partitions: []string{areas[p[0]], areas[p[1]]},
			Units: n, Tokens: int64(n) * 300_000, Reference: true,
			Shares: []Share{{areas[p[0]], float64(units[p[0]]) / float64(n)}, {areas[p[1]], float64(units[p[1]]) / float64(n)}},
		})
	}
	for i, set := range d.EvalSets {
		worth := make([]float64, len(areas)) // of an area for this set
		for j := range worth {
			worth[j] = noise(1.4)
		}
		table := ScoreTable{Set: set.Name, Reference: len(proxies)}
		columns := make([][]float64, len(proxies)+1)
		for _, p := range pairs {
			reference := base[i] + worth[p[0]] + worth[p[1]] + noise(0.3)
			for j := range proxies {
				columns[j] = append(columns[j], reference*(1.03+0.02*float64(j))+noise(quality[j]))
			}
			columns[len(proxies)] = append(columns[len(proxies)], reference)
		}
		for m := range pairs {
			row := ScoreRow{Mixture: d.Mixtures[m].Name}
			for j := range columns {
				if !set.InDomain && j == 1 {
					row.Values = append(row.Values, nan) // ind_id has no meaning out of domain
					continue
				}
				row.Values = append(row.Values, columns[j][m])
			}
			table.Rows = append(table.Rows, row)
		}
		figure := plot.Scatter{
			Title: set.Name, XLabel: "proxy perplexity", YLabel: "reference perplexity", Diagonal: true,
		}
		reference := columns[len(proxies)]
		for j, proxy := range proxies {
			if !set.InDomain && j == 1 {
				figure.Series = append(figure.Series, plot.Series{Name: proxy})
				continue
			}
			table.Columns = append(table.Columns, proxy)
			d.Correlations = append(d.Correlations, correlate(d.Mixtures, set.Name, proxy, columns[j], reference))
			series := plot.Series{Name: proxy, Fit: true}
			for m := range pairs {
				series.Points = append(series.Points, plot.Point{X: columns[j][m], Y: reference[m], Label: d.Mixtures[m].Name})
			}
			figure.Series = append(figure.Series, series)
		}
		table.Columns = append(table.Columns, "reference")
		table.Reference = len(table.Columns) - 1
		for m := range table.Rows {
			if !set.InDomain {
				v := table.Rows[m].Values
				table.Rows[m].Values = append(v[:1:1], v[2:]...)
			}
		}
		d.Scores = append(d.Scores, table)
		d.Scatters = append(d.Scatters, draw(t, figure, "One mark per mixture and proxy; dotted: proxy and reference equal."))
		c := stat.Regret(columns[3], reference)
		d.Choices = append(d.Choices, Choice{
			Set: set.Name, Proxy: "macro", Candidates: len(pairs), References: len(pairs), Rank: c.Rank,
			Chosen: d.Mixtures[c.Chosen].Name, ChosenProxy: columns[3][c.Chosen], ChosenReference: reference[c.Chosen],
			Best: d.Mixtures[c.Best].Name, BestReference: reference[c.Best],
		})
	}
	// One proxy on seven mixtures only, and without a tie to the reference: it must be called weak.
	d.Correlations = append(d.Correlations, Correlation{
		Set: "spec", Proxy: "weighted", N: 7, Pearson: Interval{0.21, -0.63, 0.88}, Spearman: Interval{0.18, -0.71, 0.9},
		Kendall: Interval{0.14, -0.6, 0.8}, Regret: 0.62, Chosen: "go+text", Rank: 4, PairwiseAccuracy: 0.571,
	})
	curves := map[string]*plot.Lines{}
	for _, kind := range []string{"seed", "unit", "reference"} {
		curves[kind] = &plot.Lines{Title: "Training loss: " + kind + " models", XLabel: "tokens trained, millions", YLabel: "loss, nats per token"}
	}
	train := func(name, kind string, n int64, start, floor float64) {
		s := plot.Series{Name: name}
		loss := start
		for k := range 60 {
			x := float64(k+1) / 60
			loss = floor + (start-floor)*math.Exp(-4*x) + noise(0.03)
			s.Points = append(s.Points, plot.Point{X: x * float64(n) / 1e6, Y: loss})
		}
		curves[kind].Series = append(curves[kind].Series, s)
		digest := fmt.Sprintf("sha256:%016x%016x", rng.Uint64(), rng.Uint64())
		d.Models = append(d.Models, Model{name, kind, n, loss, digest[7:], digest})
	}
	train("seed", "seed", 3_000_000, 7.6, 3.4)
	for i, a := range areas {
		for u := range units[i] {
			train(fmt.Sprintf("%s/%d", a, u), "unit", 300_000, 3.4, 2.4+noise(0.2))
		}
	}
	for _, m := range d.Mixtures {
		train(m.Name, "reference", m.Tokens, 3.4, 2.3+noise(0.2))
	}
	d.Curves = []Figure{
		draw(t, *curves["seed"], "The common start of all other models."),
		draw(t, *curves["unit"], "One model per base unit, each from the seed model. Point at a curve for its model."),
		draw(t, *curves["reference"], "One model per mixture, each from the seed model, trained as long as its units together."),
	}
	d.Steps = []Steps{{"tokenize", 9, 9_410_233, 1.8}, {"split", 1, 412_900, 0.4}, {"train", 30, 214_300_121, 148.2}, {"eval", 288, 6_120_470, 61.5}, {"correlate", 1, 98_120, nan}}
	d.Provenance = []Fact{{"host", "bench-2"}, {"cpu", "AMD EPYC, 2 cores, AVX-512"}, {"go", "go1.26.8 linux/amd64"}, {"study", "sha256:5f0c1d2be3a94476"}, {"cache", "/home/ana/.cache/ablate"}}
	return d
}

func contains(pairs [][2]int, p [2]int) bool {
	for _, q := range pairs {
		if q == p {
			return true
		}
	}
	return false
}

func correlate(mixtures []Mixture, set, proxy string, x, y []float64) Correlation {
	b := stat.Bootstrap{Resamples: 1000, Seed: 1}
	c := stat.Regret(x, y)
	return Correlation{
		Set: set, Proxy: proxy, N: c.N,
		Pearson: Interval(b.Interval(x, y, stat.Pearson)), Spearman: Interval(b.Interval(x, y, stat.Spearman)), Kendall: Interval(b.Interval(x, y, stat.Kendall)),
		Regret: c.Regret, Chosen: mixtures[c.Chosen].Name, Rank: c.Rank, PairwiseAccuracy: stat.PairwiseAccuracy(x, y),
	}
}

func draw(t *testing.T, f interface{ SVG() ([]byte, error) }, caption string) Figure {
	t.Helper()
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	return Figure{Title: caption, Caption: caption, SVG: svg}
}

func render(t *testing.T, d Data) string {
	t.Helper()
	var b strings.Builder
	if err := Render(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	got := render(t, example(t))
	path := filepath.Join("testdata", "report.html")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("go test -update rewrites it, if this is meant:\n%s", diff)
	}
	if again := render(t, example(t)); again != got {
		t.Error("a second rendering differs")
	}
}

var _ = []any{errors.New, stdbytes.NewReader}
