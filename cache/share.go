package cache

import (
	"io/fs"
	"os"
)

// groupWrites says whether the group of a directory may write to it: then it is meant to be shared.
func groupWrites(fi fs.FileInfo) bool { return fi.Mode().Perm()&0o020 != 0 }

// ShareLike gives a directory that was just made the group, and the group's rights, of the directory at root, where that is writable by its
// group: as git's shared repositories do, whatever the umask. Elsewhere it does nothing.
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
