package arena

import (
	"testing"
	"unsafe"
)

func TestNew(t *testing.T) {
	const page = hugePage / 4 // float32s
	for _, n := range []int{0, 1, page - 1, page, 2*page - 1, 2 * page, 5*page + 7} {
		x := New(n)
		if len(x) != n {
			t.Fatalf("New(%d): %d elements", n, len(x))
		}
		for i, v := range x {
			if v != 0 {
				t.Fatalf("New(%d): element %d is %g, want 0", n, i, v)
			}
			x[i] = 1 // every element is there to be written
		}
	}
}

func TestHugePages(t *testing.T) {
	const page = hugePage / 4
	x := make([]float32, 6*page)
	first := int(-uintptr(unsafe.Pointer(&x[0]))%hugePage) / 4 // the first element on a page's edge
	for _, c := range []struct{ lo, hi, from, to int }{
		{first, first + page, first, first + page},
		{first, first + page - 1, 0, 0},
		{first + 1, first + page, 0, 0},
		{first + 1, first + 2*page, first + page, first + 2*page},
		{first + page - 1, first + 3*page + 5, first + page, first + 3*page},
		{first, first, 0, 0},
	} {
		b := hugePages(x[c.lo:c.hi])
		if len(b) != 4*(c.to-c.from) {
			t.Fatalf("elements %d to %d: %d bytes, want those of %d to %d", c.lo-first, c.hi-first, len(b), c.from-first, c.to-first)
		}
		if len(b) > 0 && unsafe.Pointer(&b[0]) != unsafe.Pointer(&x[c.from]) {
			t.Fatalf("elements %d to %d: the pages begin elsewhere than at %d", c.lo-first, c.hi-first, c.from-first)
		}
	}
}
