package output

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ablate/cache"
)

// studyFile is the copy of the study in an output directory.
const studyFile = "study.yaml"

// logs is the folder of an output directory that holds the logs of failed steps. A run that failed
// has left nothing else there.
const logs = "logs"

// Options say how a directory is to be written to.
type Options struct {
	Study  string   // its name
	Names  []string // files that every report has, below the directory
	Known  []Named  // those of them whose bytes are known before the work
	Above  []string // folders that every report has
	Inputs []string // files of the study, which are never replaced; see also [Dir.Protect]
	Force  bool     // write into a directory that is not ours, and replace files in it that are not ours
}

// Dir is an output directory that may be written to.
type Dir struct {
	path   string
	opt    Options
	ours   map[string]bool // names of files that ablate wrote
	was    string          // the study whose report the directory holds; empty: none, or not known
	inputs map[string]bool // their paths, without links
}

// A ForeignError says that files stand in the way that ablate did not write.
type ForeignError struct {
	Dir   string
	Files []string // below Dir
	Input bool     // they are what the study reads: nothing replaces them
	Mixed bool     // the directory is ours, these files in it are not
}

func (e *ForeignError) Error() string {
	names := strings.Join(e.Files[:min(len(e.Files), mostNamed)], ", ")
	if more := len(e.Files) - mostNamed; more > 0 {
		names += ", ..."
	}
	switch {
	case e.Input:
		return fmt.Sprintf("the report would replace files that the study itself reads: %s in %s; name another folder with --out", names, e.Dir)
	case e.Mixed:
		return fmt.Sprintf("the report would replace files that ablate did not write: %s in %s; move these files, name another folder with --out, or replace the files with --force", names, e.Dir)
	}
	return fmt.Sprintf("%s holds files that ablate did not write: %s; name a new or an empty folder with --out, or write the report beside these files with --force, which replaces files that have the names of the report's files", e.Dir, names)
}

// mostNamed is how many files an error names.
const mostNamed = 5

// Look settles whether a directory may be written to, before any work, and leaves nothing. A
// directory is ours if it is not there yet, holds nothing, bears our mark, or holds the plan.json
// and provenance.json of an earlier version's run. Of a directory with others' files it is an error
// of type [*ForeignError].
func Look(path string, opt Options) (*Dir, error) {
	d := &Dir{path: path, opt: opt, ours: map[string]bool{}, inputs: map[string]bool{}}
	d.Protect(opt.Inputs)
	if err := probe(path); err != nil {
		return nil, err
	}
	switch m, err := ReadMark(path); {
	case err == nil:
		d.was = m.Study
		for _, name := range m.Files {
			if _, err := os.Lstat(d.at(name)); !errors.Is(err, fs.ErrNotExist) { // what was removed is not ours when it is there again
				d.ours[name] = true
			}
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case earlier(path):
		d.adopt()
	case !opt.Force:
		found, err := foreign(path, "", nil)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return nil, &ForeignError{Dir: path, Files: found}
		}
	}
	for _, name := range opt.Above {
		if info, err := os.Stat(d.at(name)); err == nil && !info.IsDir() {
			return nil, fmt.Errorf("%s is a file: the report needs a folder there", d.at(name))
		}
	}
	for _, name := range opt.Names {
		if info, err := os.Stat(d.at(name)); err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s is a directory: the report needs a file there", d.at(name))
		}
	}
	return d, d.clear()
}

// Path is where the directory lies.
func (d *Dir) Path() string { return d.path }

// Free is how many bytes are free where the directory lies or is to lie; -1 where that is not
// known.
func (d *Dir) Free() int64 {
	dir := real(d.path)
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return cache.FreeAt(dir)
		}
		dir = filepath.Dir(dir)
	}
}

// Protect adds files that the study reads, which are never replaced.
func (d *Dir) Protect(paths []string) {
	folders := map[string]string{} // without links: of a hundred thousand raw files, most share one
	for _, path := range paths {
		folder := filepath.Dir(path)
		if _, ok := folders[folder]; !ok {
			folders[folder] = real(folder)
		}
		d.inputs[filepath.Join(folders[folder], filepath.Base(path))] = true
	}
}

// clear is an error if a file that every report has stands in the way and must not be replaced.
func (d *Dir) clear() error {
	return d.refuse(slices.DeleteFunc(slices.Clone(d.opt.Names), func(name string) bool {
		return slices.ContainsFunc(d.opt.Known, func(f Named) bool { return f.Name == name && d.same(f) })
	}))
}

// adopt takes as ours what an earlier version left, which wrote no mark: every name that a report
// has. A study.yaml beside files that no report has is a person's, whose folder the report was put
// into.
func (d *Dir) adopt() {
	others := false
	entries, _ := os.ReadDir(d.path) // if it fails, nothing is adopted
	for _, e := range entries {
		switch name := e.Name(); {
		case slices.Contains(d.opt.Above, name):
			for _, name := range below(d.path, name) {
				d.ours[name] = true
			}
		case slices.Contains(d.opt.Names, name):
			d.ours[name] = true
		default:
			others = true
		}
	}
	if others {
		delete(d.ours, studyFile)
	}
}

