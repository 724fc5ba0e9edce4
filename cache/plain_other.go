//go:build !linux && !darwin

package cache

import (
	"io/fs"
	"os"
)

// openPlain opens a file of the cache for reading; links are found by Lstat.
func openPlain(path string) (*os.File, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return os.Open(path)
}

// openFollowed opens a file that a person may have linked for reading.
func openFollowed(path string) (*os.File, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return os.Open(path)
}

// appendPlain opens a file of the cache for appending, or makes it.
func appendPlain(path string) (*os.File, error) {
	if fi, err := os.Lstat(path); err == nil && !fi.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
}

func giveGroup(string, fs.FileInfo) error { return nil }
