package cache

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Source is where entries and blobs come from that neither a cache nor its upstream has: a remote.
type Source interface {
	// FindEntry finds an entry, as checked as [DecodeEntry] does. A *[Miss] means that the source
	// has none, or none that is of use, or cannot be asked.
	FindEntry(key Key) (*Entry, error)
	// BringBlob puts a blob of an entry that was found into the cache.
	BringBlob(d Digest) error
}

// ReadThrough adds a source, which is asked after the upstream. To be called before the first
// Lookup.
func (c *Cache) ReadThrough(s Source) { c.src = s }

// MaxEntryBytes bounds the file of an entry.
const MaxEntryBytes = maxEntryBytes

// DecodeEntry reads the file of an entry that comes from elsewhere, and checks all that can be
// checked without its blobs.
func DecodeEntry(key Key, data []byte) (*Entry, error) {
	e, err := decode(data, key)
	if err != nil {
		return nil, fmt.Errorf("entry %s: %w", key, err)
	}
	return e, nil
}

// Names in tmp/ of blobs that are on their way: fetchIdle and the digest while nobody is at it, and
// while a process is, its name, fetchBusy, the digest and a random end.
const (
	fetchIdle = "get-"
	fetchBusy = ".get-"
)

// FetchBlob stores a blob that comes over a wire that may be cut. from gives its bytes from an
// offset on. What had come when it failed is kept in tmp/, and the next FetchBlob of the digest, of
// whatever process, goes on from there; the whole is checked at the end. No more than size bytes
// and one are read, and none where they would not fit on the disk. got is how many bytes came, also
// with an error.
func (c *Cache) FetchBlob(ctx context.Context, d Digest, size int64, from func(offset int64) (io.ReadCloser, error)) (got int64, err error) {
	what := "blob " + d.Short()
	if c.readOnly {
		return 0, c.refuse(what)
	}
	f, err := c.takeFetch(d)
	if err != nil {
		return 0, c.writeError(what, err)
	}
	kept := false
	defer func() {
		f.Close()
		if kept {
			kept = os.Rename(f.Name(), c.path("tmp", fetchIdle+d.String())) == nil
		}
		if !kept {
			os.Remove(f.Name()) // moved by then, if all is well
		}
	}()
	h := sha256.New()
	have, err := io.Copy(h, io.LimitReader(f, size+1))
	if err != nil {
		return 0, fmt.Errorf("cache: %s: %w", what, err)
	}
	for {
		resumed := have > 0
		if have > size { // of no use
			have = 0
		}
		if have == 0 {
			if h.Reset(); resumed {
				if err := f.Truncate(0); err != nil {
					return got, c.writeError(what, err)
				}
			}
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return got, fmt.Errorf("cache: %s: %w", what, err)
			}
			resumed = false
		}
		if free := c.Free(); free >= 0 && size-have > free {
			kept = have > 0
			return got, c.writeError(what, fmt.Errorf("it has %d bytes", size))
		}
		n, err := c.receive(ctx, f, h, what, have, size, from)
		got += n
		have += n
		if err != nil {
			kept = have > 0 && have <= size
			return got, err
		}
		if have == size && Digest(h.Sum(nil)) == d {
			return got, c.adopt(f, d)
		}
		if !resumed {
			return got, wrongBytes(d, have, size, Digest(h.Sum(nil)))
		}
		// What was kept may be to blame: torn by a power cut, or of a source that lied. Once more
		// from the start.
		have = size + 1
	}
}

// receive appends what comes after have bytes, up to size and one.
func (c *Cache) receive(ctx context.Context, f *os.File, h hash.Hash, what string, have, size int64, from func(int64) (io.ReadCloser, error)) (n int64, err error) {
	if have == size {
		return 0, nil
	}
	body, err := from(have)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	r := io.LimitReader(body, size+1-have)
	buf := bufs.Get().(*[]byte)
	defer bufs.Put(buf)
	for {
		if err := Ended(ctx); err != nil {
			return n, err
		}
		k, rerr := r.Read(*buf)
		if k > 0 {
			if err := c.disk.write(f, (*buf)[:k]); err != nil {
				return n, c.writeError(what, err)
			}
			h.Write((*buf)[:k])
			n += int64(k)
		}
		if rerr == io.EOF {
			if have+n < size {
				return n, fmt.Errorf("cache: %s: ends after %d of %d bytes: %w", what, have+n, size, io.ErrUnexpectedEOF)
			}
			return n, nil
		}
		if rerr != nil {
			return n, fmt.Errorf("cache: %s: after %d of %d bytes: %w", what, have+n, size, rerr)
		}
	}
}

// WrongError is a blob whose bytes are not what its name says.
type WrongError struct {
	Digest Digest
	Detail string
}

func (e *WrongError) Error() string { return fmt.Sprintf("cache: blob %s: %s", e.Digest, e.Detail) }

func wrongBytes(d Digest, n, size int64, got Digest) error {
	if n > size {
		return &WrongError{d, fmt.Sprintf("has more than the %d bytes announced", size)}
	}
	return &WrongError{d, "its bytes have digest " + got.String()}
}

// takeFetch opens a file in tmp/ that no other process writes: what an earlier fetch of the blob
// left, or a new one.
func (c *Cache) takeFetch(d Digest) (*os.File, error) {
	f, err := os.CreateTemp(c.path("tmp"), c.owner+fetchBusy+d.String()+"-*")
	if err != nil {
		return nil, err
	}
	if os.Rename(c.path("tmp", fetchIdle+d.String()), f.Name()) != nil {
		return f, nil // nothing was left, or another process took it
	}
	f.Close()
	old, err := openPlain(f.Name())
	if err == nil {
		fi, serr := old.Stat()
		old.Close()
		if err = serr; err == nil && !fi.Mode().IsRegular() {
			err = errNotRegular
		}
	}
	if err != nil { // nothing of ours
		os.RemoveAll(f.Name())
		return os.OpenFile(f.Name(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	}
	return os.OpenFile(f.Name(), os.O_RDWR, 0)
}

// leftFetch says under what name a fetch that a dead process was at can be gone on with; empty
// where the file is none.
func leftFetch(name string) string {
	_, rest, ok := strings.Cut(filepath.Base(name), fetchBusy)
	digits, _, ok2 := strings.Cut(rest, "-")
	if d, err := ParseDigest(digits); ok && ok2 && err == nil {
		return fetchIdle + d.String()
	}
	return ""
}
