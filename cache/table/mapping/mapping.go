//go:build linux || darwin

// Package mapping opens files as read-only memory mappings. It is the one place of the house that
// asks the operating system for one.
//
// It does not promise anything about a file that another process truncates while it is mapped, or
// whose disk has errors: touching a page that is gone kills the process (SIGBUS) unless the
// goroutine asked for a panic (debug.SetPanicOnFault), as the runner does for its steps. No check
// made at opening can prevent that. Our artifacts are never changed once they lie in the cache,
// only replaced by rename, which leaves an old mapping whole.
package mapping

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	_ "ablate/cache/system"
)

// A File is the content of a file, mapped read-only. Its bytes may be read from any number of
// goroutines.
type File struct {
	data []byte
	once sync.Once
	err  error
}

// Open maps the whole of the file. An empty file has no pages to map and gives an empty slice.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the mapping outlives the descriptor
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("map %s: not a regular file", path)
	}
	size := info.Size()
	if size == 0 {
		return &File{}, nil
	}
	if size > math.MaxInt {
		return nil, fmt.Errorf("map %s: %d bytes do not fit an address space of %d bytes", path, size, math.MaxInt)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return &File{data: data}, nil
}

// Bytes returns the mapped content. Writing to it kills the process, and so does reading it after
// Close.
func (f *File) Bytes() []byte { return f.data }

// Close removes the mapping. Closing twice is harmless.
func (f *File) Close() error {
	f.once.Do(func() {
		if f.data != nil {
			f.err = unix.Munmap(f.data)
			f.data = nil
		}
	})
	return f.err
}

// LittleEndian says whether this machine stores numbers as our files do. Views of numbers in a
// mapping need it.
func LittleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }
