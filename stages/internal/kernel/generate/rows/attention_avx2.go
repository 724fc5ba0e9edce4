package main

import (
	"fmt"
	"strings"
)

// Attention's loops over rows of scores for AVX2: what attention.go says of them holds, but a row
// is taken at a time. The processor begins the next while the chain of the last still runs; what is
// saved is a call a row, and the columns that the caller would have to mask.
//
// Registers: DI the row, R8 row distance (bytes), R10 rows left, DX its length, BX limit, AX
// columns before the last 16, CX column, R9 masks, Y12, Y13 the last 16 columns. Halves of 16
// columns have temporaries Y0-Y3 and Y4-Y7 and accumulators Y8 and Y9.

// columnMasks are 16 words of ones and 16 of zeros; 16 words from 16-n on are the mask of n
// columns.
const columnMasks = "columnMasks<>"

func attentionAVX2(consts *[]uint32) string {
	var data strings.Builder
	for i := range 16 {
		word := "0xffffffffffffffff"
		if i >= 8 {
			word = "0"
		}
		fmt.Fprintf(&data, "DATA %s+%d(SB)/8, $%s\n", columnMasks, 8*i, word)
	}
	fmt.Fprintf(&data, "GLOBL %s(SB), RODATA|NOPTR, $128\n", columnMasks)
	return "\n" + data.String() + softmaxRowsAVX2(consts) + scoreGradRowsAVX2(consts) + scaleRowsAVX2 + dotRowsAVX2
}

func newAttentionAVX2(consts *[]uint32) *gen {
	return &gen{loop: &loop{abreast: 2, temps: 4}, consts: consts}
}

// halves emits the lines of both halves of 16 columns in turn.
func (g *gen) halves(f func()) { g.interleave(f) }

func (g *gen) halfAt(base string) string { return fmt.Sprintf("%d(%s)(CX*4)", 32*g.block, base) }

func (g *gen) halfMask() string { return fmt.Sprintf("Y%d", 12+g.block) }

func (g *gen) halfAcc() string { return fmt.Sprintf("Y%d", 8+g.block) }

// rowMasks sets AX, Y12 and Y13 for a row of DX columns, but no more than BX.
const rowMasks = `	MOVQ DX, R13
	CMPQ R13, BX
	CMOVQGT BX, R13
	LEAQ -1(R13), AX
	ANDQ $-16, AX
	MOVQ AX, R12
	SUBQ R13, R12
	VMOVUPS 64(R9)(R12*4), Y12
	VMOVUPS 96(R9)(R12*4), Y13
`

// overColumns runs body(false) for the columns before AX and body(true) for the last 16, and leaves
// CX behind them.
func (g *gen) overColumns(name string, body func(last bool)) {
	fmt.Fprintf(g, "\tXORL CX, CX\n\tTESTQ AX, AX\n\tJZ %sLast\n\tPCALIGN $32\n%s:\n", name, name)
	body(false)
	fmt.Fprintf(g, "\tADDQ $16, CX\n\tCMPQ CX, AX\n\tJLT %s\n%sLast:\n", name, name)
	body(true)
	g.lines("\tADDQ $16, CX\n")
}

// clearRest clears the columns from CX to BX of the rows at the bases.
func (g *gen) clearRest(bases ...string) {
	g.lines("\tVXORPS Y0, Y0, Y0\n\tJMP filled\nfill:\n")
	for _, base := range bases {
		fmt.Fprintf(g, "\tVMOVUPS Y0, (%s)(CX*4)\n\tVMOVUPS Y0, 32(%s)(CX*4)\n", base, base)
	}
	g.lines("\tADDQ $16, CX\nfilled:\n\tCMPQ CX, BX\n\tJLT fill\n")
}

