package output

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// write is To of a text.
func write(path, text string) error {
	return To(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

func put(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// alone fails if a directory holds a file that was to be renamed.
func alone(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), asideHead) {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestModes(t *testing.T) {
	for _, c := range []struct {
		name       string
		umask      int
		there      fs.FileMode // 0: the file is new
		want       fs.FileMode
		wantFolder fs.FileMode
	}{
		{"new", 0o022, 0, 0o644, 0o755},
		{"new for a group", 0o002, 0, 0o664, 0o775},
		{"new for oneself", 0o077, 0, 0o600, 0o700},
		{"there for oneself", 0o022, 0o600, 0o600, 0},
		{"there for all", 0o077, 0o666, 0o666, 0},
		{"there and executable", 0o022, 0o750, 0o750, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a", "file")
			if c.there != 0 {
				put(t, path, "old", c.there)
			}
			old := syscall.Umask(c.umask)
			err := write(path, "new")
			syscall.Umask(old)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode() != c.want || read(t, path) != "new" {
				t.Errorf("mode %v, text %q, %v; want %v, new", info.Mode(), read(t, path), err, c.want)
			}
			if folder, err := os.Stat(filepath.Dir(path)); c.wantFolder != 0 && (err != nil || folder.Mode().Perm() != c.wantFolder) {
				t.Errorf("folder: mode %v, %v; want %v", folder.Mode(), err, c.wantFolder)
			}
			alone(t, filepath.Dir(path))
		})
	}
}

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		name   string
		links  [][2]string // path, what it holds; made in this order
		path   string
		target string // that is written; empty: an error
	}{
		{"to a file", [][2]string{{"link", "target"}}, "link", "target"},
		{"to nothing yet", [][2]string{{"link", "new"}}, "link", "new"},
		{"to a link", [][2]string{{"link", "two"}, {"two", "target"}}, "link", "target"},
		{"to another folder", [][2]string{{"link", "folder/file"}}, "link", "folder/file"},
		{"below a linked folder", [][2]string{{"there", "folder/deep"}}, "there/file", "folder/deep/file"},
		{"out of a linked folder", [][2]string{{"there", "folder/deep"}, {"folder/deep/link", "../file"}}, "there/link", "folder/file"},
		{"in a circle", [][2]string{{"link", "two"}, {"two", "link"}}, "link", ""},
		{"to a folder", [][2]string{{"link", "folder"}}, "link", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, "target"), "old", 0o644)
			put(t, filepath.Join(dir, "folder/deep/kept"), "kept", 0o644)
			for _, l := range c.links {
				link(t, l[1], filepath.Join(dir, l[0]))
			}
			path := filepath.Join(dir, c.path)
			check, err := Check(path), write(path, "new")
			if (err == nil) != (c.target != "") || (check == nil) != (err == nil) {
				t.Fatalf("Check: %v; To: %v", check, err)
			}
			for _, l := range c.links {
				if to, err := os.Readlink(filepath.Join(dir, l[0])); to != l[1] {
					t.Errorf("%s leads to %q, %v; want %q", l[0], to, err, l[1])
				}
			}
			if c.target != "" {
				info, err := os.Lstat(filepath.Join(dir, c.target))
				if got := read(t, path); got != "new" || err != nil || !info.Mode().IsRegular() {
					t.Errorf("%q in %v, %v; want new", got, info, err)
				}
			}
			alone(t, dir)
		})
	}
}

func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Check(path); err != nil { // without a reader, and without waiting for one
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		data, err := os.ReadFile(path)
		got <- fmt.Sprint(string(data), err)
	}()
	if err := Write(path, []byte("text")); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "text<nil>" {
		t.Errorf("the reader got %s", s)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("%v, %v: want a pipe", info, err)
	}
}

func TestDevice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "null")
	if err := syscall.Mknod(path, syscall.S_IFCHR|0o666, 1<<8|3); err != nil {
		t.Skipf("mknod: %v", err)
	}
	if err := errors.Join(Check(path), write(path, "text"), New(path, []byte("text"))); errors.Is(err, fs.ErrPermission) {
		t.Skipf("devices cannot be opened here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeCharDevice == 0 {
		t.Errorf("%v, %v: want a device", info, err)
	}
	full := filepath.Join(t.TempDir(), "full")
	if err := syscall.Mknod(full, syscall.S_IFCHR|0o666, 1<<8|7); err != nil {
		t.Skipf("mknod: %v", err)
	}
	if err := write(full, "text"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full device: %v", err)
	}
}

// TestDescriptor: an open file is written to where it is open, so that what was appended before
// stays.
func TestDescriptor(t *testing.T) {
	dir := t.TempDir()
	f, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	link(t, fmt.Sprintf("/dev/fd/%d", f.Fd()), filepath.Join(dir, "link"))
	for _, path := range []string{fmt.Sprintf("/dev/fd/%d", f.Fd()), fmt.Sprintf("/proc/self/fd/%d", f.Fd()), filepath.Join(dir, "link")} {
		if err := errors.Join(Check(path), write(path, "one ")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.WriteString("end"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, f.Name()); got != "one one one end" {
		t.Errorf("the file holds %q", got)
	}
	if !IsStdout("/dev/stdout") || !IsStdout("/dev/fd/1") || IsStdout("/dev/stderr") || IsStdout(f.Name()) {
		t.Error("what is the standard output is not told from what is not")
	}
	if err := write("/dev/fd/1000", "text"); !errors.Is(err, syscall.EBADF) {
		t.Errorf("a descriptor that is not open: %v", err)
	}
}

// TestFailure: what cannot be written whole leaves what was there, and nothing else.
func TestFailure(t *testing.T) {
	dir := t.TempDir()
	there, file := filepath.Join(dir, "there"), filepath.Join(dir, "file")
	put(t, there, "old", 0o640)
	put(t, file, "", 0o640)
	broken := errors.New("broken")
	half := func(w io.Writer) error { _, err := io.WriteString(w, "half"); return errors.Join(err, broken) }
	if err := To(there, half); !errors.Is(err, broken) || read(t, there) != "old" {
		t.Errorf("%v, and the file holds %q", err, read(t, there))
	}
	if err := To(filepath.Join(dir, "new"), half); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a file: %v", err)
	}
	for path, want := range map[string]string{
		dir:                               "is a directory: want a file",
		"":                                "without a name",
		filepath.Join(dir, "no") + "/":    "names a directory: want a file",
		filepath.Join(file, "below"):      file + " is a file: want a folder",
		filepath.Join(file, "below/deep"): file + " is a file: want a folder",
	} {
		if err := Check(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%q): %v; want %q", path, err, want)
		}
		if err := write(path, "text"); err == nil {
			t.Errorf("To(%q) succeeded", path)
		}
	}
	if err := New(there, []byte("new")); !errors.Is(err, fs.ErrExist) || read(t, there) != "old" {
		t.Errorf("New: %v", err)
	}
	if err := Check(filepath.Join(dir, "a/b/c")); err != nil {
		t.Errorf("Check below folders to be made: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "a")); err == nil {
		t.Error("Check left something")
	}
	alone(t, dir)
}

// TestWriteSame: a file that holds the bytes already is not touched, so that what watches it sees
// nothing new.
func TestWriteSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "text", 0o644)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("text")); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("another file: %v", err)
	}
	if err := Write(path, []byte("texts")); err != nil || read(t, path) != "texts" {
		t.Errorf("%q, %v", read(t, path), err)
	}
}
