#include "textflag.h"

// func copy48avx512(dst, src *float32, ld, depth int)
// for l < depth, j < 48: dst[l*48+j] = src[l*ld+j]
TEXT ·copy48avx512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ depth+24(FP), CX
	SHLQ $2, R8
copy48:
	PREFETCHT0 (SI)(R8*8)
	PREFETCHT0 64(SI)(R8*8)
	PREFETCHT0 128(SI)(R8*8)
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS 128(SI), Z2
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	ADDQ R8, SI
	ADDQ $192, DI
	DECQ CX
	JNZ  copy48
	VZEROUPPER
	RET

// func copy32avx512(dst, src *float32, ld, depth int)
// for l < depth, j < 32: dst[l*32+j] = src[l*ld+j]
TEXT ·copy32avx512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ depth+24(FP), CX
	SHLQ $2, R8
copy32:
	PREFETCHT0 (SI)(R8*8)
	PREFETCHT0 64(SI)(R8*8)
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	ADDQ R8, SI
	ADDQ $128, DI
	DECQ CX
	JNZ  copy32
	VZEROUPPER
	RET

// func copy16avx(dst, src *float32, ld, depth int)
// for l < depth, j < 16: dst[l*16+j] = src[l*ld+j]
TEXT ·copy16avx(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ depth+24(FP), CX
	SHLQ $2, R8
copy16:
	PREFETCHT0 (SI)(R8*8)
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ R8, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  copy16
	VZEROUPPER
	RET

// func copy8avx(dst, src *float32, ld, depth int)
// for l < depth, j < 8: dst[l*8+j] = src[l*ld+j]
TEXT ·copy8avx(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ depth+24(FP), CX
	SHLQ $2, R8
copy8:
	PREFETCHT0 (SI)(R8*8)
	VMOVUPS (SI), Y0
	VMOVUPS Y0, (DI)
	ADDQ R8, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  copy8
	VZEROUPPER
	RET

// func copyStrip8avx(dst, src *float32, ld, depth, panels, step int)
// for p < panels, l < depth, i < 8: dst[p*step+l*8+i] = src[l*ld+8*p+i]
TEXT ·copyStrip8avx(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ depth+24(FP), CX
	MOVQ panels+32(FP), R9
	MOVQ step+40(FP), R10
	SHLQ $2, R8
	SHLQ $2, R10
	SHLQ $5, R9
	LEAQ (SI)(R8*8), R11
strip8:
	MOVQ DI, BX
	XORL AX, AX
columns8:
	PREFETCHT0 (R11)(AX*1)
	VMOVUPS (SI)(AX*1), Y0
	VMOVUPS Y0, (BX)
	ADDQ R10, BX
	ADDQ $32, AX
	CMPQ AX, R9
	JLT  columns8
	ADDQ R8, SI
	ADDQ R8, R11
	ADDQ $32, DI
	DECQ CX
	JNZ  strip8
	VZEROUPPER
	RET

// func copyStrip6avx(dst, src *float32, ld, depth, panels, step int)
// for p < panels, l < depth, i < 6: dst[p*step+l*6+i] = src[l*ld+6*p+i]
TEXT ·copyStrip6avx(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ ld+16(FP), R8
	MOVQ depth+24(FP), CX
	MOVQ panels+32(FP), R9
	MOVQ step+40(FP), R10
	SHLQ $2, R8
	SHLQ $2, R10
	IMUL3Q $24, R9, R9
	LEAQ (SI)(R8*8), R11
strip6:
	MOVQ DI, BX
	XORL AX, AX
columns6:
	PREFETCHT0 (R11)(AX*1)
	VMOVUPS (SI)(AX*1), X0
	VMOVSD 16(SI)(AX*1), X1
	VMOVUPS X0, (BX)
	VMOVSD X1, 16(BX)
	ADDQ R10, BX
	ADDQ $24, AX
	CMPQ AX, R9
	JLT  columns6
	ADDQ R8, SI
	ADDQ R8, R11
	ADDQ $24, DI
	DECQ CX
	JNZ  strip6
	RET

// func transpose8avx(dst *float32, width int, src *float32, ld, blocks int)
// for i < 8, l < 8*blocks: dst[l*width+i] = src[i*ld+l]
// Three rounds: interleave pairs (UNPCK), quads (SHUF), halves (PERM2F128).
TEXT ·transpose8avx(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ width+8(FP), R11
	MOVQ src+16(FP), AX
	MOVQ ld+24(FP), R8
	MOVQ blocks+32(FP), CX
	SHLQ $2, R8
	SHLQ $2, R11
	LEAQ (R8)(R8*2), R9
	LEAQ (AX)(R8*4), DX
	LEAQ (R11)(R11*2), R12
	LEAQ (DI)(R11*4), R13
transpose:
	VMOVUPS (AX), Y0
	VMOVUPS (AX)(R8*1), Y1
	VMOVUPS (AX)(R8*2), Y2
	VMOVUPS (AX)(R9*1), Y3
	VMOVUPS (DX), Y4
	VMOVUPS (DX)(R8*1), Y5
	VMOVUPS (DX)(R8*2), Y6
	VMOVUPS (DX)(R9*1), Y7
	VUNPCKLPS Y1, Y0, Y8
	VUNPCKHPS Y1, Y0, Y9
	VUNPCKLPS Y3, Y2, Y10
	VUNPCKHPS Y3, Y2, Y11
	VUNPCKLPS Y5, Y4, Y12
	VUNPCKHPS Y5, Y4, Y13
	VUNPCKLPS Y7, Y6, Y14
	VUNPCKHPS Y7, Y6, Y15
	VSHUFPS $0x44, Y10, Y8, Y0
	VSHUFPS $0xee, Y10, Y8, Y1
	VSHUFPS $0x44, Y11, Y9, Y2
	VSHUFPS $0xee, Y11, Y9, Y3
	VSHUFPS $0x44, Y14, Y12, Y4
	VSHUFPS $0xee, Y14, Y12, Y5
	VSHUFPS $0x44, Y15, Y13, Y6
	VSHUFPS $0xee, Y15, Y13, Y7
	VPERM2F128 $0x20, Y4, Y0, Y8
	VPERM2F128 $0x20, Y5, Y1, Y9
	VPERM2F128 $0x20, Y6, Y2, Y10
	VPERM2F128 $0x20, Y7, Y3, Y11
	VPERM2F128 $0x31, Y4, Y0, Y12
	VPERM2F128 $0x31, Y5, Y1, Y13
	VPERM2F128 $0x31, Y6, Y2, Y14
	VPERM2F128 $0x31, Y7, Y3, Y15
	VMOVUPS Y8, (DI)
	VMOVUPS Y9, (DI)(R11*1)
	VMOVUPS Y10, (DI)(R11*2)
	VMOVUPS Y11, (DI)(R12*1)
	VMOVUPS Y12, (R13)
	VMOVUPS Y13, (R13)(R11*1)
	VMOVUPS Y14, (R13)(R11*2)
	VMOVUPS Y15, (R13)(R12*1)
	ADDQ $32, AX
	ADDQ $32, DX
	LEAQ (DI)(R11*8), DI
	LEAQ (R13)(R11*8), R13
	DECQ CX
	JNZ  transpose
	VZEROUPPER
	RET
