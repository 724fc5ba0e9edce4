package remote

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"gocloud.dev/gcerrors"

	"ablate/cache"
)

// Entry reads and checks an entry, but not its blobs. It is a *[cache.Miss]
// where the remote has none.
func (r *Remote) Entry(ctx context.Context, key cache.Key) (*cache.Entry, error) {
	if err := r.begin(ctx, false); err != nil {
		return nil, err
	}
	name := entryName(key)
	data, err := r.small(ctx, name, cache.MaxEntryBytes)
	if errors.Is(err, errAbsent) {
		return nil, &cache.Miss{What: "entry " + key.Short() + " of remote " + r.name, Reason: cache.Absent}
	}
	if err != nil {
		return nil, r.failed("reading", name, err)
	}
	e, err := cache.DecodeEntry(key, data)
	if err != nil {
		return nil, r.failed("reading", name, &damaged{err})
	}
	return e, nil
}

// Tries of a blob that is cut again and again: of a download so many in a row
// without a byte, and so many in all; of an upload so many, each of which tries its requests three times.
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
	return isDamaged(err) || errors.As(err, new(*cache.WriteError)) || is(err, gcerrors.PermissionDenied)
}

// contended says whether a store was in the middle of another write to the
// same name (409 of S3), so that it must be asked again.
func contended(err error) bool {
	var coded interface{ ErrorCode() string }
	return errors.As(err, &coded) && (coded.ErrorCode() == "ConditionalRequestConflict" || coded.ErrorCode() == "OperationAborted")
}

// Count is what was moved.
type Count struct {
	Entries int
	Blobs   int
	Bytes   int64 // of blobs
}

func (n *Count) add(m Count) {
	n.Entries += m.Entries
	n.Blobs += m.Blobs
	n.Bytes += m.Bytes
}

// take brings an entry and those of its blobs that the cache lacks into it. A
// *[cache.Conflict] means that the cache has the entry with other outputs.
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

// give writes an entry of a cache to the remote, its blobs first. With told,
// which holds the blobs counted so far, nothing is written, and n says what would be. A *[cache.Conflict] means that
// the remote has the entry with other outputs, which stays: its First is what is there.
func (r *Remote) give(ctx context.Context, c *cache.Cache, key cache.Key, told *sync.Map) (n Count, err error) {
	dry := told != nil
	if err := r.begin(ctx, !dry); err != nil {
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
	theirs, err := r.Entry(ctx, key)
	there := err == nil
	if err != nil && !errors.As(err, new(*cache.Miss)) {
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
		sent, err := r.giveBlob(ctx, c, o, dry)
		if err != nil {
			return n, err
		}
		if sent && dry {
			_, twice := told.LoadOrStore(o.Digest, true)
			sent = !twice
		}
		if sent {
			n.Blobs++
			n.Bytes += o.Size
		}
	}
	if there {
		return n, nil
	}
	n.Entries = 1
	if dry {
		return n, nil
	}
	name := entryName(key)
	switch err := r.create(ctx, name, data); {
	case errors.Is(err, errTaken):
		if theirs, err = r.Entry(ctx, key); err != nil {
			return n, err
		}
		n.Entries = 0
		if !slices.Equal(theirs.Outputs, mine.Outputs) {
			return n, &cache.Conflict{First: theirs, Second: mine}
		}
	case err != nil:
		return n, r.failed("writing", name, err)
	}
	return n, nil
}

// giveBlob uploads a blob that is not there whole.
func (r *Remote) giveBlob(ctx context.Context, c *cache.Cache, o cache.Output, dry bool) (sent bool, err error) {
	name := blobName(o.Digest)
	size, err := r.size(ctx, name)
	if err != nil && !isDamaged(err) {
		return false, r.failed("looking for", name, err)
	}
	r.mu.Lock()
	bad := r.bad[name]
	r.mu.Unlock()
	if err == nil && size == o.Size && !bad {
		return false, nil
	}
	path, err := c.BlobOf(o)
	if err != nil {
		return false, err
	}
	if dry {
		return true, nil
	}
	for tries := 1; ; tries++ {
		if err = r.upload(ctx, name, path, o.Size); err == nil {
			break
		}
		if tries == triesSend || final(err) || ctx.Err() != nil {
			return false, r.failed("writing", name, err)
		}
		if err := pause(ctx, tries); err != nil {
			return false, r.failed("writing", name, err)
		}
	}
	r.mu.Lock()
	delete(r.bad, name)
	r.mu.Unlock()
	return true, nil
}
