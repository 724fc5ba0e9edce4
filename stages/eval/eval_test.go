package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/checkpoint"
	"ablate/cache/table"
	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/internal/model"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/merge"
	"ablate/stages/tables"
	"ablate/stages/train"
)

// The perplexity by its definition: every token from its own forward pass over its own window, one
// row at a time.
func TestEvalAgainstTheDefinition(t *testing.T) {
	start, tokens := stagetest.Trained(t, train.Kind, 1), stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)
	r := stagetest.Run(t, Kind, stagetest.EvalParams(), stagetest.Roles{"tokens": tokens}.Numbered("model", start.Path(kind.OutModel)))
	rows := stagetest.ReadTable[tables.LossRow](t, r, kind.OutLosses)

	engine, err := cpu.New(stagetest.Model, lm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	file, err := checkpoint.Open(start.Path(kind.OutModel))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := model.Load(engine, lm.Weights, file); err != nil {
		t.Fatal(err)
	}
	f, err := table.OpenTokens(tokens)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want []tables.LossRow
	for i := range f.Docs() {
		d := f.Doc(i)
		if d.Tokens == 0 {
			continue // nothing to score
		}
		s := []int32{stagetest.EOS}
		for _, x := range f.DocTokens(i, nil) {
			s = append(s, int32(x))
		}
		row := tables.LossRow{ID: d.ID, Tokens: int64(d.Tokens), Bytes: d.Bytes, Chars: d.Chars, Words: d.Words}
		for k := range d.Tokens {
			// Where the window that scores token k begins: at a multiple of the context, but for
			// the last of a long document.
			L := stagetest.Model.Context
			from := min(k/L*L, max(0, d.Tokens-L))
			n := k - from + 1
			targets := slices.Repeat([]int32{-1}, n)
			targets[n-1] = s[k+1]
			nats := make([]float32, n)
			if err := engine.Losses(s[from:k+1], targets, 1, n, nats); err != nil {
				t.Fatal(err)
			}
			row.Nats += float64(nats[n-1])
		}
		want = append(want, row)
	}
	if diff := cmp.Diff(want, rows, cmp.AllowUnexported(tables.LossRow{}), cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-4 })); diff != "" {
		t.Errorf("losses, - want, + got:\n%s", diff)
	}
}

func TestChooseDocuments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.arrow")
	w, err := table.CreateTokens(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{5, 30, 0, 10, 8, 2} {
		if err := w.Append(fmt.Sprint("doc", i), make([]uint32, n), 1, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := table.OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := chooseDocuments(f, 100, 0)
	if !slices.Equal(all, []int{0, 1, 3, 4, 5}) {
		t.Errorf("chosen %v, want all that have tokens", all)
	}
	for _, limit := range []int64{1, 3} {
		if got := chooseDocuments(f, limit, 0); int64(len(got)) != limit || !slices.IsSorted(got) {
			t.Errorf("at most %d: %v", limit, got)
		}
	}
	for _, tokens := range []int64{1, 9, 25, 55} {
		sum := int64(0)
		got := chooseDocuments(f, 100, tokens)
		for _, d := range got {
			sum += int64(f.Doc(d).Tokens)
		}
		for _, d := range all { // whatever was passed over must not fit
			if n := int64(f.Doc(d).Tokens); !slices.Contains(got, d) && sum+n <= tokens {
				t.Errorf("at most %d tokens: %v, which leaves room for document %d", tokens, got, d)
			}
		}
		if sum > tokens {
			t.Errorf("at most %d tokens: %v have %d", tokens, got, sum)
		}
	}
}

func TestEvalOnAnyNumberOfThreads(t *testing.T) {
	in := stagetest.Roles{"tokens": stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)}.Numbered("model", stagetest.Trained(t, train.Kind, 1).Path(kind.OutModel))
	var first stagetest.Result
	for _, threads := range []int{1, 2, 3} {
		job := stagetest.NewJob(t, stagetest.EvalParams(), in)
		job.Threads = threads
		if err := evaluate(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			first = stagetest.Result(job.Dir)
		}
		stagetest.SameOutputs(t, first, stagetest.Result(job.Dir))
	}
}

// A document's bits must not depend on the company it is scored in.
func TestEvalBatchesDoNotShow(t *testing.T) {
	var lengths []int
	for i := range 40 {
		lengths = append(lengths, 1+i*i%90)
	}
	for _, c := range []struct {
		name   string
		change func(*arch.Model)
	}{
		{"sequential", func(*arch.Model) {}},
		{"parallel, rmsnorm, context not a power of two", func(m *arch.Model) {
			m.Block, m.Norm, m.NormBias, m.MLP, m.QKNorm, m.AttentionOutput, m.TiedHead, m.Context = "parallel", "rmsnorm", false, "gelu", false, true, false, 52
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := stagetest.EvalParams()
			c.change(&p.Model)
			tp := stagetest.TrainParams()
			tp.Model, tp.Batch, tp.Moments = p.Model, int64(2*p.Model.Context), false
			model := stagetest.Run(t, train.Kind, tp, stagetest.Units(t)).Path(kind.OutModel)
			together := stagetest.ReadTable[tables.LossRow](t, stagetest.Run(t, Kind, p, stagetest.Roles{"tokens": stagetest.TokenFile(t, 4, false, lengths...)}.Numbered("model", model)), kind.OutLosses)
			for i := range lengths {
				alone := slices.Repeat([]int{0}, len(lengths))
				alone[i] = lengths[i]
				got := stagetest.ReadTable[tables.LossRow](t, stagetest.Run(t, Kind, p, stagetest.Roles{"tokens": stagetest.TokenFile(t, 4, false, alone...)}.Numbered("model", model)), kind.OutLosses)
				if diff := cmp.Diff(together[i:i+1], got, cmp.AllowUnexported(tables.LossRow{})); diff != "" {
					t.Errorf("document %d of %d tokens, - together, + alone:\n%s", i, lengths[i], diff)
				}
			}
		})
	}
}

func TestEvalOfAnAverageIsEvalOfTheMerge(t *testing.T) {
	a, b, c := stagetest.Trained(t, train.Kind, 1).Path(kind.OutModel), stagetest.Trained(t, train.Kind, 2).Path(kind.OutModel), stagetest.Trained(t, train.Kind, 3).Path(kind.OutModel)
	w := []string{"1/2", "1/3", "1/6"}
	merged := stagetest.Run(t, merge.Kind, kind.MergeParams{Recipe: kind.Recipe{Weights: w}}, stagetest.Roles{}.Numbered("model", a, b, c)).Path(kind.OutModel)
	tokens := stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)
	p := stagetest.EvalParams()
	want := stagetest.Run(t, Kind, p, stagetest.Roles{"tokens": tokens}.Numbered("model", merged))
	p.Weights = w
	stagetest.SameOutputs(t, want, stagetest.Run(t, Kind, p, stagetest.Roles{"tokens": tokens}.Numbered("model", a, b, c)))
}

