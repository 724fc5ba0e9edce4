package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// OpenAudit opens the cache in dir to look at it as it is and trust nothing: nothing is written,
// moved to quarantine or swept, so that what an auditor finds is still there for the next one, and
// the directory may be mounted read-only. No memo is believed: every blob that is asked for is read
// once. A directory that is no cache is refused; Begin, Partial and GC are, too.
func OpenAudit(dir string) (*Cache, error) {
	c, err := OpenRead(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cache: %s is not a cache: it has no file version; name one with --cache or ABLATE_CACHE", dir)
	}
	if err != nil {
		return nil, err
	}
	c.audited = true
	c.memo.blank()
	return c, nil
}

// Entry reads the entry of a key as Lookup does, without looking at its blobs and without moving a
// corrupt one away. In an audit the upstream's stands in for one that is absent.
func (c *Cache) Entry(key Key) (*Entry, error) {
	e, err := c.readEntry(key, false)
	if !c.looksUpstream(err) {
		return e, err
	}
	theirs, uerr := c.up.c.readEntry(key, false)
	switch {
	case uerr == nil:
		c.up.found(key)
		return theirs, nil
	case isAbsent(uerr):
		return nil, err
	}
	return nil, fmt.Errorf("upstream %s: %w", c.up.c.dir, uerr)
}

// looksUpstream says whether an audit goes on upstream after this answer: what is absent may lie
// there, but what is corrupt here must be told.
func (c *Cache) looksUpstream(err error) bool { return c.audited && c.up != nil && isAbsent(err) }

func isAbsent(err error) bool {
	var miss *Miss
	return errors.As(err, &miss) && miss.Reason == Absent
}

// EntryBytes is the file of an entry, for copies that must be the same.
func (c *Cache) EntryBytes(key Key) ([]byte, error) {
	if _, err := c.Entry(key); err != nil {
		return nil, err
	}
	path := c.entryPath(key)
	if _, err := c.readEntry(key, false); c.looksUpstream(err) {
		path = c.up.c.entryPath(key)
	}
	data, _, err := readPlain(path, maxEntryBytes)
	if err != nil {
		return nil, fmt.Errorf("cache: entry %s: %w", key, err)
	}
	return data, nil
}

// BlobDigest is the digest that the bytes under a blob's name have, whatever the name says. A file
// of more than so many bytes is not read and is an error.
func (c *Cache) BlobDigest(ctx context.Context, d Digest, most int64) (Digest, error) {
	got, err := hashPlain(ctx, c.blobPath(d), most)
	if c.audited && c.up != nil && errors.Is(err, fs.ErrNotExist) {
		got, err = hashPlain(ctx, c.up.c.blobPath(d), most)
	}
	if err != nil {
		return Digest{}, fmt.Errorf("cache: blob %s: %w", d, err)
	}
	return got.digest, nil
}

// FileDigestNow is the digest and size of a raw input file, read now.
func FileDigestNow(ctx context.Context, path string) (Digest, int64, error) {
	got, err := hashFile(ctx, path, nil)
	switch {
	case err != nil:
		return Digest{}, 0, fmt.Errorf("cache: %s: %w", path, err)
	case got.torn:
		return Digest{}, 0, fmt.Errorf("cache: %s: changed while it was read", path)
	}
	return got.digest, got.size, nil
}

// Quarantined is where damaged files lie, below the cache directory, that bore this name: 64
// hexadecimal digits of a key or a digest.
func (c *Cache) Quarantined(name string) []string {
	var paths []string
	for _, n := range readNames(c.path("quarantine")) {
		if strings.HasPrefix(n, name+".") {
			paths = append(paths, "quarantine/"+n)
		}
	}
	return paths
}
