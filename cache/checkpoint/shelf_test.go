package checkpoint

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

func take(t *testing.T, s *Shelf, path string) (*File, func()) {
	t.Helper()
	f, put, err := s.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	return f, put
}

func first(t *testing.T, f *File) float32 {
	t.Helper()
	x, err := f.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	return x.Data[0]
}

func filled(v float32) []Tensor {
	return []Tensor{{Name: "w", Shape: []int{1000}, Data: slices.Repeat([]float32{v}, 1000)}}
}

func TestShelfKeepsFiles(t *testing.T) {
	s := NewShelf(1 << 20)
	path := write(t, filled(1), nil)
	a, putA := take(t, s, path)
	b, putB := take(t, s, path)
	putA()
	putA() // twice is harmless
	if c, putC := take(t, s, path); a != b || b != c || first(t, b) != 1 {
		t.Error("a file in use was opened again")
	} else {
		putC()
	}
	putB()
	if d, put := take(t, s, path); d != a {
		t.Error("a file that was put back was opened again")
	} else {
		put()
	}
}

// A file that another one replaced, that was written to, or removed is not what the shelf has; who
// holds the old one keeps it.
func TestShelfSeesChanges(t *testing.T) {
	s := NewShelf(1 << 20)
	path := write(t, filled(1), nil)
	old, putOld := take(t, s, path)
	defer putOld()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}

	other := write(t, filled(2), nil)
	if err := os.Chtimes(other, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, path); err != nil { // same size, same time
		t.Fatal(err)
	}
	f, put := take(t, s, path)
	if first(t, f) != 2 || first(t, old) != 1 {
		t.Errorf("after the file was replaced: %v, the old one %v, want 2 and 1", first(t, f), first(t, old))
	}
	put()

	if err := Write(path, filled(3), nil); err != nil { // the same file
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if f, put = take(t, s, path); first(t, f) != 3 {
		t.Errorf("after the file was written to: %v, want 3", first(t, f))
	}
	put()

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Take(path); err == nil {
		t.Error("a removed file was handed out")
	}
}

func TestShelfIsBounded(t *testing.T) {
	var paths []string
	for i := range 4 {
		paths = append(paths, write(t, filled(float32(i)), nil))
	}
	info, err := os.Stat(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	s := NewShelf(2 * info.Size())
	var puts []func()
	for i, p := range paths { // in use, all stay open
		f, put := take(t, s, p)
		puts = append(puts, put)
		if first(t, f) != float32(i) {
			t.Errorf("file %d begins with %v", i, first(t, f))
		}
	}
	if len(s.open) != 4 {
		t.Errorf("%d files open, 4 are in use", len(s.open))
	}
	for _, put := range puts {
		put()
	}
	if s.open[paths[2]] == nil || s.open[paths[3]] == nil || len(s.open) != 2 || s.bytes != 2*info.Size() {
		t.Errorf("%d files of %d bytes kept, want the last two", len(s.open), s.bytes)
	}
}

func TestShelfFromManyGoroutines(t *testing.T) {
	s := NewShelf(6000) // one file
	paths := []string{write(t, filled(0), nil), write(t, filled(1), nil), write(t, filled(2), nil)}
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for i := range 200 {
				k := (g + i) % len(paths)
				f, put, err := s.Take(paths[k])
				if err != nil {
					t.Error(err)
					return
				}
				if x, err := f.Tensor("w"); err != nil || x.Data[999] != float32(k) {
					t.Errorf("file %d: %v, %v", k, x.Data, err)
				}
				put()
			}
		})
	}
	wait.Wait()
}

// Merging allocates next to nothing, however many models: its memory is the average, which the
// caller has, and pages of the files.
func TestAverageAllocatesNothing(t *testing.T) {
	const size = 4 << 20 // 16 MB of parameters
	path := write(t, []Tensor{{Name: "w", Shape: []int{size}, Data: make([]float32, size)}}, nil)
	dst := make([]float32, size)
	for _, n := range []int{2, 32} {
		files, weights := make([]*File, n), make([]float64, n)
		for i := range files {
			files[i], weights[i] = open(t, path), 1/float64(n)
		}
		allocated := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				if err := Average(files, weights, func(string, []int) []float32 { return dst }); err != nil {
					b.Fatal(err)
				}
			}
		}).AllocedBytesPerOp()
		if allocated > size/4 { // a sixteenth of a model
			t.Errorf("%d models: %d bytes allocated", n, allocated)
		}
	}
}
