package main

import "fmt"

// Attention's loops over four rows of scores abreast, AVX-512 alone: rows of a short sequence are a
// few registers long, so that one row at a time would wait for its own chain of operations, and a
// call a row would take as long as its work. Row i of a block has first+i scores; first-1 and rows
// are multiples of 4, so that four rows end in the same 16 columns, the last for which masks are
// needed. Rows longer than limit end there, whole.
//
// Registers: DI row 0, R8 row distance, R9 three of it (bytes), R10 rows left, DX length of row 0,
// BX limit, AX columns before the last 16, CX columns left, R12 row 0 at the current column, K1-K4
// the last 16 columns of each row.

const attentionLoops = 4 // rows abreast

func attention(consts *[]uint32) string {
	return softmaxRows(consts) + scoreGradRows(consts) + scaleRows() + dotRows()
}

func newAttention(consts *[]uint32) *gen {
	return &gen{loop: &loop{abreast: attentionLoops, temps: 3}, wide: true, consts: consts}
}

// at is row i at the current column, or with another base register.
func at(base string, i int) string {
	return []string{"(" + base + ")", "(" + base + ")(R8*1)", "(" + base + ")(R8*2)", "(" + base + ")(R9*1)"}[i]
}

func mask(i int) string { return fmt.Sprintf("K%d", i+1) }
func z(i int) string    { return fmt.Sprintf("Z%d", i) }
func x(i int) string    { return fmt.Sprintf("X%d", i) }

// each emits the lines of four rows one by one in turn.
func (g *gen) each(f func(row int)) {
	g.interleave(func() { f(g.block) })
}

func (g *gen) lines(text string) { g.WriteString(text) }

// masks sets AX and K1-K4 from DX and BX.
func (g *gen) masks() {
	g.lines(`	LEAQ -16(BX), AX
	KXNORW K1, K1, K1
	KMOVW K1, K2
	KMOVW K1, K3
	KMOVW K1, K4
	CMPQ DX, BX
	JGT masked
	LEAQ -1(DX), AX
	ANDQ $-16, AX
	MOVQ DX, CX
	SUBQ AX, CX
	MOVL $1, R13
	SHLL CX, R13
	DECL R13
	KMOVW R13, K1
	LEAL 1(R13)(R13*1), R13
	KMOVW R13, K2
	LEAL 1(R13)(R13*1), R13
	KMOVW R13, K3
	LEAL 1(R13)(R13*1), R13
	KMOVW R13, K4
masked:
`)
}

// columns runs body(false) for the columns up to AX and body(true) for the last ones.
func (g *gen) columns(name, step string, body func(masked bool)) {
	fmt.Fprintf(g, "\tMOVQ AX, CX\n\tTESTQ CX, CX\n\tJZ %sLast\n\tPCALIGN $32\n%s:\n", name, name)
	body(false)
	fmt.Fprintf(g, "%s\tSUBQ $16, CX\n\tJNZ %s\n%sLast:\n", step, name, name)
	body(true)
	g.lines(step)
}

func (g *gen) loadRow(base string, i int, to string, masked bool) {
	if masked {
		g.op("VMOVUPS.Z", at(base, i), mask(i), to)
	} else {
		g.op("VMOVUPS", at(base, i), to)
	}
}

func (g *gen) storeRow(base string, i int, from string, masked bool) {
	if masked {
		g.op("VMOVAPS.Z", from, mask(i), from)
	}
	g.op("VMOVUPS", from, at(base, i))
}

// foldRows folds Z12-Z15, 16 partial results each, to their lowest elements: 8+8, 4+4, 2+2, 1+1.
func (g *gen) foldRows(instruction string) {
	g.each(func(i int) {
		acc, half := 12+i, i
		g.op("VEXTRACTF64X4", "$1", z(acc), fmt.Sprintf("Y%d", half))
		g.op(instruction, fmt.Sprintf("Y%d", half), fmt.Sprintf("Y%d", acc), fmt.Sprintf("Y%d", acc))
		g.op("VEXTRACTF128", "$1", fmt.Sprintf("Y%d", acc), x(half))
		g.op(instruction, x(half), x(acc), x(acc))
		g.op("VPERMILPS", "$0x4e", x(acc), x(half))
		g.op(instruction, x(half), x(acc), x(acc))
		g.op("VPERMILPS", "$0xb1", x(acc), x(half))
		g.op(instruction, x(half), x(acc), x(acc))
	})
}

