package kernel

import (
	"fmt"
	"math"
	"testing"
)

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// near checks got against want to a fraction of want's largest element. A sum
// of n float32 products in 16 partial sums errs by about n/16 * 2^-24 of the
// sum of their sizes; the tests' rows are short, so 2e-5 is ample and still far
// below any wrong term.
func near(t *testing.T, name string, got []float32, want []float64) {
	t.Helper()
	const tolerance = 2e-5
	if len(got) != len(want) {
		t.Fatalf("%s: length %d, want %d", name, len(got), len(want))
	}
	size := 0.1 // inputs are about 1; less is what cancellation left
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	for i, g := range got {
		if d := math.Abs(float64(g) - want[i]); !(d <= tolerance*size) {
			t.Errorf("%s[%d] = %v, want %v (largest %v)", name, i, g, want[i], size)
			return
		}
	}
}

// slopes is the gradient of loss at x by central differences in float64.
func slopes(x []float64, loss func() float64) []float64 {
	const h = 1e-5
	d := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		up := loss()
		x[i] = v - h
		down := loss()
		x[i] = v
		d[i] = (up - down) / (2 * h)
	}
	return d
}

func dot(x, y []float64) float64 {
	var s float64
	for i, v := range x {
		s += v * y[i]
	}
	return s
}

// agree runs f on every path and thread count; f returns everything it
// computed. All must have the bits of the first.
func agree(t *testing.T, f func(t *testing.T, p *Pool) []float32) {
	t.Helper()
	var first []float32
	everyPool(t, func(t *testing.T, p *Pool) {
		got := f(t, p)
		if first == nil {
			first = got
		}
		if err := sameBits(got, first); err != nil {
			t.Errorf("differs from %s with 1 thread: %v", paths()[0].name, err)
		}
	})
}

var widths = []int{1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 100}

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

func TestAttention(t *testing.T) {
	for _, s := range []struct{ B, T, NH, HD int }{
		{0, 3, 2, 4}, {1, 1, 1, 2}, {2, 5, 3, 6}, {1, 31, 2, 16}, {2, 33, 1, 16}, {1, 64, 2, 8}, {1, 65, 1, 33}, {1, 70, 2, 20}, {1, 97, 1, 64}, {3, 130, 2, 48},
	} {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) { testAttention(t, s.B, s.T, s.NH, s.HD) })
	}
}

func testAttention(t *testing.T, B, T, NH, HD int) {
	rng := rngFor(6)
	C := NH * HD
	qkv, dout := normals(rng, B*T*3*C), normals(rng, B*T*C)
	x, up := wide(qkv), wide(dout)
	wantOut, wantLSE := refAttention(x, B, T, NH, HD)
	var want []float64
	if len(qkv) < 1000 {
		want = slopes(x, func() float64 {
			out, _ := refAttention(x, B, T, NH, HD)
			return dot(out, up)
		})
	}
	agree(t, func(t *testing.T, p *Pool) []float32 {
		wo, out := guarded(B*T*C, 9)
		wl, lse := guarded(B*NH*T, 9)
		wd, dqkv := guarded(len(qkv), 9)
		Attention(p, out, lse, qkv, B, T, NH, HD)
		AttentionBackward(p, dqkv, dout, out, lse, qkv, B, T, NH, HD)
		checkGuards(t, "out", wo)
		checkGuards(t, "lse", wl)
		checkGuards(t, "dqkv", wd)
		near(t, "out", out, wantOut)
		near(t, "lse", lse, wantLSE)
		if want != nil {
			near(t, "dqkv", dqkv, want)
		}
		return append(append(out, lse...), dqkv...)
	})
}

// TestAttentionDirection checks the backward of shapes too large for one
// difference per input, along random directions and one along the gradient.
func TestAttentionDirection(t *testing.T) {
	const B, T, NH, HD = 2, 70, 2, 16
	rng := rngFor(7)
	qkv, dout := normals(rng, B*T*3*NH*HD), normals(rng, B*T*NH*HD)
	p := NewPool(2)
	defer p.Close()
	out, lse, dqkv := make([]float32, len(dout)), make([]float32, B*NH*T), make([]float32, len(qkv))
	Attention(p, out, lse, qkv, B, T, NH, HD)
	AttentionBackward(p, dqkv, dout, out, lse, qkv, B, T, NH, HD)
	grad, up := wide(dqkv), wide(dout)
	norm := math.Sqrt(dot(grad, grad))
	for trial := range 4 {
		dir := grad
		if trial > 0 {
			dir = wide(normals(rng, len(qkv)))
		}
		size := math.Sqrt(dot(dir, dir))
		at := func(h float64) float64 {
			x := wide(qkv)
			for i := range x {
				x[i] += h * dir[i] / size
			}
			o, _ := refAttention(x, B, T, NH, HD)
			return dot(o, up)
		}
		got := (at(1e-4) - at(-1e-4)) / 2e-4
		want := dot(grad, dir) / size
		if math.Abs(got-want) > 1e-5*norm {
			t.Errorf("direction %d: slope %v, gradient says %v (norm %v)", trial, got, want, norm)
		}
	}
}

