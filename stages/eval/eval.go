package eval

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"ablate/cache/checkpoint"
	"ablate/cache/table"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/internal/model"
	"ablate/stages/internal/random"
	"ablate/stages/internal/step"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// evaluate scores a model, or a weighted average of models made on the fly, on the documents of a
// token file.
func evaluate(ctx context.Context, job *kind.Job) error {
	var p kind.EvalParams
	if err := job.Decode(&p); err != nil {
		return err
	}
	tokens, err := openEvalTokens(job, p)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	defer tokens.Close()
	engine, err := engines.Open(p.Arithmetic, p.Model, lm.Options{Threads: job.Now()})
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	defer engine.Close()
	if err := loadAverage(job, engine, p); err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	rows, err := losses(ctx, job, engine, tokens, p)
	if err != nil {
		return fmt.Errorf("evaluate: %w", err)
	}
	return step.Table(job, kind.OutLosses, rows)
}

func openEvalTokens(job *kind.Job, p kind.EvalParams) (*table.Tokens, error) {
	in, err := job.Input("tokens")
	if err != nil {
		return nil, err
	}
	t, err := table.OpenTokens(in.Path)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Vocab() > p.Model.Vocab:
		err = fmt.Errorf("tokens are of a vocabulary of %d, the model has %d rows", t.Vocab(), p.Model.Vocab)
	case int64(p.EOS) >= int64(p.Model.Vocab):
		err = fmt.Errorf("EOS is token %d, the model has %d rows", p.EOS, p.Model.Vocab)
	case p.Documents < 1:
		err = fmt.Errorf("internal error: documents is %d", p.Documents)
	case t.Len() == 0:
		err = fmt.Errorf("the evaluation set has no tokens (%d documents)", t.Docs())
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// loadAverage fills the engine's parameters with the average of the models.
func loadAverage(job *kind.Job, engine lm.Engine, p kind.EvalParams) error {
	files, done, err := model.Open(job)
	defer done()
	if err != nil {
		return err
	}
	w, err := p.Fractions(len(files))
	if err != nil {
		return err
	}
	for i, f := range files {
		if err := model.CheckMeta(f, p.Model); err != nil {
			return fmt.Errorf("%s: %w", kind.Role("model", i), err)
		}
	}
	if len(files) == 1 {
		return model.Load(engine, lm.Weights, files[0])
	}
	return engine.Fill(lm.Weights, func(all []lm.Tensor) error { return average(all, files, w) })
}

// average fills tensors with the weighted average of those of the same names in the files.
func average(all []lm.Tensor, files []*checkpoint.File, w []float64) error {
	tensors := map[string]lm.Tensor{}
	for _, t := range all {
		tensors[t.Name] = t
	}
	var errs []error
	if err := checkpoint.Average(files, w, func(name string, shape []int) []float32 {
		t, ok := tensors[name]
		delete(tensors, name)
		switch {
		case ok && slices.Equal(t.Shape, shape):
			return t.Data
		case ok:
			errs = append(errs, fmt.Errorf("tensor %s: shape %v, want %v", name, shape, t.Shape))
		default:
			errs = append(errs, fmt.Errorf("tensor %s is none of the model's", name))
		}
		size := 1
		for _, d := range shape {
			size *= d
		}
		return make([]float32, size)
	}); err != nil {
		return err
	}
	for _, t := range all {
		if _, missing := tensors[t.Name]; missing {
			errs = append(errs, fmt.Errorf("tensor %s is missing", t.Name))
		}
	}
	return errors.Join(errs...)
}

// chooseDocuments returns at most limit documents of together at most tokens tokens (0: no bound),
// those of least hash that fit, in the order of the file. Empty documents have nothing to score.
func chooseDocuments(t *table.Tokens, limit, tokens int64) []int {
	type ranked struct {
		hash [32]byte
		doc  int
	}
	var docs []ranked
	for i := range t.Docs() {
		if d := t.Doc(i); d.Tokens > 0 {
			docs = append(docs, ranked{random.HashOrder(d.ID), i})
		}
	}
	slices.SortFunc(docs, func(a, b ranked) int {
		return cmp.Or(bytes.Compare(a.hash[:], b.hash[:]), cmp.Compare(a.doc, b.doc))
	})
	var chosen []int
	var sum int64
	for _, d := range docs {
		n := int64(t.Doc(d.doc).Tokens)
		if int64(len(chosen)) == limit {
			break
		}
		if tokens == 0 || sum+n <= tokens {
			chosen, sum = append(chosen, d.doc), sum+n
		}
	}
	slices.Sort(chosen)
	return chosen
}

// losses scores the documents. Each token's loss comes from one window alone, and a document's
// losses are added in the order of its tokens in float64, so that how windows are put into batches
// cannot show.
func losses(ctx context.Context, job *kind.Job, engine lm.Engine, t *table.Tokens, p kind.EvalParams) ([]tables.LossRow, error) {
	docs := chooseDocuments(t, p.Documents, p.Tokens)
	if len(docs) == 0 {
		return nil, fmt.Errorf("none of the evaluation set's %d documents fits into eval.tokens, %d: raise eval.tokens, or cut the documents with piece_bytes", t.Docs(), p.Tokens)
	}
	rows := make([]tables.LossRow, len(docs))
	perToken := make([][]float32, len(docs)) // nats
	var all []docWindow
	var total, done int64
	for i, doc := range docs {
		d := t.Doc(doc)
		rows[i] = tables.LossRow{ID: d.ID, Tokens: int64(d.Tokens), Bytes: d.Bytes, Chars: d.Chars, Words: d.Words}
		perToken[i] = make([]float32, d.Tokens)
		for _, w := range windows(d.Tokens, p.Model.Context) {
			all = append(all, docWindow{window: w, doc: i})
		}
		total += rows[i].Tokens
	}
	b := batcher{engine: engine, tokens: t, docs: docs, eos: int32(p.EOS)}
	for _, batch := range batches(all, p.Model.Context) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := b.run(batch, perToken); err != nil {
			return nil, err
		}
		for _, w := range batch.windows {
			done += int64(w.Scored)
		}
		step.Progress(job, done, total, "tokens")
	}
	for i, nats := range perToken {
		for _, x := range nats {
			rows[i].Nats += float64(x)
		}
	}
	return rows, nil
}

// needs says what an evaluation takes of the machine: as much memory as its model and a batch, and
// all cores that it is given. It uses no device: the engines of this program compute on the
// processor. How much it leaves depends on the documents of its evaluation set.
func needs(job *kind.Job) (kind.Needs, error) {
	var p kind.EvalParams
	if err := job.Decode(&p); err != nil {
		return kind.Needs{}, err
	}
	engine, err := engines.Find(p.Arithmetic)
	if err != nil {
		return kind.Needs{}, err
	}
	m, err := engine.EvaluationMemory(p.Model, 1, max(evalBatchTokens, p.Model.Context), lm.Options{Threads: job.Threads})
	n := m.Total() + model.Besides
	return kind.Needs{Memory: n, LeastMemory: n}, err
}
