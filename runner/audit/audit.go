// Package audit checks a finished run against nothing but the study, the raw files and the bytes in
// the cache. It trusts no memo, no entry and no report: every key is derived again from the study
// and the content of the inputs, every blob is read, steps are executed again in empty directories,
// and what a run left in its output directory is compared with what the cache gives now.
//
// Words. A finding is something that is not as it should be, with the name of what is wrong. What
// could not be checked, and what nobody could check, is listed beside the findings: an audit never
// skips anything silently. A claim is what provenance.json says of a step; it lets the audit go on
// past an entry that is lost, and is itself checked.
//
// What it does not promise: an audit that executes nothing again cannot see that a checkpoint was
// forged together with everything made from it. Executing the training again can. Bytes are the
// same on processors of one family and with one version of Go; package lm/cpu is exact about it,
// and a finding says so where the step was made by another.
package audit

import (
	"fmt"
	"slices"
	"sync"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/stages/kind"
)

// Options say what an audit has to work with; nothing here changes what it finds.
type Options struct {
	Cache   *cache.Cache // open for reading only
	Kinds   kind.Kinds   // of the steps
	Threads int          // of a step that is executed again
	Memory  int64        // bytes it may take; 0: no bound
	Temp    string       // directory for what is made again; the caller removes it
	Beside  []string     // files of an output directory that are not of the report, as its mark

	// Differ says where two files of one name of the report first differ, in words: a tensor, a
	// column, a line. May be nil.
	Differ func(name, made, given string) string
	// Lacks says why an output need not be there, as in a bundle without checkpoints; "" where it
	// must. May be nil.
	Lacks func(step, output string) string
	// Tell is told what goes on, a line at a time. May be nil.
	Tell func(line string)
}

// Finding is something that is not as it should be.
type Finding struct {
	What   string `json:"what"`              // study, raw file, entry, blob, report or execution
	Name   string `json:"name"`              // of the file, step or blob
	Step   string `json:"step,omitempty"`    // it belongs to
	Detail string `json:"detail"`            // what is wrong, with both values
	Used   int    `json:"used_by,omitempty"` // other outputs that are the same blob
}

func (f Finding) String() string {
	s := f.What + " " + f.Name
	if f.Step != "" && f.Step != f.Name {
		s += " (" + f.Step + ")"
	}
	return s + ": " + f.Detail
}

// Unchecked is something that was not checked.
type Unchecked struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// Count is how much of something was checked, of how much there is.
type Count struct {
	Checked int   `json:"checked"`
	Of      int   `json:"of"`
	Bytes   int64 `json:"bytes,omitempty"` // read
}

// Executed is a step that was executed again.
type Executed struct {
	Step    string  `json:"step"`
	Kind    string  `json:"kind"`
	Outputs int     `json:"outputs"` // compared byte for byte
	Same    bool    `json:"same"`
	Seconds float64 `json:"seconds"`           // that it took here
	Was     float64 `json:"was"`               // that it took when it was made
	Unasked bool    `json:"unasked,omitempty"` // the audit does so with every step that is cheap or was resumed
}

// Result is what an audit found.
type Result struct {
	Steps     Count          `json:"steps"`              // whose keys were derived again and whose entries say the same
	Upstream  int            `json:"upstream,omitempty"` // of Steps.Checked, the entries that the upstream cache gave
	Blobs     Count          `json:"blobs"`              // whose digests were computed again
	Raw       Count          `json:"raw_files"`          // whose digests are those that the run read
	Report    Count          `json:"report"`             // files of the output directory that were made again
	Executed  []Executed     `json:"executed"`
	OnWord    map[string]int `json:"on_word"` // kind -> steps whose outputs rest on the word of their entries
	Findings  []Finding      `json:"findings"`
	Unchecked []Unchecked    `json:"unchecked"`
}

// Audit is an audit under way.
type Audit struct {
	Options
	Result

	state   *pipeline.State
	claims  map[string]Step            // provenance.json by step
	claimed map[cache.Key]*cache.Entry // what it says, as entries
	mu      sync.Mutex                 // held by Lookup round what is lost
	lost    map[cache.Key]*cache.Miss  // entries that the cache could not give, for which a claim stands in
	bad     map[int]bool               // steps with a finding of their own
	blobs   map[cache.Digest]string    // sound ones -> path
	raw     map[cache.Digest]string    // sound raw files -> path

	explained int // missing entries whose reason was looked for
}

// New begins an audit. The claims are those of provenance.json, or nil.
func New(opt Options, claims []Step) *Audit {
	a := &Audit{
		Options: opt, claims: map[string]Step{}, claimed: map[cache.Key]*cache.Entry{}, lost: map[cache.Key]*cache.Miss{}, bad: map[int]bool{},
		blobs: map[cache.Digest]string{}, raw: map[cache.Digest]string{},
	}
	a.Result.Executed, a.Result.Findings, a.Result.Unchecked = []Executed{}, []Finding{}, []Unchecked{}
	for _, c := range claims {
		a.claims[c.ID] = c
		a.claimed[c.Key] = &cache.Entry{Key: c.Key, Kind: c.Kind, Outputs: c.Outputs, Provenance: c.Provenance}
	}
	return a
}

// Find adds a finding.
func (a *Audit) Find(what, name, step, format string, args ...any) {
	f := Finding{What: what, Name: name, Step: step, Detail: fmt.Sprintf(format, args...)}
	if !slices.Contains(a.Findings, f) {
		a.Findings = append(a.Findings, f)
	}
}

// Skip lists something that was not checked.
func (a *Audit) Skip(what, format string, args ...any) {
	u := Unchecked{what, fmt.Sprintf(format, args...)}
	if !slices.Contains(a.Unchecked, u) {
		a.Unchecked = append(a.Unchecked, u)
	}
}

func (a *Audit) tell(format string, args ...any) {
	if a.Tell != nil {
		a.Tell(fmt.Sprintf(format, args...))
	}
}
