package exec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"ablate/cache"
	"ablate/stages/kind"
)

// taskFormat is the version of the form that Encode writes. It is raised when a task of the form
// before would be misread.
const taskFormat = 1

// Task is one step as data: everything that a process needs beside the cache to carry the step out,
// on this machine or on another, and nothing of the plan that the step is part of. Tasks do not
// know of one another: what must be done before a task is in the cache before the task is handed
// out.
//
// The key holds for the kind, its version, the parameters and the digests of the inputs: a task
// that was changed on its way no longer has the key that it says, and is refused. What else is in a
// task changes no result.
type Task struct {
	Key     cache.Key       `json:"key"`
	Kind    string          `json:"kind"`
	Version int             `json:"version"` // of the kind
	Params  json.RawMessage `json:"params"`  // canonical, without insignificant space
	Inputs  []Input         `json:"inputs"`  // in the order of the key

	Needs    kind.Needs `json:"needs"`
	Priority int64      `json:"priority,omitempty"` // where an executor has a choice, the task with the highest goes first
	Attempt  int        `json:"attempt"`            // how often the step has been begun by its run, this time included

	// What people call the step. These are for messages and provenance; nothing is decided by them.
	Step  string `json:"step"`
	Study string `json:"study"`
	Run   string `json:"run,omitempty"` // RFC 3339: when the run began that the step is part of
}

// Input is an input of a task: a blob of the cache, or a raw file.
type Input struct {
	Role   string       `json:"role"`
	Digest cache.Digest `json:"digest"`
	Size   int64        `json:"size"`           // bytes
	Path   string       `json:"path,omitempty"` // of a raw file, absolute: where the machine of the plan has it. Empty for a blob

	Name  string   `json:"name"`            // what a person calls it, for messages only
	Files []string `json:"files,omitempty"` // see kind.Input.Files
}

// Raw says whether the input is a raw file, which no cache holds.
func (in Input) Raw() bool { return in.Path != "" }

// KeyInputs are what the key of the task is made of.
func (t *Task) KeyInputs() ([]cache.KeyInput, error) {
	flat, err := kind.Flatten(t.Params)
	if err != nil {
		return nil, err
	}
	ing := kind.KeyInputs(t.Kind, t.Version, flat, len(t.Inputs))
	for _, in := range t.Inputs {
		ing = append(ing, cache.KeyInput{Label: kind.InputLabel(in.Role), Value: in.Digest.String()})
	}
	return ing, nil
}

// taskFile is a task as it is written.
type taskFile struct {
	Format int `json:"format"`
	Task
}

// Encode writes the task as one line of JSON, with the version of its form.
func (t *Task) Encode() ([]byte, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	return t.encode()
}

func (t *Task) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the parameters of a key are bytes
	if err := enc.Encode(taskFile{taskFormat, *t}); err != nil {
		return nil, fmt.Errorf("task of step %q: %w", t.Step, err)
	}
	return b.Bytes(), nil
}

// DecodeTask reads what Encode wrote, and nothing else: no field more, none twice or spelt
// otherwise, no task whose key does not follow from it.
func DecodeTask(data []byte) (*Task, error) {
	var head struct {
		Format *int `json:"format"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("task: not one JSON object: %w", err)
	}
	if head.Format == nil {
		return nil, errors.New("task: it has no format, want the format that a task of ablate begins with")
	}
	if *head.Format != taskFormat {
		return nil, fmt.Errorf("task: has format %d, this program reads %d: carry the task out with the ablate that wrote it", *head.Format, taskFormat)
	}
	var file taskFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("task: %w", err)
	}
	t := &file.Task
	if err := t.Check(); err != nil {
		return nil, err
	}
	// A field that is there twice, or lacks, or has capitals, is read all the same by package json.
	again, err := t.encode()
	if err != nil {
		return nil, err
	}
	if at := firstDifference(data, again); at >= 0 {
		return nil, fmt.Errorf("task of step %q: byte %d: %.40q there, ablate writes %.40q", t.Step, at, data[at:], again[at:])
	}
	return t, nil
}

// firstDifference is where two texts first differ, or -1.
func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) == len(b) {
		return -1
	}
	return min(len(a), len(b))
}

// Check says what of a task cannot be: a field that lacks, a role that is there twice, a path that
// means something in one directory only, a key that does not follow from the rest.
func (t *Task) Check() error {
	if err := t.check(); err != nil {
		return fmt.Errorf("task of step %q: %w", t.Step, err)
	}
	return nil
}

func (t *Task) check() error {
	switch {
	case t.Kind == "":
		return errors.New("it has no kind")
	case t.Version < 1:
		return fmt.Errorf("version %d of kind %s, want 1 or more", t.Version, t.Kind)
	case t.Attempt < 1:
		return fmt.Errorf("attempt %d, want 1 or more", t.Attempt)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, t.Params); err != nil {
		return fmt.Errorf("parameters: %w", err)
	}
	if len(t.Params) == 0 || t.Params[0] != '{' || !bytes.Equal(compact.Bytes(), t.Params) {
		return fmt.Errorf("parameters %.80s are not an object without insignificant space", t.Params)
	}
	if err := t.Needs.Check(); err != nil {
		return err
	}
	roles := make(map[string]bool, len(t.Inputs))
	for i, in := range t.Inputs {
		switch {
		case in.Role == "":
			return fmt.Errorf("input %d has no role", i)
		case roles[in.Role]:
			return fmt.Errorf("there are two inputs with role %s", in.Role)
		case in.Digest.IsZero():
			return fmt.Errorf("input %s has no digest", in.Role)
		case in.Size < 0:
			return fmt.Errorf("input %s has %d bytes", in.Role, in.Size)
		case in.Raw() && !filepath.IsAbs(in.Path):
			return fmt.Errorf("input %s: path %q of a raw file is not absolute", in.Role, in.Path)
		}
		roles[in.Role] = true
	}
	ing, err := t.KeyInputs()
	if err != nil {
		return err
	}
	if key := cache.KeyOf(ing); key != t.Key {
		return fmt.Errorf("its kind, parameters and inputs give key %s, it says %s", key, t.Key)
	}
	return nil
}
