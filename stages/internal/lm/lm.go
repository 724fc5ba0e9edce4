// Package lm is the door to the model: a GPT-like causal transformer, its gradients and its losses,
// behind one interface, Engine. It holds what is the same for every engine: the interface, how
// parameters are initialised (Init) and how they are loaded (Load). It computes nothing and knows
// no engine. An engine is a package below this one:
//
//	lm/cpu         computes on the processor, with chains of sums of a fixed order: the same bits on every machine
//	lm/engines     lists the engines by their arithmetic, and opens them; the stages import it
//	lm/enginetest  holds any engine to what this package promises
//
// Letters, used in every engine and nowhere renamed:
//
//	B  sequences in a batch            T  tokens in a sequence        N  = B*T rows
//	C  width of the model (d_model)    H  heads                       D  = C/H, width of a head
//	V  rows of the vocabulary          L  layers                      F  columns of the MLP's up projection
//
// Every matrix is row-major; a weight is stored (out, in) as in PyTorch, so y = x Wᵀ + b. The
// gradient of x is dx.
//
// Architectures: what arch.Model can say, built from one block of two parts, attention and MLP, in
// three arrangements (sequential, parallel, neox). It expresses the models of the paper's authors
// exactly, in their code's form and in their text's; GPT-NeoX and Pythia (neox blocks, a quarter of
// each head turned, biases, an untied head); Llama and OLMo (RMSNorm, SwiGLU, no biases). What it
// does not: key and value heads shared by query heads (Llama 3, TinyLlama), norms without weights
// (OLMo 1) or after attention and MLP (OLMo 2), learned positions (GPT-2), dropout, GELU with erf
// in place of tanh (they differ by less than 5e-4; the fused kernel that GPT-NeoX trains with is
// the tanh form).
//
// The model sees no document boundaries: a token attends to every earlier token of its row, also
// across documents packed into it, as in the paper.
//
// An Engine is not safe for concurrent use.
//
// # Which bits are the same
//
// Every engine gives the same bits for the same calls again. An engine that takes over another's
// weights and moments after any Step goes on as that would have. Calls of Losses in between change
// nothing. Package enginetest holds every engine to this. What else is the same depends on the
// arithmetic: package cpu says it for the processor's, and package kind (Arithmetic) how the
// results of each are compared. The sign and payload of a NaN are never promised.
package lm

import (
	"fmt"

	"ablate/specs/arch"
	"ablate/stages/internal/optim"
)

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

// Engine is a model that can be trained and evaluated, wherever its memory is. Everything but its
// tokens and losses goes in and out by Fill and Save, whole parts at a time; a merge of models is a
// Fill that computes, so that it has the same bits on every engine. Package enginetest says what an
// engine must do, by tests.
//
// Inputs and targets are rows of T tokens, B of them, one after the other; target[i] is the token
// that should follow inputs[0..i] of its row, and a negative target is ignored: its loss is 0 and
// it gives no gradient.
type Engine interface {
	// Model is the architecture.
	Model() arch.Model

	// Fill calls f with memory for the tensors of a part, in fixed order, and takes what f leaves
	// there. What the memory holds before is anything; where f fails, the part is what it was or
	// what f left.
	Fill(part Part, f func([]Tensor) error) error

	// Save calls f with the tensors of a part, in the order of Fill, to be read before f returns
	// and not to be written to.
	Save(part Part, f func([]Tensor) error) error

	// Accumulate runs forward and backward over B*T tokens and adds d(scale * loss)/d(parameter) to
	// the gradients, where loss, which it returns, is the sum of the nats of all targets that are
	// not ignored, in float64 and in row order. With scale = 1/(targets of the whole batch), the
	// calls for its micro-batches together give the gradient of the mean. On error, a loss that is
	// not finite among them, all gradients are zero.
	Accumulate(inputs, targets []int32, B, T int, scale float64) (loss float64, err error)

	// Step clips the gradients, updates the parameters and sets the gradients to zero. It returns
	// the norm of all gradients together before clipping. On error, a gradient that is not finite
	// among them (the error names the first such tensor), parameters and moments are unchanged and
	// the gradients zero.
	Step(o optim.Step) (gradNorm float64, err error)

	// Losses writes the nats of each target to out, 0 where it is ignored. It keeps nothing for a
	// backward pass, and rows of the head whose target is ignored cost nothing. A new shape (B, T)
	// costs some milliseconds, here as in Accumulate.
	Losses(inputs, targets []int32, B, T int, out []float32) error

	// Close gives back what the engine holds besides memory: workers, a device. The engine must not
	// be used afterwards.
	Close() error
}

// Options say how an engine works. Results depend on Precision, which is therefore part of the key
// of a training, and on nothing else here, to the last bit.
type Options struct {
	// Precision is that of training: BF16, or empty for float32. With BF16 the operands of the
	// linear layers' and the head's products are rounded to bf16 in Accumulate, forward and
	// backward, and summed in float32; attention's own products, norms, softmax, losses, gradients,
	// weights and moments stay float32. Losses are those of float32 always: what a model is judged
	// by depends on its weights, not on how they came to be.
	Precision string

	Threads   int       // that may ever compute, at least 1
	Recompute Recompute // what a training gives of its time for memory
}

// BF16 is a word of Options.Precision.
const BF16 = "bf16"

// Validate returns what is wrong with o, whichever the engine.
func (o Options) Validate() error {
	switch {
	case o.Precision != "" && o.Precision != BF16:
		return fmt.Errorf("engine: precision is %q, want one of %q", o.Precision, []string{"", BF16})
	case o.Threads < 1:
		return fmt.Errorf("engine: threads is %d, want at least 1", o.Threads)
	}
	return nil
}

// Recompute says how much of a forward pass a training keeps for the backward pass; the rest is
// computed again there, from what is kept (Chen et al., "Training Deep Nets with Sublinear Memory
// Cost", arXiv:1604.06174). No bit depends on it.
type Recompute uint8

const (
	// None keeps everything that a gradient needs.
	None Recompute = iota
	// Cheap computes norms, rotations, activation functions and residual sums again: half of the
	// memory, little of the time.
	Cheap
	// Layers keeps nothing of a layer but its input: the backward pass runs each layer, one at a
	// time, once more.
	Layers
)

// Levels are all of them, the fastest first.
var Levels = []Recompute{None, Cheap, Layers}

func (r Recompute) String() string { return [...]string{"none", "cheap", "layers"}[r] }

// Memory is what an engine of a model takes, in bytes.
type Memory struct {
	Parameters  int64 // to evaluate, the weights; to train, weights, gradients and two moments
	Activations int64 // of one pass, as planned
	Scratch     int64 // of the kernels, on all threads
}

// Total is all of it.
func (m Memory) Total() int64 { return m.Parameters + m.Activations + m.Scratch }

// Threaded is an Engine that can change how many threads compute, between its other calls.
// Options.Threads is the most it can use, and until SetThreads is called it uses them all; threads
// not in use sleep.
type Threaded interface {
	Engine
	SetThreads(n int) // a number below 1 or above the most counts as the nearest
}
