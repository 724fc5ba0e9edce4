#include "textflag.h"

// Loops in float64 over float32 input. n is a multiple of 16 and not 0. The
// multiplication and the addition are rounded each, as in Go.

// func squares64AVX512(x *float32, n int, sums *float64)
// sums[i mod 16] += float64(x[i])^2
TEXT ·squares64AVX512(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), AX
	MOVQ sums+16(FP), DI
	VMOVUPD (DI), Z8
	VMOVUPD 64(DI), Z9
	XORL CX, CX
squares512:
	VCVTPS2PD (SI)(CX*4), Z0
	VCVTPS2PD 32(SI)(CX*4), Z1
	VMULPD Z0, Z0, Z0
	VMULPD Z1, Z1, Z1
	VADDPD Z0, Z8, Z8
	VADDPD Z1, Z9, Z9
	ADDQ $16, CX
	CMPQ CX, AX
	JLT  squares512
	VMOVUPD Z8, (DI)
	VMOVUPD Z9, 64(DI)
	VZEROUPPER
	RET

// func squares64AVX2(x *float32, n int, sums *float64)
// sums[i mod 16] += float64(x[i])^2
TEXT ·squares64AVX2(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), AX
	MOVQ sums+16(FP), DI
	VMOVUPD (DI), Y8
	VMOVUPD 32(DI), Y9
	VMOVUPD 64(DI), Y10
	VMOVUPD 96(DI), Y11
	XORL CX, CX
squares2:
	VCVTPS2PD (SI)(CX*4), Y0
	VCVTPS2PD 16(SI)(CX*4), Y1
	VCVTPS2PD 32(SI)(CX*4), Y2
	VCVTPS2PD 48(SI)(CX*4), Y3
	VMULPD Y0, Y0, Y0
	VMULPD Y1, Y1, Y1
	VMULPD Y2, Y2, Y2
	VMULPD Y3, Y3, Y3
	VADDPD Y0, Y8, Y8
	VADDPD Y1, Y9, Y9
	VADDPD Y2, Y10, Y10
	VADDPD Y3, Y11, Y11
	ADDQ $16, CX
	CMPQ CX, AX
	JLT  squares2
	VMOVUPD Y8, (DI)
	VMOVUPD Y9, 32(DI)
	VMOVUPD Y10, 64(DI)
	VMOVUPD Y11, 96(DI)
	VZEROUPPER
	RET
