// Package kernel holds the compute kernels of the CPU transformer: matrix product, attention,
// norms, activations, cross entropy and AdamW, forward and backward, in float32 over plain slices.
// It knows nothing of graphs or of models; the package above it checks shapes.
//
// Letters: B sequences in a batch, T positions in a sequence, C channels (the width of a row), V
// words of the vocabulary, NH heads, HD channels of a head, H hidden channels of the feed-forward
// block. All arrays are row-major. The gradient of x is dx. Arguments come in one order: outputs,
// inputs, sizes.
//
// # Paths
//
// There are four paths: "avx512" and "avx2" (assembly, amd64), "fused" (Go whose multiply-adds the
// compiler fuses, arm64) and "portable" (Go, with the fused multiply-add emulated: slow, about
// 1/200 of avx512). They give the same bits, because
//   - each element of a matrix product is one chain of fused multiply-adds in
//     the order of k (see Gemm), whatever the blocking;
//   - each sum along a row keeps 16 partial sums, element i in sum i mod 16,
//     folded as a tree: 8+8, 4+4, 2+2, 1+1;
//   - each sum over rows keeps a number of partial sums that does not depend on
//     the number of threads;
//   - everything else uses only IEEE operations that are rounded correctly
//     (add, subtract, multiply, divide, square root, fused multiply-add), in one
//     order; fused are those of the exponential and of GELU, where the Go loops
//     say MulAdd (package scalar), and no others.
//
// What follows for a model and its training is stated in package lm/cpu.
//
// Two things are not promised: the payload and sign of a NaN, and equal bits across architectures
// where the standard library's float64 log, sin, cos and pow, used for lse and for the rotary
// table, differ in the last place before they are rounded to float32.
//
// # bf16
//
// GemmBF16 rounds its operands to bf16 and adds in float32. Its bits are those of two chained fused
// multiply-adds that flush denormals, which is what VDPBF16PS was seen to do on Intel's Emerald
// Rapids and on AMD's Zen 4 (the tests look again wherever they run), and every path gives them:
// AVX-512 and AVX2 by that instruction or by VFMADD231PS in flushing mode, the others in Go, exact
// and about 1/300 as fast. It is worth having on AMD since Zen 4, where VDPBF16PS does twice the
// products of VFMADD231PS; on Emerald Rapids the instruction does half of them, so the float32
// instruction is used and GemmBF16 is a little slower than Gemm. On AMD VDPBF16PS is used only if
// it agrees with the Go step on some 60,000 pairs of products whenever a process starts using it.
// On arm64 the Go loop runs; BFDOT adds in another order.
//
// # Packages
//
// This one has the loops along rows, attention, the choice of a path and what others call. Below it
// are matmul, the matrix products; pool, the workers; scalar, what is done to one number; arena,
// memory; processor, what the machine can do; and generate, the programs that write assembly.
//
// # Contracts
//
// Outputs do not alias inputs unless a kernel says so. Slices may be longer than needed. A slice
// that is too short is our own mistake and panics, as slices do. Backward kernels accumulate (+=)
// into the gradients of parameters and overwrite the gradients of activations.
package kernel
