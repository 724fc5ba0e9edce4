package cache

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Root is a study whose results are wanted: the keys that its last run looked up. What no root
// holds, [Cache.GC] may remove.
type Root struct {
	Study   string
	Host    string
	Path    string // of the study's file, or the name of a shipped one
	Started string // RFC 3339, UTC; when the last run began
	Keys    []Key
	Live    bool // the run is under way, as far as can be told

	name string // below the cache directory
}

// use is what this process's run has looked up so far: a file in runs/, to which each key is
// appended before it is looked up. So a collection that meets the run either sees the key or
// removes the entry before the run does.
type use struct {
	mu   sync.Mutex
	root Root
	f    *os.File
	path string
	at   int64 // where the beat stands
	beat int64
	seen map[Key]bool
}

const (
	runHead  = "ablate run 1\n"
	rootHead = "ablate root 1\n"

	rootBytes = 256 << 20 // the most that is read of one: some four million keys

	// A run of which nothing can be known but its file is taken to be under way for this long after
	// its last sign, by the clock of the file system. It gives one every 30 s.
	runSilence = time.Hour
)

// Register says that a run of a study begins: from now on every key that is looked up is kept by a
// collection. One run at a time.
func (c *Cache) Register(study, path string) error {
	if c.readOnly {
		return c.refuse("a run")
	}
	if err := c.mkdir(c.path("runs")); err != nil {
		return c.writeError("directory runs", err)
	}
	f, err := os.CreateTemp(c.path("runs"), c.owner+".*")
	if err != nil {
		return c.writeError("a run", err)
	}
	u := &use{f: f, path: f.Name(), seen: make(map[Key]bool), root: Root{Study: study, Host: hostName(), Path: path,
		Started: c.now().UTC().Format(time.RFC3339)}}
	head := runHead + u.root.head() + "beat "
	u.at = int64(len(head))
	_, err = fmt.Fprintf(f, "%s%020d\n", head, 0)
	if err = errors.Join(err, f.Chmod(0o644)); err != nil {
		f.Close()
		os.Remove(f.Name())
		return c.writeError("a run", err)
	}
	c.mu.Lock()
	c.use = u
	c.mu.Unlock()
	return nil
}

func (c *Cache) inUse(key Key) {
	c.mu.Lock()
	u := c.use
	c.mu.Unlock()
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.seen[key] {
		u.seen[key] = true
		u.f.WriteString(key.String() + "\n") // what a full disk does not take is not kept, and made again if it goes
	}
}

// Beat shows that the registered run is under way. It does nothing without one.
func (c *Cache) Beat() error {
	c.mu.Lock()
	u := c.use
	c.mu.Unlock()
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.beat++
	if _, err := fmt.Fprintf(io.NewOffsetWriter(u.f, u.at), "%020d\n", u.beat); err != nil {
		return c.writeError("a run", err)
	}
	return nil
}

// Unregister ends the run. What it looked up is the study's root from now on; where it is not the
// whole of the study, it is added to the root there was.
func (c *Cache) Unregister(whole bool) error {
	c.mu.Lock()
	u := c.use
	c.use = nil
	c.mu.Unlock()
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.f.Close()
	for k := range u.seen {
		u.root.Keys = append(u.root.Keys, k)
	}
	return c.settle(u.root, u.path, whole)
}

