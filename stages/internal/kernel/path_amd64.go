package kernel

import (
	"ablate/stages/internal/kernel/matmul"
	"ablate/stages/internal/kernel/processor"
)

//go:generate go run ./generate/rows

// Each function is described where the path type or the portable kernel names it; the assembly
// repeats the loop.

//go:noescape
func softmaxRowsAVX512(s *float32, ld, rows, first, limit int, peaks, sums *float32, a float32)

//go:noescape
func scoreGradRowsAVX512(s, d *float32, ld, rows, first, limit int, lse, delta *float32, a float32)

//go:noescape
func scaleRowsAVX512(x *float32, ld, rows, n int, by *float32)

//go:noescape
func dotRowsAVX512(out, x, y *float32, ld, rows, n int)

//go:noescape
func softmaxRowsAVX2(s *float32, ld, rows, first, limit int, peaks, sums *float32, a float32)

//go:noescape
func scoreGradRowsAVX2(s, d *float32, ld, rows, first, limit int, lse, delta *float32, a float32)

//go:noescape
func scaleRowsAVX2(x *float32, ld, rows, n int, by *float32)

//go:noescape
func dotRowsAVX2(out, x, y *float32, ld, rows, n int)

//go:noescape
func turnHeadsAVX(x *float32, heads, half int, cos, sin *float32)

//go:noescape
func turnHeadsBackAVX(x *float32, heads, half int, cos, sin *float32)

// turnHeadsVector serves AVX-512 too: eight channels are all that half a narrow head has, and the
// loop waits for memory with either.
func turnHeadsVector(x, cos, sin []float32, inverse bool) {
	half := len(cos)
	if half == 0 || half%8 != 0 || len(x) == 0 {
		turnHeads(x, cos, sin, inverse)
		return
	}
	_ = sin[half-1]
	if inverse {
		turnHeadsBackAVX(&x[0], len(x)/(2*half), half, &cos[0], &sin[0])
	} else {
		turnHeadsAVX(&x[0], len(x)/(2*half), half, &cos[0], &sin[0])
	}
}

var avx512Path = path{
	name:     "avx512",
	Path:     &matmul.AVX512,
	scores:   &scoreLoops{softmaxRowsAVX512, scoreGradRowsAVX512, scaleRowsAVX512, dotRowsAVX512},
	rowLoops: loopsAVX512,
}

var avx2Path = path{
	name:     "avx2",
	Path:     &matmul.AVX2,
	scores:   &scoreLoops{softmaxRowsAVX2, scoreGradRowsAVX2, scaleRowsAVX2, dotRowsAVX2},
	rowLoops: loopsAVX2,
}

// paths lists what this machine can run, best first.
func paths() []*path {
	avx2, avx512 := processor.Vectors()
	var list []*path
	if avx512 {
		list = append(list, &avx512Path)
	}
	if avx2 {
		list = append(list, &avx2Path)
	}
	return append(list, &portablePath)
}
