package kernel

import (
	"fmt"
	"math"
	"testing"
)

func TestAttention(t *testing.T) {
	for _, s := range []struct{ B, T, NH, HD int }{
		{0, 3, 2, 4}, {1, 1, 1, 2}, {2, 5, 3, 6}, {1, 31, 2, 16}, {2, 33, 1, 16}, {1, 64, 2, 8}, {1, 65, 1, 33}, {1, 70, 2, 20}, {1, 97, 1, 64}, {3, 130, 2, 48},
		{1, keyBlock + 1, 1, 8}, {1, keyBlock + 70, 1, 16}, {1, 2*keyBlock + 33, 1, 8},
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

// TestAttentionDirection checks the backward of shapes too large for one difference per input,
// along random directions and one along the gradient.
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

// TestAttentionIgnoresFuture changes what comes after position 30, in the same block of queries, to
// what would show anywhere; the future then has no gradient to give back.
func TestAttentionIgnoresFuture(t *testing.T) {
	const T, past, NH, HD = 40, 30, 2, 16
	rng := rngFor(8)
	qkv, dout := normals(rng, T*3*NH*HD), normals(rng, T*NH*HD)
	clear(dout[past*NH*HD:])
	other := append([]float32(nil), qkv...)
	for i := past * 3 * NH * HD; i < len(other); i++ {
		other[i] = 1e15 * float32(rng.NormFloat64())
	}
	everyPool(t, func(t *testing.T, p *Pool) {
		run := func(qkv []float32) (out, dqkv []float32) {
			out, dqkv = make([]float32, T*NH*HD), make([]float32, len(qkv))
			lse := make([]float32, NH*T)
			Attention(p, out, lse, qkv, 1, T, NH, HD)
			AttentionBackward(p, dqkv, dout, out, lse, qkv, 1, T, NH, HD)
			return out, dqkv
		}
		a, da := run(qkv)
		b, db := run(other)
		if err := sameBits(b[:past*NH*HD], a[:past*NH*HD]); err != nil {
			t.Errorf("positions before %d changed: %v", past, err)
		}
		if err := sameBits(db[:past*3*NH*HD], da[:past*3*NH*HD]); err != nil {
			t.Errorf("gradients of positions before %d changed: %v", past, err)
		}
		Attention(p, b, nil, qkv, 1, T, NH, HD)
		if err := sameBits(b, a); err != nil {
			t.Errorf("without lse: %v", err)
		}
	})
}

func TestRope(t *testing.T) {
	for _, s := range []struct{ B, T, NH, HD, R, pad int }{
		{1, 1, 1, 2, 2, 0}, {2, 5, 3, 6, 6, 0}, {2, 9, 2, 32, 32, 7}, {1, 40, 4, 66, 66, 1}, {2, 5, 3, 16, 16, 2}, {1, 4, 2, 48, 48, 0},
		{2, 5, 3, 64, 16, 1}, {1, 7, 2, 32, 8, 0}, {1, 3, 2, 5, 4, 3}, {2, 3, 1, 80, 20, 0}, {1, 4, 2, 64, 62, 0},
	} {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			rng := rngFor(9)
			stride := s.NH*s.HD + s.pad
			x := normals(rng, s.B*s.T*stride)
			want := wide(x)
			for r := range s.B * s.T {
				for h := range s.NH {
					at := r*stride + h*s.HD
					copy(want[at:], refRope(want[at:at+s.R], r%s.T, 10000))
				}
			}
			table := NewRopeTable(s.T+3, s.R, 10000)
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
