// Package output writes what a person asked for to the place that the person named: a file of a
// command's option, or the directory of a run's report. Every command writes through this package,
// so that one policy holds.
//
// A regular file is written beside its place and takes its name by a rename once it is whole, so
// that a failure or a kill leaves either the old file or the new one. A new file has the mode that
// the person's umask gives; a file that is replaced keeps its mode. A symbolic link stays, and the
// file that it leads to is written. A device, a pipe or a socket stays what it is, and the bytes
// are written into it. A directory in the place of a file is refused. Missing folders above a file
// are made.
//
// A file that an option names is replaced, as a compiler's -o does. A directory is written to only
// if it is ours ([Look]).
//
// The package does not promise that bytes are on the disk after a power cut: all that it writes can
// be made again from the cache.
package output

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"ablate/cache"
)

// To writes what fill writes to the file at path. Where fill or the disk fails, a regular file at
// path is what it was before.
func To(path string, fill func(io.Writer) error) error {
	p, err := find(path)
	if err != nil {
		return err
	}
	if p.open != nil {
		f, err := p.open()
		if err != nil {
			return err
		}
		return errors.Join(fill(f), f.Close())
	}
	dir := filepath.Dir(p.file)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := aside(dir)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil && p.there {
		err = f.Chmod(p.mode)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), p.file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Write writes data to the file at path. A regular file that holds data already is not touched.
func Write(path string, data []byte) error {
	if holds(path, data) {
		return nil
	}
	return To(path, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// New writes data to the file at path, which must not be a regular file yet.
func New(path string, data []byte) error {
	p, err := find(path)
	if err != nil {
		return err
	}
	if p.there {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	return Write(path, data)
}

// Check says before any work whether To could write the file at path, as far as that can be known
// without opening what is no regular file.
func Check(path string) error {
	p, err := find(path)
	if err != nil || p.open != nil {
		return err
	}
	return probe(filepath.Dir(p.file))
}

// Reads reports whether path is one of the files that a command reads, under its name or where that
// leads.
func Reads(path string, files []string) bool {
	to, err := os.Stat(path)
	return err == nil && to.Mode().IsRegular() && slices.ContainsFunc(files, func(f string) bool {
		from, err := os.Stat(f)
		return err == nil && os.SameFile(from, to)
	})
}

// IsStdout reports whether what is written to path goes to the standard output, so that nothing
// else may be printed there.
func IsStdout(path string) bool {
	p, err := find(path)
	return err == nil && p.stdout
}

// place is where the bytes for a path belong.
type place struct {
	file  string      // a regular file, no link, to replace or to make; empty: see open
	there bool        // file is there
	mode  fs.FileMode // of file, where it is there

	open   func() (*os.File, error) // of what is no regular file
	stdout bool                     // it is the standard output
}

// mostLinks bounds links that lead to links, as systems do.
const mostLinks = 40

// find follows the links of a path to the place that they lead to.
func find(path string) (place, error) {
	if path == "" {
		return place{}, errors.New("a file without a name")
	}
	at := path
	for range mostLinks {
		if fd, ok := descriptor(at); ok {
			return place{open: func() (*os.File, error) { return duplicate(at, fd) }, stdout: fd == 1}, nil
		}
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if strings.HasSuffix(at, string(filepath.Separator)) {
				return place{}, fmt.Errorf("%s names a directory: want a file", path)
			}
			return place{file: at}, nil
		case err != nil:
			return place{}, plainer(at, err)
		case info.IsDir():
			return place{}, fmt.Errorf("%s is a directory: want a file", path)
		case info.Mode().IsRegular():
			return place{file: at, there: true, mode: info.Mode().Perm()}, nil
		case info.Mode()&fs.ModeSymlink == 0:
			return place{open: func() (*os.File, error) { return os.OpenFile(at, os.O_WRONLY, 0) }}, nil
		}
		to, err := os.Readlink(at)
		if err != nil {
			return place{}, err
		}
		if !filepath.IsAbs(to) {
			// The folder may be a link itself: ".." in what the link holds starts from where that
			// leads.
			dir, err := filepath.EvalSymlinks(filepath.Dir(at))
			if err != nil {
				return place{}, err
			}
			to = filepath.Join(dir, to)
		}
		at = to
	}
	return place{}, fmt.Errorf("%s: %w", path, syscall.ELOOP)
}

// descriptor reports that a path stands for an open file of this process, and which. What it is
// open on may be a regular file, and is not to be replaced: the shell holds it open, and others
// append to it.
func descriptor(path string) (int, bool) {
	switch path = filepath.Clean(path); path {
	case "/dev/stdin":
		return 0, true
	case "/dev/stdout":
		return 1, true
	case "/dev/stderr":
		return 2, true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/", "/proc/" + strconv.Itoa(os.Getpid()) + "/fd/"} {
		if n, ok := strings.CutPrefix(path, dir); ok {
			fd, err := strconv.Atoi(n)
			return fd, err == nil && fd >= 0
		}
	}
	return 0, false
}

// duplicate opens an open file of this process once more: at its place, and appending where it
// appends.
func duplicate(path string, fd int) (*os.File, error) {
	d, err := syscall.Dup(fd)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	syscall.CloseOnExec(d)
	return os.NewFile(uintptr(d), path), nil
}

// probe says whether a file could be made in dir, which need not be there yet. It leaves nothing.
func probe(dir string) error {
	for {
		info, err := os.Stat(dir)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir {
			if _, err := os.Lstat(dir); err == nil {
				return fmt.Errorf("%s is a link to a folder that does not exist", dir)
			}
			dir = filepath.Dir(dir)
			continue
		}
		if err != nil {
			return plainer(dir, err)
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is a file: want a folder", dir)
		}
		f, err := aside(dir)
		if err != nil {
			return err
		}
		return errors.Join(f.Close(), os.Remove(f.Name()))
	}
}

// plainer names what stands in the way of a path below a file.
func plainer(path string, err error) error {
	if !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	for up := filepath.Dir(path); up != filepath.Dir(up); up = filepath.Dir(up) {
		if info, err := os.Stat(up); err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file: want a folder", up)
		}
	}
	return err
}

// holds reports whether a regular file holds data.
func holds(path string, data []byte) bool {
	info, err := os.Stat(path) // a pipe must not be read
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(data)) {
		return false
	}
	if _, ok := descriptor(path); ok {
		return false
	}
	old, err := os.ReadFile(path)
	return err == nil && string(old) == string(data)
}

// asideHead begins the names of files that are not whole yet.
const asideHead = ".ablate-"

// aside makes a file in a directory that is to take its name there by a rename once it is whole,
// with the mode that the umask gives. It removes those that runs left which were killed.
func aside(dir string) (*os.File, error) {
	if names, err := os.ReadDir(dir); err == nil { // if not, the next line says why
		for _, n := range names {
			if owner, ok := strings.CutPrefix(n.Name(), asideHead); ok && cache.Left(owner) {
				os.Remove(filepath.Join(dir, n.Name())) // met again next time if it fails
			}
		}
	}
	for n := 1; ; n++ {
		path := filepath.Join(dir, asideHead+cache.Owner()+"."+strconv.Itoa(n))
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}
