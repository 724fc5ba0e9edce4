// Package kind is the contract between a plan and the stages that carry it out: for every kind of step its name, its version, its
// parameters, the roles of its inputs and the names of its outputs. It is plain data and imports nothing of ours, so that the pipeline can
// compile a step without knowing how it runs, and a stage can run without knowing the plan.
//
// Parameters hold what changes the result and nothing else: no paths, no display names, no worker counts. Their JSON form, flattened to
// one line per value, is part of the step's key.
package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"ablate/cache"
)

// Kinds of step.
const (
	Tokenizer = "tokenizer" // corpus files -> tokenizer.json
	Tokenize  = "tokenize"  // corpus files, tokenizer -> token file, paragraph table
	Split     = "split"     // token files -> units, held-out sets, ledger, sizes
	Train     = "train"     // units, start -> checkpoint, optimizer state, loss curve
	Merge     = "merge"     // checkpoints -> their weighted average, stored
	Eval      = "eval"      // checkpoints with weights, evaluation set -> losses per document
	Correlate = "correlate" // loss tables -> scores, correlations, figures
)

// Versions of the kinds. A version rises by hand when the same parameters and inputs would give other bytes; one line of history each.
//
//	tokenizer 1: first
//	          2: letters and numbers are those of Unicode 16
//	          3: a list is no text of a Parquet file; normal form of what is read: see tokenize 7
//	tokenize  1: first
//	          2: letters and numbers are those of Unicode 16
//	          3: half a surrogate pair is a reason of its own; counts.json says where the first few dropped documents lie
//	          4: combining marks younger than the reference's tables are not ordered
//	          5: counts.json says which byte of a line, row of a table or token of an array a dropped document is at
//	          6: a table of the places of documents
//	          7: byte order marks are no text; every piece of a cut document has an identity of its own; paragraphs are compared in one form
//	             whatever their line ends and blanks; counts.json says what metadata are absent; missing.json; documents say which metadata they lack; values of
//	             Parquet's logical types in words, unsigned numbers, decimals and half floats too; a list is no text; added tokens have
//	             the ids that the reference library gives them, not those that the file says; places: null
//	             where there is no line
//	split     1: first
//	          2: units have names and ranges; timeline and filter; held-out text of other corpora
//	          3: what Bloom filters found is looked up, false positives told; the ledger has the units' names
//	          4: a table of the documents whose identity came before
//	          5: partitions and units of different things never share a name; no metadata that documents lack is taken for a value that
//	             others have; identities that several texts share, and metadata that no document has, are errors; ledger, sizes and timeline: unit_name,
//	             order_first, order_last; nulls for what is not there; filter.json: eval_set
//	train     1: first
//	          2: attn_out starts at init_std / sqrt(2 layers), as ff_out
//	          3: exponentials and GELU by fused multiply-adds; the gradient of the cross entropy from the exponentials of its loss
//	          4: moments that are denormal become 0
//	merge     1: first
//	eval      1: first
//	          2: exponentials and GELU by fused multiply-adds
//	correlate 1: first
//	          2: BCa intervals, p-values, leave-one-out, places; decisions over sets; warnings
//	          3: the noise of references over seeds; the average over sets
//	          4: perplexities above 1e30 are what they are; infinite ones take no part, with a warning; columns mixture_set, eval_set, chosen_place,
//	             best_place, eval_sets, best_chosen, median_place, worst_place; nulls, not NaN; quantiles of Student's t have
//	             the same last bits on every processor, and so have correlations of three mixtures
var Versions = map[string]int{
	Tokenizer: 3, Tokenize: 7, Split: 5, Train: 4, Merge: 1, Eval: 2, Correlate: 4,
}

// Input is one opened input of a job.
type Input struct {
	Role   string       // what the artifact is to the step: "tokenizer", "unit.3", "model.0"
	Digest cache.Digest // of its bytes
	Path   string       // where the bytes can be read; the name means nothing
	Name   string       // what a person calls it, for messages only
}

// Job is all that a stage sees of a step.
type Job struct {
	Params  json.RawMessage
	Inputs  []Input
	Dir     string // empty; every regular file left in it becomes an output, named by its slash path
	Partial string // survives a kill: what a later attempt at the same step may resume from; emptied when the step is done
	Threads int    // how many threads may ever compute; results must not depend on it

	Memory int64 // bytes that the step may take; 0: as many as it is fastest with. Results must not depend on it

	// Share is how many of the threads may compute now. It may change while the job runs, so a long one asks again now and then. Nil: all.
	Share func() int

	// Resumed is set by a stage that goes on from what an earlier attempt left under Partial: how many of its
	// optimizer steps were done then. An audit executes such steps before others, for what was saved has no digest.
	Resumed int64

	SaveEvery time.Duration // how often to save under Partial; results must not depend on it

	// Progress tells how much of the step is done; unit is "tokens", "documents" or "bytes". It may be called often and from one
	// goroutine at a time.
	Progress func(done, total int64, unit string)

	// Documents tells how many documents a step that reads or writes some has got through; like Progress, which shows it, and from the same
	// goroutine. Nil: nobody wants to know.
	Documents func(n int64)
}

// Memory is what a step takes of the machine's memory, in bytes: at its fastest, and if it must do with little.
type Memory struct{ Most, Least int64 }

// Func carries out one kind of step. When ctx ends it saves what it can under Partial and returns ctx's error.
type Func func(ctx context.Context, job *Job) error

// Kind is a kind of step.
type Kind struct {
	Name string
	Run  Func
}

// SaveError says that a step which was told to stop could not save what it had: the work since its last checkpoint is lost.
type SaveError struct{ Err error }

func (e *SaveError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *SaveError) Unwrap() error { return e.Err }

// KeyError is the failure of a step that a key of the study is to blame for: one of the corpus whose documents the step reads.
type KeyError struct {
	Key []string // below the corpus: metadata, year
	Err error
}

func (e *KeyError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// FailedError is the failure of a step that has something to show for it: files that belong beside its log.
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

// Decode reads the job's parameters into p, refusing fields p does not have: a plan and a stage that disagree must not run.
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
