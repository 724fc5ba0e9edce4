package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Problem is one thing that Verify found wrong.
type Problem struct {
	Path   string // below the cache directory, with slashes
	Detail string
}

func (p Problem) String() string { return p.Path + ": " + p.Detail }

// Verify reads every blob and every entry, trusting no memo. Corrupt ones
// move to quarantine/, so that the next run makes them again. progress, which
// may be nil, is told the bytes read and the bytes to read.
//
// Blobs are read by as many goroutines as there are processors, each with a
// file of its own: one alone hashes more slowly than a disk reads.
func (c *Cache) Verify(ctx context.Context, progress func(done, total int64)) ([]Problem, error) {
	var problems []Problem
	found := func(path, format string, a ...any) {
		problems = append(problems, Problem{Printable(c.rel(path)), fmt.Sprintf(format, a...)})
	}
	var blobs []Digest
	var done, total int64
	for path, err := range c.files("blobs") {
		if err != nil {
			return problems, err
		}
		d, err := ParseDigest(filepath.Base(path))
		if err != nil || path != c.blobPath(d) {
			found(path, "no part of the cache")
			continue
		}
		if fi, err := os.Lstat(path); err == nil && fi.Mode().IsRegular() {
			total += fi.Size()
		}
		blobs = append(blobs, d)
	}
	var mu sync.Mutex // over done and progress
	step := func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if progress != nil {
			progress(done, total)
		}
	}
	errs := make([]error, len(blobs))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(blobs)) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(blobs)); i = next.Add(1) - 1 {
				_, errs[i] = c.rehash(ctx, blobs[i], step)
			}
		})
	}
	wait.Wait()
	for i, err := range errs {
		var miss *Miss
		switch {
		case errors.As(err, &miss) && miss.Reason == Corrupt:
			what := "moved to quarantine"
			if c.readOnly {
				what = "left where it is"
			}
			found(c.blobPath(blobs[i]), "%s, %s", miss.Detail, what)
		case errors.As(err, &miss): // removed since it was listed
		case err != nil:
			return problems, err
		}
	}
	for path, err := range c.files("entries") {
		if err != nil {
			return problems, err
		}
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		key, err := ParseKey(filepath.Base(path))
		if err != nil || path != c.entryPath(key) {
			found(path, "no part of the cache")
			continue
		}
		_, err = c.lookup(key)
		var miss *Miss
		var later *FormatError
		switch {
		case errors.As(err, &miss) && miss.Reason != Absent:
			found(path, "%s", joined(string(miss.Reason), miss.Detail))
		case errors.As(err, &later):
			found(path, "%v", later)
		case err != nil && !errors.As(err, &miss):
			return problems, err
		}
	}
	for conflict, err := range c.Conflicts() {
		if err != nil {
			problems = append(problems, Problem{"conflicts", err.Error()})
			continue
		}
		found(c.entryPath(conflict.Second.Key), "%s", conflict.firstSeen())
	}
	return problems, nil
}

// Usage is what the cache holds. Bytes are sizes of files, not blocks of disk.
type Usage struct {
	Kinds      []KindUsage // sorted by kind
	Entries    Count
	Blobs      Count
	Orphans    Count // blobs that no entry names
	Partial    Count
	Quarantine Count
	Temporary  Count // builds under way, or left by the dead
}

// Count is a number of files and their bytes.
type Count struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Add counts a file. Sizes may be what an entry of a stranger states, so the
// sum stops at the largest number instead of starting again below zero.
func (n *Count) Add(size int64) {
	n.Files++
	n.Bytes += min(size, math.MaxInt64-n.Bytes)
}

// KindUsage is what the steps of one kind hold. Outputs counts every output of
// every entry; Blobs counts each blob once per kind.
type KindUsage struct {
	Kind    string
	Entries int
	Outputs Count
	Blobs   Count
}

// Usage counts. It trusts the sizes that entries state, and skips entries that
// do not parse; Verify reports those.
func (c *Cache) Usage() (Usage, error) {
	var u Usage
	kinds := make(map[string]*KindUsage)
	type use struct {
		kind string
		d    Digest
	}
	seen := make(map[use]bool)
	named := make(map[Digest]bool)
	for e, err := range c.Entries() {
		var miss *Miss
		var later *FormatError
		if errors.As(err, &miss) || errors.As(err, &later) {
			continue
		}
		if err != nil {
			return u, err
		}
		k := kinds[e.Kind]
		if k == nil {
			k = &KindUsage{Kind: e.Kind}
			kinds[e.Kind] = k
		}
		k.Entries++
		for _, o := range e.Outputs {
			k.Outputs.Add(o.Size)
			named[o.Digest] = true
			if !seen[use{e.Kind, o.Digest}] {
				seen[use{e.Kind, o.Digest}] = true
				k.Blobs.Add(o.Size)
			}
		}
	}
	for _, k := range kinds {
		u.Kinds = append(u.Kinds, *k)
	}
	slices.SortFunc(u.Kinds, func(a, b KindUsage) int { return strings.Compare(a.Kind, b.Kind) })
	orphan := func(name string, size int64) {
		if d, err := ParseDigest(name); err == nil && !named[d] {
			u.Orphans.Add(size)
		}
	}
	return u, errors.Join(
		c.count("entries", &u.Entries, nil),
		c.count("blobs", &u.Blobs, orphan),
		c.count("partial", &u.Partial, nil),
		c.count("quarantine", &u.Quarantine, nil),
		c.count("tmp", &u.Temporary, nil))
}

// count adds up the files of one top directory; others may add and remove
// files meanwhile.
func (c *Cache) count(top string, n *Count, each func(name string, size int64)) error {
	err := filepath.WalkDir(c.path(top), func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		n.Add(fi.Size())
		if each != nil {
			each(d.Name(), fi.Size())
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	return nil
}
