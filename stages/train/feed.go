package train

import (
	"errors"
	"fmt"

	"ablate/cache/table"
	"ablate/stages/kind"
)

// A feed hands out the sequences of a training in their order, which BATCHES.md describes. Training
// reads from it, and so does the export of batches.
type feed struct {
	context   int   // inputs of a sequence, T
	sequences int   // of a batch
	steps     int64 // batches in all

	ins    []kind.Input
	units  []*table.Tokens
	chunks []int64 // sequences of each unit
	order  order
}

// newFeed opens the units of a training and counts their sequences: disjoint stretches of T tokens,
// whose targets reach one token further. A tail shorter than T+1 is not trained on.
func newFeed(ins []kind.Input, p kind.TrainParams) (_ *feed, err error) {
	T := int64(p.Model.Context)
	switch {
	case T < 1 || p.Batch < T || p.Batch%T != 0:
		return nil, fmt.Errorf("batch of %d tokens is not a multiple of the context of %d", p.Batch, T)
	case p.Tokens < p.Batch:
		return nil, fmt.Errorf("training of %d tokens is less than one batch of %d", p.Tokens, p.Batch)
	case len(ins) == 0:
		return nil, errors.New("internal error: no input unit.0")
	}
	f := &feed{context: int(T), sequences: int(p.Batch / T), steps: (p.Tokens + p.Batch - 1) / p.Batch, ins: ins}
	defer func() {
		if err != nil {
			f.closeUnits()
		}
	}()
	for _, in := range ins {
		u, err := table.OpenTokens(in.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.Role, err)
		}
		f.units = append(f.units, u)
		chunks := (u.Len() - 1) / T
		switch {
		case u.Vocab() > p.Model.Vocab:
			return nil, fmt.Errorf("%s is of a vocabulary of %d, the model has %d rows", in.Role, u.Vocab(), p.Model.Vocab)
		case chunks < 1:
			return nil, fmt.Errorf("%s has %d tokens, fewer than the %d of one sequence (model.context) and its last target: %s", in.Role, u.Len(), T+1, in.Name)
		}
		f.chunks = append(f.chunks, chunks)
	}
	total := f.steps * int64(f.sequences)
	if len(p.Sources) > 0 {
		f.order, err = newInterleaved(p.Seed, total, f.chunks, p.Sources)
	} else {
		f.order, err = newSampler(p.Seed, total, f.chunks, p.Sampling)
	}
	return f, err
}

// sequence reads the next sequence, T tokens and the last one's target, into stretch.
func (f *feed) sequence(stretch []int32) pick {
	p := f.order.draw()
	f.units[p.unit].Read(stretch, p.chunk*int64(f.context))
	return p
}

func (f *feed) closeUnits() {
	for _, u := range f.units {
		u.Close() // a mapping that is only read: nothing can be lost
	}
}
