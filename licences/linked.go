package licences

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Heading stands above the list of modules.
const Heading = `ablate is under the Apache License, Version 2.0, whose text is below as that of other modules, too.
It is linked with these modules and with the library of Go. Each line names the licences in a module's texts, which follow.

`

// Platforms are the systems and processors that ablate is shipped for.
var Platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64"}

// GoLibrary is the name of Go's own library and runtime in the list. Its version is not listed: the
// program says it.
const GoLibrary = "Go"

// Module is a module of which packages are linked.
type Module struct {
	Path, Version string
	Dir           string   // its root, in the module cache
	Packages      []string // the folders of its linked packages
}

// Linked lists what the program of the checkout at root links on any of the platforms, by path:
// Go's library, then modules. It asks the go command.
func Linked(root string) ([]Module, error) {
	goroot, err := goOutput(root, nil, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	all := map[string]Module{}
	for _, platform := range Platforms {
		system, processor, _ := strings.Cut(platform, "/")
		env := []string{"GOOS=" + system, "GOARCH=" + processor, "CGO_ENABLED=0"}
		out, err := goOutput(root, env, "list", "-deps", "-f",
			"{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}", "./cmd/ablate")
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(out) {
			f := strings.Split(strings.TrimSpace(line), "\t")
			if len(f) != 4 {
				continue // a package of Go's library, or of ours
			}
			m, ok := all[f[0]]
			if !ok {
				m = Module{Path: f[0], Version: f[1], Dir: f[2]}
			}
			if !slices.Contains(m.Packages, f[3]) {
				m.Packages = append(m.Packages, f[3])
			}
			all[f[0]] = m
		}
	}
	linked := []Module{{Path: GoLibrary, Version: "library", Dir: goroot}}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		slices.Sort(all[path].Packages)
		linked = append(linked, all[path])
	}
	return linked, nil
}

func goOutput(dir string, env []string, arg ...string) (string, error) {
	cmd := exec.Command("go", arg...)
	cmd.Dir, cmd.Env = filepath.Clean(dir), append(os.Environ(), env...)
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(arg, " "), err, failed.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(arg, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
