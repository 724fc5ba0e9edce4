package split

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/corpus"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

func TestExact(t *testing.T) {
	a, b, rare := tables.Fingerprint{1}, tables.Fingerprint{2}, tables.Fingerprint{3}
	fill := func(common int) *exact {
		c := newExact(common)
		for i, ps := range [][]tables.Fingerprint{{a, b}, {a, rare}, {a}} {
			c.add("set", fmt.Sprint("doc", i), ps)
		}
		return c
	}
	for _, c := range []struct {
		name   string
		common int
		p      tables.Fingerprint
		want   string
	}{
		{"in one", 0, rare, "doc1"},
		{"in three, the first is named", 0, a, "doc0"},
		{"in three, at most three", 3, a, "doc0"},
		{"in three, at most two", 2, a, ""},
		{"in one, at most two", 2, b, "doc0"},
		{"in none", 0, tables.Fingerprint{9}, ""},
	} {
		got, ok := fill(c.common).find(c.p)
		if got.id != c.want || ok != (c.want != "") {
			t.Errorf("%s: found %q, %v, want %q", c.name, got.id, ok, c.want)
		}
	}
	want := tables.Filter{Kind: tables.FilterExact, Sets: []tables.FilterSet{{Set: "set", Documents: 3, Paragraphs: 5}}}
	if diff := cmp.Diff(want, fill(0).filter()); diff != "" {
		t.Errorf("filter, - want, + got:\n%s", diff)
	}
}

// The filters miss nothing, and are wrong as often as they promise: of n clean paragraphs n p are
// found on average, with a standard deviation of sqrt(n p); six of those are allowed. The filters
// are full, so much fewer would be wrong as well.
func TestBloomFalsePositives(t *testing.T) {
	const held, n = 20_000, 400_000
	key := func(i int) tables.Fingerprint { return tables.FingerprintOf(fmt.Sprint("paragraph ", i)) }
	false1, false2 := map[int]bool{}, map[int]bool{}
	for _, c := range []struct {
		rate  float64
		seed  int64
		found map[int]bool
	}{{1e-2, 1, false1}, {1e-2, 2, false2}, {1e-3, 1, nil}} {
		b := newBlooms(kind.Bloom{FalsePositives: c.rate, Seed: c.seed}, []tables.FilterSet{{Set: "large", Paragraphs: held - 1000}, {Set: "small", Paragraphs: 1000}})
		for i := range held {
			b.add(map[bool]string{true: "small", false: "large"}[i < 1000], []tables.Fingerprint{key(i)})
		}
		for i := range held {
			if e, ok := b.find(key(i)); !ok || e.id != "" || i < 1000 != (e.set == "small") && e.set != "large" {
				t.Fatalf("rate %g: paragraph %d: found %v in %q", c.rate, i, ok, e.set)
			}
		}
		wrong := 0
		for i := held; i < held+n; i++ {
			if _, ok := b.find(key(i)); ok {
				wrong++
				if c.found != nil {
					c.found[i] = true
				}
			}
		}
		mean := n * c.rate
		if six := 6 * math.Sqrt(mean); math.Abs(float64(wrong)-mean) > six {
			t.Errorf("rate %g, seed %d: %d of %d clean paragraphs found, want %.0f, give or take %.0f", c.rate, c.seed, wrong, n, mean, six)
		}
		f := b.filter()
		t.Logf("rate %g, seed %d: measured %.3g; %+v", c.rate, c.seed, float64(wrong)/n, f.Sets)
		if f.Kind != tables.FilterBloom || f.Sets[0].Bits < 9*(held-1000) || f.Sets[0].Hashes < 7 {
			t.Errorf("rate %g: filter %+v", c.rate, f)
		}
	}
	both := 0
	for i := range false1 {
		if false2[i] {
			both++
		}
	}
	if both*10 > len(false1) {
		t.Errorf("%d of %d false positives are those of another seed", both, len(false1))
	}
}

