package kernel

import (
	"math"
	"testing"
)

// TestExpError walks the float32 with a stride that is prime to the spacing of
// significands, so that all exponents and a spread of significands are met.
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
			got := float64(expf(x))
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
