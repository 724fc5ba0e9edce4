package kernel

import "ablate/stages/internal/kernel/matmul"

// For the tables, which measure the packages above this one beside it.

var CPUTime = cpuTime

// PeakLoop is that of the path in use, in floating-point operations.
func PeakLoop() (flop int, f func()) {
	k, err := selected()
	if err != nil {
		panic(err)
	}
	fma, f := k.PeakLoop()
	return 2 * fma, f
}

// ReadAll reads x as fast as memory gives it.
func ReadAll(x []float32) float32 {
	k, err := selected()
	if err != nil {
		panic(err)
	}
	return k.rowMax(x)
}

func bf16Paths() []*matmul.BF16Path {
	k, err := selected()
	if err != nil {
		panic(err)
	}
	return k.BF16()
}

// BF16Names lists the implementations of GemmBF16 of the path in use.
func BF16Names() []string {
	var names []string
	for _, h := range bf16Paths() {
		names = append(names, h.Name)
	}
	return names
}

// PreferBF16 changes implementation i with the first, which the next pools will use.
func PreferBF16(i int) {
	all := bf16Paths()
	all[0], all[i] = all[i], all[0]
}

// BF16PeakLoop is PeakLoop for the first implementation.
func BF16PeakLoop() (flop int, f func()) {
	h := bf16Paths()[0]
	if h.Peak == nil {
		return PeakLoop()
	}
	const turns = 2000
	return turns * 12 * 2 * 2 * 16, func() { h.Peak(turns) }
}
