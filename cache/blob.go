package cache

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Blob is the path of a blob whose bytes are what its digest says. It is a
// *[Miss] when absent or corrupt; a corrupt one is moved to quarantine/. The
// file is read-only and stays so: it is shared by all entries.
//
// A blob that is not here may lie upstream: the path then leads there, to bytes
// that were checked in the same way. Or a source has it: then it is here afterwards. In an audit neither stands in for one that is corrupt.
func (c *Cache) Blob(d Digest) (string, error) {
	_, err := c.verify(d)
	if err == nil {
		return c.blobPath(d), nil
	}
	if !errors.As(err, new(*Miss)) || c.audited && !isAbsent(err) {
		return "", err
	}
	if c.up != nil {
		path, uerr := c.up.blob(d)
		if uerr == nil {
			return path, nil
		}
		var miss *Miss
		if !errors.As(uerr, &miss) {
			return "", uerr
		}
		if miss.Reason != Absent {
			err = uerr
		}
	}
	if c.src != nil && c.src.BringBlob(d) == nil {
		if _, err := c.verify(d); err != nil {
			return "", err
		}
		return c.blobPath(d), nil
	}
	return "", err
}

// flight is one hashing of a blob that others wait for: many steps open the
// seed model at once, and it is read once.
type flight struct {
	done chan struct{}
	size int64
	err  error
}

// verify checks a blob, by the memo if its file is as it was, else by reading
// it. It returns the size in bytes.
func (c *Cache) verify(d Digest) (int64, error) {
	if err := c.plainFan(filepath.Dir(c.blobPath(d))); err != nil {
		return 0, err
	}
	fi, err := os.Lstat(c.blobPath(d))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, &Miss{What: "blob " + d.Short(), Reason: Absent}
	}
	if err != nil {
		return 0, fmt.Errorf("cache: %w", err)
	}
	if st, ok := stampOf(fi); ok && fi.Mode().IsRegular() && c.memo.blob(d) == st {
		return st.size, nil
	}
	c.mu.Lock()
	if f := c.flights[d]; f != nil {
		c.mu.Unlock()
		<-f.done
		return f.size, f.err
	}
	f := &flight{done: make(chan struct{})}
	c.flights[d] = f
	c.mu.Unlock()

	f.size, f.err = c.rehash(context.Background(), d, nil)

	c.mu.Lock()
	delete(c.flights, d)
	c.mu.Unlock()
	close(f.done)
	return f.size, f.err
}

// rehash reads a blob and compares it with its name. progress is told the
// bytes read, as they are read; it may be nil.
func (c *Cache) rehash(ctx context.Context, d Digest, progress func(int64)) (int64, error) {
	path := c.blobPath(d)
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, &Miss{What: "blob " + d.Short(), Reason: Absent}
	}
	if err != nil {
		return 0, fmt.Errorf("cache: %w", err)
	}
	var got hashed
	began := c.now()
	if fi.Mode().IsRegular() {
		got, err = hashPlain(ctx, path, progress)
		got.began = began
	} else {
		err = errNotRegular
	}
	switch {
	case err == nil && got.digest == d:
		if !got.torn {
			c.memo.putBlob(d, got)
		}
		return got.size, nil
	case err == nil:
		err = fmt.Errorf("its bytes have digest %s", got.digest)
	case errors.Is(err, errNotRegular) || errors.Is(err, syscall.EIO):
		// Unreadable sectors are corruption too: the step can make the bytes again.
	default:
		return 0, fmt.Errorf("cache: blob %s: %w", d, err)
	}
	c.memo.forget(d)
	if !c.readOnly {
		if qerr := c.quarantine(path, fi); qerr != nil {
			return 0, qerr
		}
	}
	return 0, &Miss{What: "blob " + d.Short(), Reason: Corrupt, Detail: err.Error()}
}

// FileDigest is the digest and size of a raw input file, found through the
// memo when the file is as it was when last read.
func (c *Cache) FileDigest(path string) (Digest, int64, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Digest{}, 0, fmt.Errorf("cache: %w", err)
	}
	fi, err := os.Stat(path) // a link to an input is the input
	if err != nil {
		return Digest{}, 0, fmt.Errorf("cache: %w", err)
	}
	if !fi.Mode().IsRegular() {
		return Digest{}, 0, fmt.Errorf("cache: %s: %w", path, errNotRegular)
	}
	if st, ok := stampOf(fi); ok {
		if d, ok := c.memo.file(path, st); ok {
			return d, st.size, nil
		}
	}
	began := c.now()
	got, err := hashFile(context.Background(), path, nil)
	if err != nil {
		return Digest{}, 0, fmt.Errorf("cache: %s: %w", path, err)
	}
	got.began = began
	if got.torn {
		return Digest{}, 0, fmt.Errorf("cache: %s: changed while it was read", path)
	}
	c.memo.putFile(path, got)
	return got.digest, got.size, nil
}

var errNotRegular = errors.New("not a regular file")

// hashed is what one reading of a file found.
type hashed struct {
	digest Digest
	size   int64     // bytes read
	began  time.Time // when reading began, for the memo; set by the caller
	stamp  stamp
	known  bool // the system has stamps
	torn   bool // the file changed while it was read
}

// bufs holds read buffers. 256 KiB: larger ones read no faster, and a commit
// of small files should not clear megabytes.
var bufs = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

func hashFile(ctx context.Context, path string, progress func(int64)) (hashed, error) {
	f, err := os.Open(path)
	if err != nil {
		return hashed{}, err
	}
	defer f.Close()
	return hashOpen(ctx, f, progress)
}

// hashPlain reads a file of the cache, whose name may lie.
func hashPlain(ctx context.Context, path string, progress func(int64)) (hashed, error) {
	f, err := openPlain(path)
	if err != nil {
		return hashed{}, err
	}
	defer f.Close()
	return hashOpen(ctx, f, progress)
}

// hashOpen reads f from where it stands.
func hashOpen(ctx context.Context, f *os.File, progress func(int64)) (hashed, error) {
	var r hashed
	before, err := f.Stat()
	if err != nil {
		return r, err
	}
	if !before.Mode().IsRegular() {
		return r, errNotRegular
	}
	h := sha256.New()
	buf := bufs.Get().(*[]byte)
	defer bufs.Put(buf)
	for {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		n, err := f.Read(*buf)
		h.Write((*buf)[:n])
		r.size += int64(n)
		if progress != nil && n > 0 {
			progress(int64(n))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return r, err
		}
	}
	after, err := f.Stat()
	if err != nil {
		return r, err
	}
	h.Sum(r.digest[:0])
	was, _ := stampOf(before)
	r.stamp, r.known = stampOf(after)
	r.torn = was != r.stamp || before.Size() != r.size || after.Size() != r.size || !before.ModTime().Equal(after.ModTime())
	return r, nil
}
