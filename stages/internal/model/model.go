// Package model lies between checkpoints and engines: what a checkpoint says of its model, tensors
// in and out of an engine, and the checkpoints that stay open between steps.
package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"ablate/cache/checkpoint"
	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/kind"
)

// Metadata of the checkpoints that we write.
const (
	MetaVersion = "ablate.version" // of the tensors' names and meaning
	MetaModel   = "ablate.model"   // architecture, as JSON of arch.Model
	MetaStep    = "ablate.step"    // of optimizer state: updates since the moments were last zero

	modelVersion = "1"
)

// Meta is what a checkpoint says of its model.
func Meta(m arch.Model) (map[string]string, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return map[string]string{MetaVersion: modelVersion, MetaModel: string(text)}, nil
}

// CheckMeta refuses a checkpoint that was made for another architecture. One without our metadata,
// made by another program, passes: its tensors' names and shapes are checked when they are loaded.
func CheckMeta(f *checkpoint.File, m arch.Model) error {
	meta := f.Meta()
	if v, ok := meta[MetaVersion]; ok && v != modelVersion {
		return fmt.Errorf("checkpoint has version %q, this program reads %q: train it again, or use the version of ablate that wrote it", v, modelVersion)
	}
	text, ok := meta[MetaModel]
	if !ok {
		return nil
	}
	var have arch.Model
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields() // a field of a later version may mean another model with tensors of the same shapes
	if err := dec.Decode(&have); err != nil {
		return fmt.Errorf("checkpoint's %s: %w", MetaModel, err)
	}
	// How weights were initialised no longer matters once there are weights, nor does how long the
	// rows of training were.
	have.InitStd, have.Context = m.InitStd, m.Context
	if different := have.Differences(m); len(different) > 0 {
		return fmt.Errorf("checkpoint is of another model: %s", strings.Join(different, "; "))
	}
	return nil
}

// Besides is what a step takes besides its engine: compiled graphs, tables, buffers of files. An
// estimate.
const Besides = 40 << 20

// keptModels bounds the checkpoints that stay open between steps, in bytes.
const keptModels = 8 << 30

// models are the checkpoints that stay open between steps: evaluations and merges of one run mix
// the same few again and again. A process has one such shelf, as it has one address space.
var models = checkpoint.NewShelf(keptModels)

// Open opens the inputs model.N. done must be called when they are no longer needed, also after an
// error.
func Open(job *kind.Job) (files []*checkpoint.File, done func(), err error) {
	var puts []func()
	done = func() {
		for _, put := range puts {
			put()
		}
	}
	for _, in := range job.Numbered("model") {
		f, put, err := models.Take(in.Path)
		if err != nil {
			return nil, done, fmt.Errorf("%s: %w", in.Role, err)
		}
		files, puts = append(files, f), append(puts, put)
	}
	if len(files) == 0 {
		return nil, done, errors.New("internal error: no input model.0")
	}
	return files, done, nil
}

// Load copies the tensors of a file into the engine.
func Load(e lm.Engine, part lm.Part, f *checkpoint.File) error {
	tensors := make([]lm.Tensor, 0, len(f.Names()))
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			return err
		}
		tensors = append(tensors, lm.Tensor{Name: t.Name, Shape: t.Shape, Data: t.Data})
	}
	return lm.Load(e, part, tensors)
}

// Save writes the tensors of a part of the engine to a file.
func Save(e lm.Engine, part lm.Part, path string, meta map[string]string) error {
	return e.Save(part, func(all []lm.Tensor) error {
		tensors := make([]checkpoint.Tensor, len(all))
		for i, t := range all {
			tensors[i] = checkpoint.Tensor{Name: t.Name, Shape: t.Shape, Data: t.Data}
		}
		return checkpoint.Write(path, tensors, meta)
	})
}