func TestAttentionIgnoresFuture(t *testing.T) {
	const T, NH, HD = 40, 2, 16
	rng := rngFor(8)
	qkv := normals(rng, T*3*NH*HD)
	other := append([]float32(nil), qkv...)
	for i := 30 * 3 * NH * HD; i < len(other); i++ {
		other[i] = float32(rng.NormFloat64())
	}
	everyPool(t, func(t *testing.T, p *Pool) {
		a, b, lse := make([]float32, T*NH*HD), make([]float32, T*NH*HD), make([]float32, NH*T)
		Attention(p, a, lse, qkv, 1, T, NH, HD)
		Attention(p, b, lse, other, 1, T, NH, HD)
		if err := sameBits(b[:30*NH*HD], a[:30*NH*HD]); err != nil {
			t.Errorf("positions before 30 changed: %v", err)
		}
	})
}

func TestRope(t *testing.T) {
	for _, s := range []struct{ B, T, NH, HD, pad int }{{1, 1, 1, 2, 0}, {2, 5, 3, 6, 0}, {2, 9, 2, 32, 7}, {1, 40, 4, 66, 1}} {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			rng := rngFor(9)
			stride := s.NH*s.HD + s.pad
			x := normals(rng, s.B*s.T*stride)
			want := wide(x)
			for r := range s.B * s.T {
				for h := range s.NH {
					at := r*stride + h*s.HD
					copy(want[at:], refRope(want[at:at+s.HD], r%s.T, 10000))
				}
			}
			table := NewRopeTable(s.T+3, s.HD, 10000)
			agree(t, func(t *testing.T, p *Pool) []float32 {
				whole, y := guarded(len(x), 0)
				copy(y, x)
				Rope(p, y, table, s.B, s.T, stride, s.NH, s.HD, false)
				near(t, "y", y, want)
				back := append([]float32(nil), y...)
				Rope(p, back, table, s.B, s.T, stride, s.NH, s.HD, true)
				near(t, "inverse", back, wide(x))
				checkGuards(t, "y", whole)
				return append(y, back...)
			})
		})
	}
}

// extremes are values at which activations and exponentials may go wrong.
var extremes = []float32{0, float32(math.Copysign(0, -1)), 1e-30, -1e-30, 1e-40, 30, -30, 88, -88, 104, -104, 1e4, -1e4, 1e19, -1e19}

func TestActivations(t *testing.T) {
	for _, n := range append([]int{0, 1000, 20000}, widths...) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			rng := rngFor(10)
			x, dy := normals(rng, 2*n), normals(rng, n)
			for i := range min(n, len(extremes)) {
				x[i], x[n+i] = extremes[i], extremes[len(extremes)-1-i]
			}
			rows, H := 1, n
			if n%4 == 0 {
				rows, H = 4, n/4
			}
			agree(t, func(t *testing.T, p *Pool) []float32 { return runActivations(t, p, x, dy, rows, H) })
		})
	}
}

