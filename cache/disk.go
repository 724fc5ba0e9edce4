package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// WriteError says that the disk did not take what the cache gave it: no space, quota, an I/O error.
// Nothing half-written is visible as an entry or a blob.
type WriteError struct {
	Dir     string // the cache directory
	Writing string // what was being written
	Free    int64  // bytes free on its file system, -1 when unknown
	Err     error
}

func (e *WriteError) Error() string {
	free := ""
	if e.Free >= 0 {
		free = fmt.Sprintf(" (%d bytes free)", e.Free)
	}
	return fmt.Sprintf("cache: %s: writing %s%s: %v", e.Dir, e.Writing, free, e.Err)
}

func (e *WriteError) Unwrap() error { return e.Err }

// Full says whether the cause is a full disk or quota, which a person must mend before any retry
// helps.
func (e *WriteError) Full() bool {
	return errors.Is(e.Err, syscall.ENOSPC) || errors.Is(e.Err, syscall.EDQUOT)
}

// Free is how many bytes may still be written to the file system of the cache, -1 when unknown.
func (c *Cache) Free() int64 { return freeBytes(c.dir) }

// FreeAt is how many bytes are free to this user on the file system of a directory; -1 where that
// is not known.
func FreeAt(dir string) int64 { return freeBytes(dir) }

func (c *Cache) writeError(writing string, err error) error {
	return &WriteError{Dir: c.dir, Writing: writing, Free: freeBytes(c.dir), Err: err}
}

// disk holds the calls that fail when a disk does, so that tests can let each of them fail.
type disk struct {
	mkdirTemp func(dir, pattern string) (string, error)

	write  func(f *os.File, b []byte) error
	sync   func(f *os.File) error
	close  func(f *os.File) error
	rename func(from, to string) error
	link   func(from, to string) error
}

func realDisk() disk {
	return disk{
		mkdirTemp: os.MkdirTemp,

		write:  func(f *os.File, b []byte) error { _, err := f.Write(b); return err },
		sync:   (*os.File).Sync,
		close:  (*os.File).Close,
		rename: os.Rename,
		link:   os.Link,
	}
}

// blobTime is the mtime of every blob: far enough in the past that any write shows, even one within
// the clock tick of the commit (FORMAT.md, section 5).
var blobTime = time.Unix(1_000_000_000, 0)

// temp writes a file into tmp/ and returns its path. It is as durable as its later name will be:
// fsynced, and its close checked, where NFS reports quota.
func (c *Cache) temp(what string, data []byte, durable bool) (path string, err error) {
	f, err := os.CreateTemp(c.path("tmp"), c.owner+".*")
	if err != nil {
		return "", c.writeError(what, err)
	}
	err = c.disk.write(f, data)
	if err == nil {
		err = f.Chmod(0o444)
	}
	if err == nil && durable {
		err = c.disk.sync(f)
	}
	if cerr := c.disk.close(f); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(f.Name())
		return "", c.writeError(what, err)
	}
	return f.Name(), nil
}

// syncDir makes the names in a directory durable.
func (c *Cache) syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return c.writeError("directory "+c.rel(dir), err)
	}
	err = c.disk.sync(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return c.writeError("directory "+c.rel(dir), err)
	}
	return nil
}

// publish gives a finished temporary file its name unless the name is taken: link(2) is atomic and
// exclusive, on NFS too. fs.ErrExist means taken.
func (c *Cache) publish(temp, path string) error {
	if dir := filepath.Dir(path); dir != c.dir { // which a person may reach by a link
		if err := c.plainFan(dir); err != nil {
			return err
		}
	}
	err := c.disk.link(temp, path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := c.makeFan(filepath.Dir(path)); err != nil {
			return err
		}
		if err := c.syncDir(filepath.Dir(filepath.Dir(path))); err != nil {
			return err
		}
		err = c.disk.link(temp, path)
	}
	if err == nil {
		return nil
	}
	// The reply may have been lost and the request done twice: then the error is EEXIST, and the
	// second name of our file is the one we asked for.
	mine, err1 := os.Lstat(temp)
	there, err2 := os.Lstat(path)
	if err1 == nil && err2 == nil && os.SameFile(mine, there) {
		return nil
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		err = fmt.Errorf("the file system must have hard links, choose a directory on another one: %w", err)
	}
	return c.writeError(c.rel(path), err)
}

// makeFan makes a directory below blobs/ or entries/ that is needed for the first time; the caller
// syncs the one above. All 512 at the start would cost 0.2 s of fsync before the first step, which
// many small caches never use.
func (c *Cache) makeFan(dir string) error {
	if err := c.mkdir(dir); err != nil {
		return c.writeError("directory "+c.rel(dir), err)
	}
	return nil
}

// quarantine moves a file found corrupt out of the way. judged is the file that was found so; if
// another has taken its place meanwhile, that one goes back.
func (c *Cache) quarantine(path string, judged fs.FileInfo) error {
	if c.readOnly {
		return nil // it stays where it is, and whoever asked is told
	}
	if err := c.mkdir(c.path("quarantine")); err != nil {
		return c.writeError("directory quarantine", err)
	}
	// A free random name; the directory that held it makes room for the file.
	to, err := c.disk.mkdirTemp(c.path("quarantine"), filepath.Base(path)+".*")
	if err == nil {
		err = os.Remove(to)
	}
	if err == nil {
		err = c.disk.rename(path, to)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another process was quicker
	}
	if err != nil {
		return c.writeError("quarantine of "+c.rel(path), err)
	}
	if moved, err := os.Lstat(to); err == nil && !os.SameFile(moved, judged) {
		if err := c.disk.link(to, path); err == nil || errors.Is(err, fs.ErrExist) {
			os.Remove(to)
		}
	}
	return nil
}
