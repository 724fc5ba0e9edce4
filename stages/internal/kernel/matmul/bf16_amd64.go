package matmul

import (
	"math"
	"sync"

	"ablate/stages/internal/kernel/processor"
	"ablate/stages/internal/kernel/scalar"
)

//go:noescape
func bf16TileAVX512(depth int, a, b *uint32, c *float32, ldc int, load bool)

//go:noescape
func bf16DotAVX512(depth int, a, b *uint32, c *float32, ldc int, load bool)

//go:noescape
func bf16TileAVX2(depth int, a, b *uint32, c *float32, ldc int, load bool)

func bf16PeakDot(n int)

//go:noescape
func bf16RoundCols(dst *uint32, src *float32, ld, depth, width, panels int)

//go:noescape
func bf16RoundRow(dst *uint32, src *float32, n, ahead int)

//go:noescape
func bf16PairCols(dst *uint32, src *float32, ld, depth, width, panels int)

//go:noescape
func bf16PairRow(dst *uint32, src *float32, n, ahead int)

var (
	bf16AVX512 = BF16Path{"FMA", 8, 32, false, nil, bf16TileAVX512, bf16RoundCols, bf16RoundRow, transpose8avx}
	bf16Dot    = BF16Path{"VDPBF16PS", 8, 32, true, bf16PeakDot, bf16DotAVX512, bf16PairCols, bf16PairRow, transpose8avx}
	bf16AVX2   = BF16Path{"FMA", 8, 16, false, nil, bf16TileAVX2, bf16RoundCols, bf16RoundRow, transpose8avx}
)

func avx2BF16() []*BF16Path { return []*BF16Path{&bf16AVX2} }

// avx512BF16 lists what AVX-512 offers, the fastest first. The instruction for bf16 is no faster by
// itself: Zen 4 does as many VDPBF16PS as VFMADD231PS in the same time, and so twice the products;
// Intel's Emerald Rapids (family 6, model 207) does a quarter as many, half the products. So only
// AMD's processors use it, and only if they are seen to compute as its definition says.
var avx512BF16 = sync.OnceValue(func() []*BF16Path {
	_, vendor, _, _ := processor.CPUID(0, 0)
	leaves, _, _, _ := processor.CPUID(7, 0) // the last subleaf
	if leaves < 1 {
		return []*BF16Path{&bf16AVX512}
	}
	const (
		bf16Bit = 1 << 5     // leaf 7, subleaf 1, eax
		amd     = 0x68747541 // "Auth", the first of AuthenticAMD
	)
	bits, _, _, _ := processor.CPUID(7, 1)
	switch {
	case bits&bf16Bit == 0 || !dotsInOrder():
		return []*BF16Path{&bf16AVX512}
	case vendor == amd:
		return []*BF16Path{&bf16Dot, &bf16AVX512}
	}
	return []*BF16Path{&bf16AVX512, &bf16Dot}
})

// dotsInOrder runs VDPBF16PS where another order, another rounding or denormals kept would show,
// and compares it with flushingFMA.
func dotsInOrder() bool {
	specials := []uint32{0x0000, 0x8000, 0x3f80, 0xbf80, 0x3f81, 0xbfff, 0x0001, 0x807f, 0x0080, 0x1f80, 0x9fff, 0x2000, 0x7f7f, 0xff7f, 0x7f80, 0x4b80}
	sums := []uint32{0, 1 << 31, 0x33800000, 0xb3ffffff, 0x3f7fffff, 0x00800000, 0x80800000, 0x807fffff, 0x00ffffff, 0x7f7fffff, 0xff800000, 0x4b7fffff}
	var a [8]uint32
	var b [32]uint32
	var c, want [8 * 32]float32
	n := len(specials)
	for round := range n * n { // every pair of specials, as both products of a pair
		for i := range a {
			a[i] = specials[round%n]<<16 | specials[round/n]
		}
		for j := range b {
			b[j] = specials[(j+round)%n]<<16 | specials[(j/2+3*round)%n]
		}
		for i := range c {
			c[i] = math.Float32frombits(sums[(i+round)%len(sums)])
			x, y := a[i/32], b[i%32]
			s := scalar.FlushingFMA(high(x), high(y), scalar.Flush(c[i]))
			want[i] = scalar.FlushingFMA(low(x), low(y), s)
		}
		bf16DotAVX512(1, &a[0], &b[0], &c[0], 32, true)
		for i, x := range c {
			if math.Float32bits(x) != math.Float32bits(want[i]) && (x == x || want[i] == want[i]) {
				return false
			}
		}
	}
	return true
}

func high(pair uint32) float32 { return scalar.Flush(scalar.WidenBF16(uint16(pair >> 16))) }
func low(pair uint32) float32  { return scalar.Flush(scalar.WidenBF16(uint16(pair))) }
