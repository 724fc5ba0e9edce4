package kernel

import (
	"fmt"
	"testing"
)

func TestNorm(t *testing.T) {
	const eps = 1e-5
	for _, centred := range []bool{true, false} {
		for _, bias := range []bool{true, false} {
			for _, carried := range []bool{true, false} {
				for _, C := range widths {
					for _, rows := range []int{0, 1, 3, 21, 300} {
						if rows == 300 && C > 33 {
							continue
						}
						name := fmt.Sprintf("centred=%v,bias=%v,carry=%v,C=%d,rows=%d", centred, bias, carried, C, rows)
						t.Run(name, func(t *testing.T) { testNorm(t, centred, bias, carried, rows, C, eps) })
					}
				}
			}
		}
	}
}

func testNorm(t *testing.T, centred, bias, carried bool, rows, C int, eps float32) {
	rng := rngFor(4)
	xs, ys := C+3, C+5
	x, dy, w, b := normals(rng, rows*xs), normals(rng, rows*ys), normals(rng, C), normals(rng, C)
	var carry []float32
	if carried {
		carry = normals(rng, rows*xs)
	}
	if !bias {
		b = nil
	}
	wantY := make([]float64, 0, rows*C)
	var wantDX, wantDW, wantDB []float64
	if rows <= 3 && C <= 33 {
		wantDX, wantDW, wantDB = normSlopes(x, dy, w, b, carry, rows, C, xs, ys, float64(eps), centred)
	}
	for r := range rows {
		var b64 []float64
		if bias {
			b64 = wide(b)
		}
		wantY = append(wantY, refNorm(wide(x[r*xs:r*xs+C]), wide(w), b64, float64(eps), centred)...)
	}
	agree(t, func(t *testing.T, p *Pool) []float32 {
		wy, y := guarded(rows*ys, guard)
		wx, dx := guarded(rows*xs, guard)
		ww, dw := guarded(C, 0)
		wb, db := guarded(C, 0)
		if !bias {
			db = nil
		}
		mean, rstd := make([]float32, rows), make([]float32, rows)
		if centred {
			LayerNormStrided(p, y, mean, rstd, x, w, b, rows, C, eps, xs, ys)
			LayerNormBackwardStrided(p, dx, dw, db, dy, x, mean, rstd, w, carry, rows, C, xs, ys)
		} else {
			RMSNormStrided(p, y, rstd, x, w, b, rows, C, eps, xs, ys)
			RMSNormBackwardStrided(p, dx, dw, db, dy, x, rstd, w, carry, rows, C, xs, ys)
		}
		for name, whole := range map[string][]float32{"y": wy, "dx": wx, "dw": ww, "db": wb} {
			checkGuards(t, name, whole)
		}
		near(t, "y", rowsOf(t, y, rows, C, ys), wantY)
		d := rowsOf(t, dx, rows, C, xs)
		if wantDX != nil {
			near(t, "dx", d, wantDX)
			near(t, "dw", dw, wantDW)
			if bias {
				near(t, "db", db, wantDB)
			}
		}
		return append(append(append(y, dx...), dw...), db...)
	})
}

// rowsOf packs strided rows and checks that the gaps still hold the guard.
func rowsOf(t *testing.T, x []float32, rows, C, stride int) []float32 {
	t.Helper()
	var y []float32
	for r := range rows {
		y = append(y, x[r*stride:r*stride+C]...)
		for _, v := range x[r*stride+C : (r+1)*stride] {
			if v != guard {
				t.Fatalf("row %d: wrote between rows", r)
			}
		}
	}
	return y
}

func normSlopes(x, dy, w, b, carry []float32, rows, C, xs, ys int, eps float64, centred bool) (dx, dw, db []float64) {
	w64 := wide(w)
	b64 := make([]float64, C)
	if b != nil {
		b64 = wide(b)
	}
	dw, db = make([]float64, C), make([]float64, C)
	for r := range rows {
		row := wide(x[r*xs : r*xs+C])
		up := wide(dy[r*ys : r*ys+C])
		loss := func() float64 { return dot(refNorm(row, w64, b64, eps, centred), up) }
		d := slopes(row, loss)
		for i, s := range slopes(w64, loss) {
			dw[i] += s
		}
		for i, s := range slopes(b64, loss) {
			db[i] += s
		}
		for i := range d {
			if carry != nil {
				d[i] += float64(carry[r*xs+i])
			}
		}
		dx = append(dx, d...)
	}
	if rows == 0 {
		dx = []float64{}
	}
	return dx, dw, db
}

func TestNormUnstrided(t *testing.T) {
	rng := rngFor(5)
	rows, C := 5, 24
	x, w := normals(rng, rows*C), normals(rng, C)
	agree(t, func(t *testing.T, p *Pool) []float32 {
		y, z := make([]float32, rows*C), append([]float32(nil), x...)
		s := make([]float32, rows)
		m := make([]float32, rows)
		LayerNorm(p, y, m, s, x, w, nil, rows, C, 1e-5)
		LayerNorm(p, z, m, s, z, w, nil, rows, C, 1e-5)
		if err := sameBits(z, y); err != nil {
			t.Errorf("LayerNorm in place: %v", err)
		}
		copy(z, x)
		RMSNorm(p, z, s, z, w, nil, rows, C, 1e-5)
		out := append(y, z...)
		dw := make([]float32, C)
		LayerNormBackward(p, y, dw, nil, x, z, m, s, w, nil, rows, C)
		RMSNormBackward(p, z, dw, nil, x, z, s, w, nil, rows, C)
		return append(append(append(out, y...), z...), dw...)
	})
}
