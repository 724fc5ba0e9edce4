package kernel

import (
	"errors"
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

// near checks got against want to a fraction of want's largest element. A sum of n float32 products
// in 16 partial sums errs by about n/16 * 2^-24 of the sum of their sizes; the tests' rows are
// short, so 2e-5 is ample and still far below any wrong term.
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

// agree runs f on every path and thread count; f returns everything it computed. All must have the
// bits of the first.
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
				wd, d := guarded(rows*V, 9)
				copy(d, logits)
				CrossEntropy(p, losses, d, targets, rows, V)
				near(t, "losses", losses, want)
				if err := sameBits(d, logits); err != nil {
					t.Errorf("CrossEntropy changed the logits: %v", err)
				}
				wt, trained := guarded(rows, 9)
				CrossEntropyGradient(p, trained, d, targets, rows, V, scale)
				if err := sameBits(trained, losses); err != nil {
					t.Errorf("losses beside the gradient differ from CrossEntropy's: %v", err)
				}
				near(t, "dlogits", d, wantD)
				checkGuards(t, "losses", wl)
				checkGuards(t, "losses beside the gradient", wt)
				checkGuards(t, "dlogits", wd)
				return append(losses, d...)
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
				loss := make([]float32, 1)
				CrossEntropy(p, loss, c.row, []int32{0}, 1, len(c.row))
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
				wg, spent := guarded(n, 0)
				copy(w, w0)
				copy(m, m0)
				copy(v, v0)
				copy(spent, g)
				AdamW(p, w, spent, m, v, o)
				if err := sameBits(spent, make([]float32, n)); err != nil {
					t.Errorf("gradients are not cleared: %v", err)
				}
				checkGuards(t, "g", wg)
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
			agree(t, func(t *testing.T, p *Pool) []float32 {
				got := SumSquares(p, x)
				if math.Abs(got-want) > 1e-12*want {
					t.Errorf("SumSquares = %v, want %v", got, want)
				}
				ws, sum := guarded(n, 9)
				Add(p, sum, x, y)
				Scale(p, sum, 0.3)
				for i := range n {
					if w := (x[i] + y[i]) * 0.3; sum[i] != w {
						t.Fatalf("Scale(Add)[%d] = %v, want %v", i, sum[i], w)
					}
				}
				checkGuards(t, "Add", ws)
				bits := math.Float64bits(got)
				return append(sum, float32(bits>>42), float32(bits>>20&0x3fffff), float32(bits&0xfffff))
			})
		})
	}
}

// Moments that have become too small for full precision are 0 from then on, on every path; what is
// not a number stays.
func TestAdamWFlushesMoments(t *testing.T) {
	const smallest = 0x1p-126
	o := AdamWParams{LR: 1e-2, Beta1: 0.5, Beta2: 0.5, Eps: 1e-8, Correction1: 1, Correction2: 1, GradScale: 1}
	moments := []float32{2 * smallest, -2 * smallest, 1.999 * smallest, -1.999 * smallest, 0x1p-149, -0x1p-149, 0, float32(math.NaN()), float32(math.Inf(1)), 1}
	want := []float32{smallest, -smallest, 0, 0, 0, 0, 0, float32(math.NaN()), float32(math.Inf(1)), 0.5}
	everyPool(t, func(t *testing.T, p *Pool) {
		for _, n := range []int{len(moments), 16, 35} {
			m, v, w, g := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
			wantM := make([]float32, n)
			for i := range m {
				m[i], wantM[i] = moments[i%len(moments)], want[i%len(moments)]
				v[i] = m[i]
			}
			AdamW(p, w, g, m, v, o)
			if err := errors.Join(sameBits(m, wantM), sameBits(v, wantM)); err != nil {
				t.Errorf("%d elements: %v", n, err)
			}
		}
	})
}
