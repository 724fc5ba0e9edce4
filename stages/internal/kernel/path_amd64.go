package kernel

//go:generate go run ./generate/rows
//go:generate go run ./generate/tile
//go:generate go run ./generate/bf16

// Each function is described where the path type or the portable kernel names
// it; the assembly repeats the loop.

//go:noescape
func tiles8x48avx512(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool, panels, step int, ahead *float32, by int)

//go:noescape
func tiles8x32avx512(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool, panels, step int, ahead *float32, by int)

//go:noescape
func tiles8x16avx512(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool, panels, step int, ahead *float32, by int)

//go:noescape
func tiles6x16avx2(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool, tiles, step int, far *float32, farStep int)

//go:noescape
func tiles6x8avx2(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool, tiles, step int, far *float32, farStep int)

func fmaPeakAVX512(n int)

func fmaPeakAVX2(n int)

//go:noescape
func copy48avx512(dst, src *float32, ld, depth int)

//go:noescape
func copy32avx512(dst, src *float32, ld, depth int)

//go:noescape
func copy16avx(dst, src *float32, ld, depth int)

//go:noescape
func copy8avx(dst, src *float32, ld, depth int)

//go:noescape
func copyStrip8avx(dst, src *float32, ld, depth, panels, step int)

//go:noescape
func copyStrip6avx(dst, src *float32, ld, depth, panels, step int)

//go:noescape
func transpose8avx(dst *float32, width int, src *float32, ld, blocks int)

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

// turnHeadsVector serves AVX-512 too: eight channels are all that half a narrow
// head has, and the loop waits for memory with either.
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

func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

func xgetbv() (eax uint32)

var avx512Path = path{
	name:       "avx512",
	mr:         8,
	nr:         32,
	blocks:     blocking{768 * 288, 768, 512}, // 864 KB, of an L2 of 1 MB or more
	tiles:      tiles8x32avx512,
	wide:       tiles8x48avx512,
	half:       tiles8x16avx512,
	peak:       fmaPeakAVX512,
	copyPanel:  copy32avx512,
	copyWide:   copy48avx512,
	copyHalf:   copy16avx,
	copyStrip:  copyStrip8avx,
	transpose8: transpose8avx,
	bf16:       avx512BF16,
	scores:     &scoreLoops{softmaxRowsAVX512, scoreGradRowsAVX512, scaleRowsAVX512, dotRowsAVX512},
	rowLoops:   loopsAVX512,
}

var avx2Path = path{
	name:       "avx2",
	mr:         6,
	nr:         16,
	blocks:     blocking{256 * 512, 256, 256},
	down:       tiles6x16avx2,
	halfDown:   tiles6x8avx2,
	peak:       fmaPeakAVX2,
	copyPanel:  copy16avx,
	copyHalf:   copy8avx,
	copyStrip:  copyStrip6avx,
	transpose8: transpose8avx,
	bf16:       avx2BF16,
	scores:     &scoreLoops{softmaxRowsAVX2, scoreGradRowsAVX2, scaleRowsAVX2, dotRowsAVX2},
	rowLoops:   loopsAVX2,
}

// paths lists what this machine can run, best first.
func paths() []*path {
	avx2, avx512 := detect()
	var list []*path
	if avx512 {
		list = append(list, &avx512Path)
	}
	if avx2 {
		list = append(list, &avx2Path)
	}
	return append(list, &portablePath)
}

// detect asks the processor, and the operating system (XCR0) whether it saves
// the wide registers. Bits: Intel SDM volume 2, CPUID; volume 1, section 14.3.
func detect() (avx2, avx512 bool) {
	const (
		fma, osxsave, avx  = 1 << 12, 1 << 27, 1 << 28 // leaf 1, ecx
		avx2Bit            = 1 << 5                    // leaf 7, ebx
		avx512F, avx512DQ  = 1 << 16, 1 << 17
		avx512BW, avx512VL = 1 << 30, 1 << 31
		ymmState, zmmState = 0x6, 0xe6 // XCR0
	)
	has := func(r, bits uint32) bool { return r&bits == bits }
	last, _, _, _ := cpuid(0, 0)
	if last < 7 {
		return false, false
	}
	_, _, c1, _ := cpuid(1, 0)
	if !has(c1, fma|osxsave|avx) {
		return false, false
	}
	_, b7, _, _ := cpuid(7, 0)
	state := xgetbv()
	avx2 = has(state, ymmState) && has(b7, avx2Bit)
	avx512 = avx2 && has(state, zmmState) && has(b7, avx512F|avx512DQ|avx512BW|avx512VL)
	return avx2, avx512
}
