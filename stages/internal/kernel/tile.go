package kernel

import (
	"math"
	"unsafe"
)

// tileGo is the microkernel of the portable path; see tileFunc. It is fma32
// written out, with the accumulators of four columns kept in registers.
func tileGo(width, depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool) {
	as := unsafe.Slice(a, (portableRows-1)*rs+(depth-1)*cs+1)
	bs := unsafe.Slice(b, depth*width)
	ct := unsafe.Slice(c, (portableRows-1)*ldc+width)
	for i := range portableRows {
		row := ct[i*ldc : i*ldc+width]
		if !load {
			clear(row)
		}
		for j := 0; j < width; j += 4 {
			r := row[j : j+4 : j+4]
			s0, s1, s2, s3 := float64(r[0]), float64(r[1]), float64(r[2]), float64(r[3])
			at, bt := i*rs, j
			for range depth {
				x := float64(as[at])
				q := bs[bt : bt+4 : bt+4]
				s0 = fma32in64(x, float64(q[0]), s0)
				s1 = fma32in64(x, float64(q[1]), s1)
				s2 = fma32in64(x, float64(q[2]), s2)
				s3 = fma32in64(x, float64(q[3]), s3)
				at += cs
				bt += width
			}
			r[0], r[1], r[2], r[3] = float32(s0), float32(s1), float32(s2), float32(s3)
		}
	}
}

// fma32in64 is fma32 on float32 values held as float64.
func fma32in64(a, b, c float64) float64 {
	p := float64(a * b)
	s := p + c
	if u := math.Float64bits(s); u&halfMask == halfBits || u&^signBit < minNormal {
		return float64(fma32Careful(p, c, s))
	}
	return float64(float32(s))
}
