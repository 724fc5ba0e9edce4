package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"ablate/cache"
)

// Entry reads and checks an entry, but not its blobs. It is a *[cache.Miss] where the remote has
// none.
func (r *Remote) Entry(ctx context.Context, key cache.Key) (*cache.Entry, error) {
	e, _, err := r.entry(ctx, key)
	return e, err
}

// entry is Entry; where one is there and damaged, spoilt is its bytes, which may be none.
func (r *Remote) entry(ctx context.Context, key cache.Key) (e *cache.Entry, spoilt []byte, err error) {
	if err := r.begin(ctx, false); err != nil {
		return nil, nil, err
	}
	name := entryName(key)
	data, err := r.small(ctx, name, cache.MaxEntryBytes)
	if errors.Is(err, errAbsent) {
		return nil, nil, &cache.Miss{What: "entry " + key.Short() + " of remote " + r.name, Reason: cache.Absent}
	}
	if err != nil {
		return nil, nil, r.failed("reading", name, err)
	}
	e, err = cache.DecodeEntry(key, data)
	if err != nil {
		if !errors.As(err, new(*cache.FormatError)) { // that is whole, and another program's
			spoilt = data
		}
		return nil, spoilt, r.failed("reading", name, &damaged{err})
	}
	return e, nil, nil
}

// Tries of a blob that is cut again and again: of a download so many in a row without a byte, and
// so many in all; of an upload so many, each of which tries its requests three times.
const (
	triesIdle = 4
	triesMost = 100
	triesSend = 2
)

// fetch brings a blob into the cache, going on where it was cut. n is how many bytes came.
func (r *Remote) fetch(ctx context.Context, c *cache.Cache, o cache.Output) (n int64, err error) {
	name := blobName(o.Digest)
	idle := 0
	for tries := 1; ; tries++ {
		k, err := c.FetchBlob(ctx, o.Digest, o.Size, func(offset int64) (io.ReadCloser, error) { return r.open(ctx, name, offset, o.Size) })
		n += k
		if err == nil {
			return n, nil
		}
		if idle++; k > 0 {
			idle = 1
		}
		if final(err) || ctx.Err() != nil || idle == triesIdle || tries == triesMost {
			if isDamaged(err) {
				r.mu.Lock()
				r.bad[name] = true
				delete(r.sure, o.Digest)
				r.mu.Unlock()
			}
			return n, r.failed("reading", name, err)
		}
		if err := pause(ctx, idle); err != nil {
			return n, r.failed("reading", name, err)
		}
	}
}

// pause waits before a try, longer from try to try.
func pause(ctx context.Context, tries int) error {
	timer := time.NewTimer(100 * time.Millisecond << tries)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// isDamaged says whether an error is of what lies there, and not of the way to it.
func isDamaged(err error) bool {
	return errors.Is(err, errAbsent) || errors.As(err, new(*damaged)) || errors.As(err, new(*cache.WrongError))
}

// final says whether another try can help.
func final(err error) bool {
	return isDamaged(err) || errors.As(err, new(*cache.WriteError)) || denied(err)
}

// Count is what was moved.
type Count struct {
	Entries int
	Blobs   int
	Bytes   int64 // of blobs
	Healed  int   // of these entries and blobs, those that were there and damaged
}

func (n *Count) add(m Count) {
	n.Entries += m.Entries
	n.Blobs += m.Blobs
	n.Bytes += m.Bytes
	n.Healed += m.Healed
}

// take brings an entry and those of its blobs that the cache lacks into it. A *[cache.Conflict]
// means that the cache has the entry with other outputs.
func (r *Remote) take(ctx context.Context, c *cache.Cache, e *cache.Entry) (n Count, err error) {
	for range 2 {
		for _, o := range missing(c, e) {
			k, err := r.fetch(ctx, c, o)
			n.Bytes += k
			if err != nil {
				return n, err
			}
			n.Blobs++
		}
		_, err = c.PutEntry(e)
		if !errors.As(err, new(*cache.Miss)) { // else a blob that was here was damaged, and is gone now
			break
		}
	}
	if err == nil {
		n.Entries = 1
	}
	return n, err
}

// missing are the outputs of an entry whose blobs a cache lacks, each blob once.
func missing(c *cache.Cache, e *cache.Entry) []cache.Output {
	var out []cache.Output
	seen := map[cache.Digest]bool{}
	for _, o := range e.Outputs {
		if size, ok := c.HasBlob(o.Digest); (!ok || size != o.Size) && !seen[o.Digest] {
			seen[o.Digest] = true
			out = append(out, o)
		}
	}
	return out
}

// way is how entries are given.
type way struct {
	dry   *sync.Map // nothing is written, and the counts say what would be; holds the blobs counted so far
	check bool      // what is there is read and compared, and written again where it is damaged
}

// give writes an entry of a cache to the remote, its blobs first. n says what was written. A
// *[cache.Conflict] means that the remote has the entry with other outputs, which stays: its First
// is what is there.
func (r *Remote) give(ctx context.Context, c *cache.Cache, key cache.Key, by way) (n Count, err error) {
	if err := r.begin(ctx, by.dry == nil); err != nil {
		return n, err
	}
	data, err := c.EntryBytes(key)
	if err != nil {
		return n, err
	}
	mine, err := cache.DecodeEntry(key, data)
	if err != nil {
		return n, err
	}
	theirs, spoilt, err := r.entry(ctx, key)
	there := err == nil
	heals := by.check && spoilt != nil
	if err != nil && !heals && !errors.As(err, new(*cache.Miss)) {
		if spoilt != nil {
			err = fmt.Errorf("%w; `ablate cache push --check` writes it again", err)
		}
		return n, err
	}
	if there && !slices.Equal(theirs.Outputs, mine.Outputs) {
		return n, &cache.Conflict{First: theirs, Second: mine}
	}
	seen := map[cache.Digest]bool{}
	for _, o := range mine.Outputs {
		if seen[o.Digest] {
			continue
		}
		seen[o.Digest] = true
		k, err := r.giveBlob(ctx, c, o, by)
		n.add(k)
		if err != nil {
			return n, err
		}
	}
	if there {
		return n, nil
	}
	if by.dry == nil {
		if heals {
			err = r.place.replace(ctx, entryName(key), spoilt, data)
		} else {
			err = r.create(ctx, entryName(key), data)
		}
		if written, err := r.settle(ctx, mine, err); !written || err != nil {
			return n, err
		}
	}
	n.Entries = 1
	if heals {
		n.Healed++
	}
	return n, nil
}

// settle says what came of writing an entry: where there was one by then, that counts.
func (r *Remote) settle(ctx context.Context, mine *cache.Entry, err error) (written bool, _ error) {
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, errTaken) {
		return false, r.failed("writing", entryName(mine.Key), err)
	}
	theirs, err := r.Entry(ctx, mine.Key)
	if err == nil && !slices.Equal(theirs.Outputs, mine.Outputs) {
		err = &cache.Conflict{First: theirs, Second: mine}
	}
	return false, err
}

