package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Build is a step in the making. Its files become outputs by Commit; Abort, or the death of the
// process, removes them.
type Build struct {
	Dir string // empty directory, on the file system of the cache
	Key Key

	c     *Cache
	moved map[string]Output // files that an earlier, failed Commit made blobs of
	fans  []string          // directories of blobs with names not yet durable
}

// Conflict says that two runs of one step gave different bytes. The first entry stays.
type Conflict struct {
	First  *Entry // in the cache
	Second *Entry // refused; kept in conflicts/, its blobs in the cache
}

func (e *Conflict) Error() string {
	return fmt.Sprintf("cache: entry %s (%s) exists with other outputs, the step is not deterministic: %s",
		e.First.Key, e.First.Kind, firstDifference(e.First.Outputs, e.Second.Outputs))
}

// firstDifference names the first output that two lists do not share.
func firstDifference(first, second []Output) string {
	for i := range max(len(first), len(second)) {
		switch {
		case i >= len(second) || i < len(first) && first[i].Name < second[i].Name:
			return fmt.Sprintf("output %s is %s in the first, absent in the second", first[i].Name, first[i].Digest)
		case i >= len(first) || first[i].Name > second[i].Name:
			return fmt.Sprintf("output %s is absent in the first, %s in the second", second[i].Name, second[i].Digest)
		case first[i] != second[i]:
			return fmt.Sprintf("output %s is %s (%d bytes) in the first, %s (%d bytes) in the second",
				first[i].Name, first[i].Digest, first[i].Size, second[i].Digest, second[i].Size)
		}
	}
	return "no difference"
}

// Begin starts a build in a new, empty directory.
func (c *Cache) Begin(key Key) (*Build, error) {
	if c.readOnly {
		return nil, c.refuse("the build of " + key.Short())
	}
	dir, err := c.disk.mkdirTemp(c.path("tmp"), c.owner+".*")
	if err != nil {
		return nil, c.writeError("the build of "+key.Short(), err)
	}
	if err := ShareLike(c.dir, dir); err != nil { // so that others may sweep it, if this process dies
		return nil, c.writeError("the build of "+key.Short(), errors.Join(err, os.Remove(dir)))
	}
	return &Build{Dir: dir, Key: key, c: c, moved: make(map[string]Output)}, nil
}

// Abort removes the build. It does nothing after a Commit that succeeded.
func (b *Build) Abort() error {
	if err := os.RemoveAll(b.Dir); err != nil {
		return fmt.Errorf("cache: build of %s: %w", b.Key.Short(), err)
	}
	return nil
}

// Commit makes blobs of all regular files under Dir, and an entry of their names, in the order of
// FORMAT.md, section 5. Empty directories are dropped; anything else but a file is refused. If the
// key has an entry already, that one is returned when its outputs are the same, else the error is a
// *[Conflict]. After another error Commit may be tried again, or Abort called.
func (b *Build) Commit(kind string, keyInputs []KeyInput, p Provenance) (*Entry, error) {
	c := b.c
	if k := KeyOf(keyInputs); k != b.Key {
		return nil, fmt.Errorf("cache: commit of %s: its key inputs give key %s", b.Key, k)
	}
	names, err := b.names()
	if err != nil {
		return nil, err
	}
	e := &Entry{Format: entryFormat, Key: b.Key, Kind: kind,
		KeyInputs: append([]KeyInput{}, keyInputs...), Outputs: []Output{}, Provenance: p}
	for _, name := range names {
		delete(b.moved, name) // written again since
		e.Outputs = append(e.Outputs, Output{Name: name})
	}
	for _, o := range b.moved {
		e.Outputs = append(e.Outputs, o)
	}
	slices.SortFunc(e.Outputs, func(x, y Output) int { return strings.Compare(x.Name, y.Name) })
	if _, err := e.encode(); err != nil { // refused, if at all, before anything moves
		return nil, fmt.Errorf("cache: commit of %s: %w", b.Key.Short(), err)
	}
	for i := range e.Outputs {
		o := &e.Outputs[i]
		if _, ok := b.moved[o.Name]; ok {
			continue
		}
		if err := b.store(o); err != nil {
			return nil, err
		}
		b.moved[o.Name] = *o
	}
	for _, fan := range b.fans {
		if err := c.syncDir(fan); err != nil {
			return nil, err
		}
	}
	b.fans = nil
	won, err := c.putEntry(e)
	if err != nil && !isConflict(err) {
		return nil, err
	}
	// The entry stands. What cannot be removed now is swept later.
	os.RemoveAll(b.Dir)
	os.RemoveAll(c.path("partial", b.Key.String()))
	return won, err
}

func isConflict(err error) bool {
	var conflict *Conflict
	return errors.As(err, &conflict)
}

