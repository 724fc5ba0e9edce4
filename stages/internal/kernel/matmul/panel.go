package matmul

// A block of B is packed as panels, the columns that one microkernel takes at a time: row after
// row, one panel after the other, so that the microkernel reads it front to back. Panels are nr
// wide, the last one nr/2 if that holds it. Where the path has a wide microkernel and all of a
// block is used at once, the first panels are wide.

// maxTile is the largest microtile of any path, in floats.
const maxTile = 8 * 48

// PackedSize is the length of a packed B of n columns and depth rows.
func (k *Path) PackedSize(n, depth int) int {
	return (n + k.nr - 1) / k.nr * k.nr * depth
}

// wideColumns is how many of n columns go to wide panels: as many as leave no panel of nr/2 behind,
// which is the slowest.
func (k *Path) wideColumns(n int) int {
	if k.wide == nil {
		return 0
	}
	halves := n / (k.nr / 2)
	panels := halves / 3
	if halves%3 == 1 {
		panels--
	}
	return max(panels, 0) * k.wideWidth()
}

func (k *Path) wideWidth() int { return 3 * k.nr / 2 }

// columnUnit is what the columns of blocks are multiples of, if there are several: whole panels of
// both widths.
func (k *Path) columnUnit() int {
	if k.wide == nil {
		return k.nr
	}
	return 3 * k.nr
}

// width is the row length of the panel with the first of so many columns, of which the first wide
// go to wide panels.
func (k *Path) width(cols, wide int) int {
	switch {
	case wide > 0:
		return k.wideWidth()
	case cols <= k.nr/2:
		return k.nr / 2
	}
	return k.nr
}

// tilesOf is the microkernel for panels of the width.
func (k *Path) tilesOf(width int) tilesFunc {
	switch width {
	case k.nr:
		return k.tiles
	case k.nr / 2:
		return k.half
	}
	return k.wide
}

// Pack is packPanels without wide panels.
func (k *Path) Pack(dst, b []float32, ldb int, transB bool, n, depth int) {
	k.packPanels(dst, b, ldb, transB, n, depth, 0)
}

// packPanels stores B' (depth x n) as panels. Missing columns of the last are 0. ldb is the
// distance of rows of B as stored.
func (k *Path) packPanels(dst, b []float32, ldb int, transB bool, n, depth, wide int) {
	for j := 0; j < n; {
		width := k.width(n-j, wide-j)
		cols := min(width, n-j)
		if transB {
			k.packTransposed(dst[:width*depth], b[j*ldb:], ldb, cols, depth, width)
		} else {
			k.packRows(dst[:width*depth], b[j:], ldb, cols, depth, width)
		}
		dst = dst[width*depth:]
		j += width
	}
}

func (k *Path) packRows(dst, b []float32, ldb, cols, depth, width int) {
	if cols == width && k.copyPanel != nil {
		_ = b[(depth-1)*ldb+cols-1]
		copyColumns := k.copyPanel
		switch width {
		case k.nr / 2:
			copyColumns = k.copyHalf
		case k.wideWidth():
			copyColumns = k.copyWide
		}
		copyColumns(&dst[0], &b[0], ldb, depth)
		return
	}
	for l := range depth {
		row := dst[l*width : (l+1)*width]
		clear(row[copy(row, b[l*ldb:l*ldb+cols]):])
	}
}

// packTransposed stores cols rows of b, depth long, as columns of rows of width.
func (k *Path) packTransposed(dst, b []float32, ldb, cols, depth, width int) {
	j := 0
	whole := 0
	if k.transpose8 != nil {
		whole = depth &^ 7
		for ; j+8 <= cols && whole > 0; j += 8 {
			_ = b[(j+7)*ldb+depth-1]
			k.transpose8(&dst[j], width, &b[j*ldb], ldb, whole/8)
			for jj := j; jj < j+8; jj++ {
				for l := whole; l < depth; l++ {
					dst[l*width+jj] = b[jj*ldb+l]
				}
			}
		}
	}
	for ; j < cols; j++ {
		for l, v := range b[j*ldb : j*ldb+depth] {
			dst[l*width+j] = v
		}
	}
	for ; j < width; j++ {
		for l := range depth {
			dst[l*width+j] = 0
		}
	}
}

