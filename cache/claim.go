package cache

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Claim says that this process is at work on the step of a key, so that others do not do the same.
// It saves work and is no lock: whoever computes a step without one, or beside one, does no harm,
// because the first commit wins.
type Claim struct {
	c    *Cache
	path string

	mu   sync.Mutex
	f    *os.File // the claim's file, under whatever name it has by now
	at   int64    // where its beat stands
	beat int64
}

// Holder is who holds a claim, in the words of its file, which another process wrote: for people,
// and shown as [strconv.Quote] would where it is strange.
type Holder struct {
	Owner string // HOST.NS.PID.START
	Step  string
	Study string
}

// known says whether the claim names its holder: one that was torn or damaged may not.
func (h Holder) known() bool { return strings.Count(h.Owner, ".") == 3 }

func (h Holder) String() string {
	part := strings.Split(h.Owner, ".")
	if !h.known() {
		return "an unknown process"
	}
	return fmt.Sprintf("process %s on %s", part[2], part[0])
}

// Watch is what this process has seen of a claim that another holds. It is for one goroutine.
type Watch struct {
	Holder Holder

	c     *Cache
	path  string
	seen  []byte // the file when it last differed
	since time.Time
}

// damagedSooner is how much sooner a claim is broken that does not name its holder. It is torn, as
// after a power cut, and nobody will remove it; or it is new and, over a network, its bytes are
// still on the way, for no longer than a beat.
const damagedSooner = 10

// claimBytes is the most that is read of a claim.
const claimBytes = 4096

const claimHead = "ablate claim 1\n"

// Claim claims the step of a key, or says who holds it: then the claim is nil and the watch is not.
// An error means that claims cannot be kept here; the work may be done all the same.
func (c *Cache) Claim(key Key, step, study string) (*Claim, *Watch, error) {
	if c.readOnly {
		return nil, nil, c.refuse("a claim")
	}
	path := c.path("claims", key.String())
	// Each turn ends, or meets a claim that is gone when it is looked at.
	for range 8 {
		cl, err := c.newClaim(path, step, study)
		if err == nil {
			return cl, nil, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, nil, err
		}
		w := &Watch{c: c, path: path}
		if there, err := w.look(); there || err != nil {
			return nil, w, err
		}
	}
	return nil, nil, fmt.Errorf("cache: claim of %s: appears and disappears faster than ablate can read it", key.Short())
}

func (c *Cache) newClaim(path, step, study string) (*Claim, error) {
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails
	head := fmt.Sprintf("%sowner %s\nnonce %x\nstep %q\nstudy %q\nbeat ", claimHead, c.owner, nonce, cut(step), cut(study))
	f, err := os.CreateTemp(c.path("tmp"), c.owner+".*")
	if err != nil {
		return nil, c.writeError("a claim", err)
	}
	defer os.Remove(f.Name())
	cl := &Claim{c: c, path: path, f: f, at: int64(len(head))}
	err = c.disk.write(f, []byte(head))
	if err == nil {
		err = errors.Join(cl.write(), f.Chmod(0o644))
	}
	if err != nil {
		f.Close()
		return nil, c.writeError("a claim", err)
	}
	if err := c.publish(f.Name(), path); err != nil {
		f.Close()
		return nil, err
	}
	return cl, nil
}

// cut keeps a name of a person's choice short enough for a claim.
func cut(s string) string { return strings.ToValidUTF8(s[:min(len(s), 256)], "") }

// write writes the beat in place, with one call: a reader that meets half of it sees a change,
// which is all that counts.
func (cl *Claim) write() error {
	_, err := fmt.Fprintf(io.NewOffsetWriter(cl.f, cl.at), "%020d\n", cl.beat)
	return err
}

// Beat shows the others that this process is alive. If the claim was broken meanwhile, it writes to
// a file that nobody looks at.
func (cl *Claim) Beat() error {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.f == nil {
		return nil
	}
	cl.beat++
	err := cl.write()
	if err == nil {
		err = cl.c.disk.sync(cl.f) // over a network, this is what sends it
	}
	if err != nil {
		return cl.c.writeError("a claim", err)
	}
	return nil
}

