package kernel

const tileSize = 16 * 48

type gemmCall struct{}

func (p *Pool) gemmTask(_ *worker, _ int) {}

// Gemm sets C = A'B' + beta C, where A' is A or its transpose, m x k, and B' is
// B or its transpose, k x n; beta is 0 (C need not be set) or 1. lda, ldb, ldc
// are the distances between rows as stored. C must not overlap A or B.
//
// Each element is the chain c = fma(a[i][l], b[l][j], c) for l = 0 ... k-1 in
// that order, each step rounded once, beginning with 0 or with C's element. So
// neither blocking nor threads nor path change a bit.
func Gemm(p *Pool, transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	p.split(m, 1, func(lo, hi int) {
		refGemm(transA, transB, lo, hi, n, k, a, lda, b, ldb, beta, c, ldc)
	})
}
