package stages

import (
	"fmt"
	"os"
	"path/filepath"

	"ablate/stages/internal/bpe"
	"ablate/stages/internal/corpus"
)

// File is a raw file: where it lies, and its name below the fixed part of the pattern that found it.
type File struct{ Path, Name string }

// Files finds the files of a corpus. Patterns and excludes are relative to dir; ${NAME} in them is what lookup says.
func Files(dir string, patterns, excludes []string, lookup func(string) (string, bool)) ([]File, error) {
	expand := func(list []string) ([]string, error) {
		out := make([]string, len(list))
		for i, p := range list {
			var err error
			if out[i], err = corpus.Expand(p, lookup); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	patterns, err := expand(patterns)
	if err != nil {
		return nil, err
	}
	if excludes, err = expand(excludes); err != nil {
		return nil, err
	}
	found, err := corpus.Glob(dir, patterns, excludes)
	if err != nil {
		return nil, err
	}
	files := make([]File, len(found))
	for i, f := range found {
		files[i] = File(f)
	}
	return files, nil
}

// FilePath is the path of one file that a study names: relative to dir, ${NAME} in it what lookup says.
func FilePath(dir, file string, lookup func(string) (string, bool)) (string, error) {
	path, err := corpus.Expand(file, lookup)
	if err == nil && !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return path, err
}

// TokenizerInfo reads what a plan must know of a tokenizer.json: the number of its ids and the id that ends a document.
func TokenizerInfo(path string) (vocab int, eos uint32, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	t, err := bpe.Load(f)
	if err != nil {
		return 0, 0, fmt.Errorf("tokenizer %s: %w", path, err)
	}
	eos, err = t.EOS()
	if err != nil {
		return 0, 0, fmt.Errorf("tokenizer %s: %w", path, err)
	}
	return t.Vocab(), eos, nil
}
