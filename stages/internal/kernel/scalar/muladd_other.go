//go:build !arm64

package scalar

// MulAdd is a*b+c, rounded once, in the loops along rows.
func MulAdd(a, b, c float32) float32 { return FMA(a, b, c) }
