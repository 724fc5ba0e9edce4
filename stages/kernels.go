package stages

import (
	"ablate/cache/bulk"
	"ablate/stages/internal/kernel"
)

// Kernels settles which of the processor's instruction sets the arithmetic uses: avx512, avx2,
// fused or portable, or with an empty name what ABLATE_KERNEL says or else the best there is. All
// of them give the same bits. It returns the choice in words, for provenance; it is called once,
// before any step runs.
func Kernels(name string) (string, error) {
	if err := kernel.Select(name); err != nil {
		return "", err
	}
	if err := bulk.Select(name); err != nil {
		return "", err
	}
	return kernel.Features(), nil
}

// KernelsHere are the names of the instruction sets that this machine has, the fastest first.
func KernelsHere() []string { return kernel.Available() }
