package kernel

import (
	"fmt"
	"math"
	"testing"
)

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
	// Element by element: errors relative to the size given and of the result, and a few units of
	// the smallest subnormal.
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

// Presets of models that name the other form, with erf, say how far it is from this one: 5e-4.
func TestGELUForms(t *testing.T) {
	most := 0.0
	for x := -10.0; x <= 10; x += 1e-4 {
		most = max(most, math.Abs(refGELU(x)-x/2*math.Erfc(-x/math.Sqrt2)))
	}
	if most > 5e-4 || most < 4e-4 {
		t.Errorf("the forms of GELU differ by up to %.3g, documented are 5e-4", most)
	}
}
