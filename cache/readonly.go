package cache

import (
	"fmt"
	"io/fs"
)

// OpenRead opens a cache to look only: nothing in its directory is made,
// moved, swept or remembered, so that the directory may be on a read-only
// file system or belong to another. What is found corrupt is a *[Miss] and
// stays where it is. Whatever would write is refused.
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

// ReadOnly says whether the cache was opened to look only.
func (c *Cache) ReadOnly() bool { return c.readOnly }

// errReadOnly is the answer of a cache that was opened to look only.
var errReadOnly = fmt.Errorf("the cache is open for reading only: %w", fs.ErrPermission)

func (c *Cache) refuse(what string) error { return c.writeError(what, errReadOnly) }
