package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ablate/cache"
)

// directory is a directory as a place. Objects are files, written aside, synced and linked or
// renamed to their names. Links are not followed, and pipes are not waited for.
type directory struct{ root string }

var errNotPlain = errors.New("it is no regular file, or below a link")

// settled is the mtime of every blob, as in a cache: a write to one shows, and it is read before
// the next push believes it.
var settled = time.Unix(1_000_000_000, 0)

func (d directory) String() string { return d.root }

func (d directory) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

func (d directory) there(context.Context) error {
	fi, err := os.Stat(d.root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing is there yet
	}
	if err == nil && !fi.IsDir() {
		err = fmt.Errorf("%s is no directory", d.root)
	}
	return err
}

// plain says that an object is a regular file below directories that are none of them links.
func (d directory) plain(name string) (fs.FileInfo, error) {
	if err := d.plainDirs(name); err != nil {
		return nil, err
	}
	fi, err := os.Lstat(d.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errAbsent
	}
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, &damaged{errNotPlain}
	}
	return fi, nil
}

func (d directory) plainDirs(name string) error {
	at := d.root
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

func (d directory) open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, int64, error) {
	if _, err := d.plain(name); err != nil {
		return nil, 0, err
	}
	f, err := cache.OpenFile(d.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, errAbsent
	}
	if err != nil {
		return nil, 0, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	if length < 0 {
		length = max(0, fi.Size()-offset)
	}
	return &section{ctx, io.NewSectionReader(f, offset, length), f}, fi.Size(), nil
}

// section is a part of a file.
type section struct {
	ctx context.Context
	io.Reader
	io.Closer
}

func (s *section) Read(b []byte) (int, error) {
	if err := cache.Ended(s.ctx); err != nil {
		return 0, err
	}
	return s.Reader.Read(b)
}

func (d directory) size(_ context.Context, name string) (int64, error) {
	fi, err := d.plain(name)
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

func (d directory) touched(name string) bool {
	fi, err := os.Lstat(d.path(name))
	return err == nil && !fi.ModTime().Equal(settled)
}

// trust does nothing where the file belongs to another: then it is read again at the next push.
func (d directory) trust(name string) { os.Chtimes(d.path(name), time.Time{}, settled) }

// create gives a new file its name by link(2), which refuses one that is taken, on NFS too.
func (d directory) create(_ context.Context, name string, data []byte) error {
	temp, err := d.aside(name, func(f *os.File) error { _, err := f.Write(data); return err })
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	path := d.path(name)
	if err := os.Link(temp, path); err != nil {
		// The reply may have been lost and the request done twice: then the second name is ours.
		mine, err1 := os.Lstat(temp)
		there, err2 := os.Lstat(path)
		switch {
		case err1 == nil && err2 == nil && os.SameFile(mine, there):
		case errors.Is(err, fs.ErrExist):
			return errTaken
		default:
			return err
		}
	}
	return d.syncDirs(filepath.Dir(path))
}

// replace moves the damaged file to a name that nobody reads. Of several who try, the rename of one
// moves it.
func (d directory) replace(ctx context.Context, name string, damaged, data []byte) error {
	if err := d.plainDirs(name); err != nil {
		return err
	}
	path := d.path(name)
	dir, err := os.MkdirTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	away := filepath.Join(dir, "damaged")
	if err := os.Rename(path, away); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if was, err := cache.ReadFile(away, cache.MaxEntryBytes); err == nil && !bytes.Equal(was, damaged) {
		os.Link(away, path) // another had mended it
		return errTaken
	}
	return d.create(ctx, name, data)
}

func (d directory) upload(ctx context.Context, o cache.Output, path string) error {
	name := blobName(o.Digest)
	temp, err := d.aside(name, func(f *os.File) error { return copyBlob(ctx, f, path, o) })
	if err != nil {
		return err
	}
	to := d.path(name)
	err = os.Chtimes(temp, time.Time{}, settled)
	if err == nil {
		err = os.Rename(temp, to)
	}
	if err != nil {
		os.Remove(temp)
		return err
	}
	return d.syncDirs(filepath.Dir(to))
}

// copyBlob copies a blob's file and checks what it copies: nothing else must get its name.
func copyBlob(ctx context.Context, to io.Writer, path string, o cache.Output) error {
	from, err := cache.OpenFile(path)
	if err != nil {
		return err
	}
	defer from.Close()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, h), &section{ctx, from, from}); err != nil {
		return err
	}
	if got := cache.Digest(h.Sum(nil)); got != o.Digest {
		return fmt.Errorf("%s changed while it was read: its bytes have digest %s", path, got)
	}
	return nil
}

// aside writes a file beside the name that it is to have, synced, and returns its path.
func (d directory) aside(name string, write func(*os.File) error) (string, error) {
	if err := d.plainDirs(name); err != nil {
		return "", err
	}
	path := d.path(name)
	if err := d.mkdir(filepath.Dir(path)); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return "", err
	}
	err = write(f)
	if err = errors.Join(err, f.Chmod(0o444), f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// mkdir makes a directory below the root, with the root's rights for the group where that may write
// to the root.
func (d directory) mkdir(dir string) error {
	if _, err := os.Lstat(dir); err == nil || !strings.HasPrefix(dir, d.root) {
		return nil
	}
	if dir == d.root {
		return os.MkdirAll(dir, 0o777)
	}
	if err := d.mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	return cache.ShareLike(d.root, dir)
}

// syncDirs makes the names in a directory last, and its own.
func (d directory) syncDirs(dir string) error {
	for {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
		if dir == d.root {
			return nil
		}
		dir = filepath.Dir(dir)
	}
}

func (d directory) list(ctx context.Context, prefix string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		err := filepath.WalkDir(d.path(prefix), func(path string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil // nothing is there, or it was removed since
			case err != nil:
				return err
			case e.IsDir():
				return cache.Ended(ctx)
			}
			rel, err := filepath.Rel(d.root, path)
			if err != nil {
				return err
			}
			fi, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			if !yield(object{filepath.ToSlash(rel), fi.Size()}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(object{}, err)
		}
	}
}

// IsCache says whether the remote is the directory of a cache itself.
func (r *Remote) IsCache(c *cache.Cache) bool {
	dir := r.Dir()
	if dir == "" {
		return false
	}
	theirs, err1 := os.Stat(dir)
	mine, err2 := os.Stat(c.Dir())
	return err1 == nil && err2 == nil && os.SameFile(mine, theirs)
}
