package audit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner/exec"
	"ablate/runner/tasks"
	"ablate/stages/kind"
)

// Sample draws n of the steps that could be executed again, at least one of them a training where
// there is one: a study has many more evaluations than trainings, and it is in a training that a
// forgery would pay. The same seed draws the same steps. Steps that are executed anyway are not
// drawn.
func (a *Audit) Sample(n int, seed uint64) []int {
	r := rand.New(rand.NewPCG(seed, 0x61756469))
	var able, trains []int
	for i, step := range a.state.Plan.Steps {
		if a.state.Status[i] != pipeline.Hit || step.Kind == kind.Correlate || a.lacks(i) != "" {
			continue
		}
		able = append(able, i)
		if step.Kind == kind.Train {
			trains = append(trains, i)
		}
	}
	r.Shuffle(len(able), func(x, y int) { able[x], able[y] = able[y], able[x] })
	if len(trains) > 0 && n > 0 {
		t := trains[r.IntN(len(trains))]
		able = append([]int{t}, slices.DeleteFunc(able, func(i int) bool { return i == t })...)
	}
	able = able[:min(n, len(able))]
	slices.Sort(able)
	return able
}

// Cheap lists what an audit executes again unasked, in the order in which it does: trainings that
// went on from a checkpoint of an earlier attempt, because nothing tells what that checkpoint was;
// then evaluations and merges, in an order that the seed draws, so that a time budget that ends
// early leaves out none that a forger could foresee.
func (a *Audit) Cheap(seed uint64) []int {
	var resumed, rest []int
	for i, step := range a.state.Plan.Steps {
		switch {
		case a.state.Status[i] != pipeline.Hit || a.lacks(i) != "":
		case a.state.Entries[i].Provenance.Resumed > 0:
			resumed = append(resumed, i)
		case step.Evaluates() || step.Kind == kind.Merge:
			rest = append(rest, i)
		}
	}
	r := rand.New(rand.NewPCG(seed, 0x6368656170))
	for _, list := range [][]int{resumed, rest} {
		r.Shuffle(len(list), func(x, y int) { list[x], list[y] = list[y], list[x] })
	}
	return append(resumed, rest...)
}

// ExecuteWithin executes steps again, in their order, until the time budget ends; a step under way
// then is given up. A training may take half of what is left. It returns the steps that it was done
// with.
func (a *Audit) ExecuteWithin(ctx context.Context, steps []int, budget time.Duration) (done []int, err error) {
	end := time.Now().Add(budget)
	if len(steps) > 0 {
		a.tell("executing evaluations, merges and resumed trainings again: %d steps within %s", len(steps), budget)
	}
	for n, i := range steps {
		left := time.Until(end)
		if left <= 0 {
			a.Skip(fmt.Sprintf("%d steps", len(steps)-n), "the time budget for executing steps again, %s, has ended (--budget)", budget)
			return done, nil
		}
		if a.state.Plan.Steps[i].Kind == kind.Train {
			left /= 2
		}
		limited, cancel := context.WithTimeout(ctx, left)
		err := a.execute(limited, i, true, nil)
		cancel()
		switch {
		case ctx.Err() != nil:
			return done, context.Cause(ctx)
		case errors.Is(err, context.DeadlineExceeded):
			a.Skip("step "+a.state.Plan.Steps[i].ID, "not executed again: it did not end within the time budget (--budget)")
		case err != nil:
			return done, err
		default:
			done = append(done, i)
		}
	}
	return done, nil
}

// lacks says why step i cannot be executed again, or "": an input that is not there, or not as it
// was, or results that could not be compared.
func (a *Audit) lacks(i int) string {
	if why := incomparable(a.state.Step(i)); why != "" {
		return why
	}
	for _, in := range a.state.Step(i).Inputs {
		if why := a.input(in); why != "" {
			return why
		}
	}
	return ""
}

// incomparable says why what a step left and what it would leave again need not be the same bytes,
// or "".
func incomparable(step *pipeline.Step) string {
	if step.Kind != kind.Train && step.Kind != kind.Eval {
		return "" // no others compute models
	}
	arithmetic, err := kind.ArithmeticOf(step.Params)
	switch {
	case err != nil:
		return err.Error()
	case arithmetic.Equality != kind.SameBytes:
		return fmt.Sprintf("its arithmetic, %s, promises the same bytes on devices of one model only", arithmetic.Name)
	}
	return ""
}

// input says why an input cannot be read as it was, or "".
func (a *Audit) input(in pipeline.Input) string {
	if in.File != nil {
		if a.raw[in.File.Digest] == "" {
			return fmt.Sprintf("the raw file %s that it read is not here", in.File.Name)
		}
		return ""
	}
	id := a.state.Plan.Steps[in.Step].ID
	if a.state.Status[in.Step] != pipeline.Hit {
		return fmt.Sprintf("output %[2]s of step %[1]s, which this step reads, is lost", id, in.Output)
	}
	if out, ok := a.state.Entries[in.Step].Output(in.Output); !ok || a.blobs[out.Digest] == "" {
		return fmt.Sprintf("its input %s of step %s is missing or changed", in.Output, id)
	}
	return ""
}

