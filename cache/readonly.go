package cache

import (
	"errors"
	"fmt"
	"io/fs"
)

// OpenRead opens a cache to look only: nothing in its directory is made, moved, swept or
// remembered, so that the directory may be on a read-only file system or belong to another. What is
// found corrupt is a *[Miss] and stays where it is. Whatever would write is refused.
func OpenRead(dir string) (*Cache, error) {
	c, err := newCache(dir, realDisk())
	if err != nil {
		return nil, err
	}
	c.readOnly = true
	if err := c.checkVersion(); err != nil {
		return nil, err
	}
	return c, c.checkTops()
}

// OpenOrRead opens a cache as [Open] does or, where that cannot be written because it belongs to
// another, lies on a read-only file system or its disk is full, as [OpenRead] does. What would
// write is then refused with the reason.
func OpenOrRead(dir string) (*Cache, error) {
	c, err := Open(dir)
	if !errors.As(err, new(*WriteError)) && !errors.Is(err, fs.ErrPermission) {
		return c, err
	}
	r, rerr := OpenRead(dir)
	if rerr != nil {
		return nil, err
	}
	r.why = err
	return r, nil
}

// ReadOnly says whether the cache was opened to look only.
func (c *Cache) ReadOnly() bool { return c.readOnly }

// errReadOnly is the answer of a cache that was opened to look only.
var errReadOnly = fmt.Errorf("the cache is open for reading only: %w", fs.ErrPermission)

func (c *Cache) refuse(what string) error {
	if c.why != nil {
		return c.why
	}
	return c.writeError(what, errReadOnly)
}

// Unwritable is why a cache that was opened to look only cannot be written, nil where nobody wanted
// to write.
func (c *Cache) Unwritable() error { return c.why }
