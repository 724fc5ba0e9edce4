// Package arena is where kernels get their arrays from: huge pages where the system has them, and
// scratch memory that is used again.
package arena

import "unsafe"

// hugePage is the size of the pages that New asks for.
const hugePage = 2 << 20

// New returns n zeros for arrays of many megabytes. It asks the system for huge pages, and takes
// what it gets: matrix products walk down columns, each row of which lies on another page of 4 KB,
// so that the processor's table of pages is soon too small; and memory touched for the first time
// comes 2 MB at a time instead of 4 KB.
func New(n int) []float32 {
	x := make([]float32, n)
	if inside := hugePages(x); len(inside) > 0 {
		adviseHuge(inside)
	}
	return x
}

// GrowHuge is Grow for what is read again and again from L2. Within one huge page its parts do not
// meet in the same sets by chance, as they do in pages of 4 KB that lie anywhere (Zen 4, 2048 x
// 3072 x 768: 1.13 times as fast). Less than half a megabyte gains nothing.
func GrowHuge(b []float32, n int) []float32 {
	const page = hugePage / 4
	if cap(b) >= n || n < page/4 {
		return Grow(b, n)
	}
	size := (n + page - 1) / page * page
	x := New(size + page)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(x)))%hugePage) / 4
	return x[skip : skip+n : skip+size]
}

// hugePages is the part of x that fills whole pages of hugePage bytes, as bytes.
func hugePages(x []float32) []byte {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(x)))
	skip := -start % hugePage
	size := 4 * uintptr(len(x))
	if size < skip+hugePage {
		return nil
	}
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), size)
	return bytes[skip : skip+(size-skip)/hugePage*hugePage]
}

// Grow returns a slice of n elements, b's memory if it is large enough.
func Grow[E any](b []E, n int) []E {
	if cap(b) < n {
		return make([]E, n)
	}
	return b[:n]
}
