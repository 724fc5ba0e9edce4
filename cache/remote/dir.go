package remote

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ablate/cache"
)

// What a directory needs beyond its bucket, whose writes are renames of files
// that were not synced, whose condition is a look before the rename, and who
// follows links and waits for pipes.

var errNotPlain = errors.New("it is no regular file, or below a link")

// plain says that an object is a regular file below directories that are none
// of them links. Of a store it says nothing.
func (r *Remote) plain(name string) error {
	if r.dir == "" {
		return nil
	}
	if err := r.plainDirs(name); err != nil {
		return err
	}
	fi, err := os.Lstat(filepath.Join(r.dir, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return errAbsent
	}
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return &damaged{errNotPlain}
	}
	return nil
}

func (r *Remote) plainDirs(name string) error {
	at := r.dir
	parts := strings.Split(name, "/")
	for _, p := range parts[:len(parts)-1] {
		at = filepath.Join(at, p)
		fi, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !fi.IsDir() {
			return &damaged{errNotPlain}
		}
	}
	return nil
}

// createFile gives a new file its name by link(2), which refuses one that is
// taken, on NFS too.
func (r *Remote) createFile(name string, data []byte) error {
	if err := r.plainDirs(name); err != nil {
		return err
	}
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o444), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		// The reply may have been lost and the request done twice: then the second name is ours.
		mine, err1 := os.Lstat(f.Name())
		there, err2 := os.Lstat(path)
		switch {
		case err1 == nil && err2 == nil && os.SameFile(mine, there):
		case errors.Is(err, fs.ErrExist):
			return errTaken
		default:
			return err
		}
	}
	return syncDirs(r.dir, dir)
}

// durable makes a file that was just renamed to its name last: an entry must
// not outlive its blobs.
func (r *Remote) durable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(0o444), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return syncDirs(r.dir, filepath.Dir(path))
}

// syncDirs makes the names in a directory below root last, and its own.
func syncDirs(root, dir string) error {
	for {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
		if dir == root {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

// IsCache says whether the remote is the directory of a cache itself.
func (r *Remote) IsCache(c *cache.Cache) bool {
	if r.dir == "" {
		return false
	}
	theirs, err1 := os.Stat(r.dir)
	mine, err2 := os.Stat(c.Dir())
	return err1 == nil && err2 == nil && os.SameFile(mine, theirs)
}
