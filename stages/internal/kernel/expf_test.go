package kernel

import (
	"math"
	"testing"

	"ablate/stages/internal/kernel/scalar"
)

// TestExpError walks the float32 with a stride that is prime to the spacing of significands, so
// that all exponents and a spread of significands are met.
func TestExpError(t *testing.T) {
	stride := uint32(97)
	if testing.Short() {
		stride = 1009
	}
	var worst float64
	var at float32
	for bits := uint32(0); bits < 0x42D00000; bits += stride { // up to 104
		for _, x := range []float32{math.Float32frombits(bits), -math.Float32frombits(bits)} {
			want := math.Exp(float64(x))
			if want > math.MaxFloat32 {
				continue
			}
			got := float64(scalar.Exp(x))
			err := math.Abs(got - want)
			if want < 0x1p-126 {
				if err > 1e-7*want+0x1p-150 {
					t.Fatalf("expf(%v) = %v, want %v within 1e-7 and half a subnormal unit", x, got, want)
				}
				continue
			}
			if err/want > worst {
				worst, at = err/want, x
			}
		}
	}
	t.Logf("largest relative error %.3g at %v", worst, at)
	if worst > 1e-7 {
		t.Errorf("largest relative error %.3g at %v, want at most 1e-7", worst, at)
	}
}

// TestExpEverywhere compares the exponential of each path with scalar.Exp over all exponents, in
// vectors that mix ordinary and extreme elements.
func TestExpEverywhere(t *testing.T) {
	var x []float32
	for bits := uint64(0); bits < 1<<32; bits += 99991 {
		x = append(x, math.Float32frombits(uint32(bits)))
	}
	for n := float32(-151); n <= 129; n += 0.5 { // both sides of each rounding of n
		x = append(x, n*math.Ln2, math.Nextafter32(n*math.Ln2, 0), math.Nextafter32(n*math.Ln2, 1000))
	}
	want := make([]float32, len(x))
	for i, v := range x {
		want[i] = scalar.Exp(v)
	}
	for _, k := range paths() {
		got := make([]float32, len(x))
		k.rowExp(got, x, 1, 0)
		if err := sameBits(got, want); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}

func TestRowMax(t *testing.T) {
	nan := float32(math.NaN())
	for _, k := range paths() {
		for n := range 70 {
			x := make([]float32, n)
			for at := range x {
				for i := range x {
					x[i] = -float32(i%5) - 2
				}
				x[at] = -1
				if got := k.rowMax(x); got != -1 {
					t.Fatalf("%s: largest of %d with -1 at %d = %v", k.name, n, at, got)
				}
				x[(at+1)%n] = nan
				if got := k.rowMax(x); n > 1 && got != -1 {
					t.Fatalf("%s: largest of %d with -1 at %d and a NaN = %v", k.name, n, at, got)
				}
			}
			if got := k.rowMax(x[:0]); got != negInf {
				t.Fatalf("%s: largest of nothing = %v, want -Inf", k.name, got)
			}
		}
	}
}
