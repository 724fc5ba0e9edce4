// Package step is how a stage writes its outputs and reports its progress.
package step

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"ablate/cache/table"
	"ablate/stages/kind"
)

// Out is the path of an output, its folder made.
func Out(job *kind.Job, name string) (string, error) {
	path := filepath.Join(job.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", fmt.Errorf("make folder of output %s: %w", name, err)
	}
	return path, nil
}

// Progress reports to a job that may not want to know.
func Progress(job *kind.Job, done, total int64, unit string) {
	if job.Progress != nil {
		job.Progress(done, total, unit)
	}
}

// Table writes an output of rows.
func Table[T any](job *kind.Job, name string, rows []T) error {
	path, err := Out(job, name)
	if err != nil {
		return err
	}
	return table.WriteRows(path, rows)
}

// JSON writes v with the keys of maps sorted.
func JSON(job *kind.Job, name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	path, err := Out(job, name)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o666); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
