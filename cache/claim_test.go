package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func mustClaim(t *testing.T, c *Cache, key Key) *Claim {
	t.Helper()
	cl, w, err := c.Claim(key, "unit/x", "study s")
	if err != nil || cl == nil {
		t.Fatalf("claim: %v, held by %v, %v", cl, w, err)
	}
	return cl
}

func mustWatch(t *testing.T, c *Cache, key Key) *Watch {
	t.Helper()
	cl, w, err := c.Claim(key, "mine", "mine")
	if err != nil || cl != nil {
		t.Fatalf("a second claim: %v, %v", cl, err)
	}
	return w
}

func wantOver(t *testing.T, w *Watch, silence time.Duration, want bool, why string) {
	t.Helper()
	over, said, err := w.Over(silence)
	if err != nil || over != want || !strings.Contains(said, why) || (said == "") != (why == "") {
		t.Errorf("over %v, %q, %v; want %v, %q", over, said, err, want, why)
	}
}

func TestClaim(t *testing.T) {
	dir := t.TempDir()
	a, b := mustOpen(t, dir), mustOpen(t, dir)
	key := KeyOf(abc)
	cl := mustClaim(t, a, key)
	w := mustWatch(t, b, key)
	if w.Holder.Step != "unit/x" || w.Holder.Study != "study s" || !strings.Contains(w.Holder.String(), fmt.Sprint("process ", os.Getpid(), " on ")) {
		t.Errorf("holder %+v, %s", w.Holder, w.Holder)
	}
	wantOver(t, w, time.Hour, false, "")
	if err := cl.Beat(); err != nil {
		t.Error(err)
	}
	cl.Release()
	cl.Release() // once more does nothing
	if err := cl.Beat(); err != nil {
		t.Errorf("a beat after the release: %v", err)
	}
	wantOver(t, w, time.Hour, true, "")
	mustClaim(t, b, key).Release()
	if n := append(readNames(a.path("claims")), readNames(a.path("tmp"))...); len(n) != 0 {
		t.Errorf("left behind: %q", n)
	}
}

// TestSilence: only the observer's own clock counts, and each beat begins the silence anew.
func TestSilence(t *testing.T) {
	dir := t.TempDir()
	a, b := mustOpen(t, dir), mustOpen(t, dir)
	now := time.Now()
	b.now = func() time.Time { return now }
	key := KeyOf(abc)
	cl := mustClaim(t, a, key)
	w := mustWatch(t, b, key)
	for range 3 {
		now = now.Add(4 * time.Minute)
		wantOver(t, w, 5*time.Minute, false, "")
		if err := cl.Beat(); err != nil {
			t.Fatal(err)
		}
		now = now.Add(4 * time.Minute)
		wantOver(t, w, 5*time.Minute, false, "") // the change is seen
	}
	now = now.Add(5 * time.Minute)
	wantOver(t, w, 5*time.Minute, true, "sent no heartbeat for 5m0s")
	other := mustClaim(t, b, key)
	// The first holder wakes up: it harms nothing.
	if err := cl.Beat(); err != nil {
		t.Error(err)
	}
	cl.Release()
	if w := mustWatch(t, a, key); w == nil {
		t.Error("the new claim went with the old one")
	}
	other.Release()
}

// TestBreakNewer: an observer that is slow to break what it saw must not break what came after it.
func TestBreakNewer(t *testing.T) {
	dir := t.TempDir()
	a, b := mustOpen(t, dir), mustOpen(t, dir)
	key := KeyOf(abc)
	old := mustClaim(t, a, key)
	w := mustWatch(t, b, key)
	old.Release()
	newer := mustClaim(t, a, key)
	if err := w.breakUp(); err != nil {
		t.Fatal(err)
	}
	mustWatch(t, b, key)
	newer.Release()
	if w := mustClaim(t, b, key); w == nil {
		t.Error("the newer claim did not come back as its holder's")
	}
}

// claimsRole claims the step abc, says so and waits to be killed.
func claimsRole(dir, _ string) error {
	c, err := Open(dir)
	if err != nil {
		return err
	}
	if cl, _, err := c.Claim(KeyOf(abc), "unit/x", "s"); err != nil || cl == nil {
		return fmt.Errorf("claim: %v, %w", cl, err)
	}
	fmt.Println("claimed")
	select {}
}

