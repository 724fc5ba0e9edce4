// Package stagetest has what the tests of the kinds share: it makes jobs, carries them out, and makes small corpora, models and tables.
package stagetest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bytes"
	"math"

	"ablate/cache"
	"ablate/cache/table"
	"ablate/stages/internal/bpe"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// Result is what a job left behind: its folder.
type Result string

// Path is where an output lies.
func (r Result) Path(name string) string { return filepath.Join(string(r), filepath.FromSlash(name)) }

// Outputs reads every output.
func (r Result) Outputs(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := filepath.WalkDir(string(r), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(string(r), path)
		all[filepath.ToSlash(name)] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func (r Result) Names(t *testing.T) []string { return slices.Sorted(maps.Keys(r.Outputs(t))) }

// SameOutputs fails unless both folders hold the same files with the same bytes.
func SameOutputs(t *testing.T, a, b Result) {
	t.Helper()
	x, y := a.Outputs(t), b.Outputs(t)
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if other, ok := y[name]; !ok || other != x[name] {
			t.Errorf("output %s differs (%d bytes, %d bytes, there: %v)", name, len(x[name]), len(other), ok)
		}
	}
	for name := range y {
		if _, ok := x[name]; !ok {
			t.Errorf("output %s is only in the second", name)
		}
	}
}

// Roles are inputs: role -> path.
type Roles map[string]string

// Numbered adds paths as prefix.0, prefix.1, ...
func (r Roles) Numbered(prefix string, paths ...string) Roles {
	for i, p := range paths {
		r[kind.Role(prefix, i)] = p
	}
	return r
}

// NewJob makes a job with its folders.
func NewJob(t *testing.T, params any, in Roles) *kind.Job {
	t.Helper()
	b, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	job := &kind.Job{Params: b, Dir: t.TempDir(), Partial: t.TempDir(), Threads: 2, SaveEvery: time.Hour}
	for _, role := range slices.Sorted(maps.Keys(in)) {
		data, err := os.ReadFile(in[role])
		if err != nil {
			t.Fatal(err)
		}
		job.Inputs = append(job.Inputs, kind.Input{Role: role, Digest: cache.DigestOf(data), Path: in[role]})
	}
	return job
}

// Run carries out a step and fails the test if the step fails.
func Run(t *testing.T, k kind.Kind, params any, in Roles) Result {
	t.Helper()
	job := NewJob(t, params, in)
	if err := k.Run(t.Context(), job); err != nil {
		t.Fatalf("%s: %v", k.Name, err)
	}
	return Result(job.Dir)
}

// Fail carries out a step that must fail with all of the texts in its error.
func Fail(t *testing.T, k kind.Kind, params any, in Roles, texts ...string) {
	t.Helper()
	err := k.Run(context.Background(), NewJob(t, params, in))
	if err == nil {
		t.Fatalf("%s: no error, want one with %q", k.Name, texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %q lacks %q", k.Name, err, text)
		}
	}
}

// Line is a JSON Lines document.
type Line struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	Area string `json:"area,omitempty"`
	Year string `json:"year,omitempty"`
}