func TestEvalTakesDocumentsByHash(t *testing.T) {
	model := stagetest.Trained(t, train.Kind, 1).Path(kind.OutModel)
	ids := func(limit int64, lengths ...int) (got []string) {
		p := stagetest.EvalParams()
		p.Documents = limit
		for _, row := range stagetest.ReadTable[tables.LossRow](t, stagetest.Run(t, Kind, p, stagetest.Roles{"tokens": stagetest.TokenFile(t, 4, false, lengths...)}.Numbered("model", model)), kind.OutLosses) {
			got = append(got, row.ID)
		}
		return got
	}
	all := ids(1000, stagetest.EvalLengths...)
	if len(all) != 9 {
		t.Errorf("documents %v, want the nine that are not empty", all)
	}
	some := ids(4, stagetest.EvalLengths...)
	if len(some) != 4 {
		t.Errorf("documents %v, want 4", some)
	}
	for _, id := range ids(3, stagetest.EvalLengths...) {
		if !slices.Contains(some, id) {
			t.Errorf("%s is among 3 documents and not among 4", id)
		}
	}
}

func TestEvalRefuses(t *testing.T) {
	model := stagetest.Trained(t, train.Kind, 1).Path(kind.OutModel)
	tokens := stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)
	p := stagetest.EvalParams()
	stagetest.Fail(t, Kind, p, stagetest.Roles{"tokens": stagetest.TokenFile(t, 4, false, 0, 0)}.Numbered("model", model), "no tokens (2 documents)")
	stagetest.Fail(t, Kind, p, stagetest.Roles{"tokens": tokens}, "no input model.0")
	stagetest.Fail(t, Kind, p, stagetest.Roles{"tokens": tokens}.Numbered("model", model, model), "1 weights for 2 models")
	p.Model.MLPHidden = 48
	stagetest.Fail(t, Kind, p, stagetest.Roles{"tokens": tokens}.Numbered("model", model), "model.0: checkpoint is of another model: mlp_hidden 32, want 48")
	p = stagetest.EvalParams()
	p.Model.Vocab = 32
	stagetest.Fail(t, Kind, p, stagetest.Roles{"tokens": tokens}.Numbered("model", model), "vocabulary of 64, the model has 32 rows")
}

func TestPaddedLength(t *testing.T) {
	for _, c := range []struct{ n, context, want int }{
		{1, 256, 16}, {16, 256, 16}, {17, 256, 20}, {128, 256, 128}, {129, 256, 160}, {224, 256, 224}, {225, 256, 256}, {256, 256, 256},
		{3, 8, 8}, {1, 1, 1}, {49, 52, 52}, {2047, 2048, 2048}, {1100, 2048, 1280},
	} {
		if got := paddedLength(c.n, c.context); got != c.want {
			t.Errorf("paddedLength(%d, %d) = %d, want %d", c.n, c.context, got, c.want)
		}
	}
}

func TestBatchesHoldEachWindowOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var all []docWindow
	for doc := range 300 {
		for _, w := range windows(rng.IntN(3000), 512) {
			all = append(all, docWindow{window: w, doc: doc})
		}
	}
	seen := map[string]int{}
	last := 512
	for _, b := range batches(all, 512) {
		if b.length > last || b.rows*b.length > evalBatchTokens || len(b.windows) > b.rows {
			t.Errorf("batch of %d rows of %d tokens after one of %d, %d windows", b.rows, b.length, last, len(b.windows))
		}
		last = b.length
		for _, w := range b.windows {
			if w.Len > b.length {
				t.Errorf("window of %d tokens in a batch of %d", w.Len, b.length)
			}
			seen[fmt.Sprint(w)]++
		}
	}
	if len(seen) != len(all) {
		t.Errorf("%d windows of %d", len(seen), len(all))
	}
	for w, n := range seen {
		if n != 1 {
			t.Errorf("window %s comes %d times", w, n)
		}
	}
}
