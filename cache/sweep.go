package cache

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// abandoned is how long a build of a process that cannot be asked must have
// kept still before it is swept: longer than any step goes without writing.
const abandoned = 7 * 24 * time.Hour

// hostName is the host as file names in the cache spell it.
func hostName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "unknown"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, host)
}

// ownerName is how files in tmp/ begin that this process made.
func ownerName() string {
	pid := os.Getpid()
	start, _ := processStart(pid)
	return hostName() + "." + pidSpace() + "." + strconv.Itoa(pid) + "." + strconv.FormatUint(start, 10)
}

// ownerDead says whether the maker of a file in tmp/ is known to be gone.
func ownerDead(name string) bool {
	part := strings.Split(name, ".") // host, name space, process, start, random
	if len(part) != 5 || part[0] != hostName() || part[1] != pidSpace() {
		return false
	}
	pid, err := strconv.Atoi(part[2])
	if err != nil || pid <= 0 {
		return false
	}
	start, err := strconv.ParseUint(part[3], 10, 64)
	if err != nil {
		return false
	}
	now, alive := processStart(pid)
	return !alive || now != 0 && start != 0 && now != start
}

// sweep removes what dead builds left, and partials of finished steps that
// were not removed because their process died just after its commit. What
// cannot be removed now is met again at the next Open.
func (c *Cache) sweep(now time.Time) {
	for _, n := range readNames(c.path("tmp")) {
		path := c.path("tmp", n)
		if ownerDead(n) || now.Sub(lastChange(path, now)) > abandoned {
			os.RemoveAll(path)
		}
	}
	for _, n := range readNames(c.path("partial")) {
		key, err := ParseKey(n)
		if err != nil {
			continue
		}
		path := c.path("partial", n)
		if _, err := os.Lstat(c.entryPath(key)); err == nil && now.Sub(lastChange(path, now)) > abandoned {
			os.RemoveAll(path)
		}
	}
}

func readNames(dir string) []string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name()
	}
	return names
}

// lastChange is the newest mtime in a tree, now when any of it cannot be seen.
func lastChange(root string, now time.Time) time.Time {
	var newest time.Time
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		if fi.ModTime().After(newest) {
			newest = fi.ModTime()
		}
		return nil
	})
	if err != nil {
		return now
	}
	return newest
}
