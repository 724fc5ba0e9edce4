//go:build !linux

package cache

import (
	"errors"
	"testing"
)

func fullRole(string, string) error { return errors.New("only on Linux") }

func TestFullFileSystem(t *testing.T) {
	t.Skip("a private file system of 1 MiB is mounted on Linux only; run there. TestDiskFails runs here")
}