func runActivations(t *testing.T, p *Pool, x, dy []float32, rows, H int) []float32 {
	n := rows * H
	wy, y := guarded(n, 1)
	wd, dx := guarded(n, 1)
	ws, s := guarded(n, 1)
	wg, ds := guarded(2*n, 1)
	GELU(p, y, x[:n])
	GELUBackward(p, dx, dy, x[:n])
	SwiGLU(p, s, x, rows, H)
	SwiGLUBackward(p, ds, dy, x, rows, H)
	for name, whole := range map[string][]float32{"gelu": wy, "gelu dx": wd, "swiglu": ws, "swiglu dx": wg} {
		checkGuards(t, name, whole)
	}
	// Element by element: errors relative to the size given and of the result,
	// and a few units of the smallest subnormal.
	check := func(name string, i int, got float32, want, size float64) {
		if d := math.Abs(float64(got) - want); !(d <= 1e-6*(size+math.Abs(want))+0x1p-146) {
			t.Fatalf("%s[%d] = %v, want %v at %v", name, i, got, want, x[i])
		}
	}
	for i := range n {
		v := float64(x[i])
		check("gelu", i, y[i], refGELU(v), 1e-7*math.Abs(v))
		h := 1e-4 * max(1, math.Abs(v))
		check("gelu dx", i, dx[i], float64(dy[i])*(refGELU(v+h)-refGELU(v-h))/(2*h), 0.1*math.Abs(float64(dy[i])))
		r, c := i/H, i%H
		value, gate := float64(x[2*r*H+c]), float64(x[(2*r+1)*H+c])
		want := refSwiGLU(value, gate)
		if math.Abs(want) > math.MaxFloat32 {
			continue // overflow is right here
		}
		check("swiglu", i, s[i], want, 1e-30*math.Abs(value)) // silu below 1e-37 is 0
		d := float64(dy[i])
		check("dvalue", i, ds[2*r*H+c], d*refSwiGLU(1, gate), math.Abs(d))
		h = 1e-4 * max(1, math.Abs(gate))
		check("dgate", i, ds[(2*r+1)*H+c], d*(refSwiGLU(value, gate+h)-refSwiGLU(value, gate-h))/(2*h), math.Abs(d*value))
	}
	return append(append(append(y, dx...), s...), ds...)
}

func TestCrossEntropy(t *testing.T) {
	for _, s := range [][2]int{{0, 5}, {1, 1}, {3, 2}, {5, 17}, {40, 33}, {7, 1000}, {3, 9000}} {
		rows, V := s[0], s[1]
		t.Run(fmt.Sprintf("%dx%d", rows, V), func(t *testing.T) {
			rng := rngFor(11)
			logits := normals(rng, rows*V)
			targets := make([]int32, rows)
			want := make([]float64, rows)
			wantD := make([]float64, rows*V)
			const scale = 0.25
			for r := range rows {
				targets[r] = int32(rng.IntN(V+1)) - 1
				row := logits[r*V : (r+1)*V]
				for i := range row {
					row[i] = row[i]*5 + 100
				}
				if targets[r] < 0 {
					continue
				}
				lse := refLogSumExp(wide(row))
				want[r] = lse - float64(row[targets[r]])
				for i, v := range row {
					wantD[r*V+i] = scale * math.Exp(float64(v)-lse)
				}
				wantD[r*V+int(targets[r])] -= scale
			}
			agree(t, func(t *testing.T, p *Pool) []float32 {
				wl, losses := guarded(rows, 9)
				we, lse := guarded(rows, 9)
				wd, d := guarded(rows*V, 9)
				copy(d, logits)
				CrossEntropy(p, losses, lse, d, targets, rows, V)
				CrossEntropyBackward(p, d, lse, targets, rows, V, scale)
				near(t, "losses", losses, want)
				near(t, "dlogits", d, wantD)
				checkGuards(t, "losses", wl)
				checkGuards(t, "lse", we)
				checkGuards(t, "dlogits", wd)
				return append(append(losses, lse...), d...)
			})
		})
	}
}

func TestCrossEntropyNotFinite(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		name string
		row  []float32
		ok   func(loss float32) bool
	}{
		{"one word is impossible", []float32{1, -inf, 1}, func(l float32) bool { return math.Abs(float64(l)-math.Ln2) < 1e-6 }},
		{"NaN", []float32{1, nan, 1}, func(l float32) bool { return l != l }},
		{"+Inf", []float32{1, inf, 1}, func(l float32) bool { return l != l }},
	} {
		t.Run(c.name, func(t *testing.T) {
			everyPool(t, func(t *testing.T, p *Pool) {
				loss, lse := make([]float32, 1), make([]float32, 1)
				CrossEntropy(p, loss, lse, c.row, []int32{0}, 1, len(c.row))
				if !c.ok(loss[0]) {
					t.Errorf("loss of %v = %v", c.row, loss[0])
				}
			})
		})
	}
}

