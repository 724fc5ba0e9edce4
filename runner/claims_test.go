package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/stages/kind"
)

// beside is another run on the same cache, as of another process.
func (b *bench) beside() *bench {
	c, err := cache.Open(b.cache.Dir())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return &bench{t: b.t, dir: b.dir, cache: c, plan: b.plan, threads: map[string]int{}, do: map[string]func(context.Context, *kind.Job) error{}}
}

// quick are intervals short enough for a test.
var quick = Claims{Beat: 5 * time.Millisecond, Silence: 40 * time.Millisecond, Look: 10 * time.Millisecond}

func (b *bench) says(what What) (messages []string) {
	for _, e := range b.events {
		if e.What == what {
			messages = append(messages, e.Message)
		}
	}
	return messages
}

// TestRunsDivideTheWork lets two runs meet: each holds back a training until the other has begun
// the other one. Neither does what the other does, and together they do every step once.
func TestRunsDivideTheWork(t *testing.T) {
	first := newBench(t)
	second := first.beside()
	const x, y = "unit/parts/alpha/0", "unit/parts/beta/0"
	var mu sync.Mutex
	began := map[string]chan struct{}{x: make(chan struct{}), y: make(chan struct{})}
	for _, b := range []*bench{first, second} {
		for id, other := range map[string]string{x: y, y: x} {
			b.do[id] = func(ctx context.Context, _ *kind.Job) error {
				mu.Lock()
				select {
				case <-began[id]:
					t.Errorf("%s began twice", id)
				default:
					close(began[id])
				}
				mu.Unlock()
				<-began[other]
				return nil
			}
		}
	}
	var wait sync.WaitGroup
	for _, b := range []*bench{first, second} {
		wait.Go(func() {
			s, err := b.run(t.Context(), Options{Claims: Claims{Look: 10 * time.Millisecond}})
			if err != nil {
				t.Error(err)
				return
			}
			if hit, _, _ := s.Count(); hit != len(b.plan.Steps) {
				t.Errorf("%d of %d steps are there", hit, len(b.plan.Steps))
			}
		})
	}
	wait.Wait()
	ran := append(slices.Clone(first.ran), second.ran...)
	slices.Sort(ran)
	if len(ran) != len(first.plan.Steps) || len(slices.Compact(ran)) != len(first.plan.Steps) {
		t.Errorf("%d steps were carried out, want each of %d once: %v and %v", len(ran), len(first.plan.Steps), first.ran, second.ran)
	}
	wantNoClaims(t, first)
}

func wantNoClaims(t *testing.T, b *bench) {
	t.Helper()
	if left, err := os.ReadDir(filepath.Join(b.cache.Dir(), "claims")); err != nil || len(left) > 0 {
		t.Errorf("claims are left: %v, %v", left, err)
	}
}

// seedKey is the key of the seed model once what comes before it is there.
func (b *bench) seedKey() (int, cache.Key) {
	i, err := b.plan.Find("seed")
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := b.plan.Resolve(b.kinds(), b.cache.Lookup)
	if err != nil {
		b.t.Fatal(err)
	}
	if s.Status[i] == pipeline.Waits {
		b.t.Fatal("internal: the seed model has no key yet")
	}
	return i, s.Keys[i]
}

// reached runs all up to the seed model and fails there.
func reached(t *testing.T) *bench {
	b := newBench(t)
	boom := errors.New("boom")
	b.do["seed"] = func(context.Context, *kind.Job) error { return boom }
	if _, err := b.run(t.Context(), Options{}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	delete(b.do, "seed")
	return b
}

// TestSilentRunIsReplaced: another run claimed a step and says nothing more.
func TestSilentRunIsReplaced(t *testing.T) {
	b := reached(t)
	_, key := b.seedKey()
	if claim, _, err := b.beside().cache.Claim(key, "seed", "other"); err != nil || claim == nil {
		t.Fatal(err)
	}
	b.mustRun(Options{Claims: quick})
	if !slices.Contains(b.ran, "seed") {
		t.Error("the step of the silent run was not made")
	}
	if w := strings.Join(b.says(Notice), "\n"); !strings.Contains(w, "this run takes step seed over") || !strings.Contains(w, "sent no heartbeat for") {
		t.Errorf("notices %q", w)
	}
	if w := strings.Join(b.says(Notice), "\n"); !strings.Contains(w, "waiting for step seed, which process") || !strings.Contains(w, "(study other)") {
		t.Errorf("said while waiting: %q", w)
	}
}

// TestLongStepIsWaitedFor: another run is at a step and shows again and again that it is alive.
func TestLongStepIsWaitedFor(t *testing.T) {
	b := reached(t)
	_, key := b.seedKey()
	slow := b.beside()
	began := make(chan struct{})
	slow.do["seed"] = func(context.Context, *kind.Job) error {
		close(began)
		path, last := filepath.Join(b.cache.Dir(), "claims", key.String()), ""
		for changes := 0; changes < 4; { // the first is the claim itself
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if string(text) != last {
				last = string(text)
				changes++
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := slow.run(t.Context(), Options{Claims: quick}); err != nil {
			t.Error(err)
		}
	})
	<-began
	b.mustRun(Options{Claims: Claims{Look: quick.Look}})
	wait.Wait()
	if slices.Contains(b.ran, "seed") || len(b.says(Warning)) > 0 {
		t.Errorf("the step was taken from a run that was at it: %q", b.says(Warning))
	}
}

// TestFailedRunIsReplaced: another run fails at a step that this one waits for.
func TestFailedRunIsReplaced(t *testing.T) {
	b := reached(t)
	other := b.beside()
	began, waits := make(chan struct{}), make(chan struct{})
	boom := errors.New("boom")
	other.do["seed"] = func(context.Context, *kind.Job) error { close(began); <-waits; return boom }
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := other.run(t.Context(), Options{}); !errors.Is(err, boom) {
			t.Error(err)
		}
	})
	<-began
	b.mustRun(Options{Claims: Claims{Look: quick.Look}, Events: func(e Event) {
		if e.What == Notice && strings.HasPrefix(e.Message, "waiting") {
			close(waits)
		}
	}})
	wait.Wait()
	if !slices.Contains(b.ran, "seed") {
		t.Error("the step of the failed run was not made")
	}
	wantNoClaims(t, b)
}

// TestInterruptedWhileWaiting ends at once and leaves the other's claim.
func TestInterruptedWhileWaiting(t *testing.T) {
	b := reached(t)
	_, key := b.seedKey()
	claim, _, err := b.beside().cache.Claim(key, "seed", "other")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = b.run(ctx, Options{Events: func(e Event) {
		if e.What == Notice && strings.HasPrefix(e.Message, "waiting") {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
	if err := claim.Beat(); err != nil {
		t.Error(err)
	}
	if mine, watch, err := b.cache.Claim(key, "seed", "again"); mine != nil || watch == nil || err != nil {
		t.Errorf("the other's claim is gone: %v", err)
	}
}

// TestWithoutClaims: where no claim can be kept, the run says so once and does its work.
func TestWithoutClaims(t *testing.T) {
	b := newBench(t)
	if err := os.WriteFile(filepath.Join(b.cache.Dir(), "claims"), nil, 0o444); err != nil {
		t.Fatal(err)
	}
	b.mustRun(Options{Slots: 2})
	if w := b.says(Warning); len(w) != 1 || !strings.Contains(w[0], "steps cannot be claimed") {
		t.Errorf("warnings %q", w)
	}
}
