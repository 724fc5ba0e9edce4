// Package kind is the contract between a plan and the stages that carry it out: what a kind of step
// is (Kind), what a stage sees of a step (Job), the parameters of every kind, the roles of its
// inputs and the names of its outputs, what a step needs of a machine, what goes into its key, and
// what a score is (Metric). It imports nothing of ours but the cache's digests, the one type of an
// architecture and elementary functions, so that the pipeline can compile a step without knowing
// how it runs, and a stage can run without knowing the plan.
//
// Parameters hold what changes the result and nothing else: no paths, no display names, no worker
// counts. Their JSON form, flattened to one line per value, is part of the step's key.
package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"ablate/cache"
)

// Names of the kinds of step that a study compiles to.
const (
	Tokenizer = "tokenizer" // corpus files -> tokenizer.json
	Tokenize  = "tokenize"  // corpus files, tokenizer -> token file, paragraph table
	Split     = "split"     // token files -> units, held-out sets, ledger, sizes
	Train     = "train"     // units, start -> checkpoint, optimizer state, loss curve
	Merge     = "merge"     // checkpoints -> their weighted average, stored
	Eval      = "eval"      // checkpoints with weights, evaluation set -> losses per document
	Ensemble  = "ensemble"  // loss tables of models with weights -> losses per document of the mixture of their probabilities
	Correlate = "correlate" // loss tables -> scores, correlations, figures
)

// Input is one opened input of a job.
type Input struct {
	Role   string       // what the artifact is to the step: "tokenizer", "unit.3", "model.0"
	Digest cache.Digest // of its bytes
	Path   string       // where the bytes can be read; the name means nothing
	Name   string       // what a person calls it, for messages only
	Files  []string     // of an output of a step that reads raw files: their names, in its order, for messages only
}

// Job is all that a stage sees of a step.
type Job struct {
	Params  json.RawMessage
	Inputs  []Input
	Dir     string // empty; every regular file left in it becomes an output, named by its slash path
	Partial string // survives a kill: what a later attempt at the same step may resume from; emptied when the step is done
	Threads int    // how many threads may ever compute; results must not depend on it

	Memory int64 // bytes that the step may take; 0: as many as it is fastest with. Results must not depend on it

	// Share is how many of the threads may compute now. It may change while the job runs, so a long
	// one asks again now and then. Nil: all.
	Share func() int

	// Resumed is set by a stage that goes on from what an earlier attempt left under Partial: how
	// many of its optimizer steps were done then. An audit executes such steps before others, for
	// what was saved has no digest.
	Resumed int64

	SaveEvery time.Duration // how often to save under Partial; results must not depend on it

	// Progress tells how much of the step is done; unit is "tokens", "documents" or "bytes". It may
	// be called often and from one goroutine at a time.
	Progress func(done, total int64, unit string)

	// Documents tells how many documents a step that reads or writes some has got through; like
	// Progress, which shows it, and from the same goroutine. Nil: nobody wants to know.
	Documents func(n int64)
}

// Func carries out one kind of step. When ctx ends it saves what it can under Partial and returns
// ctx's error.
type Func func(ctx context.Context, job *Job) error

// SaveError says that a step which was told to stop could not save what it had: the work since its
// last checkpoint is lost.
type SaveError struct{ Err error }

func (e *SaveError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *SaveError) Unwrap() error { return e.Err }

// MemoryError says that a step can do only with more memory than it may take.
type MemoryError struct{ Err error }

func (e *MemoryError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *MemoryError) Unwrap() error { return e.Err }

// KeyError is the failure of a step that a key of the study is to blame for: one of the corpus
// whose documents the step reads.
type KeyError struct {
	Key []string // below the corpus: metadata, year
	Err error
}

func (e *KeyError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// ParamError is the failure of a step that one of its parameters is to blame for. Kind.Origins says
// which key of the study sets it.
type ParamError struct {
	Param string // its label in keys, without the word param: unit_tokens, declared.crypto
	Err   error
}

func (e *ParamError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *ParamError) Unwrap() error { return e.Err }

// FailedError is the failure of a step that has something to show for it: files that belong beside
// its log.
type FailedError struct {
	Err   error
	Files []Evidence
}

// Evidence is a file about a failure.
type Evidence struct {
	What string // it is, in a few words
	Name string // how it ends: "curve.csv"
	Data []byte
}

func (e *FailedError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *FailedError) Unwrap() error { return e.Err }

// Now is how many threads may compute now, at least one.
func (j *Job) Now() int {
	if j.Share == nil {
		return max(1, j.Threads)
	}
	return max(1, min(j.Share(), j.Threads))
}

// Decode reads the job's parameters into p, refusing fields p does not have: a plan and a stage
// that disagree must not run.
func (j *Job) Decode(p any) error {
	dec := json.NewDecoder(bytesReader(j.Params))
	dec.DisallowUnknownFields()
	if err := dec.Decode(p); err != nil {
		return fmt.Errorf("internal error: parameters %s: %w", j.Params, err)
	}
	return nil
}

// Input returns the input with the given role.
func (j *Job) Input(role string) (Input, error) {
	for _, in := range j.Inputs {
		if in.Role == role {
			return in, nil
		}
	}
	return Input{}, fmt.Errorf("internal error: no input %q", role)
}

// Numbered returns the inputs whose roles are prefix.0, prefix.1, ... in that order.
func (j *Job) Numbered(prefix string) []Input {
	byRole := make(map[string]Input, len(j.Inputs))
	for _, in := range j.Inputs {
		byRole[in.Role] = in
	}
	var ins []Input
	for {
		in, ok := byRole[Role(prefix, len(ins))]
		if !ok {
			return ins
		}
		ins = append(ins, in)
	}
}

// Role names the i-th input of a group.
func Role(prefix string, i int) string { return prefix + "." + strconv.Itoa(i) }
