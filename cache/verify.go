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

// Verify reads every blob and every entry, trusting no memo. Corrupt ones move to quarantine/, so
// that the next run makes them again. progress, which may be nil, is told the bytes read and the
// bytes to read.
//
// Blobs are read by as many goroutines as there are processors, each with a file of its own: one
// alone hashes more slowly than a disk reads.
func (c *Cache) Verify(ctx context.Context, progress func(done, total int64)) ([]Problem, error) {
	var problems []Problem
	found := func(path, format string, a ...any) {
		problems = append(problems, Problem{Printable(c.rel(path)), fmt.Sprintf(format, a...)})
	}
	blobs, total, err := c.listBlobs(found)
	if err != nil {
		return problems, err
	}
	sizes, err := c.statedSizes(ctx)
	if err != nil {
		return problems, err
	}
	errs := c.rehashAll(ctx, blobs, sizes, total, progress)
	for i, err := range errs {
		var miss *Miss
		switch {
		case errors.As(err, &miss) && miss.Reason == Corrupt:
			what := "moved to quarantine"
			if c.readOnly {
				what = "left where it is"
			}
			found(c.blobPath(blobs[i]), "%s, %s", miss.Detail, what)
		case errors.Is(err, errImpossible):
			found(c.blobPath(blobs[i]), "%v; the file was not read, remove it", err)
		case errors.As(err, &miss): // removed since it was listed
		case err != nil:
			return problems, err
		}
	}
	for path, err := range c.files("entries") {
		if err != nil {
			return problems, err
		}
		if err := Ended(ctx); err != nil {
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

// listBlobs lists the blobs and how many bytes they have together. It tells of files that are no
// part of the cache.
func (c *Cache) listBlobs(found func(path, format string, a ...any)) (blobs []Digest, total int64, err error) {
	for path, err := range c.files("blobs") {
		if err != nil {
			return nil, 0, err
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
	return blobs, total, nil
}

// statedSizes are the sizes in bytes that entries state of their blobs. Of entries that do not
// agree the larger counts: then the blob is read, and each entry is compared with what it has.
func (c *Cache) statedSizes(ctx context.Context) (map[Digest]int64, error) {
	sizes := map[Digest]int64{}
	for e, err := range c.Entries() {
		if errors.As(err, new(*Miss)) || errors.As(err, new(*FormatError)) {
			continue // told when the entries are looked at
		}
		if err = errors.Join(err, Ended(ctx)); err != nil {
			return nil, err
		}
		for _, o := range e.Outputs {
			sizes[o.Digest] = max(sizes[o.Digest], o.Size)
		}
	}
	return sizes, nil
}

// errImpossible is a file with more bytes than its file system has. It is sparse, and no blob of
// ours, for blobs are written byte by byte.
var errImpossible = errors.New("has more bytes than its file system, and no entry states its size")

// rehashAll reads blobs and says what is wrong with each.
func (c *Cache) rehashAll(ctx context.Context, blobs []Digest, sizes map[Digest]int64, total int64, progress func(done, total int64)) []error {
	var done int64
	var mu sync.Mutex // over done and progress
	step := func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if progress != nil {
			progress(done, total)
		}
	}
	room := totalBytes(c.dir)
	errs := make([]error, len(blobs))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(blobs)) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(blobs)); i = next.Add(1) - 1 {
				errs[i] = c.rehashSized(ctx, blobs[i], sizes, room, step)
			}
		})
	}
	wait.Wait()
	return errs
}

// rehashSized reads a blob unless its size tells already that it is damaged.
func (c *Cache) rehashSized(ctx context.Context, d Digest, sizes map[Digest]int64, room int64, step func(int64)) error {
	fi, err := os.Lstat(c.blobPath(d))
	if err == nil && fi.Mode().IsRegular() && fi.Size() > readAnyway {
		size, stated := sizes[d]
		switch {
		case stated && size != fi.Size():
			return c.corruptBlob(d, fi, wrongSize(fi.Size(), size))
		case !stated && room >= 0 && fi.Size() > room:
			return errImpossible
		}
	}
	_, err = c.rehash(ctx, d, step)
	return err
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

// Add counts a file. Sizes may be what an entry of a stranger states, so the sum stops at the
// largest number instead of starting again below zero.
func (n *Count) Add(size int64) {
	n.Files++
	n.Bytes += min(size, math.MaxInt64-n.Bytes)
}

// KindUsage is what the steps of one kind hold. Outputs counts every output of every entry; Blobs
// counts each blob once per kind.
type KindUsage struct {
	Kind    string
	Entries int
	Outputs Count
	Blobs   Count
}

// Usage counts. It trusts the sizes that entries state, and skips entries that do not parse; Verify
// reports those.
func (c *Cache) Usage() (Usage, error) {
	var u Usage
	kinds := make(map[string]*KindUsage)
	type use struct {
		kind *KindUsage
		d    Digest
	}
	seen := make(map[use]bool)
	named := make(map[Digest]bool)
	for r, err := range c.records(c.until) {
		if errors.As(err, new(*Miss)) || errors.As(err, new(*FormatError)) {
			continue
		}
		if err != nil {
			return u, err
		}
		k := kinds[r.kind]
		if k == nil {
			k = &KindUsage{Kind: r.kind}
			kinds[r.kind] = k
		}
		k.Entries++
		for _, o := range r.outputs {
			k.Outputs.Add(o.size)
			named[o.digest] = true
			if !seen[use{k, o.digest}] {
				seen[use{k, o.digest}] = true
				k.Blobs.Add(o.size)
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

// count adds up the files of one top directory; others may add and remove files meanwhile. Its
// directories are gone through by several goroutines, each is told by one.
func (c *Cache) count(top string, n *Count, each func(name string, size int64)) error {
	names, err := os.ReadDir(c.path(top))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	trees := []string{c.path(top)} // where it is a file, or cannot be listed, countTree says so
	if err == nil {
		trees = trees[:0]
		for _, d := range names {
			trees = append(trees, c.path(top, d.Name()))
		}
	}
	for _, found := range inOrder(trees, countTree) {
		if found.err != nil {
			return fmt.Errorf("cache: %w", found.err)
		}
		for _, f := range found.files {
			n.Add(f.size)
			if each != nil {
				each(f.name, f.size)
			}
		}
	}
	return nil
}

type counted struct {
	files []countedFile
	err   error
}

type countedFile struct {
	name string
	size int64
}

// countTree lists the files in a tree, with their sizes in bytes.
func countTree(root string) (n counted) {
	n.err = filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
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
		n.files = append(n.files, countedFile{d.Name(), fi.Size()})
		return nil
	})
	return n
}
