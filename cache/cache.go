package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Cache is an open cache directory. Its methods may be called from any number
// of goroutines.
type Cache struct {
	dir   string
	owner string // how files in tmp/ name this process
	disk  disk
	memo  *memo
	now   func() time.Time // a test's clock

	readOnly bool // nothing may be changed; see OpenAudit

	mu      sync.Mutex
	flights map[Digest]*flight // blobs being hashed now
}

// versionText is all of the file version; see FORMAT.md, section 2.
const (
	versionHead = "ablate cache "
	versionText = versionHead + "1\n"
)

const readme = `This directory is a cache of ablate: results of steps that were computed before.

It is safe to delete all of it while no ablate is running; the next run computes
what it needs again. Its size and contents: ablate cache du, ablate cache ls.
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

// Open opens the cache in dir, making it if it is not there. It refuses a
// directory of a version that this program does not know, one that holds
// something else, and one that it cannot write.
func Open(dir string) (*Cache, error) { return open(dir, realDisk()) }

func open(dir string, d disk) (*Cache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	c := newCache(dir, d)
	version, err := os.ReadFile(c.path("version"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := c.create(); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("cache: %w", err)
	case string(version) != versionText:
		return nil, c.versionError(version)
	}
	for _, name := range []string{"entries", "blobs", "tmp", "partial", "quarantine", "memo"} {
		if err := os.Mkdir(c.path(name), 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, c.writeError("directory "+name, err)
		}
	}
	probe, err := os.MkdirTemp(c.path("tmp"), c.owner+".*")
	if err != nil {
		return nil, c.writeError("a first file", err)
	}
	os.Remove(probe)
	c.sweep(c.now())
	return c, nil
}

func newCache(dir string, d disk) *Cache {
	c := &Cache{dir: dir, owner: ownerName(), disk: d, now: time.Now, flights: make(map[Digest]*flight)}
	c.memo = newMemo(c)
	return c
}

func (c *Cache) versionError(found []byte) error {
	return fmt.Errorf("cache: %s: version is %s, this program reads %s: use the ablate that wrote it, or another directory with --cache or ABLATE_CACHE",
		c.dir, clip(string(found)), clip(versionText))
}

// create makes the tree. Several processes may do so at once.
func (c *Cache) create() error {
	ours := map[string]bool{"README": true, "entries": true, "blobs": true, "partial": true,
		"quarantine": true, "memo": true, "tmp": true, "version": true}
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
	if err := os.MkdirAll(c.path("tmp"), 0o777); err != nil {
		return c.writeError("directory tmp", err)
	}
	// version goes last, by link(2) like an entry: a file system without hard
	// links is refused here and not after the first hour of training.
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

// Dir is the cache directory, absolute.
func (c *Cache) Dir() string { return c.dir }

// Close writes what the memo learnt. The cache must not be used afterwards.
func (c *Cache) Close() error { return c.memo.flush() }

// Machine is a Provenance with what the cache can say itself: host, system,
// processor, Go version, and the time now.
func Machine() Provenance {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return Provenance{Host: host, OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(),
		Go: runtime.Version(), Started: time.Now().UTC().Format(time.RFC3339)}
}

// Reason says why the cache cannot answer.
type Reason string

// The reasons of a Miss.
const (
	Absent     Reason = "absent"     // never made, or removed
	Incomplete Reason = "incomplete" // the entry is there and a blob of it is not
	Corrupt    Reason = "corrupt"    // found damaged; what was damaged is in quarantine/
)

// Miss is the answer "not here": compute it. It is no failure of the cache.
type Miss struct {
	What   string // "entry KEY" or "blob DIGEST", digits shortened
	Reason Reason
	Detail string // for people; empty when absent
}

func (m *Miss) Error() string {
	if m.Detail == "" {
		return fmt.Sprintf("cache: %s: %s", m.What, m.Reason)
	}
	return fmt.Sprintf("cache: %s: %s: %s", m.What, m.Reason, m.Detail)
}

// Lookup finds the entry of a key. What it returns was checked as FORMAT.md,
// section 6 asks, blobs included; a *[Miss] means that the step must run.
func (c *Cache) Lookup(key Key) (*Entry, error) {
	e, err := c.readEntry(key, true)
	if err != nil {
		return nil, err
	}
	for _, o := range e.Outputs {
		size, err := c.verify(o.Digest)
		var miss *Miss
		switch {
		case errors.As(err, &miss):
			reason := Incomplete
			if miss.Reason == Corrupt {
				reason = Corrupt
			}
			return nil, &Miss{What: "entry " + key.Short(), Reason: reason,
				Detail: fmt.Sprintf("output %s: blob %s: %s", o.Name, o.Digest, joined(string(miss.Reason), miss.Detail))}
		case err != nil:
			return nil, err
		case size != o.Size:
			return nil, c.corruptEntry(key, fmt.Errorf("output %s: blob %s has %d bytes, the entry says %d", o.Name, o.Digest, size, o.Size), nil)
		}
	}
	return e, nil
}

// readEntry reads and checks an entry without its blobs. move says whether a
// corrupt one goes to quarantine.
func (c *Cache) readEntry(key Key, move bool) (*Entry, error) {
	data, fi, err := readBounded(c.entryPath(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Miss{What: "entry " + key.Short(), Reason: Absent}
	}
	if fi == nil {
		return nil, fmt.Errorf("cache: entry %s: %w", key, err)
	}
	var e *Entry
	if err == nil {
		e, err = decode(data, key)
	}
	if err == nil {
		return e, nil
	}
	if !move {
		return nil, &Miss{What: "entry " + key.Short(), Reason: Corrupt, Detail: err.Error()}
	}
	return nil, c.corruptEntry(key, err, fi)
}

// corruptEntry moves an entry away and returns the Miss that says so. judged
// may be nil: then the file that is there now is meant.
func (c *Cache) corruptEntry(key Key, why error, judged fs.FileInfo) error {
	path := c.entryPath(key)
	if judged == nil {
		var err error
		if judged, err = os.Lstat(path); err != nil {
			return &Miss{What: "entry " + key.Short(), Reason: Corrupt, Detail: why.Error()}
		}
	}
	if err := c.quarantine(path, judged); err != nil {
		return err
	}
	return &Miss{What: "entry " + key.Short(), Reason: Corrupt, Detail: why.Error()}
}

// readBounded reads an entry file whole. A nil FileInfo with an error means
// that the file could not be looked at; with a FileInfo the file is at fault.
func readBounded(path string) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fi, errors.New("not a regular file")
	}
	if fi.Size() > maxEntryBytes {
		return nil, fi, fmt.Errorf("has %d bytes, at most %d are allowed", fi.Size(), maxEntryBytes)
	}
	data := make([]byte, fi.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fi, err
	}
	return data, fi, nil
}

// Entries yields every entry in the order of keys, without looking at blobs.
// A corrupt one yields nil and a *[Miss], and stays where it is.
func (c *Cache) Entries() iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		for path, err := range c.files("entries") {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			key, err := ParseKey(filepath.Base(path))
			if err != nil || path != c.entryPath(key) {
				continue // no part of the cache; Verify reports it
			}
			e, err := c.readEntry(key, false)
			var miss *Miss
			if errors.As(err, &miss) && miss.Reason == Absent {
				continue // removed since it was listed
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// files yields the paths below entries/ or blobs/, sorted.
func (c *Cache) files(top string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		fans, err := os.ReadDir(c.path(top))
		if err != nil && !yield("", fmt.Errorf("cache: %w", err)) {
			return
		}
		for _, fan := range fans {
			dir := c.path(top, fan.Name())
			if !fan.IsDir() {
				if !yield(dir, nil) {
					return
				}
				continue
			}
			names, err := os.ReadDir(dir)
			if err != nil && !yield("", fmt.Errorf("cache: %w", err)) {
				return
			}
			for _, n := range names {
				if !yield(filepath.Join(dir, n.Name()), nil) {
					return
				}
			}
		}
	}
}

// Partial is the directory where an unfinished step keeps what it wants to
// find again after a crash; it is made if it is not there. Commit of the key
// removes it. Two processes that run one step share it and must not write the
// same names; when one commits, the other loses its files there.
func (c *Cache) Partial(key Key) (string, error) {
	if c.readOnly {
		return "", c.writeError("a partial", errReadOnly)
	}
	dir := c.path("partial", key.String())
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", c.writeError("directory "+c.rel(dir), err)
	}
	return dir, nil
}

func (c *Cache) path(names ...string) string {
	return filepath.Join(c.dir, filepath.Join(names...))
}

// rel is a path below the cache as messages show it.
func (c *Cache) rel(path string) string {
	return filepath.ToSlash(strings.TrimPrefix(path, c.dir+string(filepath.Separator)))
}

func (c *Cache) entryPath(k Key) string {
	s := k.String()
	return c.dir + "/entries/" + s[:2] + "/" + s
}

func (c *Cache) blobPath(d Digest) string {
	s := d.String()
	return c.dir + "/blobs/" + s[:2] + "/" + s
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + ": " + b
}
