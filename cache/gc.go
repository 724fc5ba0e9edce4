package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Freed is what GC removed.
type Freed struct {
	Entries, Blobs, Partial Count
}

// GC removes the entries that keep refuses, then the blobs that no entry
// names any more, and partials; blobs and partials only if they did not
// change for the given age. The age protects work under way: take it longer
// than the longest step. keep may be nil and then keeps all.
//
// Entries go before their blobs, so that a GC killed half-way leaves orphans
// and no holes. A step that commits meanwhile and finds one of its blobs
// there already may lose that blob; its entry is then incomplete and the step
// runs again.
func (c *Cache) GC(ctx context.Context, keep func(*Entry) bool, age time.Duration) (Freed, error) {
	var freed Freed
	if c.readOnly {
		return freed, c.writeError("gc", errReadOnly)
	}
	named := make(map[Digest]bool)
	for path, err := range c.files("entries") {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return freed, err
		}
		key, err := ParseKey(filepath.Base(path))
		if err != nil || path != c.entryPath(key) {
			continue
		}
		e, err := c.readEntry(key, true) // a corrupt one moves to quarantine
		var miss *Miss
		if errors.As(err, &miss) {
			continue
		}
		if err != nil {
			return freed, err
		}
		if keep == nil || keep(e) {
			for _, o := range e.Outputs {
				named[o.Digest] = true
			}
			continue
		}
		if err := remove(path, &freed.Entries); err != nil {
			return freed, err
		}
	}
	still := c.now().Add(-age)
	for path, err := range c.files("blobs") {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return freed, err
		}
		d, err := ParseDigest(filepath.Base(path))
		if err != nil || path != c.blobPath(d) || named[d] {
			continue
		}
		if fi, err := os.Lstat(path); err != nil || !stored(fi).Before(still) {
			continue
		}
		c.memo.forget(d)
		if err := remove(path, &freed.Blobs); err != nil {
			return freed, err
		}
	}
	for _, name := range readNames(c.path("partial")) {
		path := c.path("partial", name)
		if !lastChange(path, c.now()).Before(still) {
			continue
		}
		if err := c.count(filepath.Join("partial", name), &freed.Partial, nil); err != nil {
			return freed, err
		}
		if err := os.RemoveAll(path); err != nil {
			return freed, fmt.Errorf("cache: gc: %w", err)
		}
	}
	return freed, nil
}

// stored is when a blob got its name: its ctime, because its mtime is fixed.
// Where there is none to see, it is now, and GC leaves the blob alone.
func stored(fi fs.FileInfo) time.Time {
	st, ok := stampOf(fi)
	if !ok {
		return time.Now()
	}
	return time.Unix(0, st.ctime)
}

// remove removes a file and counts it; another process may be quicker.
func remove(path string, n *Count) error {
	fi, err := os.Lstat(path)
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cache: gc: %w", err)
	}
	n.add(fi.Size())
	return nil
}
