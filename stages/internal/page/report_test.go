package page

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stat"
	"ablate/stages/internal/svg"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var nan = math.NaN()

// example invents a study like the shipped demo: pairs of areas of Go's source, five proxies, four
// eval sets. Scores are drawn so that proxies differ in quality and eval sets in what they favour.
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
		Level:   0.95,
		Training: Training{
			Seed: 2_000_000, Units: 17 * 300_000, References: 12 * 1_275_000, Possible: 28, All: 28 * 1_275_000,
		},
		Corpora: []Corpus{
			{"go", false, 2104, 2104, 2101, []Dropped{{"empty", 1, nil}, {"invalid utf-8", 2, []string{"net/a.go", "net/testdata/b.jsonl:12 (byte 4096)"}}}, 21_004_119, 6_911_240},
			{"spec", true, 1, 1, 1, nil, 214_900, 62_408},
		},
		Left: []Left{
			{"go", "beyond the declared units", []string{"cmd", "net"}, 310, 1_022_940, nil},
			{"go", "partitions of less than half a unit", strings.Fields("bufio bytes cmp context database embed errors expvar fmt hash html io log maps"), 92, 301_822, nil},
			{"go", "an earlier document has the same identity", nil, 2, 512, []string{"net/b.jsonl:7 (byte 901)"}},
		},
		Warnings: []string{
			"The unit of archive has 112,880 tokens and was read 2.7 times in its 300,000 tokens of training; the others fewer than 1.5 times.",
			"All models were trained with one seed, so nothing here says how much a score would move if training were repeated.",
		},
		EvalSets: []EvalSet{
			{"heldout", true, 214, 88_310, "Held-out files of the mixture’s own areas."},
			{"opticks", false, 1, 148_011, "Isaac Newton, Opticks (1704)."},
			{"tour", false, 96, 41_750, "A Tour of Go: short prose and programs."},
			{"spec", false, 1, 62_408, "The Go language specification."},
		},
	}
	for i, a := range areas {
		d.Partitions = append(d.Partitions, Partition{a, "go", units[i], 40 * units[i], tokens[i], 4 * units[i], i % 3, int64(i%3) * 1204})
	}
	d.Removed = []Removed{{"go", "held out of go, test", 214, 1903, 4, 6021}, {"go", "opticks", 1, 812, 0, 0}}
	for i, a := range areas[:2] {
		d.Timelines = append(d.Timelines, Timeline{Set: "areas " + a, Order: "year", Left: 7 * i, Rows: []TimelineRow{
			{a, "2019", 12, 5150, "0", 2, 1, 1204}, {a, "2020", 30, 14_020, "0-1", 3, 0, 0}, {a, "2021", 0, 0, "", 1, 0, 0},
		}})
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
		figure := svg.Scatter{
			Title: set.Name, XLabel: "proxy perplexity", YLabel: "reference perplexity", Diagonal: true,
		}
		reference := columns[len(proxies)]
		for j, proxy := range proxies {
			if !set.InDomain && j == 1 {
				figure.Series = append(figure.Series, svg.Series{Name: proxy})
				continue
			}
			table.Columns = append(table.Columns, proxy)
			d.Correlations = append(d.Correlations, correlate(d.Mixtures, set.Name, proxy, columns[j], reference))
			series := svg.Series{Name: proxy, Fit: true}
			for m := range pairs {
				series.Points = append(series.Points, svg.Point{X: columns[j][m], Y: reference[m], Label: d.Mixtures[m].Name})
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
		d.Scatters = append(d.Scatters, draw(t, "Proxy and reference on "+set.Name, figure, "One mark per mixture and proxy; dotted: proxy and reference equal."))
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
		Kendall: Interval{0.14, -0.6, 0.8}, Regret: 0.62, Chosen: "go+text", Rank: 4, PairwiseAccuracy: 0.571, Published: nan,
	})
	d.Paper = true
	for i := range d.Correlations {
		if d.Correlations[i].Set == "tour" && d.Correlations[i].Proxy != "micro" {
			d.Correlations[i].Published = 0.9 + 0.01*float64(i%5)
		}
	}
	for i, proxy := range []string{"mean_ind", "merged", "macro", "micro"} {
		r := 0.85 + 0.04*float64(i)
		d.Correlations = append(d.Correlations, Correlation{
			Average: true, Set: "mean of 3 sets out of domain", Proxy: proxy, N: 14, Pearson: Interval{r, r - 0.1, r + 0.02}, Spearman: Interval{r, r - 0.1, r + 0.02},
			Kendall: Interval{r, r - 0.1, r + 0.02}, Chosen: "go+text", Rank: 1, PairwiseAccuracy: 0.9, Published: 0.984,
		})
	}
	curves := map[string]*svg.Lines{}
	for _, kind := range []string{"seed", "unit", "reference"} {
		curves[kind] = &svg.Lines{Title: "Training loss: " + kind + " models", XLabel: "tokens trained, millions", YLabel: "loss, nats per token"}
	}
	train := func(name, kind string, n int64, start, floor float64) {
		s := svg.Series{Name: name}
		loss := start
		for k := range 60 {
			x := float64(k+1) / 60
			loss = floor + (start-floor)*math.Exp(-4*x) + noise(0.03)
			s.Points = append(s.Points, svg.Point{X: x * float64(n) / 1e6, Y: loss})
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
		draw(t, curves["seed"].Title, curves["seed"], "The common start of all other models."),
		draw(t, curves["unit"].Title, curves["unit"], "One model per base unit, each from the seed model. Point at a curve for its model."),
		draw(t, curves["reference"].Title, curves["reference"], "One model per mixture, each from the seed model, trained as long as its units together."),
	}
	flow := draw(t, "Steps by kind", exampleFlow(), "")
	d.Flow = &flow
	d.Steps = []Steps{
		{"tokenize", "corpora", 9, 9, 0, 9_410_233, 1.8}, {"split", "units and held-out text", 1, 1, 0, 412_900, 0.4},
		{"train", "unit models", 30, 4, 7_300_000, 214_300_121, 148.2}, {"eval", "", 288, 0, 0, 6_120_470, 61.5}, {"correlate", "", 1, 0, 0, 98_120, nan},
	}
	d.Provenance = []Fact{{"host", "bench-2"}, {"cpu", "AMD EPYC, 2 cores, AVX-512"}, {"go", "go1.26.8 linux/amd64"}, {"study", "sha256:5f0c1d2be3a94476"}, {"cache", "/home/ana/.cache/ablate"}}
	return d
}

// exampleFlow is the graph of a study of the shape of the shipped ones.
func exampleFlow() svg.Flow {
	f := svg.Flow{About: "The steps by kind"}
	for i, n := range [][]string{
		{"tokenizer", "×1", "1 ran, 0 found", "0.4 s, 98 kB"}, {"tokenize", "×9", "corpora", "0 ran, 9 found", "1.8 s, 9.4 MB"},
		{"tokenize", "×3", "evaluation text", "3 ran, 0 found", "0.2 s, 310 kB"}, {"split", "×1", "text of the seed model", "1 ran, 0 found", "0.1 s, 4.1 MB"},
		{"split", "×1", "units and held-out text", "1 ran, 0 found", "0.4 s, 5.3 MB"}, {"train", "×1", "seed model", "1 ran, 0 found", "31.0 s, 2 M tokens"},
		{"train", "×17", "unit models", "13 ran, 4 found", "88.0 s, 5.1 M tokens"}, {"train", "×12", "reference models", "12 ran, 0 found", "241.1 s, 15 M tokens"},
		{"eval", "×288", "288 ran, 0 found", "61.5 s, 6.1 MB"}, {"correlate", "×1", "1 ran, 0 found", "0.3 s, 98 kB"},
	} {
		f.Nodes = append(f.Nodes, svg.FlowNode{Name: n[0], Count: n[1], Lines: n[2:], Share: float64(i*i) / 100, Label: strings.Join(n, " ")})
	}
	for _, e := range [][3]int{{0, 1, 9}, {0, 2, 3}, {1, 3, 1}, {1, 4, 8}, {2, 4, 3}, {3, 5, 1}, {4, 6, 17}, {4, 7, 12}, {5, 6, 17}, {5, 7, 12}, {2, 8, 200}, {6, 8, 270}, {7, 8, 50}, {4, 8, 88}, {8, 9, 288}} {
		f.Edges = append(f.Edges, svg.FlowEdge{From: e[0], To: e[1], Times: e[2], Label: fmt.Sprintf("taken %d times", e[2])})
	}
	return f
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
		Published: nan,
	}
}

