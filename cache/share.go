package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// groupWrites says whether the group of a directory may write to it: then it is meant to be shared.
func groupWrites(fi fs.FileInfo) bool { return fi.Mode().Perm()&0o020 != 0 }

// ShareLike gives a directory that was just made the group, and the group's rights, of the
// directory at root, where that is writable by its group: as git's shared repositories do, whatever
// the umask. Elsewhere it does nothing.
func ShareLike(root, dir string) error {
	fi, err := os.Stat(root)
	if err != nil {
		return err
	}
	if !groupWrites(fi) {
		return nil
	}
	if err := giveGroup(dir, fi); err != nil {
		return err
	}
	now, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	return os.Chmod(dir, now.Mode().Perm()|fi.Mode().Perm()&0o070|fs.ModeSetgid)
}

// GroupWrites says whether the group of the directory may write to it. Then a process that uses the
// cache should let the group write to what its steps leave there, too, by its umask.
func GroupWrites(dir string) bool {
	fi, err := os.Stat(dir)
	return err == nil && groupWrites(fi)
}

// mkdir makes a directory below the cache's, and those above it, for everybody who may write to the
// cache.
func (c *Cache) mkdir(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return nil
	}
	if up := filepath.Dir(dir); up != c.dir {
		if err := c.mkdir(up); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o777); errors.Is(err, fs.ErrExist) {
		return nil // another process was quicker
	} else if err != nil {
		return err
	}
	return ShareLike(c.dir, dir)
}
