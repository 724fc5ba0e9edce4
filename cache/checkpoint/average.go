package checkpoint

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"ablate/cache/bulk"
)

const (
	// A worker takes this many elements of a tensor at a time: 512 KiB of each model.
	averageChunk = 128 << 10

	// WriteAverage computes this many elements of a tensor before it writes them: 4 MiB, a few
	// chunks for each of a few workers.
	averagePiece = 8 * averageChunk

	// An average of this many bytes is written past the caches, which would not hold it until it is
	// read.
	pastCaches = 4 << 20

	// Weights such as 1/3 cannot sum to 1 exactly; a mistake is larger than this.
	weightTolerance = 1e-9
)

// Average computes the parameter average sum_k weights[k] * files[k], tensor by tensor in the order
// of the first file:
//
//	dst(name, shape)[i] = float32(w_0*x_0[i] + w_1*x_1[i] + ...)
//
// in float64, from left to right, each product and each sum rounded, then rounded to float32 once.
// Bits do not depend on the number of processors. Negative weights are allowed (differences of
// models), a sum other than 1 is not. dst is called from the calling goroutine, once per tensor,
// and returns where its average goes. Errors count models from 1, in the order of files. On error
// some of dst's slices may have been filled.
func Average(files []*File, weights []float64, dst func(name string, shape []int) []float32) error {
	if err := checkWeights(len(files), weights); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	if err := checkAgreement(files); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	past := len(files[0].data) >= pastCaches
	sources := make([][]float32, len(files))
	for _, name := range files[0].names {
		shape := files[0].entries[name].shape
		out := dst(name, slices.Clone(shape))
		for k, f := range files {
			sources[k] = f.floats(f.entries[name])
		}
		if len(out) != len(sources[0]) {
			return fmt.Errorf("merge: tensor %s: destination of %d elements, shape %v has %d", name, len(out), shape, len(sources[0]))
		}
		average(out, sources, weights, past)
	}
	return nil
}

// WriteAverage writes, as Write does, the parameter average that Average computes, and meta. It
// holds averagePiece elements at a time, however large the models and however many.
func WriteAverage(path string, files []*File, weights []float64, meta map[string]string) error {
	if err := checkWeights(len(files), weights); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	if err := checkAgreement(files); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	tensors := make([]Tensor, len(files[0].names))
	for i, name := range files[0].names {
		tensors[i] = Tensor{Name: name, Shape: files[0].entries[name].shape}
	}
	return create(path, tensors, meta, func(w *dataWriter) error {
		var piece []float32
		sources, parts := make([][]float32, len(files)), make([][]float32, len(files))
		for _, t := range tensors {
			for k, f := range files {
				sources[k] = f.floats(f.entries[t.Name])
			}
			for from, size := 0, len(sources[0]); from < size; from += averagePiece {
				n := min(averagePiece, size-from)
				if cap(piece) < n {
					piece = make([]float32, n)
				}
				for k, x := range sources {
					parts[k] = x[from : from+n]
				}
				average(piece[:n], parts, weights, false)
				if err := w.write(piece[:n]); err != nil {
					return fmt.Errorf("write checkpoint: tensor %s: %w", t.Name, err)
				}
			}
		}
		return nil
	})
}

func checkWeights(files int, weights []float64) error {
	if files == 0 || files != len(weights) {
		return fmt.Errorf("%d models and %d weights, want as many, and at least one", files, len(weights))
	}
	sum := 0.0
	for k, w := range weights {
		if math.IsNaN(w) || math.IsInf(w, 0) {
			return fmt.Errorf("model %d: weight %v is not finite", k+1, w)
		}
		sum += w
	}
	// The negation also catches a sum that overflowed.
	if !(math.Abs(sum-1) <= weightTolerance) {
		return fmt.Errorf("weights sum to %v, want 1 within %g", sum, weightTolerance)
	}
	return nil
}

// checkAgreement compares names and shapes with the first file's; order does not matter.
func checkAgreement(files []*File) error {
	first := files[0]
	for k, f := range files[1:] {
		for _, name := range first.names {
			e, ok := f.entries[name]
			if !ok {
				return fmt.Errorf("model %d: tensor %s: missing, model 1 has it", k+2, name)
			}
			if want := first.entries[name].shape; !slices.Equal(e.shape, want) {
				return fmt.Errorf("model %d: tensor %s: shape %v, want %v", k+2, name, e.shape, want)
			}
		}
		for _, name := range f.names {
			if _, ok := first.entries[name]; !ok {
				return fmt.Errorf("model %d: tensor %s: model 1 does not have it", k+2, name)
			}
		}
	}
	return nil
}

// average fills dst chunk by chunk. Workers take chunks as they come; which one computes an element
// does not matter.
func average(dst []float32, sources [][]float32, weights []float64, past bool) {
	chunks := (len(dst) + averageChunk - 1) / averageChunk
	workers := min(runtime.GOMAXPROCS(0), chunks)
	var next atomic.Int64
	work := func() {
		parts := make([][]float32, len(sources))
		for {
			c := int(next.Add(1)) - 1
			if c >= chunks {
				return
			}
			from, to := c*averageChunk, min((c+1)*averageChunk, len(dst))
			for k, x := range sources {
				parts[k] = x[from:to]
			}
			bulk.Sum(dst[from:to], parts, weights, past)
		}
	}
	// A page of a mapped file that cannot be read is a panic of the caller, whichever worker met
	// it.
	var failed atomic.Pointer[any]
	var wait sync.WaitGroup
	for range workers - 1 {
		wait.Go(func() {
			debug.SetPanicOnFault(true)
			defer func() {
				if v := recover(); v != nil {
					next.Store(int64(chunks))
					failed.Store(&v)
				}
			}()
			work()
		})
	}
	if workers > 0 {
		func() {
			defer wait.Wait() // the others read what the caller may unmap
			work()
		}()
	}
	if v := failed.Load(); v != nil {
		panic(*v)
	}
}
