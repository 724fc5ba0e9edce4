package corpus

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A File is a path to open, and a name that is the same on every machine.
type File struct{ Path, Name string }

// UnsetError says that a pattern names a variable that has no value.
type UnsetError struct{ Pattern, Variable string }

func (e *UnsetError) Error() string {
	return fmt.Sprintf("corpus: pattern %q: variable %s is not set", e.Pattern, e.Variable)
}

// Expand replaces ${NAME} by what lookup returns for NAME; $ without a brace is an ordinary character. Apply it to patterns before Glob.
func Expand(pattern string, lookup func(name string) (value string, ok bool)) (string, error) {
	var out strings.Builder
	rest := pattern
	for {
		before, after, found := strings.Cut(rest, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return "", fmt.Errorf("corpus: pattern %q: ${ without }", pattern)
		}
		value, ok := lookup(name)
		if !ok {
			return "", &UnsetError{Pattern: pattern, Variable: name}
		}
		out.WriteString(value)
		rest = tail
	}
}

// Glob returns the regular files that match one of patterns and none of excludes, sorted by name.
//
// A pattern is a slash path, relative to root or absolute. In it * and ? and [a-z] match inside one directory level, ** as a whole level
// matches any number of them. The part before the first level with such a character is the pattern's base, and a file's name is its path
// relative to the base of the first pattern that matches it: "data/books/**/*.txt" names "data/books/a/b.txt" "a/b.txt". So further
// patterns, added at the end, never change the names of files that were there. Two files with one name are an error.
//
// A relative exclude is matched against the name, and against the path relative to root where the file lies below it; an absolute one
// against the path. Links to files are followed, links to directories are not, but a base may be one. A pattern that matches nothing is an error.
func Glob(root string, patterns, excludes []string) ([]File, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("corpus: root %s: %w", root, err)
	}
	var out [][]string
	for _, p := range excludes {
		levels, err := splitPattern(p)
		if err != nil {
			return nil, fmt.Errorf("corpus: exclude %q: %w", p, err)
		}
		out = append(out, levels)
	}
	byPath, byName := map[string]bool{}, map[string]string{}
	var files []File
	for _, p := range patterns {
		found, base, err := expandPattern(root, p)
		if err != nil {
			return nil, fmt.Errorf("corpus: pattern %q: %w", p, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("corpus: pattern %q matches no file in %s%s", p, base, insteadOfFile(root, p))
		}
		kept := 0
		for _, f := range found {
			if excluded(root, f, out) {
				continue
			}
			kept++
			if byPath[f.Path] {
				continue
			}
			byPath[f.Path] = true
			if other, ok := byName[f.Name]; ok {
				return nil, fmt.Errorf("corpus: pattern %q: %s and %s would both be named %q: write one pattern whose wildcards begin in a directory above both", p, other, f.Path, f.Name)
			}
			byName[f.Name] = f.Path
			files = append(files, f)
		}
		if kept == 0 {
			return nil, fmt.Errorf("corpus: pattern %q: all of the %d files that it matches in %s are excluded", p, len(found), base)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files, nil
}

// insteadOfFile says what a pattern without wildcards names where that is something else than a file.
func insteadOfFile(root, pattern string) string {
	full := filepath.FromSlash(pattern)
	if !filepath.IsAbs(full) {
		full = filepath.Join(root, full)
	}
	info, err := os.Stat(full)
	switch {
	case err != nil:
		return ""
	case info.IsDir():
		return fmt.Sprintf("; that is a directory, whose files are %q", path.Join(pattern, "**"))
	}
	return fmt.Sprintf("; that is not a regular file (%s)", info.Mode().Type())
}

// splitPattern cuts a pattern into levels and checks each; an absolute one has "" first.
func splitPattern(pattern string) ([]string, error) {
	if pattern == "" {
		return nil, errors.New("it is empty")
	}
	levels := strings.Split(path.Clean(filepath.ToSlash(pattern)), "/")
	for _, l := range levels {
		if strings.Contains(l, "**") && l != "**" {
			return nil, fmt.Errorf("%q: ** must stand alone between slashes", l)
		}
		if _, err := path.Match(l, "a"); err != nil {
			return nil, fmt.Errorf("%q: %w", l, err)
		}
	}
	if levels[len(levels)-1] == "**" {
		levels = append(levels, "*") // whatever lies below, but not the directory's own name
	}
	return levels, nil
}

// expandPattern returns the files that one pattern matches, and the directory searched.
func expandPattern(root, pattern string) (files []File, base string, err error) {
	levels, err := splitPattern(pattern)
	if err != nil {
		return nil, "", err
	}
	fixed := 0
	for fixed < len(levels)-1 && !strings.ContainsAny(levels[fixed], `*?[\`) {
		fixed++
	}
	base = filepath.FromSlash(strings.Join(levels[:fixed], "/"))
	if levels[0] == "" {
		base += string(filepath.Separator)
	} else {
		base = filepath.Join(root, base)
	}
	base = filepath.Clean(base)
	w := walker{base: base, levels: levels[fixed:]}
	if err := w.walk("", start(w.levels)); err != nil {
		return nil, base, err
	}
	return w.files, base, nil
}

type walker struct {
	base   string
	levels []string
	files  []File
}

// walk enters the files of base/dir that match; states says which levels may come next. Only directories that can lead to a match are read.
func (w *walker) walk(dir string, states []int) error {
	entries, err := os.ReadDir(filepath.Join(w.base, filepath.FromSlash(dir)))
	if dir == "" && errors.Is(err, fs.ErrNotExist) {
		return nil // the caller says that nothing was found, and where
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		next := step(w.levels, states, e.Name())
		if e.IsDir() {
			if len(next) > 0 && next[0] < len(w.levels) {
				if err := w.walk(name, next); err != nil {
					return err
				}
			}
			continue
		}
		if !accepts(w.levels, next) {
			continue
		}
		full := filepath.Join(w.base, filepath.FromSlash(name))
		info, err := os.Stat(full)
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() {
			w.files = append(w.files, File{Path: full, Name: name})
		}
	}
	return nil
}

// A pattern is followed as a set of states, in ascending order: state i means that levels[i:] is still to be matched. That keeps the work
// linear however many ** there are.

// start returns the states before the first level of a path.
func start(levels []string) []int { return enter(levels, nil, 0) }

// enter adds state i, and the one behind a ** that may match nothing.
func enter(levels []string, states []int, i int) []int {
	for ; ; i++ {
		if n := len(states); n == 0 || states[n-1] < i {
			states = append(states, i)
		}
		if i == len(levels) || levels[i] != "**" {
			return states
		}
	}
}

// step returns the states behind one level of a path. splitPattern has checked the syntax, so that path.Match cannot fail.
func step(levels []string, states []int, name string) (next []int) {
	for _, i := range states {
		if i == len(levels) {
			continue
		}
		if levels[i] == "**" {
			next = enter(levels, next, i)
		} else if ok, _ := path.Match(levels[i], name); ok {
			next = enter(levels, next, i+1)
		}
	}
	return next
}

func accepts(levels []string, states []int) bool {
	return len(states) > 0 && states[len(states)-1] == len(levels)
}

// matches reports whether a whole slash path matches.
func matches(levels []string, name string) bool {
	states := start(levels)
	for l := range strings.SplitSeq(name, "/") {
		states = step(levels, states, l)
	}
	return accepts(levels, states)
}

func excluded(root string, f File, excludes [][]string) bool {
	full := filepath.ToSlash(f.Path)
	below, err := filepath.Rel(root, f.Path)
	below = filepath.ToSlash(below)
	inRoot := err == nil && below != ".." && !strings.HasPrefix(below, "../")
	for _, levels := range excludes {
		if levels[0] == "" {
			if matches(levels, full) {
				return true
			}
		} else if matches(levels, f.Name) || inRoot && matches(levels, below) {
			return true
		}
	}
	return false
}
