package kernel

// refGemm is Gemm.
func refGemm(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	for i := range m {
		for j := range n {
			var s float32
			if beta != 0 {
				s = c[i*ldc+j]
			}
			for l := range k {
				ia, ib := i*lda+l, l*ldb+j
				if transA {
					ia = l*lda + i
				}
				if transB {
					ib = j*ldb + l
				}
				s = fma32(a[ia], b[ib], s)
			}
			c[i*ldc+j] = s
		}
	}
}
