package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ablate/stages/internal/corpus"
	"ablate/stages/internal/page"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// scoreRows are the perplexities of one group on one set: a row for each mixture, a column for each
// scorer; NaN: none.
func scoreRows(group, set string, scorers string, mixtures string, perplexities ...[]float64) []tables.ScoreRow {
	var rows []tables.ScoreRow
	for i, m := range strings.Fields(mixtures) {
		for j, s := range strings.Fields(scorers) {
			if v := perplexities[i][j]; !math.IsNaN(v) {
				rows = append(rows, tables.ScoreRow{
					Group: group, Mixture: m, Scorer: s, Set: set, Perplexity: v, Loss: math.Log(v), Documents: int64(10 + i), Tokens: int64(100 * (10 + i)),
				})
			}
		}
	}
	return rows
}

var pairsScores = append(
	scoreRows("pairs", "in-domain", "ind_id macro micro seq", "a+b a+c b+c", []float64{9, 8, 8, 7}, []float64{10, 9, 9, 8}, []float64{8, 11, 11, 9}),
	scoreRows("pairs", "far", "macro micro seq", "a+b a+c b+c", []float64{30, 31, 25}, []float64{20, 22, 24}, []float64{40, 44, 30})...)

func correlationRow(group, set, proxy string, r float64) tables.CorrelationRow {
	return tables.CorrelationRow{
		Group: group, Set: set, Proxy: proxy, N: 3, Pearson: r, PearsonLow: r, PearsonHigh: r, Spearman: r, SpearmanLow: r, SpearmanHigh: r,
		Kendall: r, KendallLow: r, KendallHigh: r, PairwiseAccuracy: 1, Chosen: "a+b", Best: "a+b", Rank: 1,
	}
}

// pairsStudy is what a small study of three pairs leaves: its report has every section.
func pairsStudy(t *testing.T) Input {
	t.Helper()
	svg := filepath.Join(t.TempDir(), "figure.svg")
	if err := os.WriteFile(svg, []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), 0o666); err != nil {
		t.Fatal(err)
	}
	curve := stagetest.WriteRows(t, tables.CurveRow{Step: 1, Tokens: 100, Loss: 5}, tables.CurveRow{Step: 2, Tokens: 200, Loss: 4})
	in := Input{
		Study: "small", About: "Which pair?", Program: "ablate 0", InDomain: "in-domain", SetAbout: map[string]string{"far": "Far away."},
		Scores: stagetest.WriteRows(t, pairsScores...), Level: 0.9,
		Correlations: stagetest.WriteRows(t, correlationRow("pairs", "in-domain", "ind_id", 0.5), correlationRow("pairs", "in-domain", "macro", 0.75),
			correlationRow("pairs", "in-domain", "micro", 0.75), correlationRow("pairs", "far", "macro", 0.25), correlationRow("pairs", "far", "micro", math.NaN())),
		Figure:   func(group, set string) (string, error) { return svg, nil },
		Training: Training{Seed: 5e6, Units: 3e6, References: 6e6, MixturesPossible: 15, AllReferences: 30e6},
		Splits: []Split{{Corpus: "text", Sizes: stagetest.WriteRows(t,
			tables.SizeRow{Partition: "a", Part: tables.PartUnit, Unit: 0, Documents: 20, Tokens: 2000, RemovedDocuments: 2, RemovedTokens: 150},
			tables.SizeRow{Partition: "a", Part: tables.PartUnit, Unit: 1, Documents: 21, Tokens: 2001},
			tables.SizeRow{Partition: "a", Part: tables.PartTest, Unit: -1, Documents: 5, Tokens: 400},
			tables.SizeRow{Partition: "a", Part: tables.PartValidation, Unit: -1, Documents: 1, Tokens: 90},
			tables.SizeRow{Partition: "b", Part: tables.PartUnit, Unit: 0, Documents: 30, Tokens: 1999},
		)}},
		Steps:      []Steps{{Kind: "train", Count: 7, Bytes: 3000, Seconds: 12}},
		Provenance: [][2]string{{"host", "mill"}},
	}
	for _, m := range []struct{ name, role string }{{"seed", "seed"}, {"parts/a/0", "unit"}, {"pairs/a+b", "reference"}} {
		in.Models = append(in.Models, Model{Name: m.name, Role: m.role, Tokens: 200, Key: "0123456789", Checkpoint: "abcdef0123", Curve: curve})
	}
	for _, name := range []string{"a+b", "a+c", "b+c"} {
		in.Mixtures = append(in.Mixtures, Mixture{
			Group: "pairs", Name: name, Partitions: strings.Split(name, "+"), Units: []int{3, 1}, Tokens: 800, Reference: true,
		})
	}
	return in
}