// WriteLines makes a JSON Lines file.
func WriteLines(t *testing.T, docs ...Line) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docs.jsonl")
	var b []byte
	for _, d := range docs {
		l, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		b = append(append(b, l...), '\n')
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

var ReadLines = kind.Read{Format: "jsonl", Text: "text", ID: "id", Metadata: map[string]string{"area": "area", "year": "year"}, Absent: "NA"}

// Prose makes text of n words that repeats little and is learnable: word k follows a rule with the seed.
func Prose(seed, n int) string {
	words := []string{"the", "model", "reads", "a", "page", "of", "text", "and", "then", "writes", "another", "one", "for", "people", "who", "ask"}
	var b strings.Builder
	x := uint32(seed)*2654435761 + 12345
	for i := range n {
		x = x*1664525 + 1013904223
		b.WriteString(words[(x>>24)%uint32(len(words))])
		switch {
		case i%17 == 16:
			b.WriteString(".\n")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// SmallCorpus has n documents over the given areas.
func SmallCorpus(n int, areas ...string) []Line {
	var docs []Line
	for i := range n {
		docs = append(docs, Line{
			ID: fmt.Sprintf("doc-%03d", i), Text: Prose(i, 40+7*(i%9)), Area: areas[i%len(areas)], Year: fmt.Sprint(1990 + i*7%30),
		})
	}
	return docs
}

// Texts are the kinds that read text.
type Texts struct{ Train, Tokenize kind.Kind }

// Tokenizer trains a tokenizer on the small corpus.
func (x Texts) Tokenizer(t *testing.T) string {
	t.Helper()
	r := Run(t, x.Train, kind.TokenizerParams{Vocab: 300, MinFrequency: 2, Bytes: 1 << 20, Read: ReadLines},
		Roles{}.Numbered("file", WriteLines(t, SmallCorpus(40, "go", "c")...)))
	return r.Path(kind.OutTokenizer)
}

var TokenizeLines = kind.TokenizeParams{Read: ReadLines, Paragraph: "line", MinTokens: 13}

// Tokenized tokenizes documents with the small tokenizer.
func (x Texts) Tokenized(t *testing.T, tokenizer string, docs ...Line) Result {
	t.Helper()
	return Run(t, x.Tokenize, TokenizeLines, Roles{"tokenizer": tokenizer}.Numbered("file", WriteLines(t, docs...)))
}

func Marshal(b testing.TB, v any) string {
	b.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// LossFile writes a loss table of one document of 10 tokens and 20 bytes, of the given perplexity, and an empty one.
func LossFile(t *testing.T, perplexity float64) string {
	t.Helper()
	return NatsFile(t, math.Log(perplexity))
}

// NatsFile is a loss table of ten tokens, each of so many nats.
func NatsFile(t *testing.T, loss float64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "losses.parquet")
	if err := table.WriteRows(path, []tables.LossRow{
		{ID: "a", Tokens: 10, Bytes: 20, Chars: 20, Words: 4, Nats: 10 * loss}, {ID: "b", Bytes: 0},
	}); err != nil {
		t.Fatal(err)
	}
	return path
}

// Study is scores of mixtures m0, m1, ... on a set called ood, each from a table of its own.
func Study(t *testing.T, scores map[string][]float64) (kind.CorrelateParams, Roles) {
	t.Helper()
	p := kind.CorrelateParams{Sets: []string{"in-domain", "ood"}, Proxies: []string{"macro", "micro"}, Resamples: 200, Level: 0.95, Seed: 1}
	var paths []string
	for _, scorer := range []string{kind.ScorerSeq, "macro", "micro"} {
		for i, x := range scores[scorer] {
			if math.IsNaN(x) {
				continue
			}
			p.Scores = append(p.Scores, kind.Score{
				Group: "pairs", Mixture: fmt.Sprint("m", i), Scorer: scorer, Set: "ood", Losses: [][]int{{len(paths)}},
			})
			paths = append(paths, LossFile(t, x))
		}
	}
	return p, Roles{}.Numbered("losses", paths...)
}

var EvalLengths = []int{1, 5, 16, 17, 40, 0, 33, 8, 9, 100}

func EvalParams() kind.EvalParams {
	return kind.EvalParams{Model: Model, Recipe: kind.Recipe{Weights: []string{"1"}}, Documents: 1000, EOS: EOS}
}

// WriteRows makes a table.
func WriteRows[T any](t *testing.T, rows ...T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	if err := table.WriteRows(path, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

// SharedData finds the folder of corpora beside the checkout.
func SharedData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ABLATE_SHARED")
	if dir != "" {
		return filepath.Join(dir, "data")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; here = filepath.Dir(here) {
		dir := filepath.Join(here, "shared", "data")
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		if here == filepath.Dir(here) {
			t.Skip("no corpora: set ABLATE_SHARED to the folder that holds data/small (one JSON object a line: id, text, metadata.field, metadata.year)")
		}
	}
}

var ReadDolma = kind.Read{
	Format: "jsonl", Text: "text", ID: "id", Absent: "NA", Metadata: map[string]string{"field": "metadata.field", "year": "metadata.year"},
}

// SplitParams are those of a split of the small corpus into areas.
func SplitParams(t *testing.T, tokenizer string) kind.SplitParams {
	t.Helper()
	tok := LoadTokenizer(t, tokenizer)
	eos, err := tok.EOS()
	if err != nil {
		t.Fatal(err)
	}
	return kind.SplitParams{
		By: []string{"area"}, Order: "year", Small: kind.SmallError, UnitTokens: 1000, Validation: 0.1, Test: 0.2, Seed: 1, EOS: eos, Vocab: tok.Vocab(),
	}
}

// Shards are the inputs of a split of tokenized corpora.
func Shards(rs ...Result) Roles {
	in := Roles{}
	for i, r := range rs {
		in[kind.Role("tokens", i)] = r.Path(kind.OutTokens)
		in[kind.Role("documents", i)] = r.Path(kind.OutDocuments)
		in[kind.Role("paragraphs", i)] = r.Path(kind.OutParagraphs)
		in[kind.Role("missing", i)] = r.Path(kind.OutMissing)
	}
	return in
}

// IdsOf are the documents of a token file. Each must end with EOS where eos is not negative, and hold none otherwise.
func IdsOf(t *testing.T, path string, eos uint32, ends bool) (ids []string, tokens int64) {
	t.Helper()
	f, err := table.OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range f.Docs() {
		d := f.DocTokens(i, nil)
		if at := slices.Index(d, eos); ends && at != len(d)-1 || !ends && at >= 0 {
			t.Errorf("%s: document %d of %d tokens has EOS at %d", path, i, len(d), at)
		}
		ids = append(ids, f.Doc(i).ID)
	}
	return ids, f.Len()
}

func ReadCatalogue(t *testing.T, r Result) tables.Catalogue {
	t.Helper()
	b, err := os.ReadFile(r.Path(kind.OutCatalogue))
	if err != nil {
		t.Fatal(err)
	}
	var c tables.Catalogue
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func ReadTable[T any](t *testing.T, r Result, name string) []T {
	t.Helper()
	rows, err := table.ReadRows[T](r.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func LoadTokenizer(t *testing.T, path string) *bpe.Tokenizer {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := bpe.Load(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// Model is as small as a model with every part can be.
var Model = kind.Model{
	Vocab: 64, DModel: 16, Layers: 2, Heads: 2, Context: 16, Block: "sequential", Norm: "layernorm", NormBias: true, NormEps: 1e-5,
	LinearBias: true, QKNorm: true, MLP: "swiglu", MLPHidden: 32, TiedHead: true, RopeBase: 10000, Rotary: 1, InitStd: 0.02,
}

// TrainParams is a training of 12 steps of 4 sequences.
func TrainParams() kind.TrainParams {
	return kind.TrainParams{
		Model: Model,
		Optimizer: kind.Optimizer{
			Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Clip: 1, LR: 1e-2, Warmup: 0.1, Schedule: "cosine", FinalLR: 1e-3,
		},
		Tokens: 12 * 64, Batch: 64, Sampling: kind.SamplingEqual, Seed: 1, Start: kind.StartRandom, Moments: true,
	}
}

const EOS = 0

// TokenFile writes documents of the given lengths that follow a rule, so that a model can learn them: each token is the one before plus a
// step of the document.
func TokenFile(t *testing.T, seed int, ends bool, lengths ...int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens.arrow")
	w, err := table.CreateTokens(path, Model.Vocab)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range lengths {
		var doc []uint32
		for k := range n {
			doc = append(doc, uint32(1+(seed*7+i*5+k*(1+seed+i%3))%(Model.Vocab-1)))
		}
		if ends {
			doc = append(doc, EOS)
		}
		if err := w.Append(fmt.Sprintf("doc-%d-%d", seed, i), doc, int64(3*n), int64(2*n), int64(n/2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func Units(t *testing.T) Roles {
	t.Helper()
	return Roles{}.Numbered("unit", TokenFile(t, 1, true, 50, 3, 40, 25), TokenFile(t, 2, true, 30, 30), TokenFile(t, 3, true, 200))
}

// Trained is a model of its own for each seed.
func Trained(t *testing.T, train kind.Kind, seed int64) Result {
	t.Helper()
	p := TrainParams()
	p.Seed, p.Moments = seed, false
	return Run(t, train, p, Units(t))
}
