package text

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/kind"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"src/a/one.go", "src/a/one_test.go", "src/b/two.go", "src/read.me"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("text"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	lookup := func(name string) (string, bool) {
		value, ok := map[string]string{"ROOT": filepath.ToSlash(dir), "AREA": "a"}[name]
		return value, ok
	}
	for _, c := range []struct {
		name               string
		patterns, excludes []string
		want               []string // names
		err                string
	}{
		{"relative", []string{"src/*/*.go"}, nil, []string{"a/one.go", "a/one_test.go", "b/two.go"}, ""},
		{"variables", []string{"${ROOT}/src/**/*.go"}, []string{"**/*_test.go", "${ROOT}/src/${AREA}/one.go"}, []string{"b/two.go"}, ""},
		{"no such variable", []string{"${HOUSE}/*"}, nil, nil, "variable HOUSE is not set"},
		{"no such variable in an exclude", []string{"src/**/*.go"}, []string{"${HOUSE}/*"}, nil, "variable HOUSE is not set"},
		{"nothing matches", []string{"src/*.rs"}, nil, nil, "src/*.rs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files, _, err := Files(dir, c.patterns, c.excludes, lookup)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want one with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range files {
				got = append(got, f.Name)
				if want := filepath.Join(dir, "src", filepath.FromSlash(f.Name)); f.Path != want {
					t.Errorf("%s lies at %s, want %s", f.Name, f.Path, want)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("- want, + got:\n%s", diff)
			}
		})
	}
}

func TestTokenizerInfo(t *testing.T) {
	vocab, eos, err := TokenizerInfo(texts.Tokenizer(t))
	if err != nil || vocab != 300 || eos != 299 {
		t.Errorf("vocabulary of %d, end of text %d, error %v; want 300, the last of them, none", vocab, eos, err)
	}
	if _, _, err := TokenizerInfo(filepath.Join(t.TempDir(), kind.OutTokenizer)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
	data, err := os.ReadFile(texts.Tokenizer(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text string }{
		{"no JSON", "text"}, {"no end of text", strings.ReplaceAll(string(data), "<|endoftext|>", "<|end|>")},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "their.json")
			if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
				t.Fatal(err)
			}
			if vocab, eos, err := TokenizerInfo(path); err == nil || !strings.Contains(err.Error(), "tokenizer "+path) || vocab != 0 || eos != 0 {
				t.Errorf("vocabulary of %d, end of text %d, error %v, want an error that names the file", vocab, eos, err)
			}
		})
	}
}
