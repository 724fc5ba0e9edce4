package text

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ablate/stages/internal/bpe"
	"ablate/stages/internal/corpus"
)

// File is a raw file: where it lies, and its name below the fixed part of the pattern that found
// it.
type File struct {
	Path, Name string
	Index      string // of an array of ids, where the index of its documents lies; empty: it has none
}

// UnsetError says that a pattern names a variable that has no value.
type UnsetError = corpus.UnsetError

// Files finds the files of a corpus. Patterns and excludes are relative to dir; ${NAME} in them is
// what lookup says. passed says in sentences what the patterns would match but is not taken.
func Files(dir string, patterns, excludes []string, lookup func(string) (string, bool)) (files []File, passed []string, err error) {
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
	if patterns, err = expand(patterns); err != nil {
		return nil, nil, err
	}
	if excludes, err = expand(excludes); err != nil {
		return nil, nil, err
	}
	found, err := corpus.Glob(dir, patterns, excludes)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range found.Files {
		files = append(files, File{Path: f.Path, Name: f.Name})
	}
	return files, found.Passed, nil
}

// StrangerError says that a file is of no format that is read.
type StrangerError = corpus.StrangerError

// ContentFormat says of what format a file is by its content: parquet, tokens, jsonl or text.
// textField is the field that holds the text.
func ContentFormat(path, textField string) (string, error) { return corpus.Recognise(path, textField) }

// IsIndex reports a name that the index of an array has.
func IsIndex(name string) bool { return strings.HasSuffix(name, indexEnding) }

// indexEnding is what the index of an array ends in, in place of the array's .npy.
const indexEnding = ".csv.gz"

func indexName(array string) string {
	return strings.TrimSuffix(array, filepath.Ext(array)) + indexEnding
}

// Arrays finds the index beside each array of ids. An index that the patterns of a corpus match as
// well, as dir/* does, is taken for that.
func Arrays(files []File) ([]File, error) {
	var arrays []File
	found := map[string]bool{} // indexes of arrays
	for _, f := range files {
		if strings.HasSuffix(f.Path, indexEnding) {
			continue
		}
		index := indexName(f.Path)
		_, err := os.Stat(index)
		switch {
		case err == nil:
			f.Index, found[index] = index, true
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("index of %s: %w", f.Name, err)
		}
		arrays = append(arrays, f)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Path, indexEnding) && !found[f.Path] {
			return nil, fmt.Errorf("index %s has no array beside it among the files of the corpus", f.Name)
		}
	}
	return arrays, nil
}

// FilePath is the path of one file that a study names: relative to dir, ${NAME} in it what lookup
// says.
func FilePath(dir, file string, lookup func(string) (string, bool)) (string, error) {
	path, err := corpus.Expand(file, lookup)
	if err == nil && !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return path, err
}

// TokenizerInfo reads what a plan must know of a tokenizer.json: the number of its ids and the id
// that ends a document.
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