// foldHalves folds Y8 and Y9 to the lowest element of X8.
func (g *gen) foldHalves(instruction string) {
	g.op(instruction, "Y9", "Y8", "Y8")
	g.op("VEXTRACTF128", "$1", "Y8", "X0")
	g.op(instruction, "X0", "X8", "X8")
	g.op("VPERMILPS", "$0x4e", "X8", "X0")
	g.op(instruction, "X0", "X8", "X8")
	g.op("VPERMILPS", "$0xb1", "X8", "X0")
	g.op(instruction, "X0", "X8", "X8")
}

// power is exp(Y11 r0 - Y10), masked to 0 in the last columns.
func (g *gen) power(last bool) {
	g.op("VMULPS", "Y11", g.r(0), g.r(0))
	g.op("VSUBPS", "Y10", g.r(0), g.r(0))
	g.exp(0, 1, 2, 3)
	if last {
		g.op("VANDPS", g.halfMask(), g.r(0), g.r(0))
	}
}

func (g *gen) start(signature, doc, name string, size int) {
	fmt.Fprintf(g, "\n// %s\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", signature, doc, name, size)
}

func softmaxRowsAVX2(consts *[]uint32) string {
	g := newAttentionAVX2(consts)
	g.start("func softmaxRowsAVX2(s *float32, ld, rows, first, limit int, peaks, sums *float32, a float32)", "see softmaxRows", "softmaxRowsAVX2", 60)
	g.lines(`	MOVQ s+0(FP), DI
	MOVQ ld+8(FP), R8
	MOVQ rows+16(FP), R10
	MOVQ first+24(FP), DX
	MOVQ limit+32(FP), BX
	MOVQ peaks+40(FP), SI
	MOVQ sums+48(FP), R11
	VBROADCASTSS a+56(FP), Y11
	SHLQ $2, R8
	LEAQ columnMasks<>(SB), R9
rows:
` + rowMasks)
	g.halves(func() { g.op("VMOVUPS", g.inMemory(negativeInfinity), g.halfAcc()) })
	g.overColumns("peak", func(last bool) {
		g.halves(func() {
			if last {
				g.op("VMOVUPS", g.inMemory(negativeInfinity), g.r(1))
				g.op("VBLENDVPS", g.halfMask(), g.halfAt("DI"), g.r(1), g.r(0))
			} else {
				g.op("VMOVUPS", g.halfAt("DI"), g.r(0))
			}
			g.op("VMAXPS", g.halfAcc(), g.r(0), g.halfAcc()) // NaN in the scores: keep the maximum
		})
	})
	g.foldHalves("VMAXPS")
	g.lines("\tVMULSS X11, X8, X8\n\tVMOVSS X8, (SI)\n\tVBROADCASTSS X8, Y10\n\tVXORPS Y8, Y8, Y8\n\tVXORPS Y9, Y9, Y9\n")
	g.overColumns("power", func(last bool) {
		g.halves(func() {
			g.op("VMOVUPS", g.halfAt("DI"), g.r(0))
			g.power(last)
			g.op("VMOVUPS", g.r(0), g.halfAt("DI"))
			g.op("VADDPS", g.r(0), g.halfAcc(), g.halfAcc())
		})
	})
	g.clearRest("DI")
	g.foldHalves("VADDPS")
	g.lines("\tVMOVSS X8, (R11)\n\tADDQ $4, SI\n\tADDQ $4, R11\n\tINCQ DX\n\tADDQ R8, DI\n\tDECQ R10\n\tJNZ rows\n\tVZEROUPPER\n\tRET\n")
	return g.String()
}

