package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// fullRole fills a real file system of 1 MiB, in a mount name space of its own.
func fullRole(string, string) error {
	mnt, err := os.MkdirTemp("", "full")
	if err != nil {
		return err
	}
	defer os.Remove(mnt)
	if err := errors.Join(
		syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("none", mnt, "tmpfs", 0, "size=1m")); err != nil {
		fmt.Println("no mount:", err)
		return nil
	}
	defer syscall.Unmount(mnt, 0)
	c, err := Open(filepath.Join(mnt, "cache"))
	if err != nil {
		return err
	}
	committed := 0
	for i := 0; ; i++ {
		// Large entries with an empty output: the write that finds the disk full, and is cut short,
		// is one of the cache.
		in := []KeyInput{{"step", strconv.Itoa(i)}, {"long", strings.Repeat("x", 50_000)}}
		b, err := c.Begin(KeyOf(in))
		if err == nil {
			err = os.WriteFile(filepath.Join(b.Dir, "empty"), nil, 0o666)
		}
		if err == nil {
			_, err = b.Commit("eval", in, Provenance{})
		}
		if err == nil {
			committed++
			continue
		}
		var we *WriteError
		if !errors.As(err, &we) || !we.Full() || !strings.HasPrefix(we.Writing, "entry ") {
			return fmt.Errorf("want a full disk while writing an entry: %w", err)
		}
		if _, err := c.Lookup(KeyOf(in)); !isMiss(err, Absent) {
			return fmt.Errorf("after the failed commit, Lookup: %w", err)
		}
		fmt.Println("full:", err)
		if err := b.Abort(); err != nil {
			return err
		}
		break
	}
	problems, err := c.Verify(context.Background(), nil)
	if err != nil || len(problems) != 0 {
		return fmt.Errorf("verify: %v, %w", problems, err)
	}
	found := 0
	for _, err := range c.Entries() {
		if err != nil {
			return err
		}
		found++
	}
	if found != committed || committed < 10 {
		return fmt.Errorf("%d entries, %d were committed", found, committed)
	}
	fmt.Println("ok")
	return nil
}

func TestFullFileSystem(t *testing.T) {
	cmd := child(t, "full", "", "")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "no mount:") || err != nil && len(out) == 0 {
		t.Skipf("no private tmpfs can be mounted here (%v, %s): allow user name spaces (sysctl user.max_user_namespaces) for this test; TestDiskFails runs without", err, out)
	}
	if err != nil || !strings.Contains(string(out), "ok\n") || !strings.Contains(string(out), "cache: ") {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
