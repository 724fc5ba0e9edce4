package cache

import (
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// batch is how many files are looked at between two answers of inOrder: enough that the goroutines'
// start does not count, and few enough that little is read in vain when the caller stops.
const batch = 512

// inOrder calls look for every name, by as many goroutines as there are processors, and yields the
// answers in the order of names.
func inOrder[N, T any](names []N, look func(N) T) iter.Seq2[N, T] {
	return func(yield func(N, T) bool) {
		answers := make([]T, min(batch, len(names)))
		for part := range slices.Chunk(names, batch) {
			var next atomic.Int64
			var wait sync.WaitGroup
			for range min(runtime.GOMAXPROCS(0), len(part)) {
				wait.Go(func() {
					for i := next.Add(1) - 1; i < int64(len(part)); i = next.Add(1) - 1 {
						answers[i] = look(part[i])
					}
				})
			}
			wait.Wait()
			for i, n := range part {
				if !yield(n, answers[i]) {
					return
				}
			}
		}
	}
}
