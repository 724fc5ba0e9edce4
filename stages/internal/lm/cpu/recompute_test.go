package cpu

import (
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/lm"
)

// Computing activations again changes no bit of losses, weights or moments, in any architecture.
func TestRecomputeDoesNotMatter(t *testing.T) {
	trainings := []training{{half(), lm.BF16}}
	for _, m := range variants() {
		trainings = append(trainings, training{Model: m})
	}
	for _, x := range trainings {
		var want []uint32
		var wantLosses []float64
		for _, redo := range lm.Levels {
			e := x.open(t, 1)
			e.Recompute = redo
			scramble(e, 5)
			losses := train(t, e, 0, 2)
			if redo == lm.None {
				want, wantLosses = bits(e), losses
				continue
			}
			if !slices.Equal(bits(e), want) || !slices.Equal(losses, wantLosses) {
				t.Errorf("%s: recomputing %s gives other bits: losses %v, want %v", label(x.Model), redo, losses, wantLosses)
			}
		}
	}
}

// What is computed again: with Cheap no matrix product and no attention, with Layers every
// operation of a layer once, except the last, whose value is the next layer's input.
func TestWhatIsComputedAgain(t *testing.T) {
	const layer = "attn_norm att_proj qk_norm rope attention attn_out ff_norm ff_proj swiglu ff_out"
	for redo, want := range map[lm.Recompute]string{
		lm.None:   "",
		lm.Cheap:  "attn_norm qk_norm rope ff_norm swiglu",
		lm.Layers: strings.TrimSuffix(layer, " ff_out"),
	} {
		e := opened(t, trained(), 1)
		e.training()
		e.Recompute = redo
		g, err := e.buildGraph(1, 8, true)
		if err != nil {
			t.Fatal(err)
		}
		var first, again []string
		for _, n := range g.program {
			o, ok := n.Op().(*op)
			if !ok || !strings.HasPrefix(o.name, "blocks.1.") {
				continue
			}
			switch name := strings.TrimPrefix(o.name, "blocks.1."); {
			case strings.HasSuffix(name, " again"):
				again = append(again, strings.TrimSuffix(name, " again"))
			case !strings.Contains(name, " "):
				first = append(first, name)
			}
		}
		inOrder := func(names []string) string {
			at := func(name string) int { return strings.Index(layer, name) }
			slices.SortFunc(names, func(a, b string) int { return at(a) - at(b) })
			return strings.Join(names, " ")
		}
		if inOrder(first) != layer {
			t.Errorf("%s: a layer is %v, want %v", redo, first, layer)
		}
		if got := inOrder(again); got != want {
			t.Errorf("%s: computed again %q, want %q", redo, got, want)
		}
	}
}

// What each further layer keeps, in floats per token: see the shapes in attention.go and mlp.go.
// The statistics of norms and attention are always kept.
func TestRecomputeMemory(t *testing.T) {
	const N = 16
	cfg := trained()
	C, F, A := cfg.DModel, cfg.MLPHidden, cfg.MLPOut()
	stats := 8 + cfg.Heads
	for redo, perToken := range map[lm.Recompute]int{
		lm.None:   11*C + F + A, // x, y, both norms, qkv and its turned copy, heads; u and its activation
		lm.Cheap:  6*C + F,      // x, y, qkv, heads; u
		lm.Layers: C,            // x
	} {
		size := func(layers int) int {
			cfg := cfg
			cfg.Layers = layers
			e := opened(t, cfg, 1)
			e.training()
			e.Recompute = redo
			g, err := e.buildGraph(2, N/2, true)
			if err != nil {
				t.Fatal(err)
			}
			return g.size
		}
		if got, most := size(12)-size(4), 8*(N*(perToken+stats)+20*arenaAlign); got > most {
			t.Errorf("%s: 8 more layers take %d floats, want at most %d", redo, got, most)
		}
	}
}
