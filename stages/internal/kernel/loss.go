package kernel

import "math"

// CrossEntropy sets losses[r] = lse[r] - logits[r][targets[r]] in nats, and
// lse[r] = log sum exp of row r, kept for CrossEntropyBackward. A negative
// target is ignored: loss and lse are 0. losses, lse, targets (rows); logits
// (rows, V). losses may be nil.
func CrossEntropy(p *Pool, losses, lse, logits []float32, targets []int32, rows, V int) {
	p.splitRows(rows, V, func(w *worker, lo, hi int) {
		w.row = grow(w.row, V)
		for r := lo; r < hi; r++ {
			var loss float32
			lse[r] = 0
			if t := targets[r]; t >= 0 {
				row := logits[r*V : (r+1)*V]
				m := p.k.rowMax(row)
				lse[r] = logf(p.k.rowExp(w.row[:V], row, 1, m)) + m
				loss = lse[r] - row[t]
			}
			if losses != nil {
				losses[r] = loss
			}
		}
	})
}

// CrossEntropyBackward overwrites logits with scale * (softmax - onehot), the
// gradient of scale times the sum of the losses; rows with a negative target
// become 0.
func CrossEntropyBackward(p *Pool, logits, lse []float32, targets []int32, rows, V int, scale float32) {
	p.splitRows(rows, V, func(_ *worker, lo, hi int) {
		for r := lo; r < hi; r++ {
			row := logits[r*V : (r+1)*V]
			t := targets[r]
			if t < 0 {
				clear(row)
				continue
			}
			p.k.rowExp(row, row, 1, lse[r])
			row[t] -= 1
			p.k.rowScale(row, scale)
		}
	})
}

// logf is the standard library's float64 log, rounded. It runs once a row.
func logf(x float32) float32 { return float32(math.Log(float64(x))) }
