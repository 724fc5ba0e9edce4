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

	"ablate/specs/words"
)

// A File is a path to open, and a name that is the same on every machine.
type File struct{ Path, Name string }

// UnsetError says that a pattern names a variable that has no value.
type UnsetError struct{ Pattern, Variable string }

func (e *UnsetError) Error() string {
	return fmt.Sprintf("corpus: pattern %q: variable %s is not set", e.Pattern, e.Variable)
}

// Expand replaces ${NAME} by what lookup returns for NAME; $ without a brace is an ordinary
// character. Apply it to patterns before Glob.
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

// Found is what patterns match.
type Found struct {
	Files []File // sorted by name

	// Passed says what was passed over, a sentence for each kind with its count.
	Passed []string
}

// Glob returns the regular files that match one of patterns and none of excludes.
//
// A pattern is a slash path, relative to root or absolute. In it * and ? and [a-z] match inside one
// directory level, ** as a whole level matches any number of them. The part before the first level
// with such a character is the pattern's base, and a file's name is its path relative to the base
// of the first pattern that matches it: "data/books/**/*.txt" names "data/books/a/b.txt" "a/b.txt".
// So further patterns, added at the end, never change the names of files that were there. Two files
// with one name are an error.
//
// A relative exclude is matched against the name, and against the path relative to root where the
// file lies below it; an absolute one against the path. A pattern that matches nothing is an error.
//
// Links to files and to directories are followed, also where they lead in a circle. A file that
// links lead to more than once is taken once: by its own path if that matches, else by the first of
// its names. A link that leads nowhere is an error unless it is excluded. Hidden files and
// directories (.git, ._a.txt) and what editors leave (a.txt~, #a.txt#, a.txt.swp) are passed over
// unless a level of a pattern begins or ends as they do, with a dot for hidden ones.
func Glob(root string, patterns, excludes []string) (Found, error) {
	g := globbing{byPath: map[string]bool{}, byName: map[string]string{}, targets: map[string]bool{}}
	var err error
	if g.root, err = filepath.Abs(root); err != nil {
		return Found{}, fmt.Errorf("corpus: root %s: %w", root, err)
	}
	for _, p := range excludes {
		levels, err := splitPattern(p)
		if err != nil {
			return Found{}, fmt.Errorf("corpus: exclude %q: %w", p, err)
		}
		g.excludes = append(g.excludes, levels)
	}
	for _, p := range patterns {
		if err := g.pattern(p); err != nil {
			return Found{}, fmt.Errorf("corpus: pattern %q%w", p, err)
		}
	}
	slices.SortFunc(g.files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return Found{Files: g.files, Passed: g.passed.words()}, nil
}

// globbing is a Glob under way.
type globbing struct {
	root     string
	excludes [][]string
	byPath   map[string]bool
	byName   map[string]string
	targets  map[string]bool // paths of files without links
	files    []File
	passed   passedOver
}

// pattern adds the files of one pattern. Errors continue the words that name it.
func (g *globbing) pattern(p string) error {
	w, err := expandPattern(g.root, p)
	if err != nil {
		return fmt.Errorf(": %w", err)
	}
	var here passedOver
	for _, f := range w.passed {
		if !excluded(g.root, f.File, g.excludes) && !excluded(g.root, File{filepath.Join(f.Path, "x"), path.Join(f.Name, "x")}, g.excludes) {
			here.note(f.why, f.Path)
			g.passed.note(f.why, f.Path)
		}
	}
	passed := here.words()
	if len(w.files) == 0 && len(w.broken) == 0 {
		also := ""
		if len(passed) > 0 {
			also = "; " + strings.Join(passed, "; ")
		}
		return fmt.Errorf(" matches no file in %s%s%s", w.base, insteadOfFile(g.root, p), also)
	}
	for _, f := range w.broken {
		if !excluded(g.root, f, g.excludes) {
			target, _ := os.Readlink(f.Path)
			return fmt.Errorf(": %s is a link to %s, which is not there: mend or exclude it", f.Path, target)
		}
	}
	// What links lead to has its own name where that matches.
	slices.SortStableFunc(w.files, func(a, b match) int { return cmp.Compare(a.links, b.links) })
	kept := 0
	for _, f := range w.files {
		if excluded(g.root, f.File, g.excludes) {
			continue
		}
		kept++
		if err := g.file(f); err != nil {
			return fmt.Errorf(": %w", err)
		}
	}
	if kept == 0 {
		return fmt.Errorf(": all of the %d files that it matches in %s are excluded", len(w.files)+len(w.broken), w.base)
	}
	return nil
}

// file adds a file, unless it is there already.
func (g *globbing) file(f match) error {
	if g.byPath[f.Path] {
		return nil
	}
	g.byPath[f.Path] = true
	if g.targets[f.target] {
		g.passed.note(becauseTaken, f.Path)
		return nil
	}
	g.targets[f.target] = true
	if other, ok := g.byName[f.Name]; ok {
		return fmt.Errorf("%s and %s would both be named %q: write one pattern whose wildcards begin in a directory above both", other, f.Path, f.Name)
	}
	g.byName[f.Name] = f.Path
	g.files = append(g.files, f.File)
	return nil
}

// passedOver counts files and directories that are not taken, by reason, with one of each as an
// example.
type passedOver []passedReason

type passedReason struct {
	why     reason
	example string
	n       int
}

// A reason is what files are that were passed over, of one and of several.
type reason struct{ one, several string }

var (
	becauseHidden  = reason{"hidden or editors' file or directory", "hidden or editors' files and directories"}
	becauseTaken   = reason{"link to a file that is taken already", "links to files that are taken already"}
	becauseNowhere = reason{"link that leads nowhere", "links that lead nowhere"}
	becauseEndless = reason{"link that cannot be followed", "links that cannot be followed"}
	becauseNoFile  = reason{"file that is not regular", "files that are not regular"}
)

func (p *passedOver) note(why reason, path string) {
	for i := range *p {
		if (*p)[i].why == why {
			(*p)[i].n++
			return
		}
	}
	*p = append(*p, passedReason{why, path, 1})
}

func (p passedOver) words() (list []string) {
	for _, r := range p {
		list = append(list, fmt.Sprintf("passed over %s, such as %s", words.Counted(r.n, r.why.one, r.why.several), r.example))
	}
	return list
}

// insteadOfFile says what a pattern without wildcards names where that is something else than a
// file.
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

// expandPattern finds the files that one pattern matches.
func expandPattern(root, pattern string) (*walker, error) {
	levels, err := splitPattern(pattern)
	if err != nil {
		return nil, err
	}
	fixed := 0
	for fixed < len(levels)-1 && !strings.ContainsAny(levels[fixed], `*?[\`) {
		fixed++
	}
	base := filepath.FromSlash(strings.Join(levels[:fixed], "/"))
	if levels[0] == "" {
		base += string(filepath.Separator)
	} else {
		base = filepath.Join(root, base)
	}
	w := &walker{base: filepath.Clean(base), levels: levels[fixed:], seen: map[string]bool{}}
	// Directories behind links come after those that are there themselves, so that what links lead
	// to has its own name where it has one.
	w.links = []visit{{"", start(w.levels), 0}}
	for len(w.links) > 0 {
		next := w.links[0]
		w.links = w.links[1:]
		if err := w.walk(next); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// A walker finds the files of one pattern.
type walker struct {
	base   string
	levels []string
	links  []visit         // directories behind links, still to be walked
	seen   map[string]bool // directories without links in their paths, with states, that were walked
	files  []match
	broken []File // links that lead nowhere
	passed []unwanted
}

// An unwanted file or directory would match but for what it is.
type unwanted struct {
	File
	why reason
}

// A match is a file, its path without links, and how many links are on the way to it below the
// base.
type match struct {
	File
	target string
	links  int
}

// A visit is a directory below the base, which levels may come next in it, and how many links led
// there.
type visit struct {
	dir    string
	states []int
	links  int
}

// walk enters the files of a directory that match. Only directories that can lead to a match are
// read.
func (w *walker) walk(v visit) error {
	dir := filepath.Join(w.base, filepath.FromSlash(v.dir))
	target, again, err := w.again(dir, v.states)
	if again {
		return nil
	}
	var entries []os.DirEntry
	if err == nil {
		entries, err = os.ReadDir(dir)
	}
	if v.dir == "" && errors.Is(err, fs.ErrNotExist) {
		return nil // the caller says that nothing was found, and where
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.entry(v, target, e); err != nil {
			return err
		}
	}
	return nil
}

// again reports whether a directory was walked from the same states, which can lead to no other
// file: links may go in circles. target is its path without links.
func (w *walker) again(dir string, states []int) (target string, again bool, err error) {
	if target, err = filepath.EvalSymlinks(dir); err != nil {
		return "", false, err
	}
	key := fmt.Sprint(target, states)
	again = w.seen[key]
	w.seen[key] = true
	return target, again, nil
}

// entry looks at one entry of a directory, whose path without links is target.
func (w *walker) entry(v visit, target string, e os.DirEntry) error {
	name := path.Join(v.dir, e.Name())
	next, passed := step(w.levels, v.states, e.Name(), false)
	links := v.links
	if e.Type()&fs.ModeSymlink != 0 {
		links++
	}
	inside := slices.DeleteFunc(slices.Clone(next), func(state int) bool { return state == len(w.levels) }) // a pattern that ends here has no level below
	below := visit{name, inside, links}
	enters := len(inside) > 0
	f := match{File: File{Path: filepath.Join(w.base, filepath.FromSlash(name)), Name: name}, target: filepath.Join(target, e.Name()), links: links}
	if len(next) == 0 {
		if all, _ := step(w.levels, v.states, e.Name(), true); passed && (e.IsDir() || accepts(w.levels, all)) {
			w.passed = append(w.passed, unwanted{f.File, becauseHidden})
		}
		return nil
	}
	if e.IsDir() {
		if enters {
			return w.walk(below)
		}
		return nil
	}
	info, err := os.Stat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && links > v.links:
		if accepts(w.levels, next) {
			w.broken = append(w.broken, f.File)
		} else {
			w.passed = append(w.passed, unwanted{f.File, becauseNowhere})
		}
	case err != nil && accepts(w.levels, next):
		return err
	case err != nil:
		w.passed = append(w.passed, unwanted{f.File, becauseEndless})
	case info.IsDir():
		if enters {
			w.links = append(w.links, below)
		}
	case accepts(w.levels, next) && info.Mode().IsRegular():
		if links > v.links {
			if f.target, err = filepath.EvalSymlinks(f.Path); err != nil {
				return err
			}
		}
		w.files = append(w.files, f)
	case accepts(w.levels, next):
		w.passed = append(w.passed, unwanted{f.File, becauseNoFile})
	}
	return nil
}

// unasked reports a name that no level of a pattern matches which does not spell out what makes it
// so: the dot of a hidden file, or what editors add to the names of their copies.
func unasked(level, name string) bool {
	switch {
	case strings.HasPrefix(name, "."):
		return !strings.HasPrefix(level, ".")
	case strings.HasSuffix(name, "~"):
		return !strings.HasSuffix(level, "~")
	case strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"):
		return !strings.HasPrefix(level, "#")
	case strings.HasSuffix(name, ".swp"):
		return !strings.HasSuffix(level, ".swp")
	}
	return false
}

// A pattern is followed as a set of states, in ascending order: state i means that levels[i:] is
// still to be matched. That keeps the work linear however many ** there are.

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

// step returns the states behind one level of a path. Names that were not asked for match nothing
// unless every name does, as in excludes; passed: one matched but for that. splitPattern has
// checked the syntax, so that path.Match cannot fail.
func step(levels []string, states []int, name string, every bool) (next []int, passed bool) {
	for _, i := range states {
		if i == len(levels) {
			continue
		}
		to := i
		if levels[i] != "**" {
			if ok, _ := path.Match(levels[i], name); !ok {
				continue
			}
			to++
		}
		if !every && unasked(levels[i], name) {
			passed = true
			continue
		}
		next = enter(levels, next, to)
	}
	return next, passed
}

func accepts(levels []string, states []int) bool {
	return len(states) > 0 && states[len(states)-1] == len(levels)
}

// matches reports whether a whole slash path matches.
func matches(levels []string, name string) bool {
	states := start(levels)
	for l := range strings.SplitSeq(name, "/") {
		states, _ = step(levels, states, l, true)
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
