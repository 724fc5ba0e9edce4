package kind

import "fmt"

// Kind is a kind of step with all that others need to know of it. Whoever plans, runs, explains or audits steps is given Kinds, and asks them:
// a new kind is a package with one such value, and a line in the list of package stages.
type Kind struct {
	Name string

	// History says what changed, a line a version from version 1 on, which is the first. A line is added by hand when the same parameters and
	// inputs would give other bytes: the version, which is the number of lines, is part of the keys of all steps of the kind.
	History []string

	// Work is what the steps of the kind do, for whoever asks for all steps that do it: names of kinds are for keys and people.
	Work Work

	// Unit is what the kind's Progress counts, and what the time of its steps goes with: "tokens", "bytes" or "documents". Empty: it counts
	// nothing.
	Unit string

	// HoldsText reports whether an output has the corpus's text in it, as tokens, identities or hashes of paragraphs, which a bundle for
	// strangers leaves out. Nil: no output has.
	HoldsText func(output string) bool

	// Run carries out a step.
	Run Func

	// Needs says what a step takes of the machine, from its parameters alone. Nil: so little that nobody counts it.
	Needs func(job *Job) (Needs, error)

	// Differ says in words where an output that was made again first differs from the one given under the same name; "" where it cannot tell.
	// Nil: it never can.
	Differ func(output, made, given string) string

	// Origins says which keys of a study a parameter comes from: of the parameters' prefixes that end where a name ends, the longest counts.
	// "*" stands for the step's own part of the study (its corpus, set of partitions or training); behind a "+" what follows the prefix is
	// appended.
	Origins map[string]string

	// Titles says what the steps of each role are about, in the words of the report: "unit models". A role that is not in it needs no words
	// beside the name of the kind.
	Titles map[string]string
}

// Work is what steps of a kind do, one or several of these.
type Work uint8

// What steps do.
const (
	ReadsFiles Work = 1 << iota // raw files become documents
	Divides                     // documents become units and held-out sets
	Trains                      // a model is trained: the hours and tokens of a plan
	Merges                      // what a recipe makes of models is stored
	Evaluates                   // what a recipe makes of models is scored on an evaluation set
	Compares                    // scores become the study's result
)

// Does reports whether steps of the kind do any of this.
func (k Kind) Does(work Work) bool { return k.Work&work != 0 }

// Texts reports whether an output of the kind has the corpus's text in it.
func (k Kind) Texts(output string) bool { return k.HoldsText != nil && k.HoldsText(output) }

// Version is the number of lines of the kind's history.
func (k Kind) Version() int { return len(k.History) }

// Needs is what a step takes of the machine, in bytes. A step with less memory than it is fastest with gives the same bytes.
type Needs struct {
	Memory      int64 // with which it is fastest
	LeastMemory int64 // with which it can do
	Leaves      int64 // of the disk: its outputs, where they are known beforehand
	Aside       int64 // of the disk: what it keeps under Partial while it runs, to go on from
}

// Kinds is a list of kinds of step, each of a name of its own.
type Kinds []Kind

// Named is the kind of this name.
func (ks Kinds) Named(name string) (Kind, error) {
	for i := range ks {
		if ks[i].Name == name {
			return ks[i], nil
		}
	}
	names := make([]string, len(ks))
	for i, k := range ks {
		names[i] = k.Name
	}
	return Kind{}, fmt.Errorf("internal error: there is no kind of step %q, only %q", name, names)
}

// Does reports whether steps of the kind of this name do any of this. A name that is not in the list does nothing.
func (ks Kinds) Does(name string, work Work) bool {
	k, err := ks.Named(name)
	return err == nil && k.Does(work)
}

// Needs says what a step takes of the machine on so many threads.
func (ks Kinds) Needs(name string, params []byte, threads int) (Needs, error) {
	k, err := ks.Named(name)
	if err != nil || k.Needs == nil {
		return Needs{}, err
	}
	return k.Needs(&Job{Params: params, Threads: threads})
}

// Difference says in words where an output of a step of a kind that was made again first differs from the one given; "" where nobody can tell.
func (ks Kinds) Difference(name, output, made, given string) string {
	k, err := ks.Named(name)
	if err != nil || k.Differ == nil {
		return ""
	}
	return k.Differ(output, made, given)
}
