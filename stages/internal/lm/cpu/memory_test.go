package cpu

import (
	"runtime"
	"testing"
	"unsafe"

	"ablate/stages/internal/lm"
)

// The authors' model trains on rows of 2048 tokens within 6 GB, and within 2 GB where whole layers
// are computed again.
func TestAuthorsModelFits(t *testing.T) {
	cfg := preset(t, "paper-102m")
	for _, c := range []struct {
		redo    lm.Recompute
		B       int
		atMost  int64 // bytes in all
		atLeast int64 // what the parameters alone take: the plan must not forget them
	}{
		{lm.None, 1, 3.2e9, 16 * 102e6},
		{lm.None, 2, 4.5e9, 16 * 102e6},
		{lm.Cheap, 1, 2.6e9, 16 * 102e6},
		{lm.Layers, 1, 2.0e9, 16 * 102e6},
	} {
		m, err := TrainingMemory(cfg, c.B, 2048, lm.Options{Threads: 8, Recompute: c.redo})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d rows, recomputing %s: %+v, %d MB in all", c.B, c.redo, m, m.Total()/1e6)
		if m.Total() > c.atMost || m.Parameters < c.atLeast || m.Activations < 1 || m.Scratch < 1 {
			t.Errorf("%d rows, recomputing %s: %+v, %d bytes in all, want at most %d", c.B, c.redo, m, m.Total(), c.atMost)
		}
	}
	if n, _ := cfg.Parameters(); n < 102e6 || n > 103e6 {
		t.Errorf("%d parameters, want 102 million", n)
	}
}

// What is planned without memory is what an engine then takes.
func TestMemoryIsWhatIsTaken(t *testing.T) {
	for _, redo := range lm.Levels {
		e := opened(t, trained(), 1)
		e.Recompute = redo
		lm.Init(e, 1)
		inputs, targets := tokens(5, 28, e.arch.Vocab)
		if _, err := e.Accumulate(inputs, targets, 4, 7, 1); err != nil {
			t.Fatal(err)
		}
		m, err := TrainingMemory(trained(), 4, 7, e.Options)
		if err != nil {
			t.Fatal(err)
		}
		const float = int64(unsafe.Sizeof(float32(0)))
		if got := float * int64(len(e.acts)); got != m.Activations {
			t.Errorf("recomputing %s: activations of %d bytes, planned %d", redo, got, m.Activations)
		}
		if got := float * int64(len(e.weights)+len(e.grads)+len(e.m)+len(e.v)); got != m.Parameters {
			t.Errorf("recomputing %s: parameters of %d bytes, planned %d", redo, got, m.Parameters)
		}
	}
}

// A closed engine has given back its memory, though somebody still holds it: the next one's comes
// at once.
func TestCloseGivesBack(t *testing.T) {
	cfg := trained()
	cfg.Vocab = largeEngine / 4 / cfg.DModel // weights alone make it large
	e, err := newEngine(cfg, lm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if given := int64(before.HeapAlloc) - int64(after.HeapAlloc); given < largeEngine {
		t.Errorf("closing gave back %d bytes, want at least %d", given, largeEngine)
	}
	runtime.KeepAlive(e)
}
