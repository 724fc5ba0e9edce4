package checkpoint

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// A worker takes this many elements of a tensor at a time: 512 KiB of each model. Long stretches of one file at a
	// time were faster than sums that stay in the first-level cache (14.9 against 12.4 GB/s read, 4 models).
	averageChunk = 128 << 10

	// Weights such as 1/3 cannot sum to 1 exactly; a mistake is larger than this.
	weightTolerance = 1e-9
)

// Average computes the parameter average sum_k weights[k] * files[k], tensor by tensor in the order of the first file:
//
//	dst(name, shape)[i] = float32(w_0*x_0[i] + w_1*x_1[i] + ...)
//
// in float64, from left to right, each product and each sum rounded, then rounded to float32 once. Bits do not depend
// on the number of processors. Negative weights are allowed (differences of models), a sum other than 1 is not.
// dst is called from the calling goroutine, once per tensor, and returns where its average goes. Errors count models
// from 1, in the order of files. On error some of dst's slices may have been filled.
func Average(files []*File, weights []float64, dst func(name string, shape []int) []float32) error {
	if err := checkWeights(len(files), weights); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	if err := checkAgreement(files); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
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
		average(out, sources, weights)
	}
	return nil
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

// average fills dst chunk by chunk. Workers take chunks as they come; which one computes an element does not matter.
func average(dst []float32, sources [][]float32, weights []float64) {
	chunks := (len(dst) + averageChunk - 1) / averageChunk
	workers := min(runtime.GOMAXPROCS(0), chunks)
	var next atomic.Int64
	work := func() {
		sums := make([]float64, min(averageChunk, len(dst)))
		for {
			c := int(next.Add(1)) - 1
			if c >= chunks {
				return
			}
			from, to := c*averageChunk, min((c+1)*averageChunk, len(dst))
			averageRange(dst[from:to], sources, from, weights, sums)
		}
	}
	var wait sync.WaitGroup
	for range workers - 1 {
		wait.Go(work)
	}
	if workers > 0 {
		work()
	}
	wait.Wait()
}

// averageRange computes dst[i] = sum_k weights[k]*sources[k][from+i]. The first product is stored, not added to zero,
// so that one model with weight 1 keeps its negative zeros.
func averageRange(dst []float32, sources [][]float32, from int, weights, sums []float64) {
	sums = sums[:len(dst)]
	for i, x := range sources[0][from : from+len(dst)] {
		sums[i] = weights[0] * float64(x)
	}
	for k, source := range sources[1:] {
		addScaled(sums, source[from:from+len(dst)], weights[k+1])
	}
	for i, s := range sums {
		dst[i] = float32(s)
	}
}

// addScaled adds w*x[i] to sums[i]; the slices are equally long. The explicit conversions forbid a fused
// multiply-add, which some machines would use and others not. Four at a time through array pointers leaves one check
// of bounds for four numbers: 1.2 times the plain loop. Taking four models at a time was no faster than that loop.
func addScaled(sums []float64, x []float32, w float64) {
	for len(sums) >= 4 && len(x) >= 4 {
		s, y := (*[4]float64)(sums), (*[4]float32)(x)
		s[0] += float64(w * float64(y[0]))
		s[1] += float64(w * float64(y[1]))
		s[2] += float64(w * float64(y[2]))
		s[3] += float64(w * float64(y[3]))
		sums, x = sums[4:], x[4:]
	}
	for i, y := range x {
		sums[i] += float64(w * float64(y))
	}
}
