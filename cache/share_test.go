//go:build unix

package cache

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// sharesRole does as a second user what a run does: it commits a step, goes on with a partial that
// another left, claims, registers and remembers.
func sharesRole(dir, arg string) error {
	syscall.Umask(0o022) // as most people have it
	c, err := Open(dir)
	if err != nil {
		return err
	}
	key := KeyOf(benchKeyInputs(0))
	partial, err := c.Partial(key)
	if err != nil {
		return err
	}
	err = errors.Join(c.Register(arg, "/study.yaml"), os.WriteFile(filepath.Join(partial, "of "+arg), []byte(arg), 0o666))
	if err != nil {
		return err
	}
	cl, _, err := c.Claim(key, "step", arg)
	if err != nil {
		return err
	}
	if cl != nil {
		cl.Release()
	}
	for _, name := range []string{arg, "both"} {
		in := []KeyInput{{"step", name}}
		b, err := c.Begin(KeyOf(in))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(b.Dir, "out"), []byte(name), 0o666); err != nil {
			return err
		}
		if _, err := b.Commit("test", in, Provenance{}); err != nil {
			return err
		}
	}
	for it, err := range c.Items() {
		if _, err2 := c.Lookup(it.Key); err != nil || err2 != nil {
			return errors.Join(err, err2)
		}
	}
	return errors.Join(c.Unregister(true), c.Close())
}

// TestTwoUsers: two users of one group, with the common umask, share a cache whose directory the
// group may write; where it may not, the second is told that the cache cannot be written, and may
// look.
func TestTwoUsers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root may become two users")
	}
	const group, anna, boris = 61000, 61001, 61002
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(openTemp(t), "cache.test")
	if err := copyFile(program, self); err != nil {
		t.Fatal(err)
	}
	as := func(uid uint32, dir, name string) (string, error) {
		cmd := child(t, "shares", dir, name)
		cmd.Path, cmd.Args[0] = program, program
		cmd.Dir = filepath.Dir(program)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{group}}}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for name, mode := range map[string]fs.FileMode{"setgid": 0o770 | fs.ModeSetgid, "group-writable": 0o775} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(openTemp(t), "cache")
			if err := errors.Join(os.Mkdir(dir, 0o777), os.Chown(dir, anna, group), os.Chmod(dir, mode)); err != nil {
				t.Fatal(err)
			}
			for _, u := range []struct {
				uid  uint32
				name string
			}{{anna, "anna"}, {boris, "boris"}, {anna, "anna"}, {boris, "clara"}} {
				if out, err := as(u.uid, dir, u.name); err != nil {
					t.Fatalf("%s: %v\n%s", u.name, err, out)
				}
			}
			filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					t.Fatal(err)
				}
				fi, err := d.Info()
				if err != nil {
					t.Fatal(err)
				}
				gid := fi.Sys().(*syscall.Stat_t).Gid
				switch {
				case d.IsDir() && (gid != group || fi.Mode()&0o070 != 0o070 || path != dir && fi.Mode()&fs.ModeSetgid == 0):
					t.Errorf("%s is %s of group %d", path, fi.Mode(), gid)
				case fi.Mode()&0o002 != 0:
					t.Errorf("%s is %s: everybody may write", path, fi.Mode())
				}
				return nil
			})
			c, err := OpenRead(dir)
			if err != nil {
				t.Fatal(err)
			}
			if problems, err := c.Verify(t.Context(), nil); err != nil || len(problems) > 0 {
				t.Errorf("%v, %v", problems, err)
			}
		})
	}
	t.Run("of one user", func(t *testing.T) {
		dir := filepath.Join(openTemp(t), "cache")
		if err := errors.Join(os.Mkdir(dir, 0o777), os.Chown(dir, anna, group), os.Chmod(dir, 0o755)); err != nil {
			t.Fatal(err)
		}
		if out, err := as(anna, dir, "anna"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if out, err := as(boris, dir, "boris"); err == nil || !strings.Contains(out, "permission denied") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// openTemp is a temporary directory that other users may look into.
func openTemp(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyFile(to, from string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
