package ablate_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMakeTellsOldGo: make says in one line which Go is needed, before the compiler says it in
// riddles.
func TestMakeTellsOldGo(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	for _, c := range []struct {
		name  string
		says  string // what `go version` prints
		fails bool   // it exits with 1
		keeps string // what `go env GOTOOLCHAIN` prints
		want  string // "": it is new enough
	}{
		{name: "the release of go.mod", says: "go version go1.26.0 linux/amd64"},
		{name: "a later one", says: "go version go1.26.8 linux/arm64"},
		{name: "much later", says: "go version go1.100 darwin/arm64"},
		{name: "a candidate", says: "go version go1.27rc1 linux/amd64"},
		{name: "a distribution's", says: "go version go1.26.3 (Red Hat 1.26.3-1.fc44) linux/amd64"},
		{name: "a development version", says: "go version go1.28-devel_0a1b2c Mon Jun 1 linux/amd64"},
		{name: "an old development version's words", says: "go version devel go1.28-0a1b2c Mon Jun 1 linux/amd64"},
		{name: "before it fetched others", says: "go version go1.19.8 linux/amd64", want: "is Go 1.19.8, and fetches no newer one."},
		{name: "kept from fetching", says: "go version go1.25.9 linux/amd64", keeps: "local", want: "is Go 1.25.9, and fetches no newer one with GOTOOLCHAIN=local."},
		{name: "no network", says: "go: go.mod requires 1.26\ngo: download go1.26.0 for linux/amd64: no such host", fails: true,
			want: "could not fetch it: go: download go1.26.0 for linux/amd64: no such host."},
		{name: "another program", says: "hello", want: "is Go of an unknown release"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			code := 0
			if c.fails {
				code = 1
			}
			script := fmt.Sprintf("#!/bin/sh\necho \"$1\" >>'%s/calls'\n[ \"$1\" != env ] || { echo '%s'; exit 0; }\n[ \"$1\" = version ] || exit 0\ncat <<'END'\n%s\nEND\nexit %d\n", dir, c.keeps, c.says, code)
			if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o777); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("make", "-s", "build")
			cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "MAKEFLAGS=", "MAKELEVEL=")
			out, err := cmd.CombinedOutput()
			calls, _ := os.ReadFile(filepath.Join(dir, "calls"))
			if built := strings.Contains(string(calls), "build"); built != (c.want == "") || (err == nil) != (c.want == "") {
				t.Fatalf("make: %v, go was called for %q\n%s", err, calls, out)
			}
			first, _, _ := strings.Cut(string(out), "\n")
			if c.want != "" && (!strings.HasPrefix(first, "ablate needs Go 1.26.0 or newer; ") || !strings.Contains(first, c.want)) {
				t.Errorf("make says %q, want it to hold %q", first, c.want)
			}
		})
	}
}

// TestMakeBuilds: make without a target builds the program, as the README says.
func TestMakeBuilds(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not installed")
	}
	cmd := exec.Command("make", "-n")
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "-o bin/ablate ./cmd/ablate") {
		t.Errorf("make would run (%v)\n%s", err, out)
	}
}
