package train

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ablate/cache"
	"ablate/cache/checkpoint"
	"ablate/cache/table"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/model"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// A training under way is saved in its Partial folder as
//
//	step-<n>/model.safetensors      weights after step n
//	step-<n>/optimizer.safetensors  moments
//	step-<n>/curve.parquet          steps 1 to n
//	step-<n>/state.json             what these belong to, and their digests
//
// It is written under the job's own directory and moves there when all of it is on disk, because
// two processes that do the same training share the Partial folder: whichever moves a step first
// has saved it for both. A folder that is not whole, or belongs to another training, is passed over
// in favour of the one before; the newest two are kept.

const (
	stepPrefix = "step-"
	savingName = "saving"
	stateFile  = "state.json"
	keepSaved  = 2
)

// savedState is state.json.
type savedState struct {
	Training string            `json:"training"` // digest of parameters and inputs
	Step     int64             `json:"step"`
	Age      int64             `json:"age"`   // updates of the moments before this training
	Files    map[string]string `json:"files"` // name -> SHA-256
}

// identity is a digest of what the training is.
func (t *training) identity() string {
	h := sha256.New()
	fmt.Fprintf(h, "train %d\n%s\n", len(history), t.job.Params)
	for _, in := range t.job.Inputs {
		fmt.Fprintf(h, "%q %s\n", in.Role, in.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// save leaves a checkpoint of the current step. Where the Partial folder is gone, because another
// process has committed the same training, the error is fs.ErrNotExist.
func (t *training) save() error {
	if t.job.Partial == "" {
		return nil
	}
	tmp := filepath.Join(t.job.Dir, savingName)
	if err := os.Mkdir(tmp, 0o777); err != nil {
		return err
	}
	err := t.writeSaved(tmp)
	if err == nil {
		err = t.moveSaved(tmp)
	}
	if err := errors.Join(err, os.RemoveAll(tmp)); err != nil {
		return err
	}
	saved, err := t.saved()
	if err != nil {
		return err
	}
	for _, step := range saved[min(keepSaved, len(saved)):] {
		if err := os.RemoveAll(t.savedDir(step)); err != nil {
			return err
		}
	}
	return nil
}

func (t *training) savedDir(step int64) string {
	return filepath.Join(t.job.Partial, stepPrefix+strconv.FormatInt(step, 10))
}

// writeSaved writes the files of a checkpoint and puts them on disk.
func (t *training) writeSaved(dir string) error {
	state := savedState{Training: t.identity(), Step: t.step, Age: t.age, Files: map[string]string{}}
	for _, f := range []struct {
		name  string
		write func(path string) error
	}{
		{kind.OutModel, t.writeModel},
		{kind.OutOptimizer, t.writeMoments},
		{kind.OutCurve, func(path string) error { return table.WriteRows(path, t.curve) }},
		{stateFile, func(path string) error { return writeState(path, state) }},
	} {
		path := filepath.Join(dir, f.name)
		if err := f.write(path); err != nil {
			return err
		}
		if err := syncPath(path); err != nil {
			return err
		}
		sum, err := digestFile(path)
		if err != nil {
			return err
		}
		state.Files[f.name] = sum
	}
	return syncPath(dir)
}

// moveSaved gives a checkpoint its name. What bears it already was saved by another process, or is
// torn and makes room.
func (t *training) moveSaved(dir string) error {
	final := t.savedDir(t.step)
	err := os.Rename(dir, final)
	if errors.Is(err, fs.ErrExist) {
		if _, ok := t.whole(final, t.step); ok {
			return nil
		}
		if err := os.RemoveAll(final); err != nil {
			return err
		}
		err = os.Rename(dir, final)
	}
	if err != nil {
		return err
	}
	return syncPath(t.job.Partial)
}

func writeState(path string, s savedState) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o666)
}

// syncPath puts a file or folder on disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func digestFile(path string) (string, error) {
	f, err := cache.OpenFile(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// saved returns the steps of the saved checkpoints, newest first.
func (t *training) saved() ([]int64, error) {
	entries, err := os.ReadDir(t.job.Partial)
	if err != nil {
		return nil, err
	}
	var steps []int64
	for _, e := range entries {
		if name, ok := strings.CutPrefix(e.Name(), stepPrefix); ok && e.IsDir() { // a link would lead out of the cache
			if n, err := strconv.ParseInt(name, 10, 64); err == nil {
				steps = append(steps, n)
			}
		}
	}
	slices.SortFunc(steps, func(a, b int64) int { return cmp.Compare(b, a) })
	return steps, nil
}

// resume loads the newest whole checkpoint and reports whether there was one.
func (t *training) resume() (bool, error) {
	if t.job.Partial == "" {
		return false, nil
	}
	steps, err := t.saved()
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for checkpoints: %w", err)
	}
	for _, step := range steps {
		dir := t.savedDir(step)
		state, ok := t.whole(dir, step)
		if !ok {
			continue
		}
		if err := t.load(dir, state); err != nil {
			return false, fmt.Errorf("resume from step %d: %w", step, err)
		}
		return true, nil
	}
	return false, nil
}

// mostState is the largest state of a checkpoint that is read, in bytes: it holds a few numbers and
// digests.
const mostState = 1 << 20

// whole reads the state of a checkpoint and says whether all of it is there and belongs to this
// training. Whatever is wrong with one means that an older one is used, or the work done again.
func (t *training) whole(dir string, step int64) (savedState, bool) {
	var s savedState
	b, err := cache.ReadFile(filepath.Join(dir, stateFile), mostState)
	if err != nil || json.Unmarshal(b, &s) != nil {
		return s, false
	}
	if s.Training != t.identity() || s.Step != step || s.Step < 0 || s.Step > t.steps {
		return s, false
	}
	for _, name := range []string{kind.OutModel, kind.OutOptimizer, kind.OutCurve} {
		if sum, err := digestFile(filepath.Join(dir, name)); err != nil || sum != s.Files[name] {
			return s, false
		}
	}
	return s, true
}

func (t *training) load(dir string, s savedState) error {
	if err := t.loadModel(filepath.Join(dir, kind.OutModel)); err != nil {
		return err
	}
	age, err := t.loadMoments(filepath.Join(dir, kind.OutOptimizer))
	if err != nil {
		return err
	}
	curve, err := table.ReadRows[tables.CurveRow](filepath.Join(dir, kind.OutCurve))
	if err != nil {
		return err
	}
	if int64(len(curve)) != s.Step || age != s.Age+s.Step {
		return fmt.Errorf("the curve has %d steps and the optimizer state %d, want %d and %d", len(curve), age, s.Step, s.Age+s.Step)
	}
	t.step, t.age, t.curve = s.Step, s.Age, curve
	return nil
}

func (t *training) writeModel(path string) error {
	meta, err := model.Meta(t.params.Model)
	if err != nil {
		return err
	}
	return model.Save(t.engine, lm.Weights, path, meta)
}

func (t *training) writeMoments(path string) error {
	meta, err := model.Meta(t.params.Model)
	if err != nil {
		return err
	}
	meta[model.MetaStep] = strconv.FormatInt(t.age+t.step, 10)
	return model.Save(t.engine, lm.Moments, path, meta)
}

func (t *training) loadModel(path string) error {
	f, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := model.CheckMeta(f, t.params.Model); err != nil {
		return err
	}
	return model.Load(t.engine, lm.Weights, f)
}

// loadMoments fills the engine's moments and returns their age.
func (t *training) loadMoments(path string) (age int64, err error) {
	f, err := checkpoint.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := model.CheckMeta(f, t.params.Model); err != nil {
		return 0, err
	}
	if age, err = strconv.ParseInt(f.Meta()[model.MetaStep], 10, 64); err != nil || age < 0 {
		return 0, fmt.Errorf("metadata %s is %q, want a number of steps", model.MetaStep, f.Meta()[model.MetaStep])
	}
	return age, model.Load(t.engine, lm.Moments, f)
}
