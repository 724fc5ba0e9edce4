package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"ablate/cache"
	"ablate/pipeline"
)

// use is an output of a step.
type use struct {
	step   int
	output string
}

// Blobs reads every blob that the plan's entries name, and compares its digest and size with what
// they say.
func (a *Audit) Blobs(ctx context.Context) error {
	order, users := a.named()
	a.Result.Blobs.Of = len(order)
	lacking := map[string]int{}
	read := a.readAll(ctx, order, users)
	if err := ctx.Err(); err != nil {
		return err
	}
	for n, d := range order {
		path, err := read[n].path, read[n].err
		var miss *cache.Miss
		switch {
		case errors.As(err, &miss):
			if why := a.mayLack(users[d]); miss.Reason == cache.Absent && why != "" {
				lacking[why]++
				continue
			}
			a.damaged(ctx, d, miss, users)
			continue
		case err != nil:
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		sound := true
		for _, u := range users[d] { // each entry says a size of its own
			if says := a.output(u).Size; says != info.Size() {
				sound = false
				a.fault(u.step, "blob", d.String(), "output %s of step %s has %d bytes, its entry says %d", u.output, a.state.Plan.Steps[u.step].ID, info.Size(), says)
			}
		}
		if !sound {
			continue
		}
		a.blobs[d] = path
		a.Result.Blobs.Checked++
		a.Result.Blobs.Bytes += info.Size()
	}
	for _, why := range sortedKeys(lacking) {
		a.Skip(fmt.Sprintf("the bytes of %d blobs", lacking[why]), "%s", why)
	}
	return nil
}

// output is an output with its digest and size.
func (a *Audit) output(u use) cache.Output {
	out, _ := a.state.Entries[u.step].Output(u.output)
	return out
}

// answer is what the cache says of a blob.
type answer struct {
	path string
	err  error
}

// readAll asks the cache for every blob, with as many goroutines as there are threads; each blob is
// read by one.
func (a *Audit) readAll(ctx context.Context, order []cache.Digest, users map[cache.Digest][]use) []answer {
	answers := make([]answer, len(order))
	var (
		next    atomic.Int64
		wg      sync.WaitGroup
		mu      sync.Mutex // one tells at a time
		counted int
	)
	for range max(1, min(a.Threads, len(order))) {
		wg.Go(func() {
			for ctx.Err() == nil {
				n := next.Add(1) - 1
				if n >= int64(len(order)) {
					return
				}
				path, err := a.Cache.BlobOf(a.output(users[order[n]][0]))
				answers[n] = answer{path, err}
				mu.Lock()
				if counted++; counted%1000 == 0 {
					a.tell("%d of %d blobs read", counted, len(order))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return answers
}

// named lists the blobs that the plan's entries name, in plan order, and the outputs that they are.
func (a *Audit) named() (order []cache.Digest, users map[cache.Digest][]use) {
	users = map[cache.Digest][]use{}
	for i, status := range a.state.Status {
		if status != pipeline.Hit {
			continue
		}
		for _, o := range a.state.Entries[i].Outputs {
			if users[o.Digest] == nil {
				order = append(order, o.Digest)
			}
			users[o.Digest] = append(users[o.Digest], use{i, o.Name})
		}
	}
	return order, users
}

// mayLack says why none of the outputs that are this blob need be there, or "".
func (a *Audit) mayLack(users []use) string {
	why := ""
	for _, u := range users {
		if a.Lacks == nil {
			return ""
		}
		if why = a.Lacks(a.state.Plan.Steps[u.step].Kind, u.output); why == "" {
			return ""
		}
	}
	return why
}

// damaged tells of a blob that is missing or has other bytes than its name says; where those are
// another output's, that one is named.
func (a *Audit) damaged(ctx context.Context, d cache.Digest, miss *cache.Miss, users map[cache.Digest][]use) {
	u := users[d][0]
	for _, x := range users[d] {
		a.bad[x.step] = true
	}
	where := func(u use) string { return "output " + u.output + " of step " + a.state.Plan.Steps[u.step].ID }
	detail := where(u) + " is missing"
	if miss.Reason == cache.Corrupt {
		detail = where(u) + " has been changed: " + miss.Detail
		if got, err := a.Cache.BlobDigest(ctx, d, a.largest(users)); err == nil && users[got] != nil {
			detail = fmt.Sprintf("%s has been swapped: its bytes have digest %s, which is that of %s", where(u), got, where(users[got][0]))
		}
	}
	if n := len(users[d]) - 1; n > 0 {
		detail += fmt.Sprintf("; %d other outputs are the same blob", n)
	}
	a.fault(u.step, "blob", d.String(), "%s", detail)
}

// largest is the size in bytes of the largest output: a file of more bytes is none of them.
func (a *Audit) largest(users map[cache.Digest][]use) int64 {
	var most int64
	for _, u := range users {
		most = max(most, a.output(u[0]).Size)
	}
	return most
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
