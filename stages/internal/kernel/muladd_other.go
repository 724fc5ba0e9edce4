//go:build !arm64

package kernel

// mulAdd is a*b+c, rounded once, in the loops along rows.
func mulAdd(a, b, c float32) float32 { return fma32(a, b, c) }
