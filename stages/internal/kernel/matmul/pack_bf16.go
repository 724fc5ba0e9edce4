package matmul

import (
	"unsafe"

	"ablate/stages/internal/kernel/arena"
	"ablate/stages/internal/kernel/scalar"
)

// bf16Operand is A' of a GemmBF16, or the transpose of B': rows to be packed as panels of width
// rows, word after word. Element (r, l) is src[r*rs+l*cs].
type bf16Operand struct {
	src         []float32
	rs, cs      int
	rows, depth int // depth in steps of k
	width       int
	pad         uint32 // what completes the pairs of an odd depth
}

// newBF16Operand is rows [first, first+rows) of a matrix with rows of depth elements, stored ld
// apart, or its transpose.
func newBF16Operand(src []float32, ld int, transposed bool, first, rows, depth, width int, pad uint32) bf16Operand {
	o := bf16Operand{src: src[first*ld:], rs: ld, cs: 1, rows: rows, depth: depth, width: width, pad: pad}
	if transposed {
		o.src, o.rs, o.cs = src[first:], 1, ld
	}
	return o
}

func (o *bf16Operand) panels() int { return (o.rows + o.width - 1) / o.width }

// part is some rows of the operand and some steps of their depth.
func (o *bf16Operand) part(row, rows, step, steps int) bf16Operand {
	q := *o
	q.src, q.rows, q.depth = o.src[row*o.rs+step*o.cs:], rows, steps
	return q
}

// pack fills dst with panels.
func (o *bf16Operand) pack(h *BF16Path, w *Scratch, dst []uint32) {
	words := h.words(o.depth)
	r := 0
	if o.rs == 1 && h.cols != nil && o.depth%h.steps() == 0 {
		r = o.packColumns(h, dst)
	}
	for ; r < o.rows; r += o.width {
		o.packPanel(h, w, dst[r*words:(r+o.width)*words], o.src[r*o.rs:], min(o.width, o.rows-r))
	}
}

// packColumns packs the whole panels of an operand that lies by columns, and returns how many rows
// they have.
func (o *bf16Operand) packColumns(h *BF16Path, dst []uint32) int {
	const together = 256 // rows, 1 KB of each step
	words, whole := h.words(o.depth), o.rows/o.width*o.width
	for r := 0; r < whole; r += together {
		rows := min(together, whole-r)
		_ = o.src[(o.depth-1)*o.cs+r+rows-1]
		h.cols(&dst[r*words], &o.src[r], o.cs, words, o.width, rows/o.width)
	}
	return whole
}

// packPanel packs rows <= width rows; the others become 0.
func (o *bf16Operand) packPanel(h *BF16Path, w *Scratch, panel []uint32, src []float32, rows int) {
	whole := o.depth / h.steps() // words without padding
	switch {
	case o.rs == 1 && rows == o.width && h.cols != nil && whole > 0:
		_ = src[(whole*h.steps()-1)*o.cs+rows-1]
		h.cols(&panel[0], &src[0], o.cs, whole, o.width, 1)
	case o.cs == 1 && h.row != nil && whole >= 8:
		whole &^= 7
		o.packAcross(h, w, panel, src, rows, whole)
	default:
		whole = 0
	}
	o.packWords(h, panel, src, rows, whole)
}

// packAcross packs the first words words of each row, eight rows at a time: rounded along the row,
// then turned.
func (o *bf16Operand) packAcross(h *BF16Path, w *Scratch, panel []uint32, src []float32, rows, words int) {
	const most = 256 // eight such rows are 8 KB of L1
	w.bf16.rows = arena.Grow(w.bf16.rows, 8*most)
	t := w.bf16.rows
	for r := 0; r < o.width; r += 8 {
		for l := 0; l < words; l += most {
			n := min(most, words-l)
			for i := range 8 {
				if r+i >= rows {
					clear(t[i*most : i*most+n])
					continue
				}
				row := src[(r+i)*o.rs+l*h.steps():]
				_ = row[n*h.steps()-1]
				h.row(&t[i*most], &row[0], n, 8*o.rs)
			}
			to := panel[l*o.width+r:]
			_ = to[(n-1)*o.width+7]
			h.transpose8((*float32)(unsafe.Pointer(&to[0])), o.width, (*float32)(unsafe.Pointer(&t[0])), most, n/8)
		}
	}
}

// packWords packs the words from first on.
func (o *bf16Operand) packWords(h *BF16Path, panel []uint32, src []float32, rows, first int) {
	for l := first; l < h.words(o.depth); l++ {
		to := panel[l*o.width : (l+1)*o.width]
		for r := range rows {
			at := r*o.rs + l*h.steps()*o.cs
			to[r] = uint32(scalar.RoundBF16(src[at])) << 16
			switch {
			case !h.pairs:
			case 2*l+1 < o.depth:
				to[r] |= uint32(scalar.RoundBF16(src[at+o.cs]))
			default:
				to[r] |= o.pad
			}
		}
		clear(to[rows:])
	}
}