var (
	hidden = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|<wbr>`)
	tag    = regexp.MustCompile(`<[^>]*>`)
)

// reportText renders the page and returns what a person reads of it, with single spaces.
func reportText(t *testing.T, in Input) string {
	t.Helper()
	page, err := Page(in)
	if err != nil {
		t.Fatal(err)
	}
	words := tag.ReplaceAllString(hidden.ReplaceAllString(string(page), ""), " ")
	return strings.Join(strings.Fields(html.UnescapeString(words)), " ") // no-break spaces too
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, in *Input)
		want   []string
		not    []string
	}{
		{"everything", func(*testing.T, *Input) {}, []string{
			"small Which pair?",
			"It depends on what the model will read",
			"a + b for in-domain", "a + c for far",
			"Models trained on the whole mixtures agree every time.",
		}, []string{"The costliest miss"}},
		{"the choice is held against the best", func(t *testing.T, in *Input) {
			in.Scores = stagetest.WriteRows(t, scoreRows("pairs", "far", "macro seq", "a+b a+c b+c", []float64{30, 25}, []float64{20, 24}, []float64{40, 20})...)
		}, []string{
			"Train on a + c", "Of 3 candidate mixtures, it has the lowest predicted perplexity on far.",
			"The costliest miss is on far: the choice ranks 2nd of 3 and its perplexity is 20% above the best.",
			"far a+c macro 20.00 24.00 2 of 3 b+c 20.00 +20%",
		}, nil},
		{"cost of the models", func(*testing.T, *Input) {}, []string{
			"possible mixtures, of which 3 are compared here 15",
			"tokens to train 1 unit model, enough for every mixture 3.0 million",
			"tokens to train a reference model on every mixture instead 30.0 million",
			"tokens to train 1 reference model to check the proxies 6.0 million",
			"would take 10 times the training that the proxies took.",
			"These counts leave out evaluation and the seed model from which all models start (5.0 million tokens).",
		}, nil},
		{"figures and intervals", func(*testing.T, *Input) {}, []string{
			"3 mixtures; closest is macro = micro, r 0.750. 3 mixtures; closest is macro, r 0.250.",
			"is its 90% interval", "in 90% of resamples",
		}, []string{"95%", "pairs: "}},
		{"points under one another", func(t *testing.T, in *Input) {
			in.Correlations = stagetest.WriteRows(t, correlationRow("pairs", "in-domain", "ind_id", 0.9), correlationRow("pairs", "in-domain", "macro", 0.75),
				correlationRow("pairs", "in-domain", "micro", 0.75))
		}, []string{"3 mixtures; closest is ind_id, r 0.900. Under one another: macro = micro."}, nil},
		{"evaluation sets once", func(*testing.T, *Input) {}, []string{
			"in-domain in-domain 12 1,200 Held-out documents of the mixture’s own partitions",
			"far out-of-domain 12 1,200 Far away.",
		}, []string{"Tokens Size"}},
		{"partitions", func(*testing.T, *Input) {}, []string{
			"a text 2 41 4,001 6 2 150", "b text 1 30 1,999 0 0 0", "All partitions 3 71 6,000 6 2 150", "a 75% , b 25% 4 800 trained",
		}, []string{"What is not used"}},
		{"models and steps", func(*testing.T, *Input) {}, []string{
			"seed seed 200 4.000 01234567 abcdef01", "parts/a/0 unit 200 4.000", "pairs/a+b reference 200 4.000", "train 7 7 0 – 3.0 kB 12.0 s", "host mill",
		}, nil},
		{"two sets of mixtures on one evaluation set", func(t *testing.T, in *Input) {
			in.Scores = stagetest.WriteRows(t, append(scoreRows("pairs", "far", "macro seq", "a+b b+c", []float64{30, 25}, []float64{20, 24}),
				scoreRows("triples", "far", "macro seq", "a+b+c a+b+d", []float64{30, 25}, []float64{40, 44})...)...)
			in.Correlations = stagetest.WriteRows(t, correlationRow("pairs", "far", "macro", 0.75), correlationRow("triples", "far", "macro", 0.25))
			in.Mixtures = append(in.Mixtures, Mixture{Group: "triples", Name: "a+b+c", Partitions: []string{"a", "b", "c"}, Units: []int{1, 1, 1}})
		}, []string{
			"b + c for pairs: far", "a + b + c for triples: far",
			"3 mixtures; closest is macro, r 0.750. 3 mixtures; closest is macro, r 0.250.",
			"pairs: far 2 mixtures", "triples: far 2 mixtures", "far out-of-domain 11 1,100 Far away. Mixtures",
		}, nil},
		{"no references", func(t *testing.T, in *Input) {
			in.Scores = stagetest.WriteRows(t, scoreRows("pairs", "far", "macro", "a+b a+c", []float64{30}, []float64{20})...)
			in.Correlations = stagetest.WriteRows[tables.CorrelationRow](t)
			in.Figure = func(group, set string) (string, error) { return "", errors.New("there is no figure") }
			in.Training.References = 0
			in.Models = in.Models[:2]
		}, []string{"Train on a + c", "No reference model was trained, so nothing checks this choice"}, []string{"Can the proxies be trusted?", "to check"}},
		{"documents that are not used", func(t *testing.T, in *Input) {
			in.Splits = append(in.Splits, Split{Corpus: "more", Sizes: stagetest.WriteRows(t,
				tables.SizeRow{Partition: "c", Part: tables.PartUnit, Unit: 0, Documents: 20, Tokens: 2000},
				tables.SizeRow{Partition: "c", Part: tables.PartUnused, Unit: -1, Documents: 7, Tokens: 700},
				tables.SizeRow{Partition: "d", Part: tables.PartSmall, Unit: -1, Documents: 3, Tokens: 300},
				tables.SizeRow{Partition: "e", Part: tables.PartSmall, Unit: -1, Documents: 4, Tokens: 400},
				tables.SizeRow{Partition: "f", Part: tables.PartExcluded, Unit: -1, Documents: 9, Tokens: 900},
				tables.SizeRow{Partition: "", Part: tables.PartDuplicate, Unit: -1, Documents: 1, Tokens: 10},
				tables.SizeRow{Partition: "f", Part: tables.PartTest, Unit: -1, Documents: 50, Tokens: 5},
			),
				Duplicates: stagetest.WriteRows(t, tables.DuplicateRow{ID: "x", Shard: 1, Row: 2}),
				Places:     []string{"", stagetest.WriteRows(t, tables.PlaceRow{}, tables.PlaceRow{}, tables.PlaceRow{File: 1, Line: 7, Byte: 901})},
				Files:      [][]string{{"a"}, {"b", "c.jsonl"}},
			})
		}, []string{
			"c more 1 20 2,000 0 0 0 All partitions 4 91 8,000 6",
			"more beyond the declared units c 7 700",
			"more partitions of less than half a unit d, e 7 700",
			"more partitions that the study leaves out f 9 900",
			"more an earlier document has the same identity 1 10", "more, an earlier document has the same identity: c.jsonl:7 (byte 901) .",
		}, []string{"d more", "f more 0"}},
		{"what was read", func(t *testing.T, in *Input) {
			in.Corpora = []Corpus{
				{Name: "text", Counts: []string{
					countsFile(t, tables.TokenizeCounts{Files: 2, Read: 10, Kept: 7, Dropped: map[string]int64{"invalid utf-8": 1, "empty": 2}, Bytes: 900_000, Tokens: 250,
						Places: []corpus.Place{{File: 1, Line: 7, Byte: 99, Reason: "empty"}, {File: 0, Reason: "empty"}}}),
					countsFile(t, tables.TokenizeCounts{Files: 1, Read: 5, Kept: 4, Dropped: map[string]int64{"empty": 1}, Bytes: 100_000, Tokens: 50}),
				}, Files: [][]string{{"a.txt", "b.jsonl"}, {"c.jsonl"}}},
				{Name: "far", EvalSet: true, Counts: []string{countsFile(t, tables.TokenizeCounts{Files: 1, Read: 3, Kept: 3, Bytes: 700, Tokens: 20})}},
			}
		}, []string{"text corpus 3 15 11 4 3 empty , 1 invalid utf-8 1.0 MB 300", "text, empty: b.jsonl:7 (byte 99) , a.txt and 1 more.", "far eval set 1 3 3 0 700 B 20"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := pairsStudy(t)
			c.change(t, &in)
			text := reportText(t, in)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, not := range c.not {
				if strings.Contains(text, not) {
					t.Errorf("the page has %q", not)
				}
			}
			if t.Failed() {
				t.Log(text)
			}
			if again := reportText(t, in); again != text {
				t.Error("a second page differs")
			}
		})
	}
}

func countsFile(t *testing.T, n tables.TokenizeCounts) string {
	t.Helper()
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "counts.json")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReportFails(t *testing.T) {
	lost := errors.New("the blob is lost")
	missing := filepath.Join(t.TempDir(), "missing")
	for _, c := range []struct {
		name   string
		change func(t *testing.T, in *Input)
		is     error
		texts  []string
	}{
		{"no scores", func(t *testing.T, in *Input) { in.Scores = missing }, fs.ErrNotExist, []string{"report of study small"}},
		{"no correlations", func(t *testing.T, in *Input) { in.Correlations = missing }, fs.ErrNotExist, nil},
		{"another table", func(t *testing.T, in *Input) { in.Scores = in.Correlations }, nil, nil},
		{"a figure the cache lacks", func(t *testing.T, in *Input) {
			in.Figure = func(group, set string) (string, error) { return "", fmt.Errorf("%s on %s: %w", group, set, lost) }
		}, lost, []string{"report of study small", "pairs on in-domain"}},
		{"a figure that is not there", func(t *testing.T, in *Input) {
			in.Figure = func(group, set string) (string, error) { return missing, nil }
		}, fs.ErrNotExist, nil},
		{"a figure that is no drawing", func(t *testing.T, in *Input) {
			in.Figure = func(group, set string) (string, error) { return in.Scores, nil }
		}, nil, []string{`figure "in-domain"`}},
		{"no sizes", func(t *testing.T, in *Input) { in.Splits[0].Sizes = missing }, fs.ErrNotExist, nil},
		{"no curve", func(t *testing.T, in *Input) { in.Models[1].Curve = missing }, fs.ErrNotExist, []string{"model parts/a/0"}},
		{"no counts", func(t *testing.T, in *Input) {
			in.Corpora = []Corpus{{Name: "text", Counts: []string{missing}}}
		},
			fs.ErrNotExist, []string{"corpus text"}},
		{"counts that are none", func(t *testing.T, in *Input) {
			in.Corpora = []Corpus{{Name: "text", Counts: []string{in.Scores}}}
		},
			nil, []string{"corpus text: counts: invalid character"}},
		{"counts that do not add up", func(t *testing.T, in *Input) {
			in.Corpora = []Corpus{{Name: "text", Counts: []string{countsFile(t, tables.TokenizeCounts{Read: 10, Kept: 7, Dropped: map[string]int64{"empty": 2}})}}}
		}, nil, []string{"corpus text: 10 documents read, but 7 kept and 2 dropped"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := pairsStudy(t)
			c.change(t, &in)
			page, err := Page(in)
			if err == nil || page != nil {
				t.Fatalf("a page of %d bytes, error %v", len(page), err)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v, want one that is %v", err, c.is)
			}
			for _, text := range c.texts {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("error %q lacks %q", err, text)
				}
			}
		})
	}
}

func TestChoice(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	scores := func(columns string, rows ...[]float64) page.ScoreTable {
		s := page.ScoreTable{Set: "s", Columns: strings.Fields(columns), Reference: -1}
		for i, name := range s.Columns {
			if name == kind.ScorerSeq {
				s.Reference = i
			}
		}
		for i, r := range rows {
			s.Rows = append(s.Rows, page.ScoreRow{Mixture: string(rune('a' + i)), Values: r})
		}
		return s
	}
	judged := []tables.CorrelationRow{{Proxy: "macro", N: 12, Pearson: 0.1, PearsonLow: -0.4}, {Proxy: "merged", N: 12, Pearson: 0.98, PearsonLow: 0.91}}
	for _, c := range []struct {
		name  string
		table page.ScoreTable
		rows  []tables.CorrelationRow
		want  page.Choice
		ok    bool
	}{
		{"macro answers before the others", scores("mean_ind micro macro seq", []float64{1, 1, 3, 5}, []float64{2, 2, 2, 4}), nil, page.Choice{
			Proxy: "macro", Candidates: 2, Chosen: "b", ChosenProxy: 2, ChosenReference: 4, References: 2, Best: "b", BestReference: 4, Rank: 1}, true},
		{"micro before means of scores", scores("ind_id mean_ind micro", []float64{1, 1, 3}), nil, page.Choice{
			Proxy: "micro", Candidates: 1, Chosen: "a", ChosenProxy: 3, ChosenReference: nan, BestReference: nan}, true},
		{"the chosen has no reference", scores("macro seq", []float64{1, nan}, []float64{2, 7}), nil, page.Choice{
			Proxy: "macro", Candidates: 2, Chosen: "a", ChosenProxy: 1, ChosenReference: nan, References: 1, Best: "b", BestReference: 7}, true},
		{"equal references share a rank", scores("macro seq", []float64{1, 7}, []float64{2, 7}, []float64{3, 6}), nil, page.Choice{
			Proxy: "macro", Candidates: 3, Chosen: "a", ChosenProxy: 1, ChosenReference: 7, References: 3, Best: "c", BestReference: 6, Rank: 2}, true},
		{"the first of equal choices", scores("macro", []float64{2}, []float64{2}), nil, page.Choice{
			Proxy: "macro", Candidates: 2, Chosen: "a", ChosenProxy: 2, ChosenReference: nan, BestReference: nan}, true},
		{"no proxy", scores("seq", []float64{2}), nil, page.Choice{ChosenProxy: inf, ChosenReference: nan, BestReference: inf}, false},
		{"a proxy without scores", scores("macro seq", []float64{nan, 2}), nil, page.Choice{ChosenProxy: inf, ChosenReference: nan, BestReference: inf}, false},
		{"the best supported before macro", scores("macro merged seq", []float64{1, 5, 5}, []float64{2, 4, 4}), judged, page.Choice{
			Proxy: "merged", Support: page.Support{Supported: true, R: 0.98, Low: 0.91, References: 12, Judged: 2},
			Candidates: 2, Chosen: "b", ChosenProxy: 4, ChosenReference: 4, References: 2, Best: "b", BestReference: 4, Rank: 1}, true},
		{"but none that leaves a mixture out", scores("macro merged seq", []float64{1, nan, 5}, []float64{2, 4, 4}), judged, page.Choice{
			Proxy: "macro", Support: page.Support{R: nan, Low: nan, References: 12, Judged: 1},
			Candidates: 2, Chosen: "a", ChosenProxy: 1, ChosenReference: 5, References: 2, Best: "b", BestReference: 4, Rank: 2}, true},
		{"a replicate is no proxy", scores("seq@1 macro seq", []float64{1, 2, 2}), nil, page.Choice{
			Proxy: "macro", Candidates: 1, Chosen: "a", ChosenProxy: 2, ChosenReference: 2, References: 1, Best: "a", BestReference: 2, Rank: 1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := choice(c.table, c.rows)
			c.want.Set = "s"
			if !c.want.Support.Supported && c.want.Support.References == 0 {
				c.want.Support = page.Support{R: nan, Low: nan}
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateNaNs()); ok != c.ok || diff != "" {
				t.Errorf("%v, want %v; - want, + got:\n%s", ok, c.ok, diff)
			}
		})
	}
}

func TestChoiceByAMetricOfWhichMoreIsBetter(t *testing.T) {
	table := page.ScoreTable{Set: "far", Metric: kind.Metric{Name: "accuracy", HigherIsBetter: true}, Columns: []string{"macro", "seq"}, Reference: 1, Rows: []page.ScoreRow{
		{Mixture: "a", Values: []float64{0.5, 0.6}}, {Mixture: "b", Values: []float64{0.7, 0.4}}, {Mixture: "c", Values: []float64{0.2, 0.9}},
	}}
	got, ok := choice(table, nil)
	if !ok || got.Chosen != "b" || got.Best != "c" || got.Rank != 3 || got.BestReference != 0.9 {
		t.Errorf("choice %+v, %t", got, ok)
	}
}
