package matmul

// BF16Path is one implementation of the inner loops of GemmBF16. A panel holds words of 32 bits: a
// step of k each, as a float32, or two steps as a pair of bf16, the first in the upper half.
type BF16Path struct {
	Name   string
	mr, nr int
	pairs  bool
	Peak   func(n int) // n times 12 vectors of pairs on registers alone; nil: the peak is that of Gemm

	// tile is the microkernel, depth words deep; panels have rows of mr and nr words.
	//
	//	for i < mr, j < nr:
	//		s = c[i*ldc+j] if load, else 0
	//		for l < depth: for each step of a word: s = step(a[l*mr+i], b[l*nr+j], s)
	//		c[i*ldc+j] = s
	tile func(depth int, a, b *uint32, c *float32, ldc int, load bool)

	// cols rounds and packs depth words of panels of width columns, width a multiple of 8, from
	// rows ld apart; row packs n words, a multiple of 8, of one row; transpose8 is the path's. Nil:
	// Go.
	cols       func(dst *uint32, src *float32, ld, depth, width, panels int)
	row        func(dst *uint32, src *float32, n, ahead int)
	transpose8 func(dst *float32, width int, src *float32, ld, blocks int)
}

// bf16Go serves every path without assembly of its own.
var bf16Go = BF16Path{Name: "Go", mr: portableRows, nr: portableCols, tile: bf16TileGo}

func goBF16() []*BF16Path { return []*BF16Path{&bf16Go} }

func (h *BF16Path) steps() int {
	if h.pairs {
		return 2
	}
	return 1
}

// words is how many words hold k steps.
func (h *BF16Path) words(k int) int { return (k + h.steps() - 1) / h.steps() }
