package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ablate/stages/internal/kernel/matmul"
)

// A limit changes no bit of a product that is large enough to be divided, nor of sums over rows.
func TestPoolLimitBits(t *testing.T) {
	const m, n, k = 150, 170, 130
	r := rand.New(rand.NewPCG(1, 1))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	a, b := random(m*k), random(k*n)
	if m*n*k <= matmul.SerialWork {
		t.Fatalf("product of %d steps, want more than %d", m*n*k, matmul.SerialWork)
	}
	p := NewPool(6)
	defer p.Close()
	run := func() []float32 {
		c, rounded, sums := make([]float32, m*n), make([]float32, m*n), make([]float32, n)
		Gemm(p, false, false, m, n, k, a, k, b, n, 0, c, n)
		GemmBF16(p, false, false, m, n, k, a, k, b, n, 0, rounded, n)
		BiasBackward(p, sums, c, m, n)
		return slices.Concat(c, rounded, sums)
	}
	want := run()
	for _, limit := range []int{1, 2, 5, 3, 6} {
		p.Limit(limit)
		for i, x := range run() {
			if math.Float32bits(x) != math.Float32bits(want[i]) {
				t.Fatalf("Limit(%d): element %d is %v, want %v", limit, i, x, want[i])
			}
		}
	}
}

func TestSelect(t *testing.T) {
	defer func() {
		t.Setenv(pathVariable, "")
		if err := Select(""); err != nil {
			t.Error(err)
		}
	}()
	if err := Select("portable"); err != nil || Features() != "portable" {
		t.Errorf("Select(portable) = %v, Features() = %q", err, Features())
	}
	if err := Select("mmx"); err == nil || !strings.Contains(err.Error(), "mmx") || Features() != "portable" {
		t.Errorf("Select(mmx) = %v, Features() = %q; want an error and no change", err, Features())
	}
	t.Setenv(pathVariable, "vax")
	if err := Select(""); err == nil || !strings.Contains(err.Error(), pathVariable) {
		t.Errorf("Select() with %s=vax = %v, want an error that names the variable", pathVariable, err)
	}
	t.Setenv(pathVariable, paths()[0].name)
	if err := Select(""); err != nil || Features() != paths()[0].name {
		t.Errorf("Select() with %s=%s = %v, Features() = %q", pathVariable, paths()[0].name, err, Features())
	}
}
