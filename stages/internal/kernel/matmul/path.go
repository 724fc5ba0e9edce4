// Package matmul multiplies matrices: in float32 (Gemm) and with operands rounded to bf16
// (GemmBF16), by microkernels over packed panels, on several workers, always with the same bits.
// Attention multiplies blocks of its own by Pack, Block and CausalBlock.
//
// Files: gemm.go and gemm_shared.go divide a product, panel.go packs B and goes over the tiles of
// C, strip.go and down.go hand out A, tile.go is the microkernel in Go; bf16.go, pack_bf16.go and
// gemm_bf16.go are the same for bf16. Assembly stands beside its declarations.
package matmul

import "ablate/stages/internal/kernel/pool"

// Path is one implementation of the inner loops.
type Path struct {
	mr, nr      int // rows and columns of a tile of C
	blocks      blocking
	tiles, half tilesFunc // panels nr and nr/2 wide
	wide        tilesFunc // panels 3 nr/2 wide; nil: not worth it

	down, halfDown tilesDownFunc // instead of tiles and half; nil: those

	peak func(n int) // n turns of multiply-adds on registers alone; nil: none

	// copyPanel copies nr columns of depth rows, ld apart, to a panel, copyHalf nr/2 to a half,
	// copyWide 3 nr/2 to a wide one; nil: Go.
	copyPanel, copyHalf, copyWide func(dst, src *float32, ld, depth int)
	// copyStrip copies mr columns of depth rows, ld apart, to each of so many panels with rows of
	// mr, step floats apart; nil: not worth it.
	copyStrip func(dst, src *float32, ld, depth, panels, step int)
	// transpose8 writes 8 rows of 8*blocks columns, ld apart, as columns of a panel with rows of
	// width; nil: Go.
	transpose8 func(dst *float32, width int, src *float32, ld, blocks int)

	BF16 func() []*BF16Path // of GemmBF16, the fastest first
}

// Portable is in Go.
var Portable = Path{
	mr:     portableRows,
	nr:     portableCols,
	blocks: blocking{256 * 512, 256, 256},
	tiles:  panelwise(portableCols, tileGo),
	half:   panelwise(portableCols/2, tileGo),
	BF16:   goBF16,
}

// Multiplier multiplies on the workers of a pool, with scratch memory of its own.
type Multiplier struct {
	pool *pool.Pool
	k    *Path
	work []Scratch // of each worker

	gemm                   gemmCall
	shared                 []float32           // B, packed for all workers
	gemmPack, gemmMultiply func(worker, i int) // bound once, so that Gemm allocates nothing
	bf16                   bf16State
}

// Scratch is what one worker may scribble on.
type Scratch struct {
	packA []float32        // one panel of A, where it needs a copy
	packB []float32        // packed block of B
	edge  [maxTile]float32 // one tile of C, for the edges
	bf16  bf16Scratch
	_     [64]byte
}

// New makes a multiplier; it keeps no goroutine.
func New(p *pool.Pool, k *Path) *Multiplier {
	x := &Multiplier{pool: p, k: k, work: make([]Scratch, p.Threads())}
	x.gemmPack, x.gemmMultiply = x.packTask, x.multiplyTask
	x.bf16 = bf16State{path: k.BF16()[0], pack: x.bf16Pack, multiply: x.bf16Multiply}
	return x
}

// Scratch is the memory of one worker.
func (x *Multiplier) Scratch(worker int) *Scratch { return &x.work[worker] }

// SetBF16 chooses one of the path's implementations of GemmBF16. No result depends on it.
func (x *Multiplier) SetBF16(h *BF16Path) { x.bf16.path = h }
