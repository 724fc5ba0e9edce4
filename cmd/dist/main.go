// Command dist makes the archives that are shipped: for each platform a tar.gz of the static
// program, its licence, the licences of what is linked in, the README and the documentation; and
// SHA256SUMS. Two builds of one commit by one release of Go give the same bytes, wherever they are
// made.
//
//	go run ./cmd/dist [-out DIR] [-version VERSION] [PLATFORM...]
//
// Run it at the root of the checkout. VERSION is by default what `git describe` says. Every file
// has the time of the commit, or SOURCE_DATE_EPOCH where that is set
// (https://reproducible-builds.org/specs/source-date-epoch/).
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ablate/licences"
)

func main() {
	var d dist
	flag.StringVar(&d.out, "out", "dist", "folder of the archives")
	flag.StringVar(&d.version, "version", "", "version in the archives' names (default: git describe)")
	flag.Parse()
	if err := d.make(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// dist is what is shipped of one commit.
type dist struct {
	out     string
	version string
	time    time.Time // of every file
	texts   []file    // that every archive holds
}

func (d *dist) make(platforms []string) error {
	if len(platforms) == 0 {
		platforms = licences.Platforms
	}
	for _, p := range platforms {
		if !slices.Contains(licences.Platforms, p) {
			return fmt.Errorf("platform %q; want some of %s", p, strings.Join(licences.Platforms, ", "))
		}
	}
	if err := d.identify(); err != nil {
		return err
	}
	text, err := licences.Text()
	if err != nil {
		return err
	}
	d.texts = []file{{name: "THIRD-PARTY-LICENCES.txt", data: []byte(text), mode: 0o644}}
	pages, err := documentation()
	if err != nil {
		return err
	}
	d.texts = append(d.texts, pages...)
	if err := os.MkdirAll(d.out, 0o777); err != nil {
		return err
	}
	var sums strings.Builder
	slices.Sort(platforms)
	for _, p := range platforms {
		name, sum, err := d.archive(p)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, name)
		fmt.Printf("%s\n", filepath.Join(d.out, name))
	}
	return os.WriteFile(filepath.Join(d.out, "SHA256SUMS"), []byte(sums.String()), 0o666)
}

// documented are the files of the documentation: the README and all that it leads to but code.
var documented = []string{
	"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "docs/*.md", "docs/howto/*.md", "docs/explanation/*.md",
	"docs/reference/*.md", "docs/images/*.png", "specs/*.md", "specs/studies/paper/base.yaml", "cache/*.md", "stages/*.md", "stages/tables/*.md",
	"stages/internal/lm/cpu/testdata/torch/README.md", "cmd/ablate/*.md",
}

// documentation reads the documentation of the checkout that the program runs in.
func documentation() ([]file, error) {
	var out []file
	for _, pattern := range documented {
		names, err := filepath.Glob(filepath.FromSlash(pattern))
		if err != nil || len(names) == 0 {
			return nil, fmt.Errorf("no %s here; run dist at the root of the checkout", pattern)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			out = append(out, file{name: filepath.ToSlash(name), data: b, mode: 0o644})
		}
	}
	return out, nil
}

// identify finds version and time of what is built.
func (d *dist) identify() error {
	if d.version == "" {
		out, err := exec.Command("git", "describe", "--tags", "--always", "--dirty").Output()
		if err != nil {
			return fmt.Errorf("git describe: %w; outside of a checkout name the version with -version", err)
		}
		d.version = strings.TrimSpace(string(out))
	}
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		out, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			return fmt.Errorf("git log: %w; outside of a checkout set SOURCE_DATE_EPOCH to the seconds since 1970 that every file is to bear", err)
		}
		seconds = strings.TrimSpace(string(out))
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("SOURCE_DATE_EPOCH is %q, want seconds since 1970", seconds)
	}
	d.time = time.Unix(n, 0).UTC()
	return nil
}

// archive builds and packs the program of one platform, and returns the archive's name and digest.
func (d *dist) archive(platform string) (name string, sum [32]byte, err error) {
	system, processor, _ := strings.Cut(platform, "/")
	folder := "ablate-" + d.version + "-" + system + "-" + processor
	dir, err := os.MkdirTemp("", "ablate-dist-")
	if err != nil {
		return "", sum, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ablate")
	cmd := exec.Command("go", buildArguments(processor, d.version, path)...)
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+processor, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", sum, errors.Join(fmt.Errorf("go build: %w", err), errors.New(string(out)))
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return "", sum, err
	}
	packed, err := pack(folder, append([]file{{name: "ablate", data: program, mode: 0o755}}, d.texts...), d.time)
	if err != nil {
		return "", sum, err
	}
	name = folder + ".tar.gz"
	return name, sha256.Sum256(packed), os.WriteFile(filepath.Join(d.out, name), packed, 0o666)
}

// buildArguments are those of the go command: no path of this machine, no identity of this build,
// and the commit by its description alone. Where the compiler would fuse multiply-adds it is told
// not to, in the libraries too, so that figures have the same pixels as on amd64; the kernels ask
// for theirs.
func buildArguments(processor, version, path string) []string {
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid= -X main.described=" + version}
	if processor != "amd64" {
		arguments = append(arguments, "-gcflags=all=-d=fmahash=qn", "-gcflags=ablate/stages/internal/kernel/...=")
	}
	return append(arguments, "-o", path, "./cmd/ablate")
}