// exponential is exp(a r0 - Z(m+i)) of each row's temporary 0.
func (g *gen) exponential(a string, m int) {
	g.op("VMULPS.BCST", a, g.r(0), g.r(0))
	g.op("VSUBPS", z(m+g.block), g.r(0), g.r(0))
	g.exp(0, 1, 2, 3)
}

// begin emits the text of a function and, once body has shown which, the constants that it holds.
func (g *gen) function(signature, doc, name string, size int, load string, body func()) {
	body()
	text := g.String()
	g.Reset()
	fmt.Fprintf(g, "\n// %s\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n%s", signature, doc, name, size, load)
	for i, u := range g.held {
		g.op("VMOVUPS", g.inMemory(u), z(31-i))
	}
	g.lines(text)
	g.lines("\tVZEROUPPER\n\tRET\n")
}

func softmaxRows(consts *[]uint32) string {
	g := newAttention(consts)
	const next = "\tADDQ $64, R12\n"
	load := `	MOVQ s+0(FP), DI
	MOVQ ld+8(FP), R8
	MOVQ rows+16(FP), R10
	MOVQ first+24(FP), DX
	MOVQ limit+32(FP), BX
	MOVQ peaks+40(FP), SI
	MOVQ sums+48(FP), R11
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
`
	g.function("func softmaxRowsAVX512(s *float32, ld, rows, first, limit int, peaks, sums *float32, a float32)",
		"see softmaxRows", "softmaxRowsAVX512", 60, load, func() {
			g.lines("rows:\n")
			g.masks()
			for i := range attentionLoops {
				g.op("VMOVUPS", g.inMemory(negativeInfinity), z(12+i))
			}
			g.lines("\tMOVQ DI, R12\n")
			g.columns("peak", next, func(masked bool) {
				g.each(func(i int) {
					g.loadRow("R12", i, g.r(0), masked)
					if masked {
						g.op("VMAXPS", z(12+i), g.r(0), mask(i), z(12+i))
					} else {
						g.op("VMAXPS", z(12+i), g.r(0), z(12+i)) // NaN in the scores: keep the maximum
					}
				})
			})
			g.foldRows("VMAXPS")
			g.each(func(i int) {
				g.op("VMULSS", "a+56(FP)", x(12+i), x(12+i))
				g.op("VMOVSS", x(12+i), fmt.Sprintf("%d(SI)", 4*i))
				g.op("VBROADCASTSS", x(12+i), z(16+i))
				g.op("VPXORD", z(12+i), z(12+i), z(12+i))
			})
			g.lines("\tMOVQ DI, R12\n")
			g.columns("power", next, func(masked bool) {
				g.each(func(i int) {
					g.loadRow("R12", i, g.r(0), masked)
					g.exponential("a+56(FP)", 16)
					g.storeRow("R12", i, g.r(0), masked)
					g.op("VADDPS", g.r(0), z(12+i), z(12+i))
				})
			})
			g.lines("\tLEAQ 16(AX), CX\n\tVPXORD Z0, Z0, Z0\nfill:\n\tCMPQ CX, BX\n\tJGE filled\n")
			g.each(func(i int) { g.op("VMOVUPS", "Z0", at("R12", i)) })
			g.lines(next + "\tADDQ $16, CX\n\tJMP fill\nfilled:\n")
			g.foldRows("VADDPS")
			g.each(func(i int) { g.op("VMOVSS", x(12+i), fmt.Sprintf("%d(R11)", 4*i)) })
			g.lines("\tADDQ $16, SI\n\tADDQ $16, R11\n\tADDQ $4, DX\n\tLEAQ (DI)(R8*4), DI\n\tSUBQ $4, R10\n\tJNZ rows\n")
		})
	return g.String()
}

