package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// goTree is the variable of a study's patterns that stands for Go's tree.
const goTree = "GOROOT"

// Environment is what ${NAME} in a file pattern stands for on this machine: the environment, and
// for GOROOT the go command's own answer where the environment has none.
func Environment(name string) (string, bool) {
	if v, ok := os.LookupEnv(name); ok && v != "" {
		return v, true
	}
	if name == goTree {
		dir, err := askGo()
		return dir, err == nil
	}
	return "", false
}

// askGo asks the go command where Go's tree lies: of the release that it would build with here,
// which may be one that it fetched.
var askGo = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", goTree).Output()
	dir := strings.TrimSpace(string(out))
	var failed *exec.ExitError
	switch {
	case errors.As(err, &failed):
		return "", fmt.Errorf("`go env GOROOT` fails: %s", strings.TrimSpace(string(failed.Stderr)))
	case err != nil:
		return "", errors.New("there is no go command on the PATH")
	case dir == "":
		return "", errors.New("`go env GOROOT` prints nothing")
	}
	return dir, nil
})

// GoTree is where the tree of Go lies whose sources the demo and other shipped studies read, or what
// is to be done so that there is one.
func GoTree() (string, error) {
	dir, ok := Environment(goTree)
	if !ok {
		return "", errors.New("GOROOT is not set" + unsetHint(goTree))
	}
	return dir, (Finder{}).noSources([]string{"${" + goTree + "}/src/"})
}

// unsetHint says what to do about a variable that has no value.
func unsetHint(name string) string {
	if name != goTree {
		return ": set this variable to the folder that holds the study's data"
	}
	_, err := askGo()
	return fmt.Sprintf(", and %v: install Go, or set GOROOT to the folder of a Go installation", err)
}

// noSources says what is wrong with Go's tree where patterns name its sources and it has none; nil
// where that is not so.
func (f Finder) noSources(patterns []string) error {
	if !slices.ContainsFunc(patterns, func(p string) bool { return strings.Contains(p, "${"+goTree+"}/src/") }) {
		return nil
	}
	dir, ok := f.variable(goTree)
	if !ok {
		return nil
	}
	switch info, err := os.Stat(filepath.Join(dir, "src")); {
	case err == nil && info.IsDir():
		return nil
	case err == nil || errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("GOROOT is %s, which is not a Go installation; set GOROOT to the folder of a Go installation", dir)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("GOROOT is %s, which has no folder src with Go's sources; install the package that holds them (golang-src in Debian and Fedora), or set GOROOT to a Go installation that has them", dir)
	}
	return nil // the error of the pattern says why
}
