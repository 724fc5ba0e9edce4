package pipeline

import (
	"flag"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache"
	"ablate/specs"
	"ablate/stages/kind"
)

var update = flag.Bool("update", false, "write golden files")

// study is a small study with a declared catalogue; the tests change its text.
const study = `
ablate: 1
study: small
corpora:
  seed: {files: seed.jsonl}
  parts: {files: [a.jsonl, b.jsonl], metadata: {part: metadata.part, year: metadata.year}}
tokenizer: {train: {vocab: 320, on: seed}}
partitions:
  parts: {corpus: parts, by: part, order: year, unit: {tokens: 5000}, units: {alpha: 2, beta: 1, gamma: 1}}
heldout: {test: 10%}
decontaminate: {against: [heldout, eval]}
model: {d_model: 16, layers: 1, heads: 2, context: 32}
seed_model: {on: seed, tokens: 4096, batch: 256}
train: {tokens_per_unit: 2000, batch: 256}
mixtures:
  pairs: {choose: 2}
reference: {seq: pairs}
eval:
  out_of_domain:
    far: {files: far.jsonl}
`

// parsed parses the study after replacing pairs of old and new text, each of which must be there.
func parsed(t *testing.T, replace ...string) *specs.Study {
	t.Helper()
	text := study
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("the study has no %q", replace[i])
		}
		text = strings.Replace(text, replace[i], replace[i+1], 1)
	}
	s, err := specs.Parse("study.yaml", []byte(text), ".")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func file(name, content string) File {
	return File{Path: "/somewhere/" + name, Name: name, Size: int64(len(content)), Digest: cache.DigestOf([]byte(content))}
}

func sources() Sources {
	return Sources{
		Corpora: map[string][]File{
			"seed":  {file("seed.jsonl", "seed text")},
			"parts": {file("a.jsonl", "alpha text"), file("b.jsonl", "beta text")},
		},
		EvalSets: map[string][]File{"far": {file("far.jsonl", "far text")}},
	}
}

