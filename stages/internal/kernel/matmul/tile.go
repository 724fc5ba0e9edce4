package matmul

import (
	"unsafe"

	"ablate/stages/internal/kernel/scalar"
)

// tileGo is the microkernel of the portable path; see tileFunc. It is scalar.FMA written out, with
// the accumulators of four columns kept in registers.
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
				p0, p1, p2, p3 := float64(x*float64(q[0])), float64(x*float64(q[1])), float64(x*float64(q[2])), float64(x*float64(q[3]))
				t0, t1, t2, t3 := p0+s0, p1+s1, p2+s2, p3+s3
				if scalar.Doubtful(t0) || scalar.Doubtful(t1) || scalar.Doubtful(t2) || scalar.Doubtful(t3) {
					s0, s1, s2, s3 = scalar.FMAIn64(p0, s0), scalar.FMAIn64(p1, s1), scalar.FMAIn64(p2, s2), scalar.FMAIn64(p3, s3)
				} else {
					s0, s1, s2, s3 = float64(float32(t0)), float64(float32(t1)), float64(float32(t2)), float64(float32(t3))
				}
				at += cs
				bt += width
			}
			r[0], r[1], r[2], r[3] = float32(s0), float32(s1), float32(s2), float32(s3)
		}
	}
}

const (
	portableRows = 4
	portableCols = 16
)

// tileFunc is tilesFunc for one panel of the width.
type tileFunc func(width, depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool)

// panelwise is one panel after the other.
func panelwise(width int, tile tileFunc) tilesFunc {
	return func(depth int, a *float32, rs, cs int, b, c *float32, ldc int, load bool, panels, step int, _ *float32, _ int) {
		for {
			tile(width, depth, a, rs, cs, b, c, ldc, load)
			if panels--; panels == 0 {
				return
			}
			b = (*float32)(unsafe.Add(unsafe.Pointer(b), 4*step))
			c = (*float32)(unsafe.Add(unsafe.Pointer(c), 4*width))
		}
	}
}
