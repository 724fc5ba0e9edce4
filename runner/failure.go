package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner/exec"
	"ablate/stages/kind"
)

// Failure is a step that failed by itself.
type Failure struct {
	Step    string // ID
	Key     cache.Key
	Log     string  // file with the details, or empty
	Shows   []Shown // files that the step left about its failure
	Err     error
	Class   exec.Class // of Err: what the failure calls for
	Blocked []string   // IDs of the steps that could not run because of it
}

// Shown is a file about a failure, and what it is.
type Shown struct{ What, Path string }

// shownFailures is how many failures are told in full: where more steps fail, it is mostly for one
// reason.
const shownFailures = 5

// FailedError says which steps failed by themselves.
type FailedError struct{ Failures []Failure }

// Unwrap gives the causes.
func (e *FailedError) Unwrap() []error {
	var errs []error
	for _, f := range e.Failures {
		errs = append(errs, f.Err)
	}
	return errs
}

func (e *FailedError) Error() string {
	var b strings.Builder
	for i, f := range e.Failures {
		if i > 0 {
			b.WriteByte('\n')
		}
		if rest := len(e.Failures) - i; i == shownFailures && rest > 1 {
			fmt.Fprintf(&b, "and %d more steps failed; their logs lie beside that of %s", rest, e.Failures[0].Step)
			break
		}
		fmt.Fprintf(&b, "step %s (key %s) failed: %v", f.Step, f.Key.Short(), f.Err)
		if f.Log != "" {
			fmt.Fprintf(&b, "\n  log: %s", f.Log)
		}
		for _, s := range f.Shows {
			fmt.Fprintf(&b, "\n  %s: %s", s.What, s.Path)
		}
		switch n := len(f.Blocked); {
		case n == 1:
			fmt.Fprintf(&b, "\n  not run because of it: %s", f.Blocked[0])
		case n > 1:
			fmt.Fprintf(&b, "\n  not run because of it: %s and %d more", f.Blocked[0], n-1)
		}
	}
	return b.String()
}

// fail records that step i failed by itself, or was told to stop.
func (r *run) fail(i int, rep exec.Report) {
	class := exec.ClassOf(rep.Err)
	if class == exec.Interrupted && r.interrupted { // not failed; the run's own error says so
		var lost *kind.SaveError
		if errors.As(rep.Err, &lost) {
			r.Events(Event{What: Warning, Step: i, Key: rep.Key, Message: fmt.Sprintf("step %s was interrupted and could not be saved: %v", r.plan.Steps[i].ID, lost)})
		}
		return
	}
	r.full = r.full || class == exec.OutOfDisk
	f := &Failure{Step: r.plan.Steps[i].ID, Key: rep.Key, Err: rep.Err, Class: class}
	f.Log = r.log(i, f)
	r.failed[i] = f
	r.order = append(r.order, i)
	r.Events(Event{What: Failed, Step: i, Key: rep.Key, Err: rep.Err, Took: rep.Took, Message: f.Log})
}

// log writes what a person needs to look into a failure.
func (r *run) log(i int, f *Failure) string {
	if r.LogDir == "" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "step %s\nkey %s\nerror %s\nclass %s\n", f.Step, f.Key, cache.PrintableLines(f.Err.Error()), f.Class)
	var p *exec.PanicError
	if errors.As(f.Err, &p) {
		fmt.Fprintf(&b, "\n%s\n", p.Stack)
	}
	b.WriteString("\nkey inputs\n")
	for _, in := range r.state.KeyInputs[i] {
		fmt.Fprintf(&b, "  %s = %s\n", cache.Printable(in.Label), cache.Printable(in.Value))
	}
	base := filepath.Join(r.LogDir, kind.FileName(f.Step)+".")
	path := base + "log"
	err := errors.Join(os.MkdirAll(r.LogDir, 0o777), os.WriteFile(path, []byte(b.String()), 0o666))
	var evident *kind.FailedError
	if err == nil && errors.As(f.Err, &evident) {
		for _, e := range evident.Files {
			if err = os.WriteFile(base+e.Name, e.Data, 0o666); err != nil {
				break
			}
			f.Shows = append(f.Shows, Shown{e.What, base + e.Name})
		}
	}
	if err != nil {
		r.Events(Event{What: Warning, Step: i, Message: fmt.Sprintf("no log of the failure: %v", err)})
		return ""
	}
	return path
}

// failures gathers the root causes and what each kept from running.
func (r *run) failures() error {
	if len(r.order) == 0 {
		return nil
	}
	root := map[int]*Failure{}
	for i := range r.plan.Steps {
		if f := r.failed[i]; f != nil {
			root[i] = f
			continue
		}
		if r.state.Status[i] == pipeline.Hit {
			continue
		}
		for _, w := range r.state.WaitsOn(i) {
			if f := root[w]; f != nil {
				root[i] = f
				f.Blocked = append(f.Blocked, r.plan.Steps[i].ID)
				break
			}
		}
	}
	e := &FailedError{}
	for _, i := range r.order {
		e.Failures = append(e.Failures, *r.failed[i])
	}
	return e
}
