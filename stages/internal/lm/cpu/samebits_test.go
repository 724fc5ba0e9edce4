package cpu

import (
	"fmt"
	"slices"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/kernel"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// onEachPath calls f with every path of the kernels that this machine can run selected, and says
// which it cannot.
func onEachPath(t *testing.T, f func(path string)) {
	t.Helper()
	defer func() {
		if err := kernel.Select(""); err != nil {
			t.Error(err)
		}
	}()
	for _, path := range []string{"avx512", "avx2", "fused", "portable"} {
		if err := kernel.Select(path); err != nil {
			t.Logf("not compared: %v", err)
			continue
		}
		f(path)
	}
}

// families are the architectures of the study language's presets, made small: wide enough for every
// kernel to split its work, of sizes that fill no vector and no tile.
func families() map[string]training {
	base := tiny()
	base.Vocab, base.DModel, base.Heads, base.Context, base.MLPHidden = 301, 90, 3, 19, 330
	with := func(change func(*arch.Model)) training {
		c := base
		change(&c)
		return training{Model: c}
	}
	pythia := with(func(c *arch.Model) {
		c.Block, c.NormBias, c.LinearBias, c.MLP, c.AttentionOutput, c.Rotary = arch.NeoX, true, true, arch.GELU, true, 0.2
	})
	rounded := pythia
	rounded.Rotary, rounded.precision = 1, lm.BF16
	return map[string]training{
		"ours": with(func(c *arch.Model) {
			c.Norm, c.MLP, c.AttentionOutput, c.TiedHead = arch.RMSNorm, arch.GELU, true, true
		}),
		"paper": with(func(c *arch.Model) { c.NormBias, c.LinearBias, c.QKNorm, c.TiedHead = true, true, true, true }),
		"parallel": with(func(c *arch.Model) {
			c.Block, c.NormBias, c.LinearBias, c.QKNorm, c.TiedHead = arch.Parallel, true, true, true, true
		}),
		"pythia": pythia,
		"bf16":   rounded,
		"llama":  with(func(c *arch.Model) { c.Norm, c.AttentionOutput, c.NormEps = arch.RMSNorm, true, 1e-6 }),
	}
}

// small are models of a dozen channels: one in five of all combinations of words and switches.
func small() map[string]training {
	all := map[string]training{}
	for i, c := range variants() {
		if i%5 == 0 {
			all[label(c)] = training{Model: c}
		}
	}
	return all
}

// history is all that two steps of two micro-batches each leave, and the losses of an evaluation
// after them: of batches of another shape.
func history(t *testing.T, cfg training, threads int) ([]uint32, []float64, []float32) {
	t.Helper()
	e := cfg.open(t, threads)
	if err := lm.Init(e, 5); err != nil {
		t.Fatal(err)
	}
	T := cfg.Context - 1
	var losses []float64
	for s := range 2 {
		for _, rows := range []int{3, 2} {
			inputs, targets := tokens(uint64(10*s+rows), rows*T, cfg.Vocab)
			loss, err := e.Accumulate(inputs, targets, rows, T, 1/float64(5*T))
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, loss)
		}
		norm, err := e.Step(optim.Step{AdamW: adamw, LR: 0.01, Number: s + 1})
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, norm)
	}
	nats := make([]float32, 2*cfg.Context)
	inputs, targets := tokens(4, len(nats), cfg.Vocab)
	if err := e.Losses(inputs, targets, 2, cfg.Context, nats); err != nil {
		t.Fatal(err)
	}
	return bits(e), losses, nats
}