func TestClaimOfTheDead(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	cmd := child(t, "claims", dir, "")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said string
	if _, err := fmt.Fscan(out, &said); err != nil || said != "claimed" {
		t.Fatalf("the child said %q, %v", said, err)
	}
	w := mustWatch(t, c, KeyOf(abc))
	wantOver(t, w, time.Hour, false, "")
	if err := errors.Join(cmd.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); !wasKilled(err) {
		t.Fatal(err)
	}
	wantOver(t, w, time.Hour, true, "is dead")
	mustClaim(t, c, KeyOf(abc)).Release()
}

// TestStrangeClaims: what lies under the name of a claim is of a stranger. It is waited for like
// any other, and moved away without harm to what it leads to.
func TestStrangeClaims(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	for name, lay := range map[string]func(path string) error{
		"a link":      func(p string) error { return os.Symlink(secret, p) },
		"a directory": func(p string) error { return os.MkdirAll(filepath.Join(p, "x"), 0o777) },
		"a pipe":      func(p string) error { return syscall.Mkfifo(p, 0o666) },
		"huge": func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0o666), os.Truncate(p, 1<<50))
		},
		"empty": func(p string) error { return os.WriteFile(p, nil, 0o666) },
		"rubbish": func(p string) error {
			return os.WriteFile(p, []byte("ablate claim 1\nowner \x1b[31m\nstep \"\\x1b\"\n"), 0o666)
		},
		"another host": func(p string) error {
			return os.WriteFile(p, []byte("ablate claim 1\nowner far.1.2.3\nbeat 1\n"), 0o666)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(secret, []byte("secret"), 0o666); err != nil {
				t.Fatal(err)
			}
			c := mustOpen(t, t.TempDir())
			now := time.Now()
			c.now = func() time.Time { return now }
			path := c.path("claims", KeyOf(abc).String())
			if err := errors.Join(os.MkdirAll(c.path("claims"), 0o777), lay(path)); err != nil {
				t.Skip("cannot be laid here:", err)
			}
			w := mustWatch(t, c, KeyOf(abc))
			if s := w.Holder.String() + w.Holder.Owner + w.Holder.Step; strings.Contains(s, "\x1b") {
				t.Errorf("an escape would reach the terminal: %q", s)
			}
			wantOver(t, w, time.Minute, false, "")
			now = now.Add(time.Minute)
			wantOver(t, w, time.Minute, true, "sent no heartbeat")
			mustClaim(t, c, KeyOf(abc)).Release()
			if text, err := os.ReadFile(secret); err != nil || string(text) != "secret" {
				t.Errorf("the file outside: %q, %v", text, err)
			}
			if n := readNames(c.path("tmp")); len(n) != 0 {
				t.Errorf("tmp holds %q", n)
			}
		})
	}
}

func TestConflictIsKept(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	first := commitFiles(t, c, abc, map[string]string{"a": "first"})
	for range 2 { // the same difference is kept once
		b := writeBuild(t, c, KeyOf(abc), map[string]string{"a": "second"})
		_, err := b.Commit("eval", abc, Provenance{Step: "s"})
		var conflict *Conflict
		if !errors.As(err, &conflict) || !strings.Contains(err.Error(), DigestOf([]byte("first")).String()) ||
			!strings.Contains(err.Error(), DigestOf([]byte("second")).String()) {
			t.Fatalf("%v, want a conflict that names both digests", err)
		}
	}
	n := 0
	for conflict, err := range c.Conflicts() {
		if n++; err != nil || conflict.First.Outputs[0] != first.Outputs[0] || conflict.Second.Outputs[0].Digest != DigestOf([]byte("second")) {
			t.Errorf("%+v, %v", conflict, err)
		}
	}
	if n != 1 {
		t.Errorf("%d conflicts are kept, want 1", n)
	}
	problems, err := c.Verify(t.Context(), nil)
	if err != nil || len(problems) != 1 || !strings.Contains(problems[0].Detail, "is not deterministic: output a is "+DigestOf([]byte("first")).String()) {
		t.Errorf("Verify: %v, %v", problems, err)
	}
	var freed Count
	if err := c.removeConflicts(KeyOf(abc), &freed); err != nil || freed.Files != 1 {
		t.Errorf("freed %+v, %v", freed, err)
	}
}
