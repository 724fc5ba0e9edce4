package cache

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Trial is what the file system of a cache can do.
type Trial struct {
	Commit time.Duration // that a small file takes to be written, made durable and named
	Err    error         // of what a run needs: files that are synced, linked and removed
	Claims error         // of what only saves work: a file that one process of several can make
}

// Try writes, syncs, links and removes a small file in the cache, as a commit does.
func (c *Cache) Try() Trial {
	if c.readOnly {
		return Trial{Err: c.refuse("a trial file")}
	}
	began := time.Now()
	temp, err := c.temp("a trial file", []byte("trial\n"), true)
	if err != nil {
		return Trial{Err: err}
	}
	defer os.Remove(temp)
	linked := temp + ".link"
	if err := c.disk.link(temp, linked); err != nil {
		return Trial{Err: fmt.Errorf("hard links do not work: %w", err)}
	}
	t := Trial{Err: c.syncDir(c.path("tmp"))}
	t.Commit = time.Since(began)
	if c.disk.link(temp, linked) == nil {
		t.Claims = errors.New("two processes can make one file")
	}
	t.Err = errors.Join(t.Err, os.Remove(linked))
	return t
}
