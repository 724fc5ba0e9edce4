package stat

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	gonum "gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// What replaced the library's functions has their bits on amd64, where caches were filled with
// them.
func TestBitsOfGonum(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the library has other bits on", runtime.GOARCH)
	}
	r := rand.New(rand.NewPCG(1, 2))
	same := func(name string, got, want float64) {
		if math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s = %v, gonum has %v", name, got, want)
		}
	}
	for range 100_000 {
		p, x := r.Float64(), 12*(r.Float64()-0.5)
		same("quantile", normalQuantile(p), distuv.UnitNormal.Quantile(p))
		same("quantile", normalQuantile(p*0x1p-40), distuv.UnitNormal.Quantile(p*0x1p-40))
		same("cdf", normalCDF(x), distuv.UnitNormal.CDF(x))
	}
	same("quantile", normalQuantile(0), math.Inf(-1))
	same("quantile", normalQuantile(1), math.Inf(1))
	for n := 4; n < 200; n++ { // lists of three can lie where the library adds them in another order
		for range 50 {
			x, y := make([]float64, n), make([]float64, n)
			for i := range x {
				x[i] = r.Float64()
				y[i] = x[i] + r.Float64()
			}
			same("correlation", correlation(x, y), gonum.Correlation(x, y, nil))
		}
	}
}

// The quantiles of Student's t are the library's within its error, which grows to some 1e-11.
func TestStudent(t *testing.T) {
	for _, df := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 30, 99, 100, 1000} {
		for _, p := range []float64{0.5, 0.6, 0.75, 0.9, 0.95, 0.975, 0.995, 0.9995} {
			got, want := student(df, p), distuv.StudentsT{Sigma: 1, Nu: float64(df)}.Quantile(p)
			if !near(got, want, 1e-10*(1+want)) {
				t.Errorf("df %d: quantile %g = %.17g, gonum has %.17g", df, p, got, want)
			}
		}
	}
	// Values of closed form: tan(pi (p - 1/2)) for one degree of freedom, and x sqrt(2/(1-x^2))
	// with x = 2p-1 for two.
	for _, p := range []float64{0.75, 0.95, 0.995} {
		if got, want := student(1, p), math.Tan(math.Pi*(p-0.5)); !near(got, want, 1e-13*want) {
			t.Errorf("df 1: quantile %g = %.17g, want %.17g", p, got, want)
		}
		x := 2*p - 1
		if got, want := student(2, p), x*math.Sqrt(2/(1-x*x)); !near(got, want, 1e-13*want) {
			t.Errorf("df 2: quantile %g = %.17g, want %.17g", p, got, want)
		}
	}
}
