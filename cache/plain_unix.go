//go:build linux || darwin

package cache

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// openPlain opens a file of the cache for reading. Its name may have been laid by a stranger: a
// symbolic link is not followed, and a pipe does not block. What it is, the caller sees by its
// Stat.
func openPlain(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENODEV) {
		return nil, errNotRegular // a link, a socket, a device that is not there
	}
	return f, err
}

// openFollowed opens a file that a person may have linked for reading. A pipe does not block.
func openFollowed(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// appendPlain opens a file of the cache for appending, or makes it.
func appendPlain(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o666)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.EISDIR) {
		return nil, errNotRegular
	}
	if err != nil {
		return nil, err
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		f.Close()
		return nil, errNotRegular
	}
	return f, nil
}

// giveGroup gives a file the group of another, if it has not got it by the set-group-id bit of its
// directory.
func giveGroup(path string, like fs.FileInfo) error {
	want, ok := like.Sys().(*syscall.Stat_t)
	fi, err := os.Lstat(path)
	if err != nil || !ok {
		return err
	}
	if has, ok := fi.Sys().(*syscall.Stat_t); ok && has.Gid != want.Gid {
		return os.Chown(path, -1, int(want.Gid))
	}
	return nil
}
