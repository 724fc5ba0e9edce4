package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// upstream is another cache, read after this one: of a group, on a shared disk. Nothing in it is
// changed, and nothing of it is copied: an entry that is found there is used from there. Copies
// would double what many share, most of which no later step opens; if the upstream goes, the steps
// are made again.
type upstream struct {
	c *Cache // opened to read only; its memo lies in the cache it serves

	mu   sync.Mutex
	bad  map[Digest]bool // blobs found corrupt: their entries are misses
	hits map[Key]bool
}

// Upstream adds a cache that is looked into for what this one lacks. It is trusted no more than
// any: entries are checked when they are found, and every blob is hashed before it is first read
// here.
func (c *Cache) Upstream(dir string) error {
	up, err := OpenRead(dir)
	if err != nil {
		return fmt.Errorf("upstream %w", err)
	}
	mine, err1 := os.Stat(c.dir)
	theirs, err2 := os.Stat(up.dir)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("cache: upstream: %w", err)
	}
	if os.SameFile(mine, theirs) {
		return fmt.Errorf("cache: %s is the cache itself and cannot be its upstream", up.dir)
	}
	// A memo in the upstream is what others say of its files; this is our own.
	up.memo = &memo{c: c, path: c.path("memo", hostName()+".up."+DigestOf([]byte(up.dir)).Short())}
	if c.audited {
		up.memo.blank()
	}
	up.until = c.until
	c.up = &upstream{c: up, bad: make(map[Digest]bool), hits: make(map[Key]bool)}
	return nil
}

// FromUpstream says whether the entry of a key was found upstream.
func (c *Cache) FromUpstream(key Key) bool {
	if c.up == nil {
		return false
	}
	c.up.mu.Lock()
	defer c.up.mu.Unlock()
	return c.up.hits[key]
}

// find finds an entry whose blobs are there and have their sizes.
func (u *upstream) find(key Key) (*Entry, error) {
	e, err := u.c.readEntry(key, false)
	if errors.As(err, new(*FormatError)) {
		return nil, &Miss{What: "entry " + key.Short(), Reason: Absent, Detail: err.Error()} // another program's
	}
	if err != nil {
		return nil, err
	}
	for _, o := range e.Outputs {
		path := u.c.blobPath(o.Digest)
		if err := u.c.plainFan(filepath.Dir(path)); err != nil {
			return nil, err
		}
		fi, err := os.Lstat(path)
		u.mu.Lock()
		bad := u.bad[o.Digest]
		u.mu.Unlock()
		switch {
		case errors.Is(err, fs.ErrNotExist) || bad || err == nil && (!fi.Mode().IsRegular() || fi.Size() != o.Size):
			return nil, &Miss{What: "entry " + key.Short(), Reason: Incomplete, Detail: "upstream, output " + o.Name}
		case err != nil:
			return nil, fmt.Errorf("cache: upstream: %w", err)
		}
	}
	u.found(key)
	return e, nil
}

func (u *upstream) found(key Key) {
	u.mu.Lock()
	u.hits[key] = true
	u.mu.Unlock()
}

// blob is the path of a blob in the upstream, once its bytes were checked.
func (u *upstream) blob(d Digest, size int64) (string, error) {
	_, err := u.c.verify(d, size)
	if err == nil {
		return u.c.blobPath(d), nil
	}
	var miss *Miss
	if errors.As(err, &miss) {
		u.mu.Lock()
		u.bad[d] = true
		u.mu.Unlock()
		return "", &Miss{What: miss.What + " upstream", Reason: miss.Reason, Detail: miss.Detail}
	}
	return "", err
}
