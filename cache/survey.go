package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// survey is what a collection knows of the cache.
type survey struct {
	c       *Cache
	start   time.Time // by the clock of the file system
	items   []Item
	entries map[Key]*Entry
	files   map[Key]int64  // bytes of the entry's file
	names   map[Digest]int // how many outputs of entries to stay have this blob
	blobs   map[Digest]fs.FileInfo
	used    map[Key]bool // by runs under way
	forced  bool
	freed   Freed

	doomed []Digest
	parts  []string // partials to remove
}

func (c *Cache) survey(ctx context.Context, dryRun bool) (*survey, error) {
	g := &survey{c: c, entries: map[Key]*Entry{}, files: map[Key]int64{}, names: map[Digest]int{}, blobs: map[Digest]fs.FileInfo{}}
	var err error
	if g.start, err = c.diskTime(); err != nil {
		return nil, err
	}
	if err := g.readUsed(); err != nil {
		return nil, err
	}
	keys, err := c.keys()
	if err != nil {
		return nil, err
	}
	// The entries themselves are read: what is removed is not decided by an index.
	for key, a := range inOrder(keys, func(k Key) entryOf { return entryRead(c.readEntry(k, !dryRun)) }) { // a corrupt one moves to quarantine
		e, err := a.entry, errors.Join(a.err, Ended(ctx))
		if errors.As(err, new(*Miss)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		fi, err := os.Lstat(c.entryPath(key))
		if err != nil {
			continue // removed since
		}
		g.entries[key], g.files[key] = e, fi.Size()
		g.items = append(g.items, e.record(fi).item())
		g.freed.Before += fi.Size()
		for _, o := range e.Outputs {
			g.names[o.Digest]++
		}
	}
	for conflict, err := range c.Conflicts() {
		if err == nil { // a refused entry keeps its blobs, to be compared
			for _, o := range conflict.Second.Outputs {
				g.names[o.Digest]++
			}
		}
	}
	for path, err := range c.files("blobs") {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		d, err := ParseDigest(filepath.Base(path))
		if err != nil || path != c.blobPath(d) {
			continue
		}
		if fi, err := os.Lstat(path); err == nil {
			g.blobs[d] = fi
			g.freed.Before += fi.Size()
		}
	}
	var partial Count
	err = c.count("partial", &partial, nil)
	g.freed.Before += partial.Bytes
	return g, err
}

// readUsed lists what the runs under way use by now.
func (g *survey) readUsed() error {
	roots, err := g.c.Roots()
	if err != nil {
		return err
	}
	g.used, g.freed.Live = map[Key]bool{}, nil
	for _, r := range roots {
		if r.Live {
			g.freed.Live = append(g.freed.Live, r)
			for _, k := range r.Keys {
				g.used[k] = true
			}
		}
	}
	return nil
}

// settled says whether a blob or partial that changed last at a time may go though no entry speaks
// of it.
func (g *survey) settled(changed time.Time) bool {
	if len(g.freed.Live) > 0 {
		return changed.Before(g.start.Add(-youngBlob))
	}
	return changed.Before(g.start)
}

// doom decides that an entry goes, with the blobs that only it names.
func (g *survey) doom(it Item) {
	g.freed.Removed = append(g.freed.Removed, it)
	g.freed.Entries.Add(g.files[it.Key])
	for _, o := range g.entries[it.Key].Outputs {
		g.names[o.Digest]--
		g.doomBlob(o.Digest)
	}
}

func (g *survey) doomBlob(d Digest) {
	if fi := g.blobs[d]; fi != nil && g.names[d] == 0 && g.settled(stored(fi)) {
		g.doomed = append(g.doomed, d)
		g.freed.Blobs.Add(fi.Size())
	}
}

// orphans decides that blobs go that no entry names.
func (g *survey) orphans() {
	for d := range g.blobs {
		if g.names[d] == 0 {
			g.doomBlob(d)
		}
	}
	slices.SortFunc(g.doomed, func(a, b Digest) int { return slices.Compare(a[:], b[:]) })
}

func (g *survey) partials(keep map[Key]bool) error {
	for _, name := range readNames(g.c.path("partial")) {
		key, err := ParseKey(name)
		path := g.c.path("partial", name)
		if err == nil && (keep[key] || g.used[key]) || !g.settled(lastChange(path, g.start)) {
			continue
		}
		g.parts = append(g.parts, path)
		if err := g.c.count(filepath.Join("partial", name), &g.freed.Partial, nil); err != nil {
			return err
		}
	}
	return nil
}

// carryOut removes what was decided on.
func (g *survey) carryOut(ctx context.Context) error {
	c := g.c
	aside, err := c.disk.mkdirTemp(c.path("tmp"), c.owner+".*")
	if err != nil {
		return c.writeError("a directory", err)
	}
	defer os.RemoveAll(aside)
	var moved []Item
	for _, it := range g.freed.Removed {
		err := ctx.Err()
		if err == nil {
			err = c.disk.rename(c.entryPath(it.Key), filepath.Join(aside, it.Key.String()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("cache: gc: %w", err), g.putBack(aside, moved))
		}
		moved = append(moved, it)
	}
	if !g.forced {
		if err := g.readUsed(); err != nil {
			return errors.Join(err, g.putBack(aside, moved))
		}
		g.freed.Removed = slices.DeleteFunc(g.freed.Removed, func(it Item) bool {
			if g.used[it.Key] {
				err = errors.Join(err, g.putBack(aside, []Item{it}))
				g.freed.Entries.Files--
				g.freed.Entries.Bytes -= g.files[it.Key]
			}
			return g.used[it.Key]
		})
		if err != nil {
			return err
		}
	}
	for _, it := range g.freed.Removed {
		if err := c.removeConflicts(it.Key, &Count{}); err != nil {
			return err
		}
	}
	g.freed.Blobs = Count{}
	for _, d := range g.doomed {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := c.blobPath(d)
		if fi, err := os.Lstat(path); err != nil || g.names[d] > 0 || !g.settled(stored(fi)) {
			continue // wanted again
		}
		c.memo.forget(d)
		if err := remove(path, &g.freed.Blobs); err != nil {
			return err
		}
	}
	for _, path := range g.parts {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("cache: gc: %w", err)
		}
	}
	return nil
}

// putBack gives entries that were moved aside their names again.
func (g *survey) putBack(aside string, items []Item) (err error) {
	for _, it := range items {
		for _, o := range g.entries[it.Key].Outputs {
			g.names[o.Digest]++
		}
		lerr := g.c.disk.link(filepath.Join(aside, it.Key.String()), g.c.entryPath(it.Key))
		if lerr != nil && !errors.Is(lerr, fs.ErrExist) && !errors.Is(lerr, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("cache: gc: entry %s is still needed and could not be restored: %w", it.Key, lerr))
		}
	}
	return err
}
