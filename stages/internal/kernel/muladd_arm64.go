package kernel

// mulAdd is fma32 by the FMADDS instruction, see fusedPath.
func mulAdd(a, b, c float32) float32 { return a*b + c }
