#include "textflag.h"

// func turnHeadsAVX(x *float32, heads, half int, cos, sin *float32)
// for each head, a = x[:half], b = x[half:2*half], half a multiple of 8:
//	a[i], b[i] = a[i] cos[i] - b[i] sin[i], b[i] cos[i] + a[i] sin[i]
TEXT ·turnHeadsAVX(SB), NOSPLIT, $0-40
	MOVQ x+0(FP), DI
	MOVQ heads+8(FP), R10
	MOVQ half+16(FP), AX
	MOVQ cos+24(FP), R8
	MOVQ sin+32(FP), R9
	LEAQ (DI)(AX*4), SI
heads:
	XORL CX, CX
	PCALIGN $32
turn:
	VMOVUPS (DI)(CX*4), Y0
	VMOVUPS (SI)(CX*4), Y1
	VMOVUPS (R8)(CX*4), Y2
	VMOVUPS (R9)(CX*4), Y3
	VMULPS Y2, Y0, Y4
	VMULPS Y3, Y1, Y5
	VSUBPS Y5, Y4, Y4
	VMULPS Y2, Y1, Y1
	VMULPS Y3, Y0, Y0
	VADDPS Y0, Y1, Y1
	VMOVUPS Y4, (DI)(CX*4)
	VMOVUPS Y1, (SI)(CX*4)
	ADDQ $8, CX
	CMPQ CX, AX
	JLT turn
	LEAQ (DI)(AX*8), DI
	LEAQ (SI)(AX*8), SI
	DECQ R10
	JNZ heads
	VZEROUPPER
	RET

// func turnHeadsBackAVX(x *float32, heads, half int, cos, sin *float32)
// for each head, a = x[:half], b = x[half:2*half], half a multiple of 8:
//	a[i], b[i] = a[i] cos[i] + b[i] sin[i], b[i] cos[i] - a[i] sin[i]
TEXT ·turnHeadsBackAVX(SB), NOSPLIT, $0-40
	MOVQ x+0(FP), DI
	MOVQ heads+8(FP), R10
	MOVQ half+16(FP), AX
	MOVQ cos+24(FP), R8
	MOVQ sin+32(FP), R9
	LEAQ (DI)(AX*4), SI
heads:
	XORL CX, CX
	PCALIGN $32
turn:
	VMOVUPS (DI)(CX*4), Y0
	VMOVUPS (SI)(CX*4), Y1
	VMOVUPS (R8)(CX*4), Y2
	VMOVUPS (R9)(CX*4), Y3
	VMULPS Y2, Y0, Y4
	VMULPS Y3, Y1, Y5
	VADDPS Y5, Y4, Y4
	VMULPS Y2, Y1, Y1
	VMULPS Y3, Y0, Y0
	VSUBPS Y0, Y1, Y1
	VMOVUPS Y4, (DI)(CX*4)
	VMOVUPS Y1, (SI)(CX*4)
	ADDQ $8, CX
	CMPQ CX, AX
	JLT turn
	LEAQ (DI)(AX*8), DI
	LEAQ (SI)(AX*8), SI
	DECQ R10
	JNZ heads
	VZEROUPPER
	RET
