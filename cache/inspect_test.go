package cache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenAudit(t *testing.T) {
	dir := t.TempDir()
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	keyInputs := []KeyInput{{Label: "kind", Value: "test"}}
	b, err := c.Begin(KeyOf(keyInputs))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.Dir, "out"), []byte("bytes"), 0o666); err != nil {
		t.Fatal(err)
	}
	entry, err := b.Commit("test", keyInputs, Machine())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	blob := c.blobPath(entry.Outputs[0].Digest)
	if err := errors.Join(os.Chmod(blob, 0o644), os.WriteFile(blob, []byte("other"), 0o644), os.Chtimes(blob, blobTime, blobTime)); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)

	r, err := OpenAudit(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Entry(entry.Key); err != nil || got.Outputs[0] != entry.Outputs[0] {
		t.Errorf("Entry = %v, %v, want the entry although its blob is damaged", got, err)
	}
	var miss *Miss
	if _, err := r.Blob(entry.Outputs[0].Digest); !errors.As(err, &miss) || miss.Reason != Corrupt {
		t.Errorf("Blob = %v, want corrupt", err)
	}
	if _, err := r.Lookup(entry.Key); !errors.As(err, &miss) || miss.Reason != Corrupt {
		t.Errorf("Lookup = %v, want corrupt", err)
	}
	_, err1 := r.Begin(entry.Key)
	_, err2 := r.Partial(entry.Key)
	_, err3 := r.GC(t.Context(), nil, Rules{})
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, errReadOnly) {
			t.Errorf("a write gave %v, want %v", err, errReadOnly)
		}
	}
	data, err := r.EntryBytes(entry.Key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decode(data, entry.Key); err != nil {
		t.Errorf("EntryBytes: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the directory changed:\n%s\nbefore:\n%s", after, before)
	}

	if _, err := OpenAudit(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a cache") {
		t.Errorf("an empty directory: %v", err)
	}
}

// listing is every file under dir with its size and time of change.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err == nil && !d.IsDir() {
			b.WriteString(path + " " + fi.ModTime().String() + " " + fi.Mode().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
