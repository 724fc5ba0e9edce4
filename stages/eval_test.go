package stages

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/table"
	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/kind"
)

var evalLengths = []int{1, 5, 16, 17, 40, 0, 33, 8, 9, 100}

func evalParams() kind.EvalParams {
	return kind.EvalParams{Model: testModel, Weights: []string{"1"}, Documents: 1000, EOS: testEOS}
}

// The perplexity by its definition: every token from its own forward pass over its own window, one row at a time.
func TestEvalAgainstTheDefinition(t *testing.T) {
	model, tokens := trained(t, 1), tokenFile(t, 4, false, evalLengths...)
	r := runKind(t, kind.Eval, evalParams(), roles{"tokens": tokens}.numbered("model", model.path(kind.OutModel)))
	rows := readTable[LossRow](t, r, kind.OutLosses)

	engine, err := cpu.New(testModel, lm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	tr := &training{engine: engine, params: kind.TrainParams{Model: testModel}}
	if err := tr.loadModel(model.path(kind.OutModel)); err != nil {
		t.Fatal(err)
	}
	f, err := table.OpenTokens(tokens)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want []LossRow
	for i := range f.Docs() {
		d := f.Doc(i)
		if d.Tokens == 0 {
			continue // nothing to score
		}
		s := []int32{testEOS}
		for _, x := range f.DocTokens(i, nil) {
			s = append(s, int32(x))
		}
		row := LossRow{ID: d.ID, Tokens: int64(d.Tokens), Bytes: d.Bytes, Chars: d.Chars, Words: d.Words}
		for k := range d.Tokens {
			// Where the window that scores token k begins: at a multiple of the context, but for the last of a long document.
			L := testModel.Context
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
	if diff := cmp.Diff(want, rows, cmp.AllowUnexported(LossRow{}), cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-4 })); diff != "" {
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
	in := roles{"tokens": tokenFile(t, 4, false, evalLengths...)}.numbered("model", trained(t, 1).path(kind.OutModel))
	var first result
	for _, threads := range []int{1, 2, 3} {
		job := newJob(t, evalParams(), in)
		job.Threads = threads
		if err := evaluate(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			first = result(job.Dir)
		}
		sameOutputs(t, first, result(job.Dir))
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
			p := evalParams()
			c.change(&p.Model)
			tp := trainParams()
			tp.Model, tp.Batch, tp.Moments = p.Model, int64(2*p.Model.Context), false
			model := runKind(t, kind.Train, tp, testUnits(t)).path(kind.OutModel)
			together := readTable[LossRow](t, runKind(t, kind.Eval, p, roles{"tokens": tokenFile(t, 4, false, lengths...)}.numbered("model", model)), kind.OutLosses)
			for i := range lengths {
				alone := slices.Repeat([]int{0}, len(lengths))
				alone[i] = lengths[i]
				got := readTable[LossRow](t, runKind(t, kind.Eval, p, roles{"tokens": tokenFile(t, 4, false, alone...)}.numbered("model", model)), kind.OutLosses)
				if diff := cmp.Diff(together[i:i+1], got, cmp.AllowUnexported(LossRow{})); diff != "" {
					t.Errorf("document %d of %d tokens, - together, + alone:\n%s", i, lengths[i], diff)
				}
			}
		})
	}
}

func TestEvalOfAnAverageIsEvalOfTheMerge(t *testing.T) {
	a, b, c := trained(t, 1).path(kind.OutModel), trained(t, 2).path(kind.OutModel), trained(t, 3).path(kind.OutModel)
	w := []string{"1/2", "1/3", "1/6"}
	merged := runKind(t, kind.Merge, kind.MergeParams{Weights: w}, roles{}.numbered("model", a, b, c)).path(kind.OutModel)
	tokens := tokenFile(t, 4, false, evalLengths...)
	p := evalParams()
	want := runKind(t, kind.Eval, p, roles{"tokens": tokens}.numbered("model", merged))
	p.Weights = w
	sameOutputs(t, want, runKind(t, kind.Eval, p, roles{"tokens": tokens}.numbered("model", a, b, c)))
}

func TestEvalTakesDocumentsByHash(t *testing.T) {
	model := trained(t, 1).path(kind.OutModel)
	ids := func(limit int64, lengths ...int) (got []string) {
		p := evalParams()
		p.Documents = limit
		for _, row := range readTable[LossRow](t, runKind(t, kind.Eval, p, roles{"tokens": tokenFile(t, 4, false, lengths...)}.numbered("model", model)), kind.OutLosses) {
			got = append(got, row.ID)
		}
		return got
	}
	all := ids(1000, evalLengths...)
	if len(all) != 9 {
		t.Errorf("documents %v, want the nine that are not empty", all)
	}
	some := ids(4, evalLengths...)
	if len(some) != 4 {
		t.Errorf("documents %v, want 4", some)
	}
	for _, id := range ids(3, evalLengths...) {
		if !slices.Contains(some, id) {
			t.Errorf("%s is among 3 documents and not among 4", id)
		}
	}
}

func TestEvalRefuses(t *testing.T) {
	model := trained(t, 1).path(kind.OutModel)
	tokens := tokenFile(t, 4, false, evalLengths...)
	p := evalParams()
	failKind(t, kind.Eval, p, roles{"tokens": tokenFile(t, 4, false, 0, 0)}.numbered("model", model), "no tokens (2 documents)")
	failKind(t, kind.Eval, p, roles{"tokens": tokens}, "no input model.0")
	failKind(t, kind.Eval, p, roles{"tokens": tokens}.numbered("model", model, model), "1 weights for 2 models")
	p.Model.MLPHidden = 48
	failKind(t, kind.Eval, p, roles{"tokens": tokens}.numbered("model", model), "model.0: checkpoint is of another model: mlp_hidden 32, want 48")
	p = evalParams()
	p.Model.Vocab = 32
	failKind(t, kind.Eval, p, roles{"tokens": tokens}.numbered("model", model), "vocabulary of 64, the model has 32 rows")
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
