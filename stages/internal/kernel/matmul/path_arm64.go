package matmul

import (
	"math"
	"unsafe"
)

// Fused is in Go, and its multiply-adds are fused: the compiler turns x*y + z in float32 into the
// FMADDS instruction on arm64 where nothing forbids it. The language permits that but does not
// promise it, so this path is offered only where it is seen to round once (RoundsOnce).
var Fused = Path{
	mr:     portableRows,
	nr:     portableCols,
	blocks: blocking{256 * 512, 256, 256},
	tiles:  panelwise(portableCols, fusedGo),
	half:   panelwise(portableCols/2, fusedGo),
	BF16:   goBF16,
}

// RoundsOnce says whether the path does, as the instruction does, and so may be used: it runs the
// tile on products whose rounding would show in the result: (1+h)(1-h) - 1 = -h^2 with h = 2^-20,
// which is 0 if the product is rounded.
func RoundsOnce() bool {
	const h = 0x1p-20
	var a [portableRows]float32
	var b [portableCols]float32
	var c [portableRows * portableCols]float32
	for i := range a {
		a[i] = 1 + h
	}
	for i := range b {
		b[i] = 1 - h
	}
	for i := range c {
		c[i] = -1
	}
	fusedGo(portableCols, 1, &a[0], 1, portableRows, &b[0], &c[0], portableCols, true)
	for _, v := range c {
		if math.Float32bits(v) != math.Float32bits(-h*h) {
			return false
		}
	}
	return true
}

// fusedGo is the loop of tileFunc with 4 x 4 accumulators in registers.
func fusedGo(width, depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool) {
	as := unsafe.Slice(a, (portableRows-1)*rs+(depth-1)*cs+1)
	bs := unsafe.Slice(b, depth*width)
	ct := unsafe.Slice(c, (portableRows-1)*ldc+width)
	for j := 0; j < width; j += 4 {
		r0, r1, r2, r3 := ct[j:j+4], ct[ldc+j:ldc+j+4], ct[2*ldc+j:2*ldc+j+4], ct[3*ldc+j:3*ldc+j+4]
		if !load {
			clear(r0)
			clear(r1)
			clear(r2)
			clear(r3)
		}
		s00, s01, s02, s03 := r0[0], r0[1], r0[2], r0[3]
		s10, s11, s12, s13 := r1[0], r1[1], r1[2], r1[3]
		s20, s21, s22, s23 := r2[0], r2[1], r2[2], r2[3]
		s30, s31, s32, s33 := r3[0], r3[1], r3[2], r3[3]
		at, bt := 0, j
		for range depth {
			q := bs[bt : bt+4 : bt+4]
			q0, q1, q2, q3 := q[0], q[1], q[2], q[3]
			x := as[at]
			s00, s01, s02, s03 = x*q0+s00, x*q1+s01, x*q2+s02, x*q3+s03
			x = as[at+rs]
			s10, s11, s12, s13 = x*q0+s10, x*q1+s11, x*q2+s12, x*q3+s13
			x = as[at+2*rs]
			s20, s21, s22, s23 = x*q0+s20, x*q1+s21, x*q2+s22, x*q3+s23
			x = as[at+3*rs]
			s30, s31, s32, s33 = x*q0+s30, x*q1+s31, x*q2+s32, x*q3+s33
			at += cs
			bt += width
		}
		r0[0], r0[1], r0[2], r0[3] = s00, s01, s02, s03
		r1[0], r1[1], r1[2], r1[3] = s10, s11, s12, s13
		r2[0], r2[1], r2[2], r2[3] = s20, s21, s22, s23
		r3[0], r3[1], r3[2], r3[3] = s30, s31, s32, s33
	}
}
