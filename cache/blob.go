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

// Blob is the path of a blob whose bytes are what its digest says. It is a *[Miss] when absent or
// corrupt; a corrupt one is moved to quarantine/. The file is read-only and stays so: it is shared
// by all entries.
//
// A blob that is not here may lie upstream: the path then leads there, to bytes that were checked
// in the same way. Or a source has it: then it is here afterwards. In an audit neither stands in
// for one that is corrupt.
func (c *Cache) Blob(d Digest) (string, error) { return c.BlobOf(Output{Digest: d, Size: anySize}) }

// BlobOf is [Cache.Blob] for an output of an entry, whose size is known: a file of another size is
// corrupt, and one that is much larger is not read to find that out.
func (c *Cache) BlobOf(o Output) (string, error) {
	d := o.Digest
	_, err := c.verify(d, o.Size)
	if err == nil {
		return c.blobPath(d), nil
	}
	if !errors.As(err, new(*Miss)) || c.audited && !isAbsent(err) {
		return "", err
	}
	if c.up != nil {
		path, uerr := c.up.blob(d, o.Size)
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
		if _, err := c.verify(d, o.Size); err != nil {
			return "", err
		}
		return c.blobPath(d), nil
	}
	return "", err
}

// flight is one hashing of a blob that others wait for: many steps open the seed model at once, and
// it is read once.
type flight struct {
	done chan struct{}
	size int64
	err  error
}

// anySize is the size of a blob of which no entry is at hand.
const anySize = -1

// readAnyway is the largest file, in bytes, that is read although its size is wrong: so the digest
// tells whether the blob or the entry is at fault. A larger one is judged by its size alone. It may
// be sparse, and then a few blocks of a disk stand for more bytes than can be read in a day.
const readAnyway = 64 << 20

// verify checks a blob, by the memo if its file is as it was, else by reading it. size is what an
// entry says it has, or anySize. verify returns the size in bytes, which may be another where the
// bytes are right.
func (c *Cache) verify(d Digest, size int64) (int64, error) {
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
	if size != anySize && fi.Mode().IsRegular() && fi.Size() != size && fi.Size() > readAnyway {
		return 0, c.corruptBlob(d, fi, wrongSize(fi.Size(), size))
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

	f.size, f.err = c.rehash(c.until, d, nil)

	c.mu.Lock()
	delete(c.flights, d)
	c.mu.Unlock()
	close(f.done)
	return f.size, f.err
}

// rehash reads a blob and compares it with its name. progress is told the bytes read, as they are
// read; it may be nil.
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
		got, err = hashRegular(ctx, path, progress)
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
	return 0, c.corruptBlob(d, fi, err)
}

// corruptBlob moves a blob away and returns the Miss that says so.
func (c *Cache) corruptBlob(d Digest, judged fs.FileInfo, why error) error {
	c.memo.forget(d)
	if !c.readOnly {
		if err := c.quarantine(c.blobPath(d), judged); err != nil {
			return err
		}
	}
	return &Miss{What: "blob " + d.Short(), Reason: Corrupt, Detail: why.Error()}
}

func wrongSize(has, wants int64) error {
	return fmt.Errorf("has %d bytes, its entry says %d", has, wants)
}

// FileDigest is the digest and size of a raw input file, found through the memo when the file is as
// it was when last read.
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
	got, err := hashFile(c.until, path, nil)
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

// Ended is the error of a context that ended, and nil before. It is both the context's own error
// and its cause: who asks whether the work was interrupted finds that, and who asks by whom finds
// that.
func Ended(ctx context.Context) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); err != nil && cause != err {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return err
}

// hashed is what one reading of a file found.
type hashed struct {
	digest Digest
	size   int64     // bytes read
	began  time.Time // when reading began, for the memo; set by the caller
	stamp  stamp
	known  bool // the system has stamps
	torn   bool // the file changed while it was read
}

// bufs holds read buffers. 256 KiB: larger ones read no faster, and a commit of small files should
// not clear megabytes.
var bufs = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

func hashFile(ctx context.Context, path string, progress func(int64)) (hashed, error) {
	f, err := openFollowed(path)
	if err != nil {
		return hashed{}, err
	}
	defer f.Close()
	return hashOpen(ctx, f, progress)
}

// hashRegular reads a file of the cache, whose name may lie.
func hashRegular(ctx context.Context, path string, progress func(int64)) (hashed, error) {
	f, err := openPlain(path)
	if err != nil {
		return hashed{}, err
	}
	defer f.Close()
	return hashOpen(ctx, f, progress)
}

// hashPlain is hashRegular of a file of at most so many bytes.
func hashPlain(ctx context.Context, path string, most int64) (hashed, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return hashed{}, err
	}
	if fi.Size() > most {
		return hashed{}, fmt.Errorf("%w: has %d bytes, at most %d are read", errTooLarge, fi.Size(), most)
	}
	return hashRegular(ctx, path, nil)
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
		if err := Ended(ctx); err != nil {
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
