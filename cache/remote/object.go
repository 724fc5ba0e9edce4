package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ablate/cache"
)

// version is what a remote must say of itself: it is laid out as a cache.
const (
	versionName = "version"
	versionText = "ablate cache 1\n"
)

// patience is how long nothing may move in a transfer, and how long a small request may take.
const patience = 30 * time.Second

// slowest is the least rate of an upload, in bytes a second: below it the connection is given up.
const slowest = 64 << 10

func entryName(k cache.Key) string {
	s := k.String()
	return "entries/" + s[:2] + "/" + s
}

func blobName(d cache.Digest) string {
	s := d.String()
	return "blobs/" + s[:2] + "/" + s
}

var (
	errAbsent  = errors.New("it is not there")
	errTaken   = errors.New("it is there already")
	errStalled = fmt.Errorf("nothing came for %s", patience)
)

// begin looks at the file version, once; before the first write it makes it, and with it asks
// whether the store heeds conditions: it must refuse to write version, which is there, again.
func (r *Remote) begin(ctx context.Context, write bool) (err error) {
	r.beginning.Lock()
	defer r.beginning.Unlock()
	if r.checked == writable || r.checked == readable && !write {
		return nil
	}
	if time.Since(r.refused) < patience {
		return r.why // several wait for one answer, and each would wait for it anew
	}
	defer func() {
		if err != nil {
			r.refused, r.why = time.Now(), err
		}
	}()
	text, err := r.small(ctx, versionName, 1024)
	switch {
	case err == nil && string(text) != versionText:
		return r.failed("reading", versionName, fmt.Errorf("it is %.40q, this program knows %q: use the ablate that wrote it, or another place", text, versionText))
	case err != nil && !errors.Is(err, errAbsent):
		return r.failed("reading", versionName, err)
	}
	if err != nil {
		if err := r.lasting(ctx, r.place.there); err != nil {
			return r.failed("looking for", r.place.String(), err)
		}
	}
	if !write {
		r.checked = readable
		return nil
	}
	if err != nil {
		if err := r.create(ctx, versionName, []byte(versionText)); err != nil && !errors.Is(err, errTaken) {
			return r.failed("writing", versionName, err)
		}
	}
	switch err := r.create(ctx, versionName, []byte(versionText)); {
	case err == nil:
		return r.failed("writing", versionName, errors.New("the store ignores If-None-Match: it overwrites existing objects, so that entries could be lost; use a store that supports conditional writes"))
	case !errors.Is(err, errTaken):
		return r.failed("writing", versionName, err)
	}
	r.checked = writable
	return nil
}

// small reads an object whole that has at most so many bytes.
func (r *Remote) small(ctx context.Context, name string, most int64) ([]byte, error) {
	body, err := r.open(ctx, name, 0, -1)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, &damaged{fmt.Errorf("has more than %d bytes", most)}
	}
	return data, nil
}

// open reads an object from an offset on. size is what it must have, or -1.
func (r *Remote) open(ctx context.Context, name string, offset, size int64) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience, func() { cancel(errStalled) })
	length := int64(-1)
	if size >= 0 {
		length = size - offset
	}
	body, has, err := r.place.open(ctx, name, offset, length)
	if err != nil {
		timer.Stop()
		err = ended(ctx, err)
		cancel(nil)
		return nil, err
	}
	w := &watched{body: body, ctx: ctx, cancel: cancel, timer: timer}
	if size >= 0 && has != size {
		w.Close()
		return nil, &damaged{fmt.Errorf("has %d bytes, the entry says %d", has, size)}
	}
	return w, nil
}

// damaged is an object that is not what it should be. The remote is there, and this is all that is
// wrong with it.
type damaged struct{ error }

func (d *damaged) Unwrap() error { return d.error }

// watched is a body that must not stand still.
type watched struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.body.Read(b)
	w.timer.Reset(patience)
	if err != nil && err != io.EOF {
		err = ended(w.ctx, err)
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	err := w.body.Close()
	w.cancel(nil)
	return err
}

// size is how many bytes an object has, -1 where it is not there.
func (r *Remote) size(ctx context.Context, name string) (size int64, err error) {
	err = r.lasting(ctx, func(ctx context.Context) error {
		size, err = r.place.size(ctx, name)
		return err
	})
	if errors.Is(err, errAbsent) {
		return -1, nil
	}
	return size, err
}

// lasting makes a small request, which may take the patience of one.
func (r *Remote) lasting(ctx context.Context, do func(context.Context) error) error {
	return within(ctx, patience, do)
}

// within makes a request that may take so long.
func within(ctx context.Context, most time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, most, errStalled)
	defer cancel()
	err := do(ctx)
	if err != nil {
		err = ended(ctx, err)
	}
	return err
}

// ended is the error of a request: why it was given up, where it was, else its own.
func ended(ctx context.Context, err error) error {
	if context.Cause(ctx) == errStalled {
		return errStalled
	}
	if over := cache.Ended(ctx); over != nil {
		return over
	}
	return err
}

// create writes a small object where there is none, else errTaken.
func (r *Remote) create(ctx context.Context, name string, data []byte) error {
	return within(ctx, limit(int64(len(data))), func(ctx context.Context) error { return r.place.create(ctx, name, data) })
}

// limit is how long an upload may take.
func limit(size int64) time.Duration {
	return 4*patience + time.Duration(size/slowest)*time.Second
}

// upload writes a blob's file, whole or not at all.
func (r *Remote) upload(ctx context.Context, o cache.Output, path string) error {
	return within(ctx, limit(o.Size), func(ctx context.Context) error { return r.place.upload(ctx, o, path) })
}
