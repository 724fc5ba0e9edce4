package cache

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// abandoned is how long a build of a process that cannot be asked must have kept still before it is
// swept. A longer step begins its build when it has something to write; its checkpoints are in
// partial/, which is not swept.
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

// Owner names this process in the names of files that it is to remove or rename, as
// HOST.SPACE.PID.START: files elsewhere may be named so too, with a dot and anything without one
// behind it, and be swept by [Left].
func Owner() string { return ownerName() }

// Left says whether a file that is named after its maker, see [Owner], was left by a process of
// this machine that is dead.
func Left(name string) bool { return ownerLife(name) == dead }

// ownerName is how files in tmp/ begin that this process made.
func ownerName() string {
	pid := os.Getpid()
	start, _ := processStart(pid)
	return hostName() + "." + space() + "." + strconv.Itoa(pid) + "." + strconv.FormatUint(start, 10)
}

// noSpace is the process space of a process that cannot tell its own.
const noSpace = "0"

// space names what process ids and start times are counted in: one boot of one kernel, and one
// process name space of it. Two processes of one space can ask about each other. The host name is
// not part of that: machines of one name are common on a shared disk, clones of one image have one
// machine id too, and containers may share a name.
var space = sync.OnceValue(func() string {
	boot := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'f' {
			return r
		}
		return -1
	}, strings.ToLower(bootID()))
	const digits = 16 // of 32: enough to tell boots apart, in a file name of bounded length
	ns := nameSpace()
	if len(boot) < digits || ns == "" {
		return noSpace
	}
	return boot[:digits] + "-" + ns
})

// life is what is known of the maker of a file in tmp/.
type life int

const (
	unknown life = iota // of another machine or name space, or it cannot be asked
	alive
	dead
)

// ownerLife asks about the process that a file in tmp/ is named after.
func ownerLife(name string) life {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return processLife(name[:i]) // without the random end
	}
	return unknown
}

func processLife(owner string) life {
	part := strings.Split(owner, ".") // host, for people; space, process, start
	if len(part) != 4 || part[1] != space() || part[1] == noSpace {
		return unknown
	}
	pid, err := strconv.Atoi(part[2])
	if err != nil || pid <= 0 {
		return unknown
	}
	start, err := strconv.ParseUint(part[3], 10, 64)
	if err != nil {
		return unknown
	}
	now, there := processStart(pid)
	switch {
	case !there || now != 0 && start != 0 && now != start:
		return dead
	case now == 0 || start == 0:
		return unknown
	}
	return alive
}

// sweep removes what dead builds left, and partials of finished steps that were not removed because
// their process died just after its commit, or began the step again beside another that committed
// it. What cannot be removed now is met again at the next Open.
func (c *Cache) sweep(now time.Time) {
	for _, n := range readNames(c.path("tmp")) {
		path := c.path("tmp", n)
		switch ownerLife(n) {
		case alive:
			continue
		case unknown:
			if now.Sub(lastChange(path, now)) <= abandoned {
				continue
			}
		case dead:
			if idle := leftFetch(n); idle != "" && os.Rename(path, c.path("tmp", idle)) == nil {
				continue // the next fetch goes on from there
			}
		}
		os.RemoveAll(path)
	}
	for _, n := range readNames(c.path("partial")) {
		key, err := ParseKey(n)
		if err != nil {
			continue
		}
		path := c.path("partial", n)
		// An entry that cannot be used is made again, maybe right now. Whoever is still at a step
		// that has a whole one finds its partial gone, as after a Commit by another.
		if _, err := c.lookup(key); err == nil {
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
