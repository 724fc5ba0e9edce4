package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// versionText is all of the file version; see FORMAT.md, section 2.
const (
	versionHead = "ablate cache "
	versionText = versionHead + "1\n"
)

const readme = `This directory is a cache of ablate: results of steps that were computed before.

You can safely delete this directory while no ablate is running; the next run computes
what it needs again. These commands show what the cache holds and remove only what is unused:

    ablate cache du              how much room it takes, by kind of step and study
    ablate cache ls              every entry, its size and what it took to make
    ablate cache gc --dry-run    what no study needs any more; without --dry-run gc removes it
    ablate cache verify          whether every file is what its name says

Each takes --cache DIR. Any number of runs may use it at once.
quarantine/ holds files that were found corrupt; nothing reads them.
The format is documented in cache/FORMAT.md of the source of ablate.
`

// DefaultDir is $ABLATE_CACHE, else ablate under the user's cache directory.
func DefaultDir() (string, error) {
	if dir := os.Getenv("ABLATE_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache: no default directory, set ABLATE_CACHE or --cache: %w", err)
	}
	return filepath.Join(dir, "ablate"), nil
}

// Open opens the cache in dir, making it if it is not there. It refuses a directory of a version
// that this program does not know, one that holds something else, and one that it cannot write.
func Open(dir string) (*Cache, error) { return open(dir, realDisk()) }

func open(dir string, d disk) (*Cache, error) {
	c, err := newCache(dir, d)
	if err != nil {
		return nil, err
	}
	err = c.checkVersion()
	if errors.Is(err, fs.ErrNotExist) {
		err = c.create()
	}
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"entries", "blobs", "tmp", "partial", "quarantine", "memo"} {
		if err := c.mkdir(c.path(name)); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, c.writeError("directory "+name, err)
		}
	}
	if err := c.checkTops(); err != nil {
		return nil, err
	}
	probe, err := c.disk.mkdirTemp(c.path("tmp"), c.owner+".*")
	if err != nil {
		return nil, c.writeError("a first file", err)
	}
	now := c.now()
	if fi, err := os.Lstat(probe); err == nil {
		now = fi.ModTime() // file times are of this clock, which may be another machine's
	}
	os.Remove(probe)
	c.sweep(now)
	c.sweepClaims(now)
	c.sweepRuns()
	return c, nil
}

func newCache(dir string, d disk) (*Cache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	c := &Cache{dir: dir, owner: ownerName(), disk: d, now: time.Now, until: context.Background(), flights: make(map[Digest]*flight), fans: make(map[string]bool)}
	c.memo = newMemo(c)
	return c, nil
}

// checkVersion reads the file version. Without one the error is fs.ErrNotExist.
func (c *Cache) checkVersion() error {
	version, _, err := readPlain(c.path("version"), 1024)
	if err != nil {
		return fmt.Errorf("cache: %s: file version: %w", c.dir, err)
	}
	if string(version) != versionText {
		return fmt.Errorf("cache: %s: version is %s, this program reads %s: use the ablate that wrote it, or another directory with --cache or ABLATE_CACHE",
			c.dir, clip(string(version)), clip(versionText))
	}
	return nil
}

// tops are the directories of a cache, and FORMAT.md, section 2 says what each is for.
var tops = []string{"entries", "blobs", "partial", "quarantine", "conflicts", "claims", "runs", "roots", "memo", "tmp"}

// checkTops refuses a cache whose directories are links or files: what is written or removed below
// them would be so elsewhere.
func (c *Cache) checkTops() error {
	for _, name := range tops {
		fi, err := os.Lstat(c.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("cache: %w", err)
		}
		if !fi.IsDir() {
			return fmt.Errorf("cache: %s is no directory (%s): a cache is one directory on one file system; remove it, or choose another cache with --cache or ABLATE_CACHE",
				c.path(name), fi.Mode().Type())
		}
	}
	return nil
}

// plainFan refuses a directory below entries/ or blobs/ that is a link: its files would be those of
// another directory. One that is not there is fine.
func (c *Cache) plainFan(dir string) error {
	c.mu.Lock()
	seen := c.fans[dir]
	c.mu.Unlock()
	if seen {
		return nil
	}
	fi, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	if !fi.IsDir() {
		return fmt.Errorf("cache: %s is no directory (%s) and leads out of the cache: remove it", dir, fi.Mode().Type())
	}
	c.mu.Lock()
	c.fans[dir] = true
	c.mu.Unlock()
	return nil
}

// create makes the tree. Several processes may do so at once.
func (c *Cache) create() error {
	ours := map[string]bool{"README": true, "version": true}
	for _, name := range tops {
		ours[name] = true
	}
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	names, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	for _, n := range names {
		if !ours[n.Name()] && n.Name() != "lost+found" && !strings.HasPrefix(n.Name(), ".") {
			return fmt.Errorf("cache: %s is not a cache: it has no file version, but %s: choose an empty or new directory with --cache or ABLATE_CACHE",
				c.dir, clip(n.Name()))
		}
	}
	if err := c.mkdir(c.path("tmp")); err != nil {
		return c.writeError("directory tmp", err)
	}
	// version goes last, by link(2) like an entry: a file system without hard links is refused here
	// and not after the first hour of training.
	for _, f := range [][2]string{{"README", readme}, {"version", versionText}} {
		temp, err := c.temp(f[0], []byte(f[1]), true)
		if err != nil {
			return err
		}
		err = c.publish(temp, c.path(f[0]))
		os.Remove(temp)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return c.syncDir(c.dir)
}