func scoreGradRows(consts *[]uint32) string {
	g := newAttention(consts)
	const next = "\tADDQ $64, R12\n\tADDQ $64, R13\n"
	load := `	MOVQ s+0(FP), DI
	MOVQ d+8(FP), R15
	MOVQ ld+16(FP), R8
	MOVQ rows+24(FP), R10
	MOVQ first+32(FP), DX
	MOVQ limit+40(FP), BX
	MOVQ lse+48(FP), SI
	MOVQ delta+56(FP), R11
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
`
	g.function("func scoreGradRowsAVX512(s, d *float32, ld, rows, first, limit int, lse, delta *float32, a float32)",
		"see scoreGradRows", "scoreGradRowsAVX512", 68, load, func() {
			g.lines("rows:\n")
			g.masks()
			for i := range attentionLoops {
				g.op("VBROADCASTSS", fmt.Sprintf("%d(SI)", 4*i), z(12+i))
				g.op("VBROADCASTSS", fmt.Sprintf("%d(R11)", 4*i), z(16+i))
			}
			g.lines("\tMOVQ DI, R12\n\tMOVQ R15, R13\n")
			g.columns("power", next, func(masked bool) {
				g.each(func(i int) {
					g.loadRow("R12", i, g.r(0), masked)
					g.exponential("a+64(FP)", 12)
					g.storeRow("R12", i, g.r(0), masked)
					g.loadRow("R13", i, g.r(1), masked)
					g.op("VSUBPS", z(16+i), g.r(1), g.r(1))
					g.op("VMULPS.BCST", "a+64(FP)", g.r(1), g.r(1))
					g.op("VMULPS", g.r(0), g.r(1), g.r(1))
					g.storeRow("R13", i, g.r(1), masked)
				})
			})
			g.lines("\tLEAQ 16(AX), CX\n\tVPXORD Z0, Z0, Z0\nfill:\n\tCMPQ CX, BX\n\tJGE filled\n")
			g.each(func(i int) {
				g.op("VMOVUPS", "Z0", at("R12", i))
				g.op("VMOVUPS", "Z0", at("R13", i))
			})
			g.lines(next + "\tADDQ $16, CX\n\tJMP fill\nfilled:\n")
			g.lines("\tADDQ $16, SI\n\tADDQ $16, R11\n\tADDQ $4, DX\n\tLEAQ (DI)(R8*4), DI\n\tLEAQ (R15)(R8*4), R15\n\tSUBQ $4, R10\n\tJNZ rows\n")
		})
	return g.String()
}

func scaleRows() string {
	return `
// func scaleRowsAVX512(x *float32, ld, rows, n int, by *float32)
// for i < rows, j < n: x[i*ld+j] *= by[i]; n is a multiple of 16 and not 0
TEXT ·scaleRowsAVX512(SB), NOSPLIT, $0-40
	MOVQ x+0(FP), DI
	MOVQ ld+8(FP), R8
	MOVQ rows+16(FP), R10
	MOVQ n+24(FP), AX
	MOVQ by+32(FP), SI
	SHLQ $2, R8
rows:
	VBROADCASTSS (SI), Z1
	XORL CX, CX
loop:
	VMULPS (DI)(CX*4), Z1, Z0
	VMOVUPS Z0, (DI)(CX*4)
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
}

func dotRows() string {
	return `
// func dotRowsAVX512(out, x, y *float32, ld, rows, n int)
// for i < rows: out[i] = sum of x[i*ld+j] y[i*ld+j], j < n, in 16 partial sums; n is a multiple of 16 and not 0
TEXT ·dotRowsAVX512(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), BX
	MOVQ x+8(FP), DI
	MOVQ y+16(FP), SI
	MOVQ ld+24(FP), R8
	MOVQ rows+32(FP), R10
	MOVQ n+40(FP), AX
	SHLQ $2, R8
rows:
	VPXORD Z1, Z1, Z1
	XORL CX, CX
loop:
	VMOVUPS (DI)(CX*4), Z0
	VMULPS (SI)(CX*4), Z0, Z0
	VADDPS Z0, Z1, Z1
	ADDQ $16, CX
	CMPQ CX, AX
	JLT loop
	VEXTRACTF64X4 $1, Z1, Y0
	VADDPS Y0, Y1, Y1
	VEXTRACTF128 $1, Y1, X0
	VADDPS X0, X1, X1
	VPERMILPS $0x4e, X1, X0
	VADDPS X0, X1, X1
	VPERMILPS $0xb1, X1, X0
	VADDPS X0, X1, X1
	VMOVSS X1, (BX)
	ADDQ $4, BX
	ADDQ R8, DI
	ADDQ R8, SI
	DECQ R10
	JNZ rows
	VZEROUPPER
	RET
`
}