func compiled(t *testing.T, s *specs.Study) *Plan {
	t.Helper()
	p, err := Compile(s, sources(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// describe lists the steps with their inputs, for people and golden files.
func describe(p *Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s (%s)", s.ID, s.Kind)
		if s.Cost.Tokens > 0 {
			fmt.Fprintf(&b, " %d tokens", s.Cost.Tokens)
		}
		b.WriteByte('\n')
		for _, in := range s.Inputs {
			if in.File != nil {
				fmt.Fprintf(&b, "  %s < file %s\n", in.Role, in.File.Name)
			} else {
				fmt.Fprintf(&b, "  %s < %s %s\n", in.Role, p.Steps[in.Step].ID, in.Output)
			}
		}
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it):\n%s", path, diff)
	}
}

func TestPlan(t *testing.T) {
	golden(t, "plan.golden", describe(compiled(t, parsed(t))))
}

func TestPlanWithoutCatalogue(t *testing.T) {
	s := parsed(t, ", units: {alpha: 2, beta: 1, gamma: 1}", "")
	p := compiled(t, s)
	if p.Partial == "" || p.Result != -1 {
		t.Fatalf("plan without a catalogue: partial %q, result %d; want a reason and -1", p.Partial, p.Result)
	}
	if _, err := p.Find("seed"); err != nil {
		t.Errorf("the seed model waits for no catalogue: %v", err)
	}
	whole, err := Compile(s, sources(), Catalogue{"parts": {"alpha": 2, "beta": 1, "gamma": 1}})
	if err != nil {
		t.Fatal(err)
	}
	// The split differs, for it declares nothing, and nothing else does.
	if diff := cmp.Diff(describe(compiled(t, parsed(t))), describe(whole)); diff != "" {
		t.Errorf("found catalogue against declared one:\n%s", diff)
	}
}

// TestDeclaredAndLeftOut declares partitions that only and except leave out: nothing is planned for
// them.
func TestDeclaredAndLeftOut(t *testing.T) {
	for _, key := range []string{"only: [alpha, beta]", "except: [gamma]"} {
		p := compiled(t, parsed(t, "order: year,", "order: year, "+key+","))
		if _, err := p.Find("unit/parts/gamma/0"); err == nil || p.Summary.BaseUnits != 3 {
			t.Errorf("%s: %d base units, and of gamma: %v; want 3 and none", key, p.Summary.BaseUnits, err)
		}
	}
}

func TestSameWorkIsOneStep(t *testing.T) {
	p := compiled(t, parsed(t))
	// Of a pair of single units all three averages are the same one, and a partition of one unit is
	// its unit.
	for _, id := range []string{"eval/micro/pairs/beta+gamma/far", "eval/macro/pairs/beta+gamma/far", "part/parts/beta"} {
		if i, ok := p.index[id]; ok {
			t.Errorf("step %s stands beside the same work under another name", p.Steps[i].ID)
		}
	}
	for _, id := range []string{"eval/merged/pairs/beta+gamma/far", "eval/macro/pairs/alpha+beta/far", "eval/micro/pairs/alpha+beta/far", "part/parts/alpha"} {
		if _, ok := p.index[id]; !ok {
			t.Errorf("no step %s", id)
		}
	}
}

func TestWeights(t *testing.T) {
	p := compiled(t, parsed(t))
	for _, tt := range []struct {
		id   string
		want string
	}{
		{"eval/macro/pairs/alpha+beta/far", `["1/4","1/4","1/2"]`},
		{"eval/micro/pairs/alpha+beta/far", `["1/3","1/3","1/3"]`},
		{"eval/merged/pairs/alpha+beta/far", `["1/2","1/2"]`},
		{"eval/unit/parts/beta/0/far", `["1"]`},
	} {
		i, err := p.Find(tt.id)
		if err != nil {
			t.Fatal(err)
		}
		if want := `"weights":` + tt.want; !strings.Contains(string(p.Steps[i].Params), want) {
			t.Errorf("%s: parameters %s, want %s", tt.id, p.Steps[i].Params, want)
		}
	}
}

func TestSummary(t *testing.T) {
	s := compiled(t, parsed(t)).Summary
	// Tokens are those asked for; trainings take whole batches of 256. Pairs: alpha+beta and
	// alpha+gamma have 3 units, beta+gamma 2.
	for _, tt := range []struct {
		name      string
		got, want int64
	}{
		{"possible", s.MixturesPossible.Int64(), 3}, {"selected", int64(s.MixturesSelected), 3}, {"units", int64(s.BaseUnits), 4},
		{"seed tokens", s.Seed.Tokens, 4096}, {"unit tokens", s.Units.Tokens, 4 * 2000}, {"partition tokens", s.Partitions.Tokens, 4000},
		{"reference tokens", s.References.Tokens, 8 * 2000}, {"all references", s.TokensReferenceOf.Int64(), 8 * 2000},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}

// TestPaperCounts checks the closed forms against the numbers of the paper (section 5.1, with 1
// token for 1B).
func TestPaperCounts(t *testing.T) {
	units := make([]string, 128)
	for i := range units {
		units[i] = fmt.Sprintf("u%03d: 1", i)
	}
	for _, tt := range []struct{ k, possible, tokens int64 }{{2, 8128, 16256}, {3, 341376, 1024128}} {
		s := parsed(t, "{alpha: 2, beta: 1, gamma: 1}", "{"+strings.Join(units, ", ")+"}",
			"choose: 2", fmt.Sprintf("choose: %d, sample: 5", tt.k))
		p := compiled(t, s)
		if got := p.Summary.MixturesPossible; got.Cmp(big.NewInt(tt.possible)) != 0 {
			t.Errorf("choose %d of 128: %s possible, want %d", tt.k, got, tt.possible)
		}
		if got, want := p.Summary.TokensReferenceOf, big.NewInt(tt.tokens*2000); got.Cmp(want) != 0 {
			t.Errorf("choose %d of 128: %s tokens for all references, want %s", tt.k, got, want)
		}
		if p.Summary.MixturesSelected != 5 {
			t.Errorf("choose %d of 128: %d selected, want 5", tt.k, p.Summary.MixturesSelected)
		}
	}
}

func TestSampleStaysPut(t *testing.T) {
	names := func(p *Plan) map[string]bool {
		out := map[string]bool{}
		for _, m := range p.Mixtures {
			out[m.Name] = true
		}
		return out
	}
	catalogue := func(n int) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf("p%02d: 1", i)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	sampled := func(n int) map[string]bool {
		return names(compiled(t, parsed(t, "{alpha: 2, beta: 1, gamma: 1}", catalogue(n), "choose: 2", "choose: 2, sample: 20")))
	}
	before, after := sampled(10), sampled(11)
	kept := 0
	for m := range after {
		switch {
		case before[m]:
			kept++
		case !strings.Contains(m, "p10"):
			t.Errorf("the new partition p10 brought in %s, which has nothing of it", m)
		}
	}
	if kept < 10 || kept == 20 {
		t.Errorf("%d of 20 sampled mixtures stayed when an 11th partition came; want most, and some of the new one", kept)
	}
}

func TestOrderOfTheStudyDoesNotMatter(t *testing.T) {
	a := describe(compiled(t, parsed(t)))
	b := describe(compiled(t, parsed(t, "{alpha: 2, beta: 1, gamma: 1}", "{gamma: 1, alpha: 2, beta: 1}",
		"  seed: {files: seed.jsonl}\n", "", "metadata.year}}\n", "metadata.year}}\n  seed: {files: seed.jsonl}\n")))
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

func TestTextFilesAreShardedByName(t *testing.T) {
	var files []File
	for i := range 100 {
		files = append(files, file(fmt.Sprintf("dir/%d.txt", i), fmt.Sprint(i)))
	}
	before := shardByName(files)
	after := shardByName(append([]File{file("dir/new.txt", "new")}, files...))
	changed, total := 0, 0
	for i := range before {
		total += len(before[i])
		if len(before[i]) != len(after[i]) {
			changed++
		}
	}
	if changed != 1 || total != 100 {
		t.Errorf("a new file changed %d shards of %d files, want 1 of 100", changed, total)
	}
}

func TestMixtureErrors(t *testing.T) {
	undeclared := []string{", units: {alpha: 2, beta: 1, gamma: 1}", ""}
	for _, tt := range []struct {
		name    string
		replace []string
		want    string
	}{
		{"k too large", append(undeclared, "choose: 2", "choose: 9"), "choose 9 of 3"},
		{"sample too large", append(undeclared, "choose: 2", "choose: 2, sample: 7"), "sample 7 of 3"},
		{"unknown name", append(undeclared, "choose: 2", "list: [[alpha, betta]]"), `"betta"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(parsed(t, tt.replace...), sources(), Catalogue{"parts": {"alpha": 2, "beta": 1, "gamma": 1}})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "study.yaml:") {
				t.Errorf("got %v, want study.yaml:line:column and %q", err, tt.want)
			}
		})
	}
}

func TestMergeAndSub(t *testing.T) {
	for _, tt := range []struct {
		name    string
		parts   []Weighted
		weights string
		models  []string
	}{
		{"an average", []Weighted{{"macro/pairs/beta+gamma", rat("1")}}, `["1/2","1/2"]`, []string{"unit/parts/beta/0", "unit/parts/gamma/0"}},
		{"two models", []Weighted{{"unit/parts/beta/0", rat("3")}, {"seed", rat("0.5")}}, `["1/7","6/7"]`, []string{"seed", "unit/parts/beta/0"}},
		{"an average and a model of it", []Weighted{{"macro/pairs/alpha+beta", rat("1")}, {"unit/parts/beta/0", rat("1")}},
			`["1/8","1/8","3/4"]`, []string{"unit/parts/alpha/0", "unit/parts/alpha/1", "unit/parts/beta/0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := compiled(t, parsed(t))
			i, err := p.AddMerge(tt.parts)
			if err != nil {
				t.Fatal(err)
			}
			sub, at := p.Sub(i)
			j := at[0]
			step := sub.Steps[j]
			var models []string
			for _, in := range step.Inputs {
				models = append(models, sub.Steps[in.Step].ID)
			}
			if diff := cmp.Diff(tt.models, models); diff != "" || step.Kind != kind.Merge || string(step.Params) != `{"weights":`+tt.weights+`}` {
				t.Errorf("merge step %s of %v, want weights %s of %v", step.Params, models, tt.weights, tt.models)
			}
			for _, s := range sub.Steps {
				if s.Kind == kind.Eval || s.Kind == kind.Correlate {
					t.Errorf("the part of the plan that a merge needs has step %s", s.ID)
				}
			}
		})
	}
	p := compiled(t, parsed(t))
	for _, bad := range [][]Weighted{{{"macro/pairs/nothing", rat("1")}}, {{"correlate", rat("1")}}, {{"seed", rat("-1")}}} {
		if _, err := p.AddMerge(bad); err == nil || !strings.Contains(err.Error(), bad[0].Model) {
			t.Errorf("merge of %v: error %v, want one that names it", bad, err)
		}
	}
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func TestFind(t *testing.T) {
	p := compiled(t, parsed(t))
	for _, tt := range []struct{ id, want, err string }{
		{"seed", "seed", ""}, {"unit/parts/beta/0", "unit/parts/beta/0", ""}, {"beta/0", "unit/parts/beta/0", ""},
		{"seq/pairs/beta+alpha", "seq/pairs/alpha+beta", ""}, {"seq/pairs/beta+beta", "", `did you mean "seq/pairs/`},
		{"far", "", "could be any of"}, {"sead", "", `did you mean "seed"`},
	} {
		i, err := p.Find(tt.id)
		switch {
		case tt.err == "" && (err != nil || p.Steps[i].ID != tt.want):
			t.Errorf("Find(%q) = %d, %v; want %s", tt.id, i, err, tt.want)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("Find(%q): error %v, want %q", tt.id, err, tt.err)
		}
	}
}

// BenchmarkCompile8128 plans every pair of 128 units, proxies only: see DESIGN's floor of 1 s.
func BenchmarkCompile8128(b *testing.B) {
	units := make([]string, 128)
	for i := range units {
		units[i] = fmt.Sprintf("u%03d: 1", i)
	}
	text := strings.Replace(study, "{alpha: 2, beta: 1, gamma: 1}", "{"+strings.Join(units, ", ")+"}", 1)
	text = strings.Replace(text, "reference: {seq: pairs}\n", "", 1)
	s, err := specs.Parse("study.yaml", []byte(text), ".")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := Compile(s, sources(), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(p.Steps)), "steps")
	}
}

// Text held out of one corpus must be in no unit of another.
func TestHeldOutOfOtherCorpora(t *testing.T) {
	s := parsed(t, "partitions:\n", "partitions:\n  more: {corpus: seed, by: area, unit: {tokens: 1000}, units: {delta: 1}}\n",
		"  seed: {files:", "  seed: {metadata: {area: x}, files:", "{choose: 2", "{from: parts, choose: 2")
	p := compiled(t, s)
	for id, want := range map[string][]string{
		"split/parts": {"tokenize/seed/seed.jsonl"},
		"split/more":  {"tokenize/parts/a.jsonl", "tokenize/parts/b.jsonl"},
		"pack/seed":   nil,
	} {
		i, err := p.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, in := range p.Steps[i].Inputs {
			if in.Role == kind.Role("heldout", len(got)) {
				got = append(got, p.Steps[in.Step].ID)
			}
			text, ok := p.EvalText(i, in.Role)
			wantText := EvalText{}
			switch {
			case strings.HasPrefix(in.Role, "against."):
				wantText.EvalSet = "far"
			case strings.HasPrefix(in.Role, "heldout."):
				wantText.Corpus = map[string]string{"split/parts": "seed", "split/more": "parts"}[id]
			}
			if text != wantText || ok != (text != EvalText{}) {
				t.Errorf("%s: input %s is text %+v, want %+v", id, in.Role, text, wantText)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, held out elsewhere, - want, + got:\n%s", id, diff)
		}
		if strings.Contains(string(p.Steps[i].Params), `"elsewhere":{`) != (want != nil) {
			t.Errorf("%s: parameters %s do not say what is held out elsewhere", id, p.Steps[i].Params)
		}
	}
}
