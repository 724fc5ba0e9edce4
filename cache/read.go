package cache

import (
	"fmt"
	"io"
	"os"
)

// OpenFile opens a file that lies in a cache for reading: a blob, or what a step left in its
// partial directory. Whoever may write to the cache may have laid it: a link is not followed, and
// what is no regular file is refused before it can block.
func OpenFile(path string) (*os.File, error) {
	f, err := openPlain(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		f.Close()
		if err == nil {
			err = errNotRegular
		}
		return nil, fileError(path, err)
	}
	return f, nil
}

// ReadFile reads such a file whole, of at most so many bytes: no memory is taken for a larger one.
func ReadFile(path string, most int64) ([]byte, error) {
	data, _, err := readPlain(path, most)
	if err != nil {
		return nil, fileError(path, err)
	}
	return data, nil
}

// ReadFollowed reads a file whole that lies outside of caches, of at most so many bytes. Links are
// followed; what is no regular file is refused before it can block.
func ReadFollowed(path string, most int64) ([]byte, error) {
	f, err := openFollowed(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	defer f.Close()
	fi, err := f.Stat()
	switch {
	case err != nil:
	case !fi.Mode().IsRegular():
		err = errNotRegular
	case fi.Size() > most:
		err = fmt.Errorf("%w: has %d bytes, at most %d are read", errTooLarge, fi.Size(), most)
	}
	if err != nil {
		return nil, fileError(path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, fileError(path, err)
	}
	return data, nil
}

// fileError names the file, which the errors of the system do already.
func fileError(path string, err error) error {
	if _, ok := err.(*os.PathError); ok {
		return fmt.Errorf("cache: %w", err)
	}
	return fmt.Errorf("cache: %s: %w", path, err)
}
