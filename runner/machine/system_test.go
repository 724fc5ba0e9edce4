package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFileSystem(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "proc/self"), 0o777); err != nil {
		t.Fatal(err)
	}
	mounts := "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" +
		"23 22 0:50 / /no-such/home rw shared:1 - nfs4 server:/home rw\n" +
		"24 22 0:51 / /no-such/a\\040b rw - tmpfs tmpfs rw\n"
	if err := os.WriteFile(filepath.Join(root, "proc/self/mountinfo"), []byte(mounts), 0o666); err != nil {
		t.Fatal(err)
	}
	m := Machine{root: root}
	for dir, want := range map[string]string{
		"/no-such/home/me": "nfs4", "/no-such/home": "nfs4", "/no-such/homes": "ext4", "/": "ext4", "/no-such/a b/c": "tmpfs",
	} {
		if got := m.FileSystem(dir); got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
	if got := (Machine{root: t.TempDir()}).FileSystem("/"); got != "" {
		t.Errorf("without a table of mounts: %q", got)
	}
}
