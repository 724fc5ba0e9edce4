package cache

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// What two caches need to give each other entries: which keys there are, an entry and its blobs,
// and to take them in, blobs first.

// Keys yields the key of every entry, in order, without reading any.
func (c *Cache) Keys() iter.Seq2[Key, error] {
	return func(yield func(Key, error) bool) {
		for path, err := range c.files("entries") {
			if err != nil {
				if !yield(Key{}, err) {
					return
				}
				continue
			}
			if key, err := ParseKey(filepath.Base(path)); err == nil && path == c.entryPath(key) && !yield(key, nil) {
				return
			}
		}
	}
}

// HasBlob says whether there is a file under a digest, and its size in bytes, without reading it.
func (c *Cache) HasBlob(d Digest) (size int64, ok bool) {
	fi, err := os.Lstat(c.blobPath(d))
	if err != nil || !fi.Mode().IsRegular() {
		return 0, false
	}
	return fi.Size(), true
}

// PutBlob stores bytes that come from elsewhere under the digest that they must have. It reads no
// more than size bytes and one, and keeps nothing that is not what was asked for.
func (c *Cache) PutBlob(ctx context.Context, d Digest, size int64, r io.Reader) (err error) {
	if c.readOnly {
		return c.refuse("blob " + d.Short())
	}
	what := "blob " + d.Short()
	f, err := os.CreateTemp(c.path("tmp"), c.owner+".*")
	if err != nil {
		return c.writeError(what, err)
	}
	defer os.Remove(f.Name()) // moved by then, if all is well
	defer f.Close()
	h := sha256.New()
	buf := bufs.Get().(*[]byte)
	defer bufs.Put(buf)
	var n int64
	for n <= size {
		if err := Ended(ctx); err != nil {
			return err
		}
		k, rerr := io.LimitReader(r, size+1-n).Read(*buf)
		h.Write((*buf)[:k])
		n += int64(k)
		if k > 0 && n <= size {
			if err := c.disk.write(f, (*buf)[:k]); err != nil {
				return c.writeError(what, err)
			}
		}
		if rerr == io.EOF {
			break
		}
		if rerr != nil {
			return fmt.Errorf("cache: %s: %w", what, rerr)
		}
	}
	switch got := Digest(h.Sum(nil)); {
	case n > size:
		return fmt.Errorf("cache: blob %s: has more than the %d bytes announced", d, size)
	case n < size:
		return fmt.Errorf("cache: blob %s: ends after %d of %d bytes", d, n, size)
	case got != d:
		return fmt.Errorf("cache: blob %s: its bytes have digest %s", d, got)
	}
	return c.adopt(f, d)
}

// adopt makes a file in tmp/, whose bytes were checked, a blob.
func (c *Cache) adopt(f *os.File, d Digest) error {
	what := "blob " + d.Short()
	err := errors.Join(f.Chmod(0o444), os.Chtimes(f.Name(), blobTime, blobTime))
	if err == nil {
		err = c.disk.sync(f)
	}
	if err != nil {
		return c.writeError(what, err)
	}
	to := c.blobPath(d)
	if err := c.plainFan(filepath.Dir(to)); err != nil {
		return err
	}
	err = c.disk.rename(f.Name(), to)
	if errors.Is(err, fs.ErrNotExist) {
		if err := c.makeFan(filepath.Dir(to)); err != nil {
			return err
		}
		if err := c.syncDir(c.path("blobs")); err != nil {
			return err
		}
		err = c.disk.rename(f.Name(), to)
	}
	if err != nil {
		return c.writeError(what, err)
	}
	return c.syncDir(filepath.Dir(to))
}

// PutEntry takes in an entry that was made elsewhere, once all its blobs are here and are what they
// should be. As with [Build.Commit] the first entry of a key stays; the error is a *[Conflict]
// where it has other outputs, and a *[Miss] where a blob is not here.
func (c *Cache) PutEntry(e *Entry) (*Entry, error) {
	if c.readOnly {
		return nil, c.refuse("entry " + e.Key.Short())
	}
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("cache: entry %s: %w", e.Key, err)
	}
	for _, o := range e.Outputs {
		size, err := c.verify(o.Digest, o.Size)
		if err != nil {
			return nil, err
		}
		if size != o.Size {
			return nil, fmt.Errorf("cache: entry %s: output %s: blob %s has %d bytes, the entry says %d", e.Key, o.Name, o.Digest, size, o.Size)
		}
		c.renew(o.Digest)
	}
	return c.putEntry(e)
}
