package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Kind is a kind of step with all that others need to know of it. Whoever plans, runs, explains or
// audits steps is given Kinds, and asks them: a new kind is a package with one such value, and a
// line in the list of package stages.
type Kind struct {
	Name string

	// History says what changed, a line a version from version 1 on, which is the first. A line is
	// added by hand when the same parameters and inputs would give other bytes: the version, which
	// is the number of lines, is part of the keys of all steps of the kind.
	History []string

	// Work is what the steps of the kind do, for whoever asks for all steps that do it: names of
	// kinds are for keys and people.
	Work Work

	// Unit is what the kind's Progress counts, and what the time of its steps goes with: "tokens",
	// "bytes" or "documents". Empty: it counts nothing.
	Unit string

	// HoldsText reports whether an output has the corpus's text in it, as tokens, identities or
	// hashes of paragraphs, which a bundle for strangers leaves out. Nil: no output has.
	HoldsText func(output string) bool

	// Run carries out a step.
	Run Func

	// Needs says what a step takes of the machine on job.Threads threads, from its parameters
	// alone. Nil: nothing that is known beforehand.
	Needs func(job *Job) (Needs, error)

	// Speed measures how fast a step goes on this machine, on one and on all of job.Threads, from
	// the parameters alone, in about the time of the budget; see Kind.Measure. Nil: nobody knows.
	Speed func(ctx context.Context, job *Job, budget time.Duration) (Speed, error)

	// Probes says that Speed measures this machine; else it gives constants of the program.
	Probes bool

	// Alike names what of the parameters the speed depends on. Nil: nothing.
	Alike func(params json.RawMessage) (string, error)

	// Differ says in words where an output that was made again first differs from the one given
	// under the same name; "" where it cannot tell. Nil: it never can.
	Differ func(output, made, given string) string

	// Origins says which keys of a study a parameter comes from: of the parameters' prefixes that
	// end where a name ends, the longest counts. "*" stands for the step's own part of the study
	// (its corpus, set of partitions or training); behind a "+" what follows the prefix is
	// appended.
	Origins map[string]string

	// Titles says what the steps of each role are about, in the words of the report: "unit models".
	// A role that is not in it needs no words beside the name of the kind.
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

// Needs is what a step takes of the machine it is carried out on, as far as its parameters say.
// Zero is an amount that is not known beforehand, or too small to be counted, unless the field says
// otherwise. A step that has less than it is fastest with gives the same bytes.
type Needs struct {
	Cores       int   `json:"cores,omitempty"`        // that it can use at most; 0: as many as there are
	Memory      int64 `json:"memory,omitempty"`       // of the host, in bytes, with which it is fastest
	LeastMemory int64 `json:"least_memory,omitempty"` // of the host, in bytes, with which it can do

	Devices      int   `json:"devices,omitempty"`       // accelerators that no other step uses meanwhile; 0: none
	DeviceMemory int64 `json:"device_memory,omitempty"` // of each device, in bytes

	// Time is how long the step takes at most, for schedulers that ask for a limit. It is 0 for all
	// kinds of this program: parameters say how many tokens a step computes, and nobody knows how
	// many tokens a second the machine computes that the step will find itself on.
	Time time.Duration `json:"time_ns,omitempty"`

	Leaves int64 `json:"leaves,omitempty"` // of the disk, in bytes: its outputs
	Aside  int64 `json:"aside,omitempty"`  // of the disk, in bytes: what it keeps under Partial while it runs, to go on from
}

// Check refuses amounts below zero, and a step that can do only with more memory than it is fastest
// with.
func (n Needs) Check() error {
	for _, amount := range []struct {
		name  string
		value int64
	}{
		{"cores", int64(n.Cores)}, {"memory", n.Memory}, {"least memory", n.LeastMemory}, {"devices", int64(n.Devices)},
		{"device memory", n.DeviceMemory}, {"time", int64(n.Time)}, {"leaves", n.Leaves}, {"aside", n.Aside},
	} {
		if amount.value < 0 {
			return fmt.Errorf("needs %d of %s, want none below 0", amount.value, amount.name)
		}
	}
	if n.LeastMemory > n.Memory {
		return fmt.Errorf("needs at least %d bytes of memory, and is fastest with %d", n.LeastMemory, n.Memory)
	}
	return nil
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

// Does reports whether steps of the kind of this name do any of this. A name that is not in the
// list does nothing.
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

// Difference says in words where an output of a step of a kind that was made again first differs
// from the one given; "" where nobody can tell.
func (ks Kinds) Difference(name, output, made, given string) string {
	k, err := ks.Named(name)
	if err != nil || k.Differ == nil {
		return ""
	}
	return k.Differ(output, made, given)
}
