// Package cpu is the engine of the processor. It builds a gorgonia expression graph of coarse fused
// operations (a dozen kinds; see graph.go), lets gorgonia differentiate it symbolically, compile it
// and run it on its tape machine, and does the arithmetic of each operation with package kernel.
// Gorgonia owns the graph, the types and shapes, the order of work; this package owns the memory:
// parameters and gradients are two flat arenas with one view per tensor, activations are one arena
// whose layout is planned from the order of the compiled program (plan.go).
//
// Package lm says what an engine is, and has the letters B, T, N, C, H, D, V, L, F.
//
// # The same bits
//
// This is the place that says what is the same to the last bit and what is not; tests hold what is
// promised, and what rests on it refers to here. Promised of weights, moments, losses and norms of
// gradients:
//
//   - Threads: any number, changed between any two calls.
//   - Paths of package kernel: avx512, avx2 and portable; TestSameBits has every family of presets on each, on 1, 2 and 7
//     threads, and the script samebits of cmd/ablate every artifact of whole studies.
//   - Processor families: amd64 and arm64, where paths avx512, avx2, portable and fused compute alike. Nothing that reaches an
//     artifact comes from the functions of package math that differ between processors (package elementary has them), nor from
//     a multiply-add that the compiler fuses of its own accord. TestFused and TestMathFunctions of the root folder hold both for
//     all of the program; where there is an emulator of arm64, TestArm64GivesTheSameBits of cmd/ablate compares every artifact
//     of a small study.
//   - Recompute: whatever is kept and whatever computed again (TestRecomputeDoesNotMatter).
//   - Runs: the same calls again. Calls of Losses in between, of any shape, change nothing.
//   - Resuming: an engine that takes over another's weights and moments after any Step goes on as that would have; a
//     training that was interrupted or killed, and goes on anywhere above, leaves the same files.
//   - Rows: the loss of a token depends on the tokens of its row up to its target, not on the other rows or their number,
//     nor on how long the row is.
//   - Passes (micro-batches): the gradient of every matrix is one chain of sums over the rows of a batch, in their order,
//     so that calls of Accumulate for consecutive rows give the bits of one call for all of them, where scale is the same.
//
// Not promised:
//
//   - Passes, for the rest: gradients of biases and norms, of which each pass adds up partial sums of its own; the matrix of
//     a tied head, to which a pass adds the head's part and then the embedding's; and the float64 sum of losses. They differ
//     in the last bits, and with them the norm, so a training does. How a batch is cut is therefore not an option but a
//     constant of stages, under the version of its kind of step.
//   - Rows, of gradients: rows in another order, or cut at other lengths, are other sums.
//   - Processor families other than these two: nobody has compared them.
//   - Versions of Go: the uniform numbers of math/rand/v2, sorting and formatting are the library's. The golden digests of
//     stages tell when they change.
//   - Precision: a training in bf16 keeps every promise above, but it is another training than one in float32, with a key of
//     its own, and is held to it within stated bounds only (precision_test.go). Losses are those of float32 for both.
//   - Other engines: equal with themselves, as package enginetest has it, and near this one within its tolerances.
//   - The sign and payload of a NaN.
package cpu

import (
	"ablate/specs/arch"
	"ablate/stages/internal/lm"
)

// New returns an engine for a model, its parameters and moments zero until lm.Init, lm.Load or
// Fill. It is lm.Threaded.
func New(m arch.Model, opt lm.Options) (lm.Engine, error) {
	e, err := newEngine(m, opt)
	if err != nil {
		return nil, err
	}
	return e, nil
}
