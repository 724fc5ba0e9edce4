// Package stagetest has what the tests of the kinds share: it makes jobs, carries them out, and
// makes small corpora, models and tables.
package stagetest

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ablate/cache"
	"ablate/cache/table"
	"ablate/stages/kind"
)

// Result is what a job left behind: its folder.
type Result string

// Path is where an output lies.
func (r Result) Path(name string) string { return filepath.Join(string(r), filepath.FromSlash(name)) }

// Outputs reads every output.
func (r Result) Outputs(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := filepath.WalkDir(string(r), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(string(r), path)
		all[filepath.ToSlash(name)] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Names are those of the outputs, sorted.
func (r Result) Names(t *testing.T) []string { return slices.Sorted(maps.Keys(r.Outputs(t))) }

// SameOutputs fails unless both folders hold the same files with the same bytes.
func SameOutputs(t *testing.T, a, b Result) {
	t.Helper()
	x, y := a.Outputs(t), b.Outputs(t)
	for _, name := range slices.Sorted(maps.Keys(x)) {
		if other, ok := y[name]; !ok || other != x[name] {
			t.Errorf("output %s differs (%d bytes, %d bytes, there: %v)", name, len(x[name]), len(other), ok)
		}
	}
	for name := range y {
		if _, ok := x[name]; !ok {
			t.Errorf("output %s is only in the second", name)
		}
	}
}

// Roles are inputs: role -> path.
type Roles map[string]string

// Numbered adds paths as prefix.0, prefix.1, ...
func (r Roles) Numbered(prefix string, paths ...string) Roles {
	for i, p := range paths {
		r[kind.Role(prefix, i)] = p
	}
	return r
}

// NewJob makes a job with its folders.
func NewJob(t *testing.T, params any, in Roles) *kind.Job {
	t.Helper()
	b, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	job := &kind.Job{Params: b, Dir: t.TempDir(), Partial: t.TempDir(), Threads: 2, SaveEvery: time.Hour}
	for _, role := range slices.Sorted(maps.Keys(in)) {
		data, err := os.ReadFile(in[role])
		if err != nil {
			t.Fatal(err)
		}
		job.Inputs = append(job.Inputs, kind.Input{Role: role, Digest: cache.DigestOf(data), Path: in[role]})
	}
	return job
}

// Run carries out a step and fails the test if the step fails.
func Run(t *testing.T, k kind.Kind, params any, in Roles) Result {
	t.Helper()
	job := NewJob(t, params, in)
	if err := k.Run(t.Context(), job); err != nil {
		t.Fatalf("%s: %v", k.Name, err)
	}
	return Result(job.Dir)
}

// Fail carries out a step that must fail with all of the texts in its error.
func Fail(t *testing.T, k kind.Kind, params any, in Roles, texts ...string) {
	t.Helper()
	err := k.Run(context.Background(), NewJob(t, params, in))
	if err == nil {
		t.Fatalf("%s: no error, want one with %q", k.Name, texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: error %q lacks %q", k.Name, err, text)
		}
	}
}

// Marshal writes parameters as JSON.
func Marshal(b testing.TB, v any) string {
	b.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// WriteRows makes a table.
func WriteRows[T any](t *testing.T, rows ...T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table")
	if err := table.WriteRows(path, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

// ReadTable reads an output of rows.
func ReadTable[T any](t *testing.T, r Result, name string) []T {
	t.Helper()
	rows, err := table.ReadRows[T](r.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
