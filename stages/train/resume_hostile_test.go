//go:build unix

package train

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"ablate/stages/kind"
)

// A partial folder in a shared cache may hold what another laid there: checkpoints that are links
// are none, and files that are pipes, links or without end make theirs unusable, without a wait and
// without memory of their size.
func TestHostileCheckpoints(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	path := func(step, name string) string { return filepath.Join(dir, step, name) }
	err := errors.Join(os.Symlink(out, path("", "step-9")), os.WriteFile(path("", "step-8"), nil, 0o666),
		os.Mkdir(path("", "step-7"), 0o777), syscall.Mkfifo(path("step-7", stateFile), 0o666),
		os.Mkdir(path("", "step-6"), 0o777), os.Symlink("/dev/zero", path("step-6", stateFile)),
		os.Mkdir(path("", "step-5"), 0o777), os.WriteFile(path("step-5", stateFile), nil, 0o666), os.Truncate(path("step-5", stateFile), 1<<40))
	if err != nil {
		t.Skip("cannot be laid here:", err)
	}
	tr := &training{job: &kind.Job{Partial: dir}}
	steps, err := tr.saved()
	if err != nil || len(steps) != 3 || steps[0] != 7 {
		t.Errorf("checkpoints %v, %v, want those of steps 7, 6 and 5", steps, err)
	}
	for _, step := range steps {
		if _, ok := tr.whole(tr.savedDir(step), step); ok {
			t.Errorf("the checkpoint of step %d is taken", step)
		}
	}
	for _, name := range []string{path("step-7", stateFile), path("step-6", stateFile), dir} {
		if sum, err := digestFile(name); err == nil {
			t.Errorf("%s has the digest %s", name, sum)
		}
	}
}