// Dolma's deduper marks, over real web pages, every line that came before. Our paragraphs and their
// hashes must find the same ones. Its spans count code points; the last one of a text counts a
// newline that is not there.
func TestParagraphsAsDolma(t *testing.T) {
	dir := filepath.Join(stagetest.SharedData(t), "study", "dolma-fixtures")
	type document struct {
		ID         string
		Text       string
		Attributes struct {
			Spans [][3]int `json:"bff_duplicate_paragraph_spans"`
		}
	}
	expected := map[string][][3]int{}
	for _, d := range readGzip[document](t, filepath.Join(dir, "expected-dedupe-paragraphs.json.gz")) {
		expected[d.ID] = d.Attributes.Spans
	}
	e := stagetest.LoadTokenizer(t, filepath.Join(stagetest.SharedData(t), "tokenizers", "gpt-neox-olmo-dolma-v1_5.tokenizer.json")).Encoder()
	c := newExact(0)
	marked, long, removed := 0, 0, 0
	for _, d := range readGzip[document](t, filepath.Join(dir, "documents-000.json.gz")) {
		spans, ok := expected[d.ID]
		if !ok {
			t.Fatalf("no spans for %s", d.ID)
		}
		runes := []rune(d.Text)
		var want, got []string
		for _, s := range spans {
			if p := strings.TrimSpace(string(runes[s[0]:min(s[1], len(runes))])); p != "" {
				want = append(want, p)
			}
		}
		contaminated := false
		for p := range corpus.Paragraphs(d.Text, corpus.ParagraphLine) {
			if _, ok := c.find(tables.FingerprintOf(p)); ok {
				got = append(got, p)
				if len(e.Encode(nil, p)) >= 13 {
					contaminated = true
					long++
				}
			}
			c.add("pages", d.ID, []tables.Fingerprint{tables.FingerprintOf(p)})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, - Dolma, + ours:\n%s", d.ID, diff)
		}
		marked += len(want)
		if contaminated {
			removed++
		}
	}
	// One of the ten pages shares 43 lines with another of the same site, two of which have 13
	// tokens or more.
	if marked != 43 || removed != 1 {
		t.Errorf("%d lines marked, %d of 13 tokens or more in %d pages, want 43 in 1", marked, long, removed)
	}
	t.Logf("%d lines marked, %d of 13 tokens or more", marked, long)
}

func readGzip[T any](t *testing.T, path string) (all []T) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(z); dec.More(); {
		var v T
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, v)
	}
	return all
}

