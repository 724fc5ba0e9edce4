package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Rules say what a collection keeps of what no root holds. The zero value keeps nothing of it.
type Rules struct {
	OlderThan time.Duration // keep entries made less long ago than this
	KeepCost  time.Duration // keep entries that took this long to make, or longer; 0: no such rule
	MaxSize   int64         // keep all that fits into so many bytes, what is dearer to make per byte first; 0: no such rule
	DryRun    bool          // remove nothing, and say what would go
}

// Item is an entry as a person decides about it.
type Item struct {
	Key   Key
	Kind  string
	Study string
	Step  string
	Size  int64     // bytes of its outputs
	Made  time.Time // by the clock of the file system
	Cost  time.Duration
}

// item is what a person sees of an entry.
func (r *record) item() Item {
	it := Item{Key: r.key, Kind: r.kind, Study: r.study, Step: r.step, Made: time.Unix(0, r.stamp.mtime),
		Cost: time.Duration(min(max(r.seconds, 0), 1e9) * float64(time.Second))}
	var n Count
	for _, o := range r.outputs {
		n.Add(o.size)
	}
	it.Size = n.Bytes
	return it
}

// Freed is what a collection removed, or would.
type Freed struct {
	Removed []Item // cheapest to make again per byte first
	Entries Count
	Blobs   Count
	Partial Count // unfinished steps that no root and no run holds
	Before  int64 // bytes of entries, blobs and partials
	Kept    struct {
		Roots, Young, Dear, Room int // entries, by why they were kept
	}
	Live []Root // runs under way, whose entries stay
}

// After is what is left, in bytes.
func (f *Freed) After() int64 {
	return f.Before - f.Entries.Bytes - f.Blobs.Bytes - f.Partial.Bytes
}

// youngBlob is how long a blob that no entry names stays while runs are under way: one of them may
// be about to name it.
const youngBlob = 24 * time.Hour

// GC removes the entries that are neither among keep nor used by a run under way nor kept by a
// rule; then blobs that no entry names, and partials of steps that nobody wants.
//
// Entries go before their blobs, so that a GC killed half-way leaves orphans and no holes. They are
// moved aside first, and come back if a run began to use them meanwhile. A commit that relies on a
// blob that is there renews its ctime, so that it is not taken for old.
func (c *Cache) GC(ctx context.Context, keep map[Key]bool, rules Rules) (*Freed, error) {
	if c.readOnly && !rules.DryRun {
		return nil, c.refuse("a collection")
	}
	g, err := c.survey(ctx, rules.DryRun)
	if err != nil {
		return nil, err
	}
	var loose []Item
	for _, it := range g.items {
		switch {
		case keep[it.Key] || g.used[it.Key]:
			g.freed.Kept.Roots++
		case g.start.Sub(it.Made) < rules.OlderThan:
			g.freed.Kept.Young++
		case rules.KeepCost > 0 && it.Cost >= rules.KeepCost:
			g.freed.Kept.Dear++
		default:
			loose = append(loose, it)
		}
	}
	if err := g.partials(keep); err != nil {
		return nil, err
	}
	g.orphans()
	slices.SortFunc(loose, func(a, b Item) int {
		return cmp.Or(cmp.Compare(perByte(a), perByte(b)), a.Made.Compare(b.Made), slices.Compare(a.Key[:], b.Key[:]))
	})
	for _, it := range loose {
		if rules.MaxSize > 0 && g.freed.After() <= rules.MaxSize {
			g.freed.Kept.Room++
			continue
		}
		g.doom(it)
	}
	if rules.DryRun {
		return &g.freed, nil
	}
	return &g.freed, g.carryOut(ctx)
}

func perByte(it Item) float64 { return it.Cost.Seconds() / float64(it.Size+1) }

// Remove removes entries and the blobs that only they name. Those that a run under way uses stay,
// unless forced.
func (c *Cache) Remove(ctx context.Context, keys []Key, force, dryRun bool) (*Freed, error) {
	if c.readOnly && !dryRun {
		return nil, c.refuse("a removal")
	}
	g, err := c.survey(ctx, dryRun)
	if err != nil {
		return nil, err
	}
	g.forced = force
	for _, it := range g.items {
		if !slices.Contains(keys, it.Key) {
			continue
		}
		if g.used[it.Key] && !force {
			g.freed.Kept.Roots++
			continue
		}
		g.doom(it)
	}
	if dryRun {
		return &g.freed, nil
	}
	return &g.freed, g.carryOut(ctx)
}

// stored is when a blob got its name: its ctime, because its mtime is fixed. Where there is none to
// see, it is now, and GC leaves the blob alone.
func stored(fi fs.FileInfo) time.Time {
	st, ok := stampOf(fi)
	if !ok {
		return time.Now()
	}
	return time.Unix(0, st.ctime)
}

// remove removes a file and counts it; another process may be quicker.
func remove(path string, n *Count) error {
	fi, err := os.Lstat(path)
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cache: gc: %w", err)
	}
	n.Add(fi.Size())
	return nil
}