func scoreGradRowsAVX2(consts *[]uint32) string {
	g := newAttentionAVX2(consts)
	g.start("func scoreGradRowsAVX2(s, d *float32, ld, rows, first, limit int, lse, delta *float32, a float32)", "see scoreGradRows", "scoreGradRowsAVX2", 68)
	g.lines(`	MOVQ s+0(FP), DI
	MOVQ d+8(FP), R15
	MOVQ ld+16(FP), R8
	MOVQ rows+24(FP), R10
	MOVQ first+32(FP), DX
	MOVQ limit+40(FP), BX
	MOVQ lse+48(FP), SI
	MOVQ delta+56(FP), R11
	VBROADCASTSS a+64(FP), Y11
	SHLQ $2, R8
	LEAQ columnMasks<>(SB), R9
rows:
` + rowMasks + "\tVBROADCASTSS (SI), Y10\n\tVBROADCASTSS (R11), Y8\n")
	g.overColumns("power", func(last bool) {
		g.halves(func() {
			g.op("VMOVUPS", g.halfAt("DI"), g.r(0))
			g.power(last)
			g.op("VMOVUPS", g.r(0), g.halfAt("DI"))
			g.op("VMOVUPS", g.halfAt("R15"), g.r(1))
			g.op("VSUBPS", "Y8", g.r(1), g.r(1))
			g.op("VMULPS", "Y11", g.r(1), g.r(1))
			g.op("VMULPS", g.r(0), g.r(1), g.r(1))
			if last {
				g.op("VANDPS", g.halfMask(), g.r(1), g.r(1))
			}
			g.op("VMOVUPS", g.r(1), g.halfAt("R15"))
		})
	})
	g.clearRest("DI", "R15")
	g.lines("\tADDQ $4, SI\n\tADDQ $4, R11\n\tINCQ DX\n\tADDQ R8, DI\n\tADDQ R8, R15\n\tDECQ R10\n\tJNZ rows\n\tVZEROUPPER\n\tRET\n")
	return g.String()
}

const scaleRowsAVX2 = `
// func scaleRowsAVX2(x *float32, ld, rows, n int, by *float32)
// for i < rows, j < n: x[i*ld+j] *= by[i]; n is a multiple of 16 and not 0
TEXT ·scaleRowsAVX2(SB), NOSPLIT, $0-40
	MOVQ x+0(FP), DI
	MOVQ ld+8(FP), R8
	MOVQ rows+16(FP), R10
	MOVQ n+24(FP), AX
	MOVQ by+32(FP), SI
	SHLQ $2, R8
rows:
	VBROADCASTSS (SI), Y2
	XORL CX, CX
loop:
	VMULPS (DI)(CX*4), Y2, Y0
	VMULPS 32(DI)(CX*4), Y2, Y1
	VMOVUPS Y0, (DI)(CX*4)
	VMOVUPS Y1, 32(DI)(CX*4)
	ADDQ $16, CX
	CMPQ CX, AX
	JLT loop
	ADDQ $4, SI
	ADDQ R8, DI
	DECQ R10
	JNZ rows
	VZEROUPPER
	RET
`

const dotRowsAVX2 = `
// func dotRowsAVX2(out, x, y *float32, ld, rows, n int)
// for i < rows: out[i] = sum of x[i*ld+j] y[i*ld+j], j < n, in 16 partial sums; n is a multiple of 16 and not 0
TEXT ·dotRowsAVX2(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), BX
	MOVQ x+8(FP), DI
	MOVQ y+16(FP), SI
	MOVQ ld+24(FP), R8
	MOVQ rows+32(FP), R10
	MOVQ n+40(FP), AX
	SHLQ $2, R8
rows:
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	XORL CX, CX
loop:
	VMOVUPS (DI)(CX*4), Y0
	VMOVUPS 32(DI)(CX*4), Y1
	VMULPS (SI)(CX*4), Y0, Y0
	VMULPS 32(SI)(CX*4), Y1, Y1
	VADDPS Y0, Y8, Y8
	VADDPS Y1, Y9, Y9
	ADDQ $16, CX
	CMPQ CX, AX
	JLT loop
	VADDPS Y9, Y8, Y8
	VEXTRACTF128 $1, Y8, X0
	VADDPS X0, X8, X8
	VPERMILPS $0x4e, X8, X0
	VADDPS X0, X8, X8
	VPERMILPS $0xb1, X8, X0
	VADDPS X0, X8, X8
	VMOVSS X8, (BX)
	ADDQ $4, BX
	ADDQ R8, DI
	ADDQ R8, SI
	DECQ R10
	JNZ rows
	VZEROUPPER
	RET
`