// settle makes a root of a run that ended, and removes its file.
func (c *Cache) settle(run Root, path string, whole bool) error {
	name := c.path("roots", run.id())
	if old, err := c.readRoot("roots/" + run.id()); err == nil && !whole {
		run.Keys = append(run.Keys, old.Keys...)
	}
	slices.SortFunc(run.Keys, func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
	run.Keys = slices.Compact(run.Keys)
	b := []byte(rootHead + run.head())
	for _, k := range run.Keys {
		b = append(append(b, k.String()...), '\n')
	}
	if err := c.mkdir(c.path("roots")); err != nil {
		return c.writeError("directory roots", err)
	}
	temp, err := c.temp("a root", b, true) // after a power cut, a torn one would no longer keep what it should
	if err != nil {
		return err
	}
	if err := c.disk.rename(temp, name); err != nil {
		os.Remove(temp)
		return c.writeError("a root", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c.writeError("a run", err)
	}
	return nil
}

func (r Root) head() string {
	return fmt.Sprintf("study %q\nhost %q\npath %q\nstarted %s\n", r.Study, r.Host, r.Path, r.Started)
}

// id tells roots apart: a study of one name may lie in several places, each with its own last run.
func (r Root) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", r.Study, r.Host, r.Path))
	return fmt.Sprintf("%x", sum[:16])
}

// Roots are the studies that runs left, and the runs under way.
func (c *Cache) Roots() ([]Root, error) {
	var roots []Root
	for _, top := range []string{"roots", "runs"} {
		names := readNames(c.path(top))
		for _, n := range names {
			if top == "roots" && len(n) != 32 {
				continue // no part of the cache
			}
			r, err := c.readRoot(top + "/" + n)
			if errors.Is(err, fs.ErrNotExist) {
				continue // ended since it was listed; it is a root by now
			}
			if err != nil {
				return nil, err
			}
			if top == "runs" {
				if r.Live, err = c.live(n); err != nil {
					return nil, err
				}
			}
			roots = append(roots, r)
		}
	}
	return roots, nil
}

// live says whether the run of a file in runs/ may be under way.
func (c *Cache) live(name string) (bool, error) {
	switch ownerLife(name) {
	case alive:
		return true, nil
	case dead:
		return false, nil
	}
	fi, err := os.Lstat(c.path("runs", name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cache: %w", err)
	}
	now, err := c.diskTime()
	if err != nil {
		return true, nil // it cannot be asked, so take it to be
	}
	return now.Sub(fi.ModTime()) < runSilence, nil
}

// diskTime is the time by the clock that file times of the cache come from.
func (c *Cache) diskTime() (time.Time, error) {
	if c.readOnly {
		return c.now().Add(c.ahead), nil
	}
	probe, err := c.disk.mkdirTemp(c.path("tmp"), c.owner+".*")
	if err != nil {
		return time.Time{}, c.writeError("a first file", err)
	}
	defer os.Remove(probe)
	fi, err := os.Lstat(probe)
	if err != nil {
		return time.Time{}, fmt.Errorf("cache: %w", err)
	}
	return fi.ModTime().Add(c.ahead), nil
}

// readRoot reads a root or a run. Lines that are no key are passed over: one may be half written.
func (c *Cache) readRoot(name string) (Root, error) {
	r := Root{name: name}
	data, _, err := readPlain(c.path(name), rootBytes)
	if err != nil {
		return r, fmt.Errorf("cache: %s: %w", Printable(name), err)
	}
	text, isRun := strings.CutPrefix(string(data), runHead)
	text, isRoot := strings.CutPrefix(text, rootHead)
	if !isRun && !isRoot {
		err := errors.New("use the ablate that wrote it, or remove the file")
		if !bytes.HasPrefix(data, []byte("ablate r")) {
			err = errDamagedRoot
		}
		return r, fmt.Errorf("cache: %s: begins with %s, this program reads %s: %w",
			Printable(name), clip(string(data[:min(len(data), 20)])), clip(rootHead), err)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if k, err := ParseKey(line); err == nil {
			r.Keys = append(r.Keys, k)
			continue
		}
		word, value, _ := strings.Cut(line, " ")
		to := map[string]*string{"study": &r.Study, "host": &r.Host, "path": &r.Path}[word]
		if to != nil {
			if *to, err = strconv.Unquote(value); err != nil {
				return r, fmt.Errorf("cache: %s: %s: %w", Printable(name), clip(line), errDamagedRoot)
			}
		} else if word == "started" {
			r.Started = Printable(value)
		}
	}
	return r, nil
}

// errDamagedRoot is a root or run that cannot be read, of no later version either.
var errDamagedRoot = errors.New("the file is damaged, and ablate cannot read which study it keeps: remove the file, and run the study again before the next gc")

// sweepRuns makes roots of runs whose process died. One that is damaged goes to quarantine: what
// its study had before is still kept by its root.
func (c *Cache) sweepRuns() {
	for _, n := range readNames(c.path("runs")) {
		if ownerLife(n) != dead {
			continue
		}
		path := c.path("runs", n)
		judged, serr := os.Lstat(path)
		switch r, err := c.readRoot("runs/" + n); { // what fails is met again at the next Open
		case err == nil:
			c.settle(r, path, false)
		case errors.Is(err, errDamagedRoot) && serr == nil:
			c.quarantine(path, judged)
		}
	}
}
