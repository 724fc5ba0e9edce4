package kernel

import "ablate/stages/internal/kernel/matmul"

// BF16Scratch is what GemmBF16 may take of memory for a pool, in bytes.
const BF16Scratch = matmul.BF16Scratch

// Gemm sets C = A'B' + beta C; see matmul.Multiplier.
func Gemm(p *Pool, transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	p.products.Gemm(transA, transB, m, n, k, a, lda, b, ldb, beta, c, ldc)
}

// GemmBF16 is Gemm with A and B rounded to bf16; see matmul.Multiplier.
func GemmBF16(p *Pool, transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	p.products.GemmBF16(transA, transB, m, n, k, a, lda, b, ldb, beta, c, ldc)
}
