package cpu

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
)

// TestProgramAndMemory holds two things that the plan rests on. The machine executes the nodes in
// the order that the plan assumed; and no operation reads memory that the plan has given away or
// that nobody has written: before each operation, everything in the arena that is not alive is
// overwritten with NaN, and the results must keep their bits.
func TestProgramAndMemory(t *testing.T) {
	for _, cfg := range variants() {
		if cfg.NormBias != cfg.LinearBias || cfg.NormBias != cfg.AttentionOutput { // 64 are enough to meet every operation
			continue
		}
		for _, redo := range lm.Levels {
			t.Run(label(cfg), func(t *testing.T) { poison(t, cfg, true, redo) })
		}
		t.Run(label(cfg), func(t *testing.T) { poison(t, cfg, false, lm.None) })
	}
}

func poison(t *testing.T, cfg arch.Model, training bool, redo lm.Recompute) {
	e := opened(t, cfg, 1)
	e.Recompute = redo
	scramble(e, 1)
	inputs, targets := tokens(2, 10, cfg.Vocab)
	out := make([]float32, 10)
	run := func() []uint32 {
		if training {
			if _, err := e.Accumulate(inputs, targets, 2, 5, 1); err != nil {
				t.Fatal(err)
			}
		} else if err := e.Losses(inputs, targets, 2, 5, out); err != nil {
			t.Fatal(err)
		}
		var all []uint32
		for _, x := range slices.Concat(out, e.grads) {
			all = append(all, math.Float32bits(x))
		}
		clear(e.grads)
		return all
	}
	want := run()
	g := e.graphs[0]
	var plan, ran []string
	for step, node := range g.program {
		o, ok := node.Op().(*op)
		if !ok {
			continue
		}
		plan = append(plan, o.String())
		original := o.run
		o.run = func(y []float32, in []gorgonia.Value) error {
			ran = append(ran, o.String())
			poisonDead(g, e.acts, step)
			return original(y, in)
		}
	}
	if got := run(); !slices.Equal(got, want) {
		t.Errorf("training=%t: an operation read memory that was not its own", training)
	}
	if !slices.Equal(ran, plan) {
		t.Errorf("training=%t: executed %v\nplanned %v", training, ran, plan)
	}
}

// poisonDead overwrites what no earlier operation has left for this step or a later one.
func poisonDead(g *graph, arena []float32, step int) {
	alive := make([]bool, len(arena))
	for _, node := range g.program[:step] {
		o, ok := node.Op().(*op)
		if !ok {
			continue
		}
		for _, b := range append(slices.Clone(o.touch), o.buf) {
			if b != nil && b.first < step && b.last >= step {
				for i := range b.n {
					alive[b.off+i] = true
				}
			}
		}
	}
	for i := range arena {
		if !alive[i] {
			arena[i] = float32(math.NaN())
		}
	}
}

// Evaluation needs the memory of a few activations, whatever the number of layers.
func TestEvaluationMemory(t *testing.T) {
	size := func(layers int, train bool) int {
		cfg := trained()
		cfg.Layers = layers
		e := opened(t, cfg, 1)
		e.training()
		g, err := e.buildGraph(2, 8, train)
		if err != nil {
			t.Fatal(err)
		}
		return g.size
	}
	if two, eight := size(2, false), size(8, false); two != eight {
		t.Errorf("evaluation: %d floats for 2 layers, %d for 8", two, eight)
	}
	// What training must keep of one layer, in rows of C: x, y, the two norms, qkv and its normed
	// copy, heads; u and its activation; and some (N)-sized statistics. The backward pass must add
	// nothing per layer.
	cfg := trained()
	perLayer := 16 * (10*cfg.DModel + cfg.MLPHidden + cfg.MLPOut() + 8 + cfg.Heads)
	if two, eight := size(2, true), size(8, true); eight-two > 6*(perLayer+arenaAlign*20) {
		t.Errorf("training: %d floats for 6 more layers, want at most 6*%d", eight-two, perLayer)
	}
}

// A panic inside an operation would end the process, since the machine runs on a goroutine of its
// own.
func TestPanicBecomesError(t *testing.T) {
	e := opened(t, trained(), 2)
	lm.Init(e, 1)
	inputs, targets := tokens(5, 7, e.arch.Vocab)
	loss, err := e.Accumulate(inputs, targets, 1, 7, 1)
	if err != nil {
		t.Fatal(err)
	}
	o := e.graphs[0].program[len(e.graphs[0].program)/2].Op().(*op)
	original := o.run
	o.run = func([]float32, []gorgonia.Value) error { panic("out of cheese") }
	if _, err := e.Accumulate(inputs, targets, 1, 7, 1); err == nil || !strings.Contains(err.Error(), "internal error: operation "+o.String()+": out of cheese") {
		t.Errorf("error %v, want one naming operation %v", err, o)
	}
	o.run = original
	if again, err := e.Accumulate(inputs, targets, 1, 7, 1); err != nil || again != loss {
		t.Errorf("after the panic: loss %v, error %v, want %v", again, err, loss)
	}
}

// Engines in one process share gorgonia's globals but nothing else.
func TestEnginesSideBySide(t *testing.T) {
	alone := opened(t, trained(), 1)
	lm.Init(alone, 1)
	train(t, alone, 0, 3)
	want := bits(alone)
	var wg sync.WaitGroup
	for range 4 {
		e := opened(t, trained(), 2)
		wg.Go(func() {
			lm.Init(e, 1)
			train(t, e, 0, 3)
			if !slices.Equal(bits(e), want) {
				t.Error("an engine beside others gives other bits than one alone")
			}
		})
	}
	wg.Wait()
}

// Gorgonia would merge nodes of one hash; we refuse them and salt the hashes anew.
func TestDistinctHashes(t *testing.T) {
	e := opened(t, trained(), 1)
	e.training()
	seen := map[uint32]uint32{}
	for salt := range uint32(2) {
		g, err := e.assemble(1, 7, true, salt)
		if err != nil {
			t.Fatal(err)
		}
		operations := 0
		for _, n := range g.program {
			if _, ok := n.Op().(*op); !ok {
				continue
			}
			operations++
			if first, ok := seen[n.Hashcode()]; ok {
				t.Errorf("node %v: salts %d and %d give one hash", n, first, salt)
			}
			seen[n.Hashcode()] = salt
		}
		if operations < 50 {
			t.Errorf("%d operations in a training graph, want at least 50", operations)
		}
		if err := distinct(append(g.program, g.program[5])); !errors.Is(err, errSameHash) {
			t.Errorf("a node given twice: error %v, want %v", err, errSameHash)
		}
	}
}
