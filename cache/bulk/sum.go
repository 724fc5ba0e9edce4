package bulk

import (
	"fmt"
	"sync"
	"unsafe"
)

const (
	// Together models are read abreast, each a stream of its own, which the processor's prefetcher
	// follows. Files are mapped at the beginning of a page, so that streams meet in one set of the
	// first-level cache: Zen 4's holds eight lines. More models take turns, by groups, at a stretch
	// whose sums stay in the second-level cache; it is long, since the prefetcher begins anew at
	// each turn. On Zen 4, 32 models reach 0.85 of the rate of 8; by stretches of 32 KiB of sums
	// 0.6, and all abreast 0.35.
	together = 8
	stretch  = 32 << 10 // elements, 256 KiB of sums

	line = 64 // bytes of a cache line
)

// Sum computes the weighted sum of as many sources as there are weights, at least one,
//
//	dst[i] = float32(w_0*x_0[i] + w_1*x_1[i] + ...)
//
// in float64 from left to right, each product and each sum rounded, then rounded to float32 once.
// The first product is stored, not added to zero, so that one source with weight 1 keeps its
// negative zeros. Sources are at least as long as dst. past says that dst is not read soon: it is
// then written past the caches, which saves reading it first.
//
// The sums of a block stay in registers while all sources pass, so that memory sees nothing but
// sources and dst.
func Sum(dst []float32, sources [][]float32, weights []float64, past bool) {
	for k, x := range sources {
		if len(sources) != len(weights) || len(x) < len(dst) {
			panic(fmt.Sprintf("bulk: source %d of %d with %d weights: %d numbers, want %d", k, len(sources), len(weights), len(x), len(dst)))
		}
	}
	p := selected()
	head := min(len(dst), toLine(dst))
	if p.sum == nil || len(dst)-head < p.block {
		sumGo(dst, sources, 0, weights)
		return
	}
	body := (len(dst) - head) / p.block * p.block
	sumGo(dst[:head], sources, 0, weights)
	p.sumBody(dst[head:head+body], sources, head, weights, past)
	sumGo(dst[head+body:], sources, head+body, weights)
}

// toLine is how many elements of x lie before the first that begins a cache line.
func toLine(x []float32) int {
	if len(x) == 0 {
		return 0
	}
	return int(-uintptr(unsafe.Pointer(&x[0]))%line) / 4
}

// spareSums hold what groups of models leave to the next: it is handed to assembly by a pointer, so
// the stack cannot hold it.
var spareSums = sync.Pool{New: func() any { return new([stretch]float64) }}

// sumBody is Sum over whole blocks, from the from-th element of the sources on.
func (p *path) sumBody(dst []float32, sources [][]float32, from int, weights []float64, past bool) {
	at := make([]*float32, len(sources))
	if len(sources) <= together {
		for k, x := range sources {
			at[k] = &x[from]
		}
		p.sum(&dst[0], nil, &at[0], &weights[0], len(at), len(dst), true, true, past)
		return
	}
	acc := spareSums.Get().(*[stretch]float64)
	defer spareSums.Put(acc)
	for lo := 0; lo < len(dst); lo += stretch {
		for k, x := range sources {
			at[k] = &x[from+lo]
		}
		n := min(stretch, len(dst)-lo)
		for k := 0; k < len(at); k += together {
			m := min(together, len(at)-k)
			p.sum(&dst[lo], &acc[0], &at[k], &weights[k], m, n, k == 0, k+m == len(at), past)
		}
	}
}

// sumGo is Sum with sources that begin at from. It goes by blocks whose sums stay in the nearest
// cache. The explicit conversions forbid a fused multiply-add, which some machines would use and
// others not.
func sumGo(dst []float32, sources [][]float32, from int, weights []float64) {
	var block [1024]float64
	for lo := 0; lo < len(dst); lo += len(block) {
		out := dst[lo:min(lo+len(block), len(dst))]
		sums := block[:len(out)]
		for i, x := range sources[0][from+lo:][:len(out)] {
			sums[i] = float64(weights[0] * float64(x))
		}
		for k, source := range sources[1:] {
			addScaled(sums, source[from+lo:][:len(out)], weights[k+1])
		}
		for i, s := range sums {
			out[i] = float32(s)
		}
	}
}

// addScaled adds w*x[i] to sums[i]; the slices are equally long. Four at a time through array
// pointers leaves one check of bounds for four numbers: 1.2 times the plain loop.
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