// names lists the files under Dir, sorted, and refuses what is no plain file of the build alone: a
// file with a second name, say a raw input linked in to save copying, would become read-only under
// that name too.
func (b *Build) names() ([]string, error) {
	var names []string
	err := filepath.WalkDir(b.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(b.Dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if err := checkName(name); err != nil {
			return err
		}
		fi, err := d.Info()
		switch {
		case err != nil:
			return err
		case !fi.Mode().IsRegular():
			return fmt.Errorf("output %s is not a regular file (%s)", clip(name), fi.Mode().Type())
		case links(fi) > 1:
			return fmt.Errorf("output %s has %d hard links, it must have one", clip(name), links(fi))
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cache: commit of %s: %w", b.Key.Short(), err)
	}
	slices.Sort(names)
	return names, nil
}

// needSync notes a directory that received a name.
func (b *Build) needSync(dir string) {
	if !slices.Contains(b.fans, dir) {
		b.fans = append(b.fans, dir)
	}
}

// store makes a blob of one file and fills in its digest and size.
func (b *Build) store(o *Output) error {
	c := b.c
	path := filepath.Join(b.Dir, filepath.FromSlash(o.Name))
	what := fmt.Sprintf("output %s of %s", o.Name, b.Key.Short())
	// The fixed time goes first: a write between the hash and the end shows.
	err := os.Chtimes(path, blobTime, blobTime)
	if err == nil {
		err = os.Chmod(path, 0o444)
	}
	if err != nil {
		return c.writeError(what, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cache: %s: %w", what, err)
	}
	defer f.Close()
	began := c.now()
	got, err := hashOpen(c.until, f, nil)
	if err != nil {
		return fmt.Errorf("cache: %s: %w", what, err)
	}
	got.began = began
	o.Digest, o.Size = got.digest, got.size

	if _, err := c.verify(o.Digest, o.Size); err == nil {
		c.renew(o.Digest)
		return nil // stored before, by whomever; ours goes with the build
	} else if miss := (*Miss)(nil); !errors.As(err, &miss) {
		return err
	}
	if err := c.disk.sync(f); err != nil {
		return c.writeError(what, err)
	}
	fi, err := f.Stat()
	if err != nil {
		return fmt.Errorf("cache: %s: %w", what, err)
	}
	if got.torn || fi.Size() != got.size || !fi.ModTime().Equal(blobTime) {
		return fmt.Errorf("cache: %s: changed while it was committed", what)
	}
	to := c.blobPath(o.Digest)
	err = c.disk.rename(path, to)
	if errors.Is(err, fs.ErrNotExist) {
		if err := c.makeFan(filepath.Dir(to)); err != nil {
			return err
		}
		b.needSync(c.path("blobs"))
		err = c.disk.rename(path, to)
	}
	if err != nil {
		return c.writeError(what, err)
	}
	b.needSync(filepath.Dir(to))
	// The rename changed the ctime; the stamp to remember is the one after it, if the file under
	// the name is still ours.
	if now, err := os.Lstat(to); err == nil && os.SameFile(fi, now) && now.ModTime().Equal(blobTime) {
		got.stamp, got.known = stampOf(now)
		c.memo.putBlob(o.Digest, got)
	}
	return nil
}

// renew moves the ctime of a blob that a commit relies on, so that a collection does not take it
// for old. Where the file belongs to another user, it stays as it is: if it goes, the entry is
// incomplete and made again.
func (c *Cache) renew(d Digest) {
	path := c.blobPath(d)
	before, err := os.Lstat(path)
	if err != nil || os.Chtimes(path, blobTime, blobTime) != nil {
		return
	}
	now, err := os.Lstat(path)
	if err != nil || !os.SameFile(before, now) || now.Size() != before.Size() {
		return
	}
	old, _ := stampOf(before)
	if st, ok := stampOf(now); ok && c.memo.blob(d) == old {
		c.memo.putBlob(d, hashed{digest: d, size: now.Size(), began: c.now(), stamp: st, known: true})
	}
}

// putEntry publishes an entry. The first one of a key wins; see Commit.
func (c *Cache) putEntry(e *Entry) (*Entry, error) {
	data, err := e.encode()
	if err != nil {
		return nil, fmt.Errorf("cache: entry %s: %w", e.Key.Short(), err)
	}
	temp, err := c.temp("entry "+e.Key.Short(), data, true)
	if err != nil {
		return nil, err
	}
	defer os.Remove(temp)
	path := c.entryPath(e.Key)
	// Each turn ends or moves one unusable entry away; more than a few would mean that someone
	// writes bad ones as fast as we move them.
	for range 8 {
		err := c.publish(temp, path)
		if err == nil {
			return e, c.syncDir(filepath.Dir(path))
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		first, err := c.readEntry(e.Key, true)
		var miss *Miss
		if errors.As(err, &miss) {
			continue // removed or moved to quarantine
		}
		if err != nil {
			return nil, err
		}
		if slices.Equal(first.Outputs, e.Outputs) {
			return first, nil
		}
		if _, err := c.lookup(e.Key); err == nil {
			c.keepConflict(temp, e)
			return first, &Conflict{First: first, Second: e}
		} else if !errors.As(err, &miss) {
			return nil, err
		}
		// Nobody can use the first entry, and these outputs cannot heal it.
		if err := c.corruptEntry(e.Key, miss, nil); !errors.As(err, &miss) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("cache: entry %s: unusable entries keep taking the name", e.Key)
}
