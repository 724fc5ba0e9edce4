package remote

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"sync"

	"ablate/cache"
)

// checkBlob reads a blob and compares its digest with its name. size is what it must have, in
// bytes, and no more are read.
func (r *Remote) checkBlob(ctx context.Context, d cache.Digest, size int64) error {
	if size == 0 {
		if d != cache.DigestOf(nil) {
			return &damaged{errors.New("has no bytes")}
		}
		return nil
	}
	name, idle := blobName(d), 0
	h := sha256.New()
	for at := int64(0); ; {
		body, err := r.open(ctx, name, at, size)
		var n int64
		if err == nil {
			n, err = io.Copy(h, io.LimitReader(body, size-at))
			body.Close()
			at += n
			if err == nil && at < size {
				err = io.ErrUnexpectedEOF
			}
		}
		if err == nil {
			if got := cache.Digest(h.Sum(nil)); got != d {
				return &damaged{fmt.Errorf("its bytes have digest %s", got)}
			}
			return nil
		}
		if idle++; n > 0 {
			idle = 1
		}
		if final(err) || ctx.Err() != nil || idle == triesIdle {
			return err
		}
		if err := pause(ctx, idle); err != nil {
			return err
		}
	}
}

// Checked is what a verification of a remote came to.
type Checked struct {
	Entries  int
	Blobs    int
	Bytes    int64           // of blobs read
	Problems []cache.Problem // sorted by path
}

// Verify reads every entry and every blob of the remote and compares them with what their names
// say, and whether entries have their blobs. Nothing is changed there: `cache push --check` from a
// cache that has what is damaged writes it again. progress may be nil.
func (r *Remote) Verify(ctx context.Context, progress Progress) (Checked, error) {
	v := &verification{r: r, sizes: map[cache.Digest]int64{}, progress: progress}
	if err := r.Check(ctx); err != nil {
		return v.Checked, err
	}
	named, err := v.entries(ctx)
	if err != nil {
		return v.Checked, err
	}
	there, err := v.blobs(ctx)
	if err != nil {
		return v.Checked, err
	}
	for _, o := range named {
		if !there[o.blob] {
			v.found(o.entry, "output %s: blob %s is not there", o.name, o.blob)
		}
	}
	slices.SortFunc(v.Problems, func(a, b cache.Problem) int { return compare(a, b) })
	return v.Checked, nil
}

func compare(a, b cache.Problem) int {
	switch {
	case a.Path < b.Path || a.Path == b.Path && a.Detail < b.Detail:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// verification is a verification under way.
type verification struct {
	r        *Remote
	progress Progress

	mu sync.Mutex
	Checked
	sizes map[cache.Digest]int64 // that entries state
}

// named is an output of an entry.
type named struct {
	entry, name string
	blob        cache.Digest
}

func (v *verification) found(name, format string, a ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Problems = append(v.Problems, cache.Problem{Path: cache.Printable(name), Detail: fmt.Sprintf(format, a...)})
}

// entries reads the entries, and gives their outputs.
func (v *verification) entries(ctx context.Context) (outputs []named, err error) {
	err = v.all(ctx, "entries/", func(obj object) error {
		key, err := cache.ParseKey(path.Base(obj.name))
		if err != nil || obj.name != entryName(key) {
			v.stray(obj.name)
			return nil
		}
		e, err := v.r.Entry(ctx, key)
		switch {
		case errors.As(err, new(*cache.Miss)):
			return nil // removed since it was listed
		case isDamaged(err):
			v.found(obj.name, "%v", cause(err))
			return nil
		case err != nil:
			return err
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.Entries++
		for _, o := range e.Outputs {
			outputs = append(outputs, named{obj.name, o.Name, o.Digest})
			v.sizes[o.Digest] = o.Size
		}
		return nil
	})
	return outputs, err
}

// blobs reads the blobs, and says which are there, whole or not.
func (v *verification) blobs(ctx context.Context) (there map[cache.Digest]bool, err error) {
	there = map[cache.Digest]bool{}
	err = v.all(ctx, "blobs/", func(obj object) error {
		d, err := cache.ParseDigest(path.Base(obj.name))
		if err != nil || obj.name != blobName(d) {
			v.stray(obj.name)
			return nil
		}
		v.mu.Lock()
		there[d] = true
		size, stated := v.sizes[d]
		v.mu.Unlock()
		if stated && size != obj.size {
			v.found(obj.name, "has %d bytes, its entry says %d", obj.size, size)
			return nil
		}
		err = v.r.checkBlob(ctx, d, obj.size)
		if isDamaged(err) {
			v.found(obj.name, "%v", cause(err))
			return nil
		}
		if err != nil {
			return v.r.failed("reading", obj.name, err)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.Blobs++
		v.Bytes += obj.size
		if v.progress != nil {
			v.progress(Count{Entries: v.Entries, Blobs: v.Blobs, Bytes: v.Bytes})
		}
		return nil
	})
	return there, err
}

// stray tells of a name that is no part of a cache. What a writer that was killed left beside a
// name is.
func (v *verification) stray(name string) {
	if ok, _ := path.Match("*.tmp", path.Base(name)); !ok {
		v.found(name, "no part of a cache")
	}
}

// all calls check for every object whose name begins with a prefix, several at once, until one
// fails.
func (v *verification) all(ctx context.Context, prefix string, check func(object) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	objects := make(chan object)
	for range workers {
		wg.Go(func() {
			for obj := range objects {
				if err := check(obj); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := feed(ctx, objects, v.r.place.list(ctx, prefix))
	close(objects)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return v.r.failed("listing", prefix, err)
	}
	return nil
}

func feed(ctx context.Context, objects chan<- object, list iter.Seq2[object, error]) error {
	for obj, err := range list {
		if err != nil {
			return err
		}
		select {
		case objects <- obj:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// cause is an error without the name of the remote and of the object, where these are told beside
// it.
func cause(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
