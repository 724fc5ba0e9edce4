package matmul

//go:generate go run ../generate/tile
//go:generate go run ../generate/bf16

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

func fmaPeakAVX512(n int)

func fmaPeakAVX2(n int)

// AVX512 is for processors with AVX-512.
var AVX512 = Path{
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
	BF16:       avx512BF16,
}

// AVX2 is for processors with AVX2 and FMA.
var AVX2 = Path{
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
	BF16:       avx2BF16,
}
