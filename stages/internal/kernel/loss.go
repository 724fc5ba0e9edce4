package kernel

import (
	"ablate/stages/internal/elementary"
	"ablate/stages/internal/kernel/arena"
)

// CrossEntropy sets losses[r] = log sum exp of row r - logits[r][targets[r]] in nats. A negative
// target is ignored: its loss is 0. losses, targets (rows); logits (rows, V).
func CrossEntropy(p *Pool, losses, logits []float32, targets []int32, rows, V int) {
	p.splitRows(rows, V, func(w *worker, lo, hi int) {
		w.row = arena.Grow(w.row, V)
		for r := lo; r < hi; r++ {
			losses[r] = 0
			if t := targets[r]; t >= 0 {
				losses[r], _ = p.k.crossEntropyRow(w.row[:V], logits[r*V:(r+1)*V], t)
			}
		}
	})
}

// CrossEntropyGradient is CrossEntropy and overwrites logits with scale * (softmax - onehot), the
// gradient of scale times the sum of the losses; rows with a negative target become 0. A row is in
// cache from the logits to the gradient, and its exponentials are computed once.
func CrossEntropyGradient(p *Pool, losses, logits []float32, targets []int32, rows, V int, scale float32) {
	p.splitRows(rows, V, func(_ *worker, lo, hi int) {
		for r := lo; r < hi; r++ {
			row := logits[r*V : (r+1)*V]
			t := targets[r]
			if t < 0 {
				losses[r] = 0
				clear(row)
				continue
			}
			var sum float32
			losses[r], sum = p.k.crossEntropyRow(row, row, t)
			p.k.rowScale(row, scale/sum)
			row[t] -= scale
		}
	})
}

// crossEntropyRow returns the loss of one row, sets e to exp(row - its largest) and returns their
// sum too. e may be row.
func (k *path) crossEntropyRow(e, row []float32, target int32) (loss, sum float32) {
	at := row[target]
	m := k.rowMax(row)
	sum = k.rowExp(e, row, 1, m)
	return logf(sum) + m - at, sum
}

// logf is the logarithm in float64, rounded. It runs once a row.
func logf(x float32) float32 { return float32(elementary.Log(float64(x))) }
