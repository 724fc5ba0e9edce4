// Package lm is the model: a GPT-like causal transformer, its gradients and its losses, behind one door, Engine.
//
// The CPU engine builds a gorgonia expression graph of coarse fused operations (a dozen kinds; see graph.go), lets gorgonia
// differentiate it symbolically, compile it and run it on its tape machine, and does the arithmetic of each operation with
// package kernel. Gorgonia owns the graph, the types and shapes, the order of work; this package owns the memory:
// parameters and gradients are two flat arenas with one view per tensor, activations are one arena whose layout is planned
// from the order of the compiled program (plan.go).
//
// Letters, used everywhere and nowhere renamed:
//
//	B  sequences in a batch            T  tokens in a sequence        N  = B*T rows
//	C  width of the model (d_model)    H  heads                       D  = C/H, width of a head
//	V  rows of the vocabulary          L  layers                      F  columns of the MLP's up projection
//
// Every matrix is row-major; a weight is stored (out, in) as in PyTorch, so y = x Wᵀ + b. The gradient of x is dx.
//
// Architectures: what Config can say, built from one block of two parts, attention and MLP, in three arrangements
// (sequential, parallel, neox). It expresses the models of the paper's authors exactly, in their code's form and in their
// text's; GPT-NeoX and Pythia (neox blocks, a quarter of each head turned, biases, an untied head); Llama and OLMo (RMSNorm,
// SwiGLU, no biases). What it does not: key and value heads shared by query heads (Llama 3, TinyLlama), norms without
// weights (OLMo 1) or after attention and MLP (OLMo 2), learned positions (GPT-2), dropout, GELU with erf in place of tanh
// (they differ by less than 5e-4; the fused kernel that GPT-NeoX trains with is the tanh form).
//
// The model sees no document boundaries: a token attends to every earlier token of its row, also across documents packed
// into it, as in the paper.
//
// An Engine is not safe for concurrent use.
//
// # The same bits
//
// This is the place that says what is the same to the last bit and what is not; tests hold what is promised, and what rests
// on it refers to here. Promised of weights, moments, losses and norms of gradients:
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
//   - Engines on a device: equal with themselves, as package enginetest has it, and near this one within its tolerances.
//   - The sign and payload of a NaN.
package lm

import "ablate/stages/internal/optim"

// Tensor is a named array. Data is row-major.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Part is what an engine holds of a model.
type Part uint8

const (
	Weights Part = iota // the parameters, in the order of the architecture
	Moments             // AdamW's: m.NAME of every parameter, then v.NAME of every parameter
)

// Engine is a model that can be trained and evaluated, wherever its memory is. Everything but its tokens and losses goes in
// and out by Fill and Save, whole parts at a time; a merge of models is a Fill that computes, so that it has the same bits
// on every engine. Package enginetest says what an engine must do, by tests.
//
// Inputs and targets are rows of T tokens, B of them, one after the other; target[i] is the token that should follow
// inputs[0..i] of its row, and a negative target is ignored: its loss is 0 and it gives no gradient.
type Engine interface {
	Config() Config

	// Fill calls f with memory for the tensors of a part, in fixed order, and takes what f leaves there. What the memory
	// holds before is anything; where f fails, the part is what it was or what f left.
	Fill(part Part, f func([]Tensor) error) error

	// Save calls f with the tensors of a part, in the order of Fill, to be read before f returns and not to be written to.
	Save(part Part, f func([]Tensor) error) error

	// Accumulate runs forward and backward over B*T tokens and adds d(scale * loss)/d(parameter) to the gradients, where
	// loss, which it returns, is the sum of the nats of all targets that are not ignored, in float64 and in row order. With
	// scale = 1/(targets of the whole batch), the calls for its micro-batches together give the gradient of the mean. On
	// error, a loss that is not finite among them, all gradients are zero.
	Accumulate(inputs, targets []int32, B, T int, scale float64) (loss float64, err error)

	// Step clips the gradients, updates the parameters and sets the gradients to zero. It returns the norm of all gradients
	// together before clipping. On error, a gradient that is not finite among them (the error names the first such tensor),
	// parameters and moments are unchanged and the gradients zero.
	Step(o optim.Step) (gradNorm float64, err error)

	// Losses writes the nats of each target to out, 0 where it is ignored. It keeps nothing for a backward pass, and rows of
	// the head whose target is ignored cost nothing. A new shape (B, T) costs some milliseconds, here as in Accumulate.
	Losses(inputs, targets []int32, B, T int, out []float32) error

	// Close gives back what the engine holds besides memory: workers, a device. The engine must not be used afterwards.
	Close() error
}

// Options say how an engine works. No result depends on them, to the last bit.
type Options struct {
	Threads   int       // that may ever compute, at least 1
	Recompute Recompute // what a training gives of its time for memory
}

// New returns an engine for a model, its parameters and moments zero until Init, Load or Fill. It computes on the
// processor, and is Threaded.
func New(cfg Config, opt Options) (Engine, error) {
	e, err := newCPU(cfg, opt)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Threaded is an Engine that can change how many threads compute, between its other calls. Options.Threads is the most it
// can use, and until SetThreads is called it uses them all; threads not in use sleep.
type Threaded interface {
	Engine
	SetThreads(n int) // a number below 1 or above the most counts as the nearest
}