func TestEmbedAndBias(t *testing.T) {
	for _, s := range [][3]int{{0, 3, 4}, {1, 1, 1}, {50, 7, 5}, {333, 11, 48}, {900, 5, 33}} {
		n, V, C := s[0], s[1], s[2]
		t.Run(fmt.Sprintf("n=%d,V=%d,C=%d", n, V, C), func(t *testing.T) {
			rng := rngFor(12)
			wte, dout, b := normals(rng, V*C), normals(rng, n*C), normals(rng, C)
			ids := make([]int32, n)
			wantD, wantB := make([]float64, V*C), make([]float64, C)
			for i := range ids {
				ids[i] = int32(rng.IntN(V))
				for c := range C {
					wantD[int(ids[i])*C+c] += float64(dout[i*C+c])
					wantB[c] += float64(dout[i*C+c])
				}
			}
			agree(t, func(t *testing.T, p *Pool) []float32 {
				wo, out := guarded(n*C, 9)
				wd, d := guarded(V*C, 0)
				wb, db := guarded(C, 0)
				Embed(p, out, wte, ids, C)
				for i, id := range ids {
					if err := sameBits(out[i*C:(i+1)*C], wte[int(id)*C:(int(id)+1)*C]); err != nil {
						t.Fatalf("row %d: %v", i, err)
					}
				}
				AddBias(p, out, b, n, C)
				for i := range out {
					if want := wte[int(ids[i/C])*C+i%C] + b[i%C]; out[i] != want {
						t.Fatalf("AddBias[%d] = %v, want %v", i, out[i], want)
					}
				}
				EmbedBackward(p, d, dout, ids, C)
				BiasBackward(p, db, dout, n, C)
				near(t, "dwte", d, wantD)
				near(t, "db", db, wantB)
				checkGuards(t, "out", wo)
				checkGuards(t, "dwte", wd)
				checkGuards(t, "db", wb)
				return append(append(out, d...), db...)
			})
		})
	}
}

func TestAdamW(t *testing.T) {
	for _, n := range append([]int{0, 20000}, widths...) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			rng := rngFor(13)
			w0, g, m0, v0 := normals(rng, n), normals(rng, n), normals(rng, n), normals(rng, n)
			for i := range v0 {
				v0[i] *= v0[i]
			}
			o := AdamWParams{LR: 1e-2, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Correction1: 0.3, Correction2: 0.2, GradScale: 0.7}
			wantW, wantM, wantV := make([]float64, n), make([]float64, n), make([]float64, n)
			for i := range n {
				wantW[i], wantM[i], wantV[i] = refAdamW(float64(w0[i]), float64(g[i]), float64(m0[i]), float64(v0[i]), o)
			}
			agree(t, func(t *testing.T, p *Pool) []float32 {
				ww, w := guarded(n, 0)
				wm, m := guarded(n, 0)
				wv, v := guarded(n, 0)
				copy(w, w0)
				copy(m, m0)
				copy(v, v0)
				AdamW(p, w, g, m, v, o)
				near(t, "w", w, wantW)
				near(t, "m", m, wantM)
				near(t, "v", v, wantV)
				checkGuards(t, "w", ww)
				checkGuards(t, "m", wm)
				checkGuards(t, "v", wv)
				return append(append(w, m...), v...)
			})
		})
	}
}

func TestSumsAndScale(t *testing.T) {
	for _, n := range []int{0, 1, 17, sumBlock, sumBlock + 1, 5*sumBlock + 33} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			rng := rngFor(14)
			x, y := normals(rng, n), normals(rng, n)
			want := dot(wide(x), wide(x))
			srcs, weights := [][]float32{x, y, x}, []float64{0.25, 1.0 / 3, -2}
			agree(t, func(t *testing.T, p *Pool) []float32 {
				got := SumSquares(p, x)
				if math.Abs(got-want) > 1e-12*want {
					t.Errorf("SumSquares = %v, want %v", got, want)
				}
				ws, sum := guarded(n, 9)
				wm, mix := guarded(n, 9)
				Add(p, sum, x, y)
				Scale(p, sum, 0.3)
				WeightedSum(p, mix, srcs, weights)
				for i := range n {
					if w := (x[i] + y[i]) * 0.3; sum[i] != w {
						t.Fatalf("Scale(Add)[%d] = %v, want %v", i, sum[i], w)
					}
					a := float64(float64(x[i])*0.25) + float64(float64(y[i])*(1.0/3))
					if w := float32(a + float64(float64(x[i])*-2)); mix[i] != w {
						t.Fatalf("WeightedSum[%d] = %v, want %v", i, mix[i], w)
					}
				}
				checkGuards(t, "Add", ws)
				checkGuards(t, "WeightedSum", wm)
				bits := math.Float64bits(got)
				return append(append(sum, mix...), float32(bits>>42), float32(bits>>20&0x3fffff), float32(bits&0xfffff))
			})
		})
	}
}
