package cache

import (
	"context"
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

// Cache is an open cache directory. Its methods may be called from any number of goroutines.
type Cache struct {
	dir   string
	owner string // how files in tmp/ name this process
	disk  disk
	memo  *memo

	up       *upstream
	src      Source           // of what neither this cache nor the upstream has
	use      *use             // the run that is registered
	ahead    time.Duration    // added to the clock of the file system, by tests
	readOnly bool             // nothing of the directory is changed; see OpenRead
	audited  bool             // and nothing is believed; see OpenAudit
	now      func() time.Time // a test's clock
	until    context.Context  // of the command: no file is read on after it; see Until
	why      error            // why the cache was opened to look only, though more was wanted

	mu      sync.Mutex
	flights map[Digest]*flight // blobs being hashed now
	fans    map[string]bool    // directories below entries/ and blobs/ seen to be such
}

// Dir is the cache directory, absolute.
func (c *Cache) Dir() string { return c.dir }

// Until lets reading end when a context does: between two blocks of a blob or raw file that is
// being hashed, for calls that have no context of their own. To be called before the first of them.
func (c *Cache) Until(ctx context.Context) {
	c.until = ctx
	if c.up != nil {
		c.up.c.until = ctx
	}
}

// Close writes what the memo learnt, and ends a run that was registered and did not come to its
// end. The cache must not be used afterwards.
func (c *Cache) Close() error {
	err := errors.Join(c.Unregister(false), c.memo.flush())
	if c.up != nil {
		err = errors.Join(err, c.up.c.memo.flush())
	}
	return err
}

// Machine is a Provenance with what the cache can say itself: host, system, processor, Go version,
// and the time now.
func Machine() Provenance {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return Provenance{Host: host, OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(),
		Go: runtime.Version(), Started: time.Now().UTC().Format(StartedLayout)}
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

// Lookup finds the entry of a key. What it returns was checked as FORMAT.md, section 6 asks, blobs
// included; a *[Miss] means that the step must run. What is missing here may be found upstream, or
// at a source, if there is one: then its blobs are there, and are read and checked by [Cache.Blob].
func (c *Cache) Lookup(key Key) (*Entry, error) {
	c.inUse(key)
	e, err := c.lookup(key)
	if err == nil || !errors.As(err, new(*Miss)) {
		return e, err
	}
	if c.up != nil {
		if e, uerr := c.up.find(key); uerr == nil || !errors.As(uerr, new(*Miss)) {
			return e, uerr
		}
	}
	if c.src != nil {
		if e, serr := c.src.FindEntry(key); serr == nil || !errors.As(serr, new(*Miss)) {
			return e, serr
		}
	}
	return nil, err
}

// lookup looks in this cache alone.
func (c *Cache) lookup(key Key) (*Entry, error) {
	e, err := c.readEntry(key, true)
	if err != nil {
		return nil, err
	}
	for _, o := range e.Outputs {
		size, err := c.verify(o.Digest, o.Size)
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

// Has says whether there is an entry under a key, whatever it is worth.
func (c *Cache) Has(key Key) bool {
	_, err := os.Lstat(c.entryPath(key))
	return err == nil
}

// readEntry reads and checks an entry without its blobs. move says whether a corrupt one goes to
// quarantine.
func (c *Cache) readEntry(key Key, move bool) (*Entry, error) {
	if err := c.plainFan(filepath.Dir(c.entryPath(key))); err != nil {
		return nil, err
	}
	data, fi, err := readPlain(c.entryPath(key), maxEntryBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Miss{What: "entry " + key.Short(), Reason: Absent}
	}
	if fi == nil && !errors.Is(err, errNotRegular) {
		return nil, fmt.Errorf("cache: entry %s: %w", key, err)
	}
	var e *Entry
	if err == nil {
		e, err = decode(data, key)
	}
	if err == nil {
		return e, nil
	}
	if later := (*FormatError)(nil); errors.As(err, &later) {
		return nil, later
	}
	if !move {
		return nil, &Miss{What: "entry " + key.Short(), Reason: Corrupt, Detail: err.Error()}
	}
	return nil, c.corruptEntry(key, err, fi)
}

// corruptEntry moves an entry away and returns the Miss that says so. judged may be nil: then the
// file that is there now is meant.
func (c *Cache) corruptEntry(key Key, why error, judged fs.FileInfo) error {
	path := c.entryPath(key)
	if judged == nil {
		var err error
		if judged, err = os.Lstat(path); err != nil {
			return &Miss{What: "entry " + key.Short(), Reason: Corrupt, Detail: why.Error()}
		}
	}
	if !c.readOnly {
		if err := c.quarantine(path, judged); err != nil {
			return err
		}
	}
	return &Miss{What: "entry " + key.Short(), Reason: Corrupt, Detail: why.Error()}
}

var errTooLarge = errors.New("too large")

// readPlain reads a regular file whole that has at most so many bytes. A nil FileInfo with an error
// means that the file could not be looked at; with a FileInfo, or errNotRegular, the file is at
// fault.
func readPlain(path string, most int64) ([]byte, fs.FileInfo, error) {
	f, err := openPlain(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fi, errNotRegular
	}
	if fi.Size() > most {
		return nil, fi, fmt.Errorf("%w: has %d bytes, at most %d are allowed", errTooLarge, fi.Size(), most)
	}
	data := make([]byte, fi.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fi, err
	}
	return data, fi, nil
}

// Entries yields every entry in the order of keys, without looking at blobs. A corrupt one yields
// nil and a *[Miss], one of a later version a *[FormatError]; both stay where they are.
func (c *Cache) Entries() iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		keys, err := c.keys()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, a := range inOrder(keys, func(k Key) entryOf { return entryRead(c.readEntry(k, false)) }) {
			if isAbsent(a.err) {
				continue // removed since it was listed
			}
			if !yield(a.entry, a.err) {
				return
			}
		}
	}
}

type entryOf struct {
	entry *Entry
	err   error
}

func entryRead(e *Entry, err error) entryOf { return entryOf{e, err} }

// files yields the paths below entries/ or blobs/, sorted.
func (c *Cache) files(top string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		fans, err := os.ReadDir(c.path(top))
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
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

// Partial is the directory where an unfinished step keeps what it wants to find again after a
// crash; it is made if it is not there. Commit of the key removes it. Two processes that run one
// step share it and must not write the same names; when one commits, the other loses its files
// there.
func (c *Cache) Partial(key Key) (string, error) {
	if c.readOnly {
		return "", c.refuse("the partial of " + key.Short())
	}
	dir := c.path("partial", key.String())
	if fi, err := os.Lstat(dir); err == nil && !fi.IsDir() {
		os.Remove(dir) // a link would lead elsewhere
	}
	if err := c.mkdir(dir); err != nil {
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