// Bloom filters remove what the exact set removes, for the same reasons; and where they are small,
// other documents, too, which are told from the first.
func TestSplitWithBloom(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	docs := stagetest.SmallCorpus(90, "go", "c")
	p := stagetest.SplitParams(t, tokenizer)
	p.Against = []string{kind.AgainstHeldout}
	p.Small = kind.SmallKeep
	for i := range docs {
		docs[i].Text = strings.ReplaceAll(stagetest.Prose(i, 60), "\n", fmt.Sprintf("%d\n", i)) + "\n"
	}
	for i := 1; i < len(docs); i += 7 {
		docs[i].Text += docs[i-1].Text
	}
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, docs...))
	a := stagetest.ReadTable[tables.LedgerRow](t, stagetest.Run(t, Kind, p, in), kind.OutLedger)
	if len(a) == 0 {
		t.Fatal("the exact set removes nothing")
	}
	p.Bloom = &kind.Bloom{FalsePositives: 1e-9, Seed: 3}
	r := stagetest.Run(t, Kind, p, in)
	b := stagetest.ReadTable[tables.LedgerRow](t, r, kind.OutLedger)
	if diff := cmp.Diff(a, b, cmp.AllowUnexported(tables.LedgerRow{})); diff != "" {
		t.Errorf("ledger, - exact, + bloom:\n%s", diff)
	}
	data, err := os.ReadFile(r.Path(kind.OutFilter))
	if err != nil {
		t.Fatal(err)
	}
	var f tables.Filter
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if f.Kind != tables.FilterBloom || f.Seed != 3 || len(f.Sets) != 2 || f.Sets[0].Bits == 0 || f.Sets[0].Hashes == 0 {
		t.Errorf("filter.json is %s", data)
	}

	// A filter that is wrong about one paragraph in ten is wrong about some document here.
	p.Bloom.FalsePositives = 0.1
	var right, wrong []tables.LedgerRow
	for _, row := range stagetest.ReadTable[tables.LedgerRow](t, stagetest.Run(t, Kind, p, in), kind.OutLedger) {
		if row.FalsePositive {
			wrong = append(wrong, row)
			if row.EvalID != "" || row.EvalSet == "" || row.Name == "" {
				t.Errorf("false positive %+v", row)
			}
			continue
		}
		right = append(right, row)
	}
	if diff := cmp.Diff(a, right, cmp.AllowUnexported(tables.LedgerRow{})); diff != "" {
		t.Errorf("ledger without false positives, - exact, + bloom:\n%s", diff)
	}
	if len(wrong) == 0 {
		t.Error("no false positives at a rate of 0.1")
	}
	losses := tables.Losses(f, append(right, wrong...))
	var told int64
	for _, l := range losses {
		told += l.FalsePositives
	}
	if told != int64(len(wrong)) || !strings.Contains(f.Words(losses), fmt.Sprintf("%d of the %d removed documents are false positives", len(wrong), len(right)+len(wrong))) {
		t.Errorf("%d false positives: %d told, %q", len(wrong), told, f.Words(losses))
	}
}

// What another set of partitions holds out, by the same hash, is not trained on here either.
func TestSplitDecontaminatesAgainstOtherCorpora(t *testing.T) {
	tokenizer := texts.Tokenizer(t)
	p := stagetest.SplitParams(t, tokenizer)
	p.Small = kind.SmallKeep
	mine, theirs := stagetest.SmallCorpus(60, "go", "c"), stagetest.SmallCorpus(60, "wiki")
	for i := range mine {
		mine[i].Text = strings.ReplaceAll(stagetest.Prose(i, 60), "\n", fmt.Sprintf("%d\n", i)) + "\n"
		theirs[i].ID = "wiki-" + theirs[i].ID
		theirs[i].Text = strings.ReplaceAll(stagetest.Prose(i+500, 60), "\n", fmt.Sprintf("%d\n", i+500)) + "\n"
	}
	var test, train stagetest.Line
	for _, d := range theirs {
		switch holdOut(7, d.ID, 0, 0.3) {
		case toTest:
			test = d
		default:
			train = d
		}
	}
	in := stagetest.Shards(texts.Tokenized(t, tokenizer, mine...))
	plain := stagetest.Run(t, Kind, p, in)
	ids, _ := stagetest.IdsOf(t, plain.Path(kind.UnitOutput("go", 0)), p.EOS, true)
	for i := range mine {
		switch mine[i].ID {
		case ids[0]:
			mine[i].Text += train.Text
		case ids[1]:
			mine[i].Text += test.Text
		}
	}
	in = stagetest.Shards(texts.Tokenized(t, tokenizer, mine...))
	in.Numbered("heldout", texts.Tokenized(t, tokenizer, theirs...).Path(kind.OutParagraphs))
	p.Against = []string{kind.AgainstHeldout}
	stagetest.Fail(t, Kind, p, in, "nothing says what is held out")
	p.Elsewhere = &kind.HoldOut{Test: 0.3, Seed: 7}
	rows := stagetest.ReadTable[tables.LedgerRow](t, stagetest.Run(t, Kind, p, in), kind.OutLedger)
	if len(rows) != 1 || rows[0].Document != ids[1] || rows[0].EvalSet != "heldout.0 test" || rows[0].EvalID != test.ID {
		t.Errorf("ledger %+v, want %s removed for %s", rows, ids[1], test.ID)
	}
}