// giveBlob uploads a blob that is not there whole, or is damaged as far as is known. Of several
// entries that have it, one sends it.
func (r *Remote) giveBlob(ctx context.Context, c *cache.Cache, o cache.Output, by way) (n Count, err error) {
	r.mu.Lock()
	turn := r.sending[o.Digest]
	if turn == nil {
		turn = &sync.Mutex{}
		r.sending[o.Digest] = turn
	}
	r.mu.Unlock()
	turn.Lock()
	defer turn.Unlock()
	r.mu.Lock()
	sure := r.sure[o.Digest]
	r.mu.Unlock()
	if sure {
		return n, nil
	}
	lacks, damage, err := r.lacks(ctx, o, by.check)
	if err != nil {
		return n, err
	}
	if lacks {
		if n, err = r.sendBlob(ctx, c, o, by); err != nil {
			return n, err
		}
		if damage {
			n.Healed = n.Blobs
		}
	}
	if by.dry == nil {
		r.mu.Lock()
		r.sure[o.Digest] = true
		delete(r.bad, blobName(o.Digest))
		r.mu.Unlock()
	}
	return n, nil
}

// lacks says whether a blob must be sent: because it is not there, has another size, was found
// damaged before, or is found so now, where it is to be checked or seems to have been written to.
// damage says that something is there.
func (r *Remote) lacks(ctx context.Context, o cache.Output, check bool) (lacks, damage bool, err error) {
	name := blobName(o.Digest)
	size, err := r.size(ctx, name)
	switch {
	case isDamaged(err):
		return true, true, nil
	case err != nil:
		return false, false, r.failed("looking for", name, err)
	case size < 0:
		return true, false, nil
	}
	r.mu.Lock()
	bad := r.bad[name]
	r.mu.Unlock()
	if bad || size != o.Size {
		return true, true, nil
	}
	if !check && !r.place.touched(name) {
		return false, false, nil
	}
	if err := r.checkBlob(ctx, o.Digest, o.Size); isDamaged(err) {
		return true, true, nil
	} else if err != nil {
		return false, false, r.failed("reading", name, err)
	}
	r.place.trust(name)
	return false, false, nil
}

// sendBlob uploads a blob.
func (r *Remote) sendBlob(ctx context.Context, c *cache.Cache, o cache.Output, by way) (n Count, err error) {
	path, err := c.BlobOf(o)
	if err != nil {
		return n, err
	}
	if by.dry != nil {
		if _, twice := by.dry.LoadOrStore(o.Digest, true); twice {
			return n, nil
		}
		return Count{Blobs: 1, Bytes: o.Size}, nil
	}
	for tries := 1; ; tries++ {
		if err = r.upload(ctx, o, path); err == nil {
			return Count{Blobs: 1, Bytes: o.Size}, nil
		}
		if tries == triesSend || final(err) || ctx.Err() != nil {
			return n, r.failed("writing", blobName(o.Digest), err)
		}
		if err := pause(ctx, tries); err != nil {
			return n, r.failed("writing", blobName(o.Digest), err)
		}
	}
}