// find gives the path of an input whose bytes were seen to be sound.
func (a *Audit) find(in exec.Input) (string, error) {
	sound := a.blobs
	if in.Raw() {
		sound = a.raw
	}
	path, ok := sound[in.Digest]
	if !ok {
		return "", errors.New("internal error: the step was not checked")
	}
	return path, nil
}

// Execute executes step i again on its recorded inputs and compares every byte of what it leaves.
// keep, where given, receives the directory with the outputs before it is removed. What cannot be
// executed is listed.
func (a *Audit) Execute(ctx context.Context, i int, keep func(dir string) error) (err error) {
	return a.execute(ctx, i, false, keep)
}

func (a *Audit) execute(ctx context.Context, i int, unasked bool, keep func(dir string) error) (err error) {
	step := a.state.Plan.Steps[i]
	if a.state.Status[i] != pipeline.Hit {
		a.Skip("step "+step.ID, "not executed again: its entry is lost, so that its outputs cannot be compared")
		return nil
	}
	if why := a.lacks(i); why != "" {
		a.Skip("step "+step.ID, "not executed again: %s", why)
		return nil
	}
	dir, err := os.MkdirTemp(a.Temp, "step-*")
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	entry := a.state.Entries[i]
	if !unasked {
		a.tell("executing %s again (%s when it was made)", step.ID, seconds(entry.Provenance.WallSeconds))
	}
	began := time.Now()
	if err := a.run(ctx, i, dir); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		a.fault(i, "execution", step.ID, "the step fails when executed again: %v%s", err, elsewhere(entry))
		return nil
	}
	took := time.Since(began).Seconds()
	same, err := a.compare(ctx, i, filepath.Join(dir, "out"))
	if err != nil {
		return err
	}
	a.Result.Executed = append(a.Result.Executed, Executed{step.ID, step.Kind, len(entry.Outputs), same, took, entry.Provenance.WallSeconds, unasked})
	if keep != nil {
		return keep(filepath.Join(dir, "out"))
	}
	return nil
}

// run executes step i, whose inputs are all here, with dir/out as its output directory.
func (a *Audit) run(ctx context.Context, i int, dir string) error {
	t, err := tasks.Of(a.state, i)
	if err != nil {
		return err
	}
	place := exec.Place{
		Find: a.find, Dir: filepath.Join(dir, "out"), Partial: filepath.Join(dir, "partial"), Grant: exec.Grant{Threads: max(1, a.Threads)},
		SaveEvery: time.Duration(1<<63 - 1), // there is nobody to go on with what it saved
	}
	if err := errors.Join(os.Mkdir(place.Dir, 0o777), os.Mkdir(place.Partial, 0o777)); err != nil {
		return err
	}
	if a.Memory > 0 {
		if needs, err := a.Kinds.Needs(t.Kind, t.Params, place.Threads); err == nil {
			place.Memory = min(needs.Memory, a.Memory)
		}
	}
	_, err = exec.Run(ctx, a.Kinds, t, place)
	return err
}

// compare compares what step i left in dir with the outputs that its entry names.
func (a *Audit) compare(ctx context.Context, i int, dir string) (same bool, err error) {
	entry, id := a.state.Entries[i], a.state.Plan.Steps[i].ID
	made, err := Names(dir)
	if err != nil {
		return false, err
	}
	same = true
	differ := func(output, format string, args ...any) {
		same = false
		a.fault(i, "execution", output, "%s%s", fmt.Sprintf(format, args...), elsewhere(entry))
	}
	for _, name := range made {
		path := filepath.Join(dir, filepath.FromSlash(name))
		got, size, err := cache.FileDigestNow(ctx, path)
		if err != nil {
			return false, err
		}
		want, ok := entry.Output(name)
		switch {
		case !ok:
			differ(name, "step %s leaves this output when executed again, and its entry does not list it", id)
		case got != want.Digest:
			detail := fmt.Sprintf("step %s leaves %s (%d bytes) when executed again; its entry lists %s (%d bytes)", id, got, size, want.Digest, want.Size)
			if there := a.blobs[want.Digest]; there != "" {
				if d := a.Kinds.Difference(a.state.Plan.Steps[i].Kind, name, path, there); d != "" {
					detail += "; " + d
				}
			}
			differ(name, "%s", detail)
		}
	}
	for _, o := range entry.Outputs {
		if _, ok := slices.BinarySearch(made, o.Name); !ok {
			differ(o.Name, "step %s does not leave this output when executed again; its entry lists %s", id, o.Digest)
		}
	}
	return same, nil
}

// elsewhere warns that a step was made by another kind of machine or version of Go, for which the
// same bits are not promised.
func elsewhere(e *cache.Entry) string {
	var other []string
	if p := e.Provenance; p.Arch != "" && p.Arch != runtime.GOARCH {
		other = append(other, "on "+p.Arch+", this is "+runtime.GOARCH)
	} else if p.Go != "" && p.Go != runtime.Version() {
		other = append(other, "with "+p.Go+", this is "+runtime.Version())
	}
	if len(other) == 0 {
		return ""
	}
	return " (it was made " + strings.Join(other, ", ") + ": the same bits are not promised there)"
}

// seconds is a time in words, with two digits.
func seconds(s float64) string {
	return fmt.Sprintf("%.2g s", s)
}
