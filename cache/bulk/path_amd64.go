package bulk

import "golang.org/x/sys/cpu"

//go:noescape
func sumAVX512(dst *float32, acc *float64, sources **float32, weights *float64, models, n int, first, last, past bool)

//go:noescape
func sumAVX2(dst *float32, acc *float64, sources **float32, weights *float64, models, n int, first, last, past bool)

//go:noescape
func widenAVX512(dst *int32, src *uint16, n int)

//go:noescape
func widenAVX2(dst *int32, src *uint16, n int)

var (
	avx512 = path{name: "avx512", sum: sumAVX512, block: 64, widen: widenAVX512}
	avx2   = path{name: "avx2", sum: sumAVX2, block: 32, widen: widenAVX2}
)

// vectorPaths lists what this machine can run, best first. They ask for what the paths of the same
// names in the arithmetic of models ask for, so that one name is never known here and unknown
// there.
func vectorPaths() []*path {
	var list []*path
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA {
		if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL {
			list = append(list, &avx512)
		}
		list = append(list, &avx2)
	}
	return list
}
