package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goldenSteps are the steps of testdata/v1: what a value or a name may hold, no outputs, an output
// in two entries.
var goldenSteps = []struct {
	in         []KeyInput
	kind       string
	files      map[string]string
	provenance Provenance
}{
	{[]KeyInput{{"kind", "tokenizer"}, {"kind version", "1"}, {"param vocab", "512"}, {"input text.0", DigestOf([]byte("raw")).String()}}, "tokenizer",
		map[string]string{"tokenizer.json": "{}\n"},
		Provenance{Host: "laptop", OS: "linux", Arch: "amd64", CPU: "A <fast> \"one\" & more", Go: "go1.26.8", Ablate: "0.1.0", Threads: 2,
			Started: "2026-01-02T03:04:05Z", WallSeconds: 1.5, Step: "tokenizer", Study: "golden"}},
	{[]KeyInput{{"kind", "split"}, {"odd", "line\nfeed, \"quotes\", 5:colons, \u2028 and \x01"}, {"größe", "ß"}, {"", ""}}, "split",
		map[string]string{"units/a!b%20c/0.arrow": "unit", "units/a!b%20c/1.arrow": "", "größen.parquet": "same bytes", "copy": "same bytes"},
		Provenance{Host: "node-1", OS: "darwin", Arch: "arm64", GPU: "none", Started: "2026-01-02T03:04:06Z", WallSeconds: 0.000001}},
	{[]KeyInput{{"kind", "eval"}, {"params", strings.Repeat("long ", 1000)}}, "eval", map[string]string{"copy": "same bytes"}, Provenance{WallSeconds: 1e21}},
	{nil, "nothing", nil, Provenance{}},
}

// writeGolden makes the cache of goldenSteps anew.
func writeGolden(t *testing.T, dir string) []*Entry {
	t.Helper()
	c := mustOpen(t, dir)
	var entries []*Entry
	for _, s := range goldenSteps {
		e, err := writeBuild(t, c, KeyOf(s.in), s.files).Commit(s.kind, s.in, s.provenance)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// frozen are the files of a cache that a version fixes: all but what one host remembers.
func frozen(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, top := range []string{"version", "entries", "blobs"} {
		err := filepath.WalkDir(filepath.Join(dir, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err1 := filepath.Rel(dir, path)
			data, err2 := os.ReadFile(path)
			files[filepath.ToSlash(rel)] = string(data)
			return errors.Join(err1, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestGoldenCache: version 1 is frozen. What a program of it wrote once is read, verified and
// written again byte by byte.
func TestGoldenCache(t *testing.T) {
	const golden = "testdata/v1"
	made := filepath.Join(t.TempDir(), "made")
	entries := writeGolden(t, made)
	if *update {
		for name, text := range frozen(t, made) {
			path := filepath.Join(golden, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := frozen(t, golden)
	if d := cmp.Diff(want, frozen(t, made)); d != "" {
		t.Errorf("what is written today differs from version 1 (-golden +today):\n%s", d)
	}
	if len(want) != 1+len(goldenSteps)+4 {
		t.Errorf("the golden cache has %d files", len(want))
	}

	for name, open := range map[string]func(string) (*Cache, error){"Open": Open, "OpenRead": OpenRead} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.CopyFS(dir, os.DirFS(golden)); err != nil {
			t.Fatal(err)
		}
		c, err := open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got, err := c.Lookup(e.Key)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if d := cmp.Diff(e, got); d != "" {
				t.Errorf("%s: entry (-made +read):\n%s", name, d)
			}
			for _, o := range got.Outputs {
				if _, err := c.Blob(o.Digest); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if problems, err := c.Verify(t.Context(), nil); err != nil || len(problems) > 0 {
			t.Errorf("%s: Verify: %v, %v", name, problems, err)
		}
	}
}

// TestFutureEntry: an entry of a later version is refused by name and left alone, because another
// program may need it.
func TestFutureEntry(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	e := commitFiles(t, c, abc, map[string]string{"a": "x"})
	overwrite(t, c.entryPath(e.Key), func(b []byte) []byte {
		return seal(strings.Replace(string(b[:len(b)-sumLen]), `{"format":1,`, `{"format":2,"new":"member",`, 1))
	})
	_, err := c.Lookup(e.Key)
	var format *FormatError
	if !errors.As(err, &format) || format.Format != 2 || !strings.Contains(err.Error(), e.Key.String()) ||
		!strings.Contains(err.Error(), "has format 2, this program reads 1") {
		t.Errorf("Lookup: %v", err)
	}
	if !c.Has(e.Key) || len(readNames(c.path("quarantine"))) > 0 {
		t.Error("the entry was moved")
	}
	if problems, err := c.Verify(t.Context(), nil); err != nil || len(problems) != 1 || !strings.Contains(problems[0].String(), "format 2") {
		t.Errorf("Verify: %v, %v", problems, err)
	}
	if _, err := c.Usage(); err != nil {
		t.Errorf("Usage: %v", err)
	}
	if _, err := c.GC(t.Context(), nil, Rules{}); !errors.As(err, &format) {
		t.Errorf("GC: %v, want it refused: the entry's blobs are not known", err)
	}
	if _, err := c.Blob(e.Outputs[0].Digest); err != nil {
		t.Error(err)
	}
	b := writeBuild(t, c, e.Key, map[string]string{"a": "x"})
	if _, err := b.Commit("eval", abc, Provenance{}); !errors.As(err, &format) {
		t.Errorf("Commit: %v", err)
	}
	// The same damage by a disk is damage: the sum does not agree.
	overwrite(t, c.entryPath(e.Key), func(b []byte) []byte { return []byte(strings.Replace(string(b), `"new"`, `"now"`, 1)) })
	wantMiss(t, c, e.Key, Corrupt, "sum is")
}