// Release ends the claim: the step is committed, or given up.
func (cl *Claim) Release() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.f == nil {
		return
	}
	ours, err := cl.f.Stat()
	cl.f.Close()
	cl.f = nil
	if there, err2 := os.Lstat(cl.path); err == nil && err2 == nil && os.SameFile(ours, there) {
		os.Remove(cl.path)
	}
}

// look reads the claim and notes a change. It says whether one is there.
func (w *Watch) look() (there bool, err error) {
	data, _, err := readPlain(w.path, claimBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, errNotRegular) || errors.Is(err, errTooLarge):
		data = []byte(err.Error()) // nobody keeps it alive
	case err != nil:
		return true, fmt.Errorf("cache: %s: %w", w.c.rel(w.path), err)
	}
	if w.since.IsZero() || !bytes.Equal(data, w.seen) {
		w.seen, w.since, w.Holder = data, w.c.now(), parseHolder(data)
	}
	return true, nil
}

// Over says whether the step may be claimed anew: because its claim is gone (then why is empty),
// because its process is of this machine and dead, or because its file did not change for as long
// as silence by this process's own clock, whatever the clocks of others say; a tenth of it where
// the file does not name its holder. Of the last two, the claim is broken here and why says so.
func (w *Watch) Over(silence time.Duration) (over bool, why string, err error) {
	there, err := w.look()
	if err != nil || !there {
		return err == nil, "", err
	}
	if !w.Holder.known() {
		silence /= damagedSooner
	}
	switch still := w.c.now().Sub(w.since); {
	case processLife(w.Holder.Owner) == dead:
		why = w.Holder.String() + " is dead"
	case still >= silence:
		why = fmt.Sprintf("%s sent no heartbeat for %s", w.Holder, still.Round(time.Second))
	default:
		return false, "", nil
	}
	return true, why, w.breakUp()
}

// breakUp moves the claim away, as it was last seen. Of several who try, the rename of one moves
// it; one who finds that it moved a newer one links it back.
func (w *Watch) breakUp() error {
	to, err := w.c.disk.mkdirTemp(w.c.path("tmp"), w.c.owner+".*")
	if err != nil {
		return w.c.writeError("a claim", err)
	}
	defer os.RemoveAll(to)
	away := to + "/claim"
	if err := w.c.disk.rename(w.path, away); errors.Is(err, fs.ErrNotExist) {
		return nil // another was quicker
	} else if err != nil {
		return w.c.writeError(w.c.rel(w.path), err)
	}
	if data, _, err := readPlain(away, claimBytes); err == nil && !bytes.Equal(data, w.seen) {
		w.c.disk.link(away, w.path) // if it fails, another claim stands there
	}
	return nil
}

// parseHolder reads what a claim says of its holder, or nothing.
func parseHolder(data []byte) Holder {
	var h Holder
	rest, ok := strings.CutPrefix(string(data), claimHead)
	if !ok {
		return h
	}
	for line := range strings.Lines(rest) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch name {
		case "owner":
			h.Owner = Printable(value)
		case "step", "study":
			if s, err := strconv.Unquote(value); err == nil && name == "step" {
				h.Step = Printable(s)
			} else if err == nil {
				h.Study = Printable(s)
			}
		}
	}
	return h
}

// sweepClaims removes the claims of dead processes of this machine, of others when nothing has
// touched them for long, and of nobody when their step is done.
func (c *Cache) sweepClaims(now time.Time) {
	for _, n := range readNames(c.path("claims")) {
		w := &Watch{c: c, path: c.path("claims", n)}
		if there, err := w.look(); err != nil || !there {
			continue
		}
		key, err := ParseKey(n)
		needless := err == nil && !w.Holder.known() && c.Has(key) // torn, and its step is done
		if l := processLife(w.Holder.Owner); l == dead || needless || l == unknown && now.Sub(lastChange(w.path, now)) > abandoned {
			w.breakUp() // met again at the next Open if it fails
		}
	}
}
