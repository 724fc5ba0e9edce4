package matmul

// peakChains is that of generate/tile; a vector is half a panel on both paths that have a peak
// loop.
const peakChains = 12

// PeakLoop is f, of so many multiply-adds: as fast as one core can, on registers alone. Go has no
// such loop: there it is the microkernel. It is what speeds are measured against.
func (k *Path) PeakLoop() (fma int, f func()) {
	if k.peak != nil {
		const turns = 4096
		return turns * peakChains * k.nr / 2, func() { k.peak(turns) }
	}
	const depth = 128
	x, y, c := make([]float32, k.mr*depth), make([]float32, k.nr*depth), make([]float32, k.mr*k.nr)
	return k.mr * k.nr * depth, func() { k.tiles(depth, &x[0], 1, k.mr, &y[0], &c[0], k.nr, true, 1, 0, &x[0], 0) }
}

// TileLoop is f, of so many multiply-adds: the microkernel on operands in L1.
func (k *Path) TileLoop() (fma int, f func()) {
	const depth = 256
	x, y, c := make([]float32, k.mr*depth), make([]float32, k.nr*depth), make([]float32, k.mr*k.nr)
	return k.mr * k.nr * depth, func() {
		if k.down != nil {
			k.down(depth, &x[0], 1, k.mr, &y[0], &c[0], k.nr, true, 1, 0, &x[0], 0)
		} else {
			k.tiles(depth, &x[0], 1, k.mr, &y[0], &c[0], k.nr, true, 1, 0, &x[0], 0)
		}
	}
}
