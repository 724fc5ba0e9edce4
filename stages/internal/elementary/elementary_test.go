package elementary

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// arguments are numbers of every size, whole ones, edges and what is not a number.
func arguments(n int) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	x := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 2, 10, math.Sqrt2 / 2, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, 709.78, 709.79,
		-708, -745.2, -750, 0.84375, 1.25, 1 / 0.35, 6, 28, -6.5, 1e-20, 0x1p-1022}
	for range n {
		x = append(x, r.NormFloat64(), 40*r.NormFloat64(), 800*(r.Float64()-0.5), math.Exp(80*(r.Float64()-0.5)), float64(r.IntN(1<<20)))
	}
	return x
}

// The functions have the bits that package math has on amd64 processors with fused multiply-adds,
// where caches were filled so far. On other machines the digest of TestPinned holds them.
func TestAsPackageMath(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("package math has other bits on", runtime.GOARCH)
	}
	inRange := func(x float64) bool { return math.Abs(x) < farthest }
	for name, c := range map[string]struct {
		got, want func(float64) float64
		holds     func(float64) bool
	}{
		"Exp":   {Exp, math.Exp, func(float64) bool { return true }},
		"Log":   {Log, math.Log, func(float64) bool { return true }},
		"Log2":  {Log2, math.Log2, func(float64) bool { return true }},
		"Log10": {Log10, math.Log10, func(float64) bool { return true }},
		"Sin":   {Sin, math.Sin, inRange},
		"Cos":   {Cos, math.Cos, inRange},
		"Erfc":  {Erfc, math.Erfc, func(float64) bool { return true }},
	} {
		for _, x := range arguments(100_000) {
			if got, want := c.got(x), c.want(x); c.holds(x) && differ(got, want) {
				t.Fatalf("%s(%v) = %v, package math has %v", name, x, got, want)
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 300_000 {
		x := math.Exp(20 * r.NormFloat64())
		for _, y := range []float64{0, 1, -1, 0.5, -0.5, 1.5, 3 * r.NormFloat64(), 300 * r.NormFloat64(), float64(r.IntN(100_000)), -2 * float64(r.IntN(64)) / 64} {
			if got, want := Pow(x, y), math.Pow(x, y); differ(got, want) {
				t.Fatalf("Pow(%v, %v) = %v, package math has %v", x, y, got, want)
			}
		}
	}
	ours, theirs := rand.New(rand.NewPCG(5, 6)), rand.New(rand.NewPCG(5, 6))
	for range 5_000_000 {
		if got, want := Normal(ours), theirs.NormFloat64(); differ(got, want) {
			t.Fatalf("Normal gives %v, math/rand/v2 %v", got, want)
		}
	}
}

func differ(a, b float64) bool {
	return math.Float64bits(a) != math.Float64bits(b) && !(math.IsNaN(a) && math.IsNaN(b))
}

// TestPinned holds the bits on every machine, by sums of all bits over many arguments, which were
// written on amd64.
func TestPinned(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range []struct {
		name string
		f    func(float64) float64
		want uint64
	}{
		{"Exp", Exp, 0x51b7814822b3ab2f}, {"Log", Log, 0x6e9998e760e2255c}, {"Log10", Log10, 0x578e611b07be7ff9}, {"Sin", Sin, 0x4ec5794ec4393751}, {"Cos", Cos, 0xb023ea095369cce2}, {"Erfc", Erfc, 0x7d4f6dddb33faad4},
		{"Pow", func(x float64) float64 { return Pow(math.Abs(x), 1.75) }, 0x3c4df3126821c0d1},
		{"Normal", func(float64) float64 { return Normal(r) }, 0xbdb1254ccc4eddd3},
	} {
		// The arguments must not depend on the machine either, so they are whole numbers by powers
		// of two.
		var got uint64
		n := rand.New(rand.NewPCG(9, 10))
		for range 20_000 {
			x := math.Ldexp(float64(n.Int64N(1<<53)-1<<52), n.IntN(14)-56)
			if c.name == "Log" || c.name == "Log10" {
				x = math.Abs(x)
			}
			got = got*31 + math.Float64bits(c.f(x))
		}
		if got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
	}
}
