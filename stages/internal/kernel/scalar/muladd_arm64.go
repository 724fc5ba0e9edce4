package scalar

// MulAdd is FMA by the FMADDS instruction, see fusedPath.
func MulAdd(a, b, c float32) float32 { return a*b + c }