// Block is multiply without wide panels.
func (k *Path) Block(w *Scratch, m, n, depth int, a []float32, ars, acs int, packed []float32, packedDepth int, load bool, c []float32, ldc int) {
	k.multiply(w, m, n, depth, a, ars, acs, packed, packedDepth, 0, load, c, ldc)
}

// CausalBlock is block without load, of which row i needs the columns up to number last+i alone;
// what the others get is not said.
func (k *Path) CausalBlock(w *Scratch, m, n, depth int, a []float32, ars, acs int, packed []float32, packedDepth int, c []float32, ldc, last int) {
	if k.down != nil {
		k.multiplyDown(w, m, n, depth, a, ars, acs, packed, packedDepth, false, c, ldc, last)
		return
	}
	k.Block(w, m, n, depth, a, ars, acs, packed, packedDepth, false, c, ldc)
}

// multiply multiplies m rows of A with the first depth of packedDepth rows of a packed block of B,
// and its first n columns, where n fills whole panels unless it is all of them. Panels of A run
// outside, so that each is read from afar once and then from L1, while B streams from L2.
func (k *Path) multiply(w *Scratch, m, n, depth int, a []float32, ars, acs int, packed []float32, packedDepth, wide int, load bool, c []float32, ldc int) {
	if k.down != nil {
		k.multiplyDown(w, m, n, depth, a, ars, acs, packed, packedDepth, load, c, ldc, n)
		return
	}
	strip := k.stripOf(w, m, n, depth, a, ars, acs)
	for i := 0; i < m; i += k.mr {
		rows := min(k.mr, m-i)
		ap, rs, cs := strip.rows(i)
		ahead, by := strip.ahead(i)
		for j := 0; j < n; {
			width := k.width(n-j, wide-j)
			cols, panels := min(width, n-j), 1
			switch tiles, ct, panel := k.tilesOf(width), c[i*ldc+j:], packed[j*packedDepth:]; {
			case rows < k.mr || cols < width:
				k.edge(w, tiles, width, rows, cols, depth, ap, rs, cs, panel, load, ct, ldc)
			default:
				if j < wide {
					panels = (wide - j) / width
				} else {
					panels = (n - j) / width
				}
				step := width * packedDepth
				_, _ = ct[(rows-1)*ldc+panels*width-1], panel[(panels-1)*step+width*depth-1]
				tiles(depth, &ap[0], rs, cs, &panel[0], &ct[0], ldc, load, panels, step, ahead, by)
			}
			j += panels * width
		}
	}
}

// edge computes a tile that sticks out of C, by way of a whole one.
func (k *Path) edge(w *Scratch, tiles tilesFunc, width, rows, cols, depth int, a []float32, rs, cs int, panel []float32, load bool, c []float32, ldc int) {
	k.throughTile(w, width, 0, rows, cols, load, c, ldc, func(t *float32) {
		tiles(depth, &a[0], rs, cs, &panel[0], t, width, load, 1, 0, &panel[0], 0)
	})
}

// throughTile calls f with a whole tile whose rows from first on hold what C has of them, and takes
// those back.
func (k *Path) throughTile(w *Scratch, width, first, rows, cols int, load bool, c []float32, ldc int, f func(t *float32)) {
	t := w.edge[:k.mr*width]
	if load {
		clear(t)
		for i := range rows {
			copy(t[(first+i)*width:(first+i)*width+cols], c[i*ldc:i*ldc+cols])
		}
	}
	f(&t[0])
	for i := range rows {
		copy(c[i*ldc:i*ldc+cols], t[(first+i)*width:(first+i)*width+cols])
	}
}

// tilesFunc is a microkernel: tiles of C, mr rows high and a panel of B wide, side by side, one for
// each of so many panels of B, which begin step floats apart.
//
//	for p < panels, i < mr, j < width:
//		s = c[i*ldc+p*width+j] if load, else 0
//		for l < depth: s = fma(a[i*rs+l*cs], b[p*step+l*width+j], s)
//		c[i*ldc+p*width+j] = s
//
// Strides are in floats, rs or cs is 1; depth and panels are at least 1. ahead is where the caller
// will go on in A: mr rows where cs is 1, else depth rows, by floats apart. It is asked for early,
// to be near when its turn comes, and may lie outside of A. Where cs is 1, by is rs unless that is
// nearRows.
type tilesFunc func(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool, panels, step int, ahead *float32, by int)