// Weights, moments, losses, norms of gradients and losses of an evaluation are the same bits on
// every path and number of threads.
func TestSameBits(t *testing.T) {
	for _, c := range []struct {
		configs map[string]training
		threads []int
	}{{families(), []int{1, 2, 7}}, {small(), []int{3}}} {
		type run struct {
			name   string
			all    []uint32
			losses []float64
			nats   []float32
		}
		first := map[string]run{}
		onEachPath(t, func(path string) {
			for name, cfg := range c.configs {
				for _, threads := range c.threads {
					r := run{name: fmt.Sprintf("%s on %d threads", path, threads)}
					r.all, r.losses, r.nats = history(t, cfg, threads)
					want, seen := first[name]
					if !seen {
						first[name] = r
						continue
					}
					if !slices.Equal(r.all, want.all) {
						t.Errorf("%s: weights or moments of %s differ from those of %s", name, r.name, want.name)
					}
					if !slices.Equal(r.losses, want.losses) {
						t.Errorf("%s: losses and norms of %s are %v, of %s %v", name, r.name, r.losses, want.name, want.losses)
					}
					if !slices.Equal(r.nats, want.nats) {
						t.Errorf("%s: losses of an evaluation on %s differ from those of %s", name, r.name, want.name)
					}
				}
			}
		})
	}
}

// A token's loss is the same bits whatever other rows there are, and however long its row is beyond
// it.
func TestLossesDoNotDependOnTheBatch(t *testing.T) {
	all := families()
	for name, cfg := range small() {
		all[name] = cfg
	}
	long := trained() // more than the head takes at a time, and rows of several blocks of attention
	long.Context = 300
	all["long"] = training{Model: long}
	for name, cfg := range all {
		e := cfg.open(t, 2)
		scramble(e, 2)
		const rows = 3
		T := cfg.Context
		inputs, targets := tokens(5, rows*T, cfg.Vocab)
		losses := func(in, tg []int32, B, T int) []float32 {
			out := make([]float32, B*T)
			if err := e.Losses(in, tg, B, T, out); err != nil {
				t.Fatal(err)
			}
			return out
		}
		batch := losses(inputs, targets, rows, T)
		for r := range rows {
			if !slices.Equal(losses(inputs[r*T:][:T], targets[r*T:][:T], 1, T), batch[r*T:][:T]) {
				t.Errorf("%s: row %d alone differs from what it is in the batch", name, r)
			}
		}
		for _, n := range []int{1, 2, T / 3, T / 2, T - 1} {
			if !slices.Equal(losses(inputs[T:][:n], targets[T:][:n], 1, n), batch[T:][:n]) {
				t.Errorf("%s: the first %d tokens of a row differ from what they are before others", name, n)
			}
		}
	}
}

// splits are ways to take four rows.
var splits = [][]int{{1, 1, 1, 1}, {2, 2}, {1, 3}, {3, 1}}

// split adds the gradient of a batch of four rows in the given passes.
func split(t *testing.T, cfg training, rows []int) *engine {
	t.Helper()
	e := cfg.open(t, 2)
	scramble(e, 3)
	T := cfg.Context
	inputs, targets := tokens(8, 4*T, cfg.Vocab)
	for _, n := range rows {
		if _, err := e.Accumulate(inputs[:n*T], targets[:n*T], n, T, 1/float64(4*T)); err != nil {
			t.Fatal(err)
		}
		inputs, targets = inputs[n*T:], targets[n*T:]
	}
	return e
}

// A matrix's gradient is one chain over the rows of a batch, which passes only cut: however they
// are cut, the same bits. Not so the sums over rows of biases and norms, and a tied head, whose
// matrix takes the head's chain and the embedding's in turn.
func TestMicroBatchesOfMatrices(t *testing.T) {
	all := families()
	for name, cfg := range small() {
		all[name] = cfg
	}
	long := trained() // more rows than a product takes in one block of its depth, and than the head takes at a time
	long.Context, long.TiedHead = 300, false
	all["long"] = training{Model: long}
	for name, cfg := range all {
		whole := split(t, cfg, []int{4}).gradients()
		for _, rows := range splits {
			for i, g := range split(t, cfg, rows).gradients() {
				if len(g.Shape) == 2 && !(cfg.TiedHead && g.Name == "wte.weight") && !slices.Equal(g.Data, whole[i].Data) {
					t.Errorf("%s: gradient of %s in passes of %v rows differs from that in one", name, g.Name, rows)
				}
			}
		}
	}
}