func draw(t *testing.T, title string, f interface{ SVG() ([]byte, error) }, caption string) Figure {
	t.Helper()
	drawing, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	return Figure{Title: title, Caption: caption, SVG: drawing}
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

// Every element closes, and every header cell says what it heads.
func TestPageIsWellFormed(t *testing.T) {
	for name, d := range map[string]Data{"full": example(t), "empty": {}} {
		dec := xml.NewDecoder(strings.NewReader(render(t, d)))
		dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		dec.AutoClose = append(dec.AutoClose, "wbr")
		ids := map[string]bool{}
		var open []string
		for {
			token, err := dec.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			switch e := token.(type) {
			case xml.StartElement:
				open = append(open, e.Name.Local)
				scope := ""
				for _, a := range e.Attr {
					switch a.Name.Local {
					case "scope":
						scope = a.Value
					case "id":
						if ids[a.Value] {
							t.Errorf("%s: id %q occurs twice", name, a.Value)
						}
						ids[a.Value] = true
					}
				}
				if e.Name.Local == "th" && scope == "" {
					t.Errorf("%s: a header cell without scope", name)
				}
			case xml.EndElement:
				open = open[:len(open)-1]
			}
		}
		if len(open) != 0 {
			t.Errorf("%s: not closed: %v", name, open)
		}
	}
}

// The page must work without network: no address but the name of SVG's own language, nothing that
// loads.
func TestPageIsSelfContained(t *testing.T) {
	page := strings.ReplaceAll(render(t, example(t)), `xmlns="http://www.w3.org/2000/svg"`, "")
	for _, bad := range []string{"http:", "https:", "src=", "url(", "@import", "<link", "<iframe", "<img", "//fonts"} {
		if i := strings.Index(page, bad); i >= 0 {
			t.Errorf("%q at %q", bad, page[max(0, i-60):min(len(page), i+60)])
		}
	}
	for _, href := range strings.Split(page, "href=\"")[1:] {
		anchor, _, _ := strings.Cut(href, "\"")
		if !strings.HasPrefix(anchor, "#") || !strings.Contains(page, `id="`+anchor[1:]+`"`) {
			t.Errorf("link to %q leads nowhere in the page", anchor)
		}
	}
}

func TestNamesAreEscaped(t *testing.T) {
	const evil = `</title></style><script>alert(1)</script>"'&`
	d := Data{
		Study: evil, About: evil, Program: evil, Warnings: []string{evil},
		Choices:      []Choice{{Set: evil, Proxy: evil, Chosen: evil, Best: evil, Candidates: 2, References: 2, Rank: 2, ChosenReference: 2, BestReference: 1}},
		EvalSets:     []EvalSet{{Name: evil, About: evil}},
		Corpora:      []Corpus{{Name: evil, Dropped: []Dropped{{evil, 1, []string{evil}}}}},
		Left:         []Left{{Corpus: evil, Why: evil, Partitions: []string{evil}}},
		Partitions:   []Partition{{Name: evil, Corpus: evil}},
		Removed:      []Removed{{Corpus: evil, Because: evil}},
		Timelines:    []Timeline{{Set: evil, Order: evil, Rows: []TimelineRow{{Partition: evil, Value: evil, Units: evil}}}},
		Mixtures:     []Mixture{{Name: evil, Partitions: []string{evil}}, {Name: evil, Shares: []Share{{evil, 0.5}}}},
		Correlations: []Correlation{{Set: evil, Proxy: evil, Chosen: evil}},
		Scores:       []ScoreTable{{Set: evil, Columns: []string{evil}, Rows: []ScoreRow{{evil, []float64{1}}}}},
		Scatters:     []Figure{{Title: evil, Caption: evil, SVG: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}},
		Models:       []Model{{Name: evil, Kind: evil, Key: evil, Checkpoint: evil}},
		Steps:        []Steps{{Kind: evil}},
		Provenance:   []Fact{{evil, evil}},
	}
	page := render(t, d)
	if n := strings.Count(page, "<script>"); n != 1 {
		t.Errorf("%d scripts, want the page's own only", n)
	}
	if n := strings.Count(page, "</style>"); n != 1 {
		t.Errorf("%d style ends, want 1", n)
	}
}

// A browser runs the page's own script and no other, whatever a name smuggles in.
func TestPolicyAllowsTheScript(t *testing.T) {
	page := render(t, Data{})
	_, rest, _ := strings.Cut(page, "<script>")
	script, _, ok := strings.Cut(rest, "</script>")
	sum := sha256.Sum256([]byte(script))
	want := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'\""
	if _, policy, _ := strings.Cut(page, "Content-Security-Policy"); !ok || !strings.Contains(html.UnescapeString(policy), want) {
		t.Errorf("the policy has no %s: %.300s", want, policy)
	}
}

func TestRenderFails(t *testing.T) {
	for _, c := range []struct {
		name string
		d    Data
		want string
	}{
		{"figure that is not a drawing", Data{Scatters: []Figure{{Title: "f", SVG: []byte("<p/>")}}}, `report: figure "f": element "p" is not allowed`},
		{"curve that is cut off", Data{Curves: []Figure{{Title: "f", SVG: []byte("<svg><g>")}}}, `report: figure "f": 1 drawings and 2 unclosed elements, want 1 and 0`},
		{"row that does not fit", Data{Scores: []ScoreTable{{Set: "s", Columns: []string{"a", "b"}, Rows: []ScoreRow{{"m", []float64{1}}}}}},
			`report: scores on "s": mixture "m" has 1 values, want 2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			err := Render(&b, c.d)
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if b.Len() != 0 {
				t.Errorf("%d bytes written before the error", b.Len())
			}
		})
	}
	full := errors.New("disk full")
	if err := Render(broken{full}, Data{}); !errors.Is(err, full) {
		t.Errorf("error %v, want the writer's", err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

// A page of every mixture of a large study would open in no browser.
func TestLongTablesAreCut(t *testing.T) {
	d := Data{Scores: []ScoreTable{{Set: "s", Columns: []string{"macro"}, Reference: -1}}}
	for i := range maxRows + 7 {
		d.Scores[0].Rows = append(d.Scores[0].Rows, ScoreRow{fmt.Sprintf("m%d", i), []float64{float64(i)}})
		d.Mixtures = append(d.Mixtures, Mixture{Name: fmt.Sprintf("m%d", i)})
		d.Models = append(d.Models, Model{Name: fmt.Sprintf("m%d", i)})
	}
	page := render(t, d)
	for _, want := range []string{"7 more mixtures not shown", "7 more models not shown", "m499<wbr>"} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if strings.Contains(page, "m500<wbr>") {
		t.Error("row 500 is shown")
	}
}

func TestCost(t *testing.T) {
	models := []Model{{Kind: "seed"}, {Kind: "unit"}, {Kind: "unit"}}
	reference := Model{Kind: "reference"}
	three := make([]Mixture, 3)
	for _, c := range []struct {
		name   string
		d      Data
		want   []Fact
		saving string
	}{
		{"nothing", Data{}, []Fact{{"mixtures compared", "0"}}, ""},
		{"proxies only", Data{Models: models, Mixtures: three, Training: Training{Seed: 9e6, Units: 4e6, Possible: 3, All: 12e6}}, []Fact{
			{"mixtures compared", "3"}, {"tokens to train 2 unit models, enough for every mixture", "4.0 million"},
			{"tokens to train a reference model on every mixture instead", "12.0 million"},
		}, "A reference model on every possible mixture would take 3.0 times the training that the proxies took. " +
			"These counts leave out evaluation and the seed model from which all models start (9.0 million tokens)."},
		{"some references", Data{Models: append(models, reference), Mixtures: three, Training: Training{Units: 4e6, References: 4e6, Possible: 3, All: 12e6}}, []Fact{
			{"mixtures compared", "3"}, {"tokens to train 2 unit models, enough for every mixture", "4.0 million"},
			{"tokens to train a reference model on every mixture instead", "12.0 million"}, {"tokens to train 1 reference model to check the proxies", "4.0 million"},
		}, "A reference model on every possible mixture would take 3.0 times the training that the proxies took. " +
			"The reference models were trained only to check them. Evaluation is not counted."},
		{"every reference", Data{Models: append(models, reference, reference), Mixtures: three[:2], Training: Training{Units: 4e6, References: 4e6, Possible: 2, All: 4e6}}, []Fact{
			{"mixtures compared", "2"}, {"tokens to train 2 unit models, enough for every mixture", "4.0 million"},
			{"tokens to train 2 reference models, one on every mixture, to check the proxies", "4.0 million"},
		}, "A reference model on every possible mixture would take 1.0 times the training that the proxies took: with so few mixtures, proxies save nothing. " +
			"The reference models were trained only to check them. Evaluation is not counted."},
		{"a listed mixture", Data{Models: models, Mixtures: three[:1], Training: Training{Units: 6e6, Possible: 1, All: 4e6}}, []Fact{
			{"mixtures compared", "1"}, {"tokens to train 2 unit models, enough for every mixture", "6.0 million"},
			{"tokens to train a reference model on every mixture instead", "4.0 million"},
		}, "A reference model on every possible mixture would take 0.7 times the training that the proxies took: with so few mixtures, proxies save nothing. " +
			"Evaluation is not counted."},
		{"partition models, more mixtures than anyone counts", Data{
			Models: append(models, Model{Kind: "partition"}), Mixtures: three, Training: Training{Units: 4e6, Partitions: 3e6, Possible: 4.71e21, All: 9.4e27},
		}, []Fact{{"possible mixtures, of which 3 are compared here", "4.7 × 10²¹"},
			{"tokens to train 2 unit models and 1 partition model, enough for every mixture", "7.0 million"},
			{"tokens to train a reference model on every mixture instead", "9.4 × 10²⁷"},
		}, "A reference model on every possible mixture would take 1.3 × 10²¹ times the training that the proxies took. Evaluation is not counted."},
		{"more candidates than are listed", Data{Mixtures: three, Choices: []Choice{{Candidates: 341_376}}, Training: Training{Possible: 2_341_376}},
			[]Fact{{"possible mixtures, of which 341,376 are compared here", "2.3 million"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view{Data: c.d}
			if diff := cmp.Diff(c.want, v.Cost()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.saving, v.Saving()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The page must say what the intervals cover, not what is usual.
func TestLevel(t *testing.T) {
	for _, c := range []struct {
		name  string
		level float64
		want  []string
	}{
		{"given", 0.9, []string{"is its 90% interval", "falls in 90% of resamples of the mixtures"}},
		{"with decimals", 0.995, []string{"is its 99.5% interval", "falls in 99.5% of resamples"}},
		{"not known", 0, []string{"is its bootstrap interval", "falls in most resamples of the mixtures"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := render(t, Data{Level: c.level, Correlations: []Correlation{{Set: "s", Proxy: "macro"}}})
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("page lacks %q", want)
				}
			}
			if strings.Contains(page, "95%") {
				t.Error("page has 95%")
			}
		})
	}
}
