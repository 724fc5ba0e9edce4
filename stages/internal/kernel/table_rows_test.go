package kernel_test

import (
	"fmt"

	"ablate/stages/internal/kernel"
	"ablate/stages/internal/kernel/arena"
)

// tableAttention counts the multiply-adds of the causal half: 2 products forward and 5 backward.
func tableAttention() {
	title("%-47s %8s %9s %12s", "attention, 4 heads of 64 channels", "1 thread", "of peak", "2 threads")
	const heads, channels = 4, 64
	for _, s := range []struct{ B, T int }{{8, 256}, {4, 512}, {1, 2048}} {
		qkv, dout := ramp(s.B*s.T*3*heads*channels), ramp(s.B*s.T*heads*channels)
		out, dqkv, lse := make([]float32, len(dout)), make([]float32, len(qkv)), make([]float32, s.B*heads*s.T)
		gflop := 2 * float64(s.B*heads*s.T*(s.T+1)/2*channels) / 1e9
		line(fmt.Sprintf("context %d", s.T), oneAndTwo(2*gflop, func(p *kernel.Pool) {
			kernel.Attention(p, out, lse, qkv, s.B, s.T, heads, channels)
		}))
		line("      gradient", oneAndTwo(5*gflop, func(p *kernel.Pool) {
			kernel.AttentionBackward(p, dqkv, dout, out, lse, qkv, s.B, s.T, heads, channels)
		}))
	}
}

// tableRows counts each array once for reading and once for writing.
func tableRows() {
	title("%-46s %11s %s", "loops along rows, one core, from memory", "", "of copying memory")
	const rows, C, H, V = 4096, 1024, 4096, 8192
	p := kernel.NewPool(1)
	defer p.Close()
	const n = rows * H
	x, y, m, v := arena.New(n), arena.New(n), arena.New(n), arena.New(n)
	copy(x, memory())
	copied := func() float64 { // on the same pages, which may be huge
		return 4 * float64(2*n) / timed(0, func() { copy(m, x) }).cpu / 1e9
	}
	w, rstd, targets := ramp(C), make([]float32, rows), make([]int32, rows)
	o := kernel.AdamWParams{LR: 1e-4, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Correction1: 1, Correction2: 1, GradScale: 1}
	for _, l := range []struct {
		name   string
		floats int // read and written
		f      func()
	}{
		{"AdamW, which clears the gradients", 8 * n, func() { kernel.AdamW(p, y, x, m, v, o) }},
		{"sum of squares", n, func() { kernel.SumSquares(p, y) }},
		{"residual sum", 3 * rows * C, func() { kernel.Add(p, y[:rows*C], x[:rows*C], m[:rows*C]) }},
		{"RMSNorm", 2 * rows * C, func() { kernel.RMSNorm(p, y, rstd, x, w, nil, rows, C, 1e-5) }},
		{"RMSNorm, gradient", 3 * rows * C, func() { kernel.RMSNormBackward(p, m, w, nil, y, x, rstd, w, nil, rows, C) }},
		{"GELU", 2 * n, func() { kernel.GELU(p, y, x) }},
		{"GELU, gradient", 3 * n, func() { kernel.GELUBackward(p, m, y, x) }},
		{"cross entropy", rows / 2 * V, func() { kernel.CrossEntropy(p, rstd, y, targets, rows/2, V) }},
		{"cross entropy and its gradient", 2 * rows / 2 * V, func() { kernel.CrossEntropyGradient(p, rstd, y, targets, rows/2, V, 1e-3) }},
	} {
		line(l.name, beside(4*float64(l.floats)/1e9, l.f, copied))
	}
}