// Was is the study whose report the directory holds, where that is another one than is written now.
func (d *Dir) Was() string {
	if d.was == d.opt.Study {
		return ""
	}
	return d.was
}

// Claim makes the directory where it is not there, and marks it as ours.
func (d *Dir) Claim() error {
	if err := d.clear(); err != nil { // more is protected than when it was looked at
		return err
	}
	if err := os.MkdirAll(d.path, 0o777); err != nil {
		return err
	}
	return d.mark(cmp.Or(d.was, d.opt.Study))
}

// A Named is a file of an output directory.
type Named struct {
	Name string // below the directory, with slashes
	Data []byte
	Path string // of a large file: another file, which holds the data and is copied; "" where Data does
}

// Write writes files into the directory. there names others that are in it already, as they are to
// be. Where a file stands in the way that is not ours, nothing is written.
func (d *Dir) Write(files []Named, there []string) error {
	var names []string
	for _, f := range files {
		if !d.same(f) { // a file that holds the bytes already remains whose it is
			names = append(names, f.Name)
		}
	}
	if err := d.refuse(names); err != nil {
		return err
	}
	for _, name := range slices.Concat(names, there) {
		d.ours[name] = true
	}
	if err := os.MkdirAll(d.path, 0o777); err != nil {
		return err
	}
	if err := d.mark(d.opt.Study); err != nil { // before the files: a run that is killed here finds its own
		return err
	}
	for _, f := range files {
		if err := d.put(f); err != nil {
			return err
		}
	}
	return nil
}

// put writes one file, unless it is there as it is to be.
func (d *Dir) put(f Named) error {
	if f.Path == "" {
		return Write(d.at(f.Name), f.Data)
	}
	if d.same(f) {
		return nil
	}
	from, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer from.Close()
	return To(d.at(f.Name), func(w io.Writer) error { _, err := io.Copy(w, from); return err })
}

// same reports whether a file is in the directory already as it is to be.
func (d *Dir) same(f Named) bool {
	if f.Path == "" {
		return holds(d.at(f.Name), f.Data)
	}
	info, err := os.Stat(d.at(f.Name)) // a pipe must not be read
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	is, _, err := cache.FileDigestNow(context.Background(), d.at(f.Name))
	want, _, wanted := cache.FileDigestNow(context.Background(), f.Path)
	return err == nil && wanted == nil && is == want
}

// refuse is an error if one of the files is there and must not be replaced. Files of a report are
// regular: to write into a pipe would wait for somebody who reads it.
func (d *Dir) refuse(names []string) error {
	var inputs, others []string
	for _, name := range names {
		if _, err := os.Lstat(d.at(name)); err != nil {
			continue
		}
		if info, err := os.Stat(d.at(name)); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file (%s): remove it", d.at(name), info.Mode().Type())
		}
		switch {
		case d.reads(name):
			inputs = append(inputs, name)
		case !d.ours[name] && !d.opt.Force:
			others = append(others, name)
		}
	}
	if len(inputs) > 0 {
		return &ForeignError{Dir: d.path, Files: inputs, Input: true}
	}
	if len(others) > 0 {
		return &ForeignError{Dir: d.path, Files: others, Mixed: true}
	}
	return nil
}

// reads reports whether the study reads a file of the directory, under its name there or where that
// leads.
func (d *Dir) reads(name string) bool {
	path := d.at(name)
	return d.inputs[filepath.Join(real(filepath.Dir(path)), filepath.Base(path))] || d.inputs[real(path)]
}

func (d *Dir) at(name string) string { return filepath.Join(d.path, filepath.FromSlash(name)) }

// earlier reports whether a version that left no mark wrote the report in a directory.
func earlier(dir string) bool {
	for _, name := range []string{"plan.json", "provenance.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// foreign finds files below a directory that are not in an output directory of ours: at most one
// more than an error names. Folders hold nothing by themselves. Studies may lie below one another,
// as out/a and out/a/b do.
func foreign(dir, below string, found []string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	for _, e := range entries {
		name := filepath.Join(below, e.Name())
		path := filepath.Join(dir, e.Name())
		switch {
		case len(found) > mostNamed:
			return found, nil
		case strings.HasPrefix(e.Name(), asideHead):
		case !e.IsDir():
			found = append(found, filepath.ToSlash(name))
		case name == logs || marked(path):
		default:
			if found, err = foreign(path, name, found); err != nil {
				return found, err
			}
		}
	}
	return found, err
}

func marked(dir string) bool {
	_, err := ReadMark(dir)
	return err == nil || earlier(dir)
}

// below lists the files below a folder of a directory.
func below(dir, folder string) []string {
	var names []string
	_ = filepath.WalkDir(filepath.Join(dir, folder), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if name, err := filepath.Rel(dir, path); err == nil {
				names = append(names, filepath.ToSlash(name))
			}
		}
		return nil // what cannot be listed is not ours
	})
	return names
}

// real is a path without links, as far as it is there.
func real(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	return path
}
