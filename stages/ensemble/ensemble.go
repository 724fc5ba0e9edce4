package ensemble

import (
	"context"
	"fmt"

	"ablate/cache/table"
	"ablate/stages/internal/experts"
	"ablate/stages/internal/step"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// ensemble writes the losses of the documents by the mixture of the models' probabilities: minus
// the logarithm of sum_i w_i exp(-nats_i), in nats.
func ensemble(ctx context.Context, job *kind.Job) error {
	var p kind.EnsembleParams
	if err := job.Decode(&p); err != nil {
		return err
	}
	ins := job.Numbered("losses")
	weights, err := p.Fractions(len(ins))
	if err != nil {
		return fmt.Errorf("ensemble: %w", err)
	}
	var rows []tables.LossRow
	names, nats := make([]string, len(ins)), make([][]float64, len(ins))
	for i, in := range ins {
		if err := ctx.Err(); err != nil {
			return err
		}
		of, err := table.ReadRows[tables.LossRow](in.Path)
		if err != nil {
			return fmt.Errorf("ensemble: %s: %w", in.Role, err)
		}
		if i == 0 {
			rows = of
		}
		if err := sameDocuments(rows, of); err != nil {
			return fmt.Errorf("ensemble: %s and %s: %w", ins[0].Role, in.Role, err)
		}
		names[i], nats[i] = in.Role, make([]float64, len(of))
		for d, r := range of {
			nats[i][d] = r.Nats
		}
	}
	if err := mix(rows, names, nats, weights); err != nil {
		return fmt.Errorf("ensemble: %w", err)
	}
	step.Progress(job, int64(len(rows)), int64(len(rows)), "documents")
	return step.Table(job, kind.OutLosses, rows)
}

// sameDocuments refuses tables of other documents: what they hold of each cannot be taken together.
func sameDocuments(a, b []tables.LossRow) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d and %d documents", len(a), len(b))
	}
	for d := range a {
		if a[d].ID != b[d].ID || a[d].Tokens != b[d].Tokens || a[d].Bytes != b[d].Bytes {
			return fmt.Errorf("document %d is %q of %d tokens in one and %q of %d tokens in the other", d+1, a[d].ID, a[d].Tokens, b[d].ID, b[d].Tokens)
		}
	}
	return nil
}

// mix puts the mixture's losses in the place of those in the rows. Documents without tokens keep
// their loss of 0.
func mix(rows []tables.LossRow, names []string, nats [][]float64, weights []float64) error {
	var tokens []float64
	scored := make([][]float64, len(nats))
	for d, r := range rows {
		if r.Tokens == 0 {
			continue
		}
		tokens = append(tokens, float64(r.Tokens))
		for i := range nats {
			scored[i] = append(scored[i], nats[i][d])
		}
	}
	e, err := experts.New(names, experts.Documents(scored, tokens))
	if err != nil {
		return err
	}
	losses, err := e.Losses(weights)
	if err != nil {
		return err
	}
	for d := range rows {
		if rows[d].Tokens > 0 {
			rows[d].Nats, losses = losses[0], losses[1:]
		}
	}
	return nil
}
