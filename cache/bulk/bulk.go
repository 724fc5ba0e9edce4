// Package bulk holds the loops that go once through more numbers than the caches hold, where memory
// sets the pace: parameter averages (Sum) and the widening of stored tokens (Widen). Every loop is
// there as plain Go, which is what it means, and for AVX-512 and AVX2; all of them give the same
// bits, one exception apart: where two NaNs are added, which one's payload survives is the
// machine's choice.
//
// It stands below the readers of files, so it knows neither files nor models, and it is no part of
// the arithmetic of models (stages/internal/kernel), which is chosen by the same names.
package bulk

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// pathVariable forces a path, here and in the arithmetic of models.
const pathVariable = "ABLATE_KERNEL"

// path is one implementation of the loops.
type path struct {
	name string

	// sum is Sum over blocks of block elements. n is a multiple of block and not 0, dst begins at a
	// multiple of 64 bytes. Sums begin with the first model's products or, not first, in acc; they
	// end, rounded, in dst or, not last, in acc. past says to write past the caches.
	sum   func(dst *float32, acc *float64, sources **float32, weights *float64, models, n int, first, last, past bool)
	block int

	widen func(dst *int32, src *uint16, n int) // n a multiple of 32 and not 0; nil: Go
}

var portable = path{name: "portable"}

var choice struct {
	sync.Mutex
	p *path
}

// Select chooses the path from now on: "avx512", "avx2", "portable", or "" for what ABLATE_KERNEL
// says and, if that is empty, the best this machine has. It is an error to ask for what the machine
// lacks. "fused", a path of the arithmetic of models, has no loops of its own here and means
// portable.
func Select(name string) error {
	asked := "kernel path"
	if name == "" {
		name, asked = os.Getenv(pathVariable), pathVariable
	}
	p, err := find(name)
	if err != nil {
		return fmt.Errorf("%s %w", asked, err)
	}
	choice.Lock()
	defer choice.Unlock()
	choice.p = p
	return nil
}

func find(name string) (*path, error) {
	available := append(vectorPaths(), &portable)
	switch name {
	case "":
		return available[0], nil
	case "fused":
		return &portable, nil
	}
	names := make([]string, len(available))
	for i, p := range available {
		names[i] = p.name
	}
	if i := slices.Index(names, name); i >= 0 {
		return available[i], nil
	}
	return nil, fmt.Errorf("%q: this machine has %s", name, strings.Join(names, ", "))
}

// selected is the chosen path. Where nothing was chosen and ABLATE_KERNEL asks for what the machine
// lacks it panics: nothing else is put in its place. A program calls Select first.
func selected() *path {
	choice.Lock()
	defer choice.Unlock()
	if choice.p == nil {
		p, err := find(os.Getenv(pathVariable))
		if err != nil {
			panic(fmt.Sprintf("%s %v", pathVariable, err))
		}
		choice.p = p
	}
	return choice.p
}
