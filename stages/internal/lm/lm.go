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
// The model sees no document boundaries: a token attends to every earlier token of its row, also across documents packed
// into it, as in the paper.
//
// What it does not promise: an Engine is not safe for concurrent use; results are the same for any number of threads and on
// any run, but another batch split (B, T) sums in another order and may differ in the last bits.
package lm

import "ablate/stages/internal/optim"

// Tensor is a named view. Data is row-major and, when it comes from an Engine, a view into the engine's memory: writing to
// it changes the model.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Engine is a model that can be trained and evaluated. Inputs and targets are rows of T tokens, B of them, one after the
// other; target[i] is the token that should follow inputs[0..i] of its row, and a negative target is ignored: its loss is 0
// and it gives no gradient.
type Engine interface {
	Config() Config

	// Tensors returns the parameters in fixed order.
	Tensors() []Tensor

	// Accumulate runs forward and backward over B*T tokens and adds d(scale * loss)/d(parameter) to the gradients, where
	// loss, which it returns, is the sum of the nats of all targets that are not ignored, in float64 and in row order. With
	// scale = 1/(targets of the whole batch), the calls for its micro-batches together give the gradient of the mean. On
	// error, a loss that is not finite among them, all gradients are zero.
	Accumulate(inputs, targets []int32, B, T int, scale float64) (loss float64, err error)

	// Step clips the gradients, updates the parameters and sets the gradients to zero. It returns the norm of all gradients
	// together before clipping. On error, a gradient that is not finite among them (the error names the first such tensor),
	// parameters and moments are unchanged and the gradients zero.
	Step(o optim.Step) (gradNorm float64, err error)

	// State returns AdamW's first and second moments, in the order of Tensors. They are views: to restore, copy into them.
	State() (m, v []Tensor)

	// Losses writes the nats of each target to out, 0 where it is ignored. It keeps nothing for a backward pass, and rows of
	// the head whose target is ignored cost nothing. A new shape (B, T) costs some milliseconds, here as in Accumulate.
	Losses(inputs, targets []int32, B, T int, out []float32) error

	// Close stops the engine's workers. The engine must not be used afterwards.
	Close() error
}

// Threaded is an Engine that can change how many threads compute, between its other calls. NewCPU's can: the number given
// there is the most it can use, and until SetThreads is called it uses them all; threads not in use sleep. No result depends
// on the number, to the last bit.
type Threaded interface {
	Engine
	SetThreads(n int) // a number below 1 or above the most counts as the nearest
}
