package main

import (
	"crypto/sha256"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// A study leaves the same artifacts in a cache on arm64 as on this machine. From one cache, arm64
// and this machine make the same files of the report, pixels of figures among them; the reports of
// two runs differ in what they tell of times and of the machine. The program for arm64 is built as
// `make dist` builds it, and runs under QEMU's user emulation (Debian's qemu-user-static), some
// twenty times slower than this machine.
func TestArm64GivesTheSameBits(t *testing.T) {
	emulator := ""
	for _, name := range []string{"qemu-aarch64-static", "qemu-aarch64"} {
		if path, err := exec.LookPath(name); err == nil && emulator == "" {
			emulator = path
		}
	}
	if emulator == "" || runtime.GOARCH == "arm64" {
		t.Skip("no emulator of arm64 here (qemu-aarch64-static): what arm64 computes is not compared")
	}
	dir := t.TempDir()
	if err := setup(&testscript.Env{WorkDir: dir}); err != nil {
		t.Fatal(err)
	}
	study := filepath.Join(dir, "study.yaml")
	text, err := os.ReadFile(study)
	if err != nil {
		t.Fatal(err)
	}
	cosine := strings.Replace(string(text), "tokens_per_unit: 2048, batch: 256,", "tokens_per_unit: 1024, batch: 128, schedule: cosine, warmup: 20%,", 1)
	if cosine == string(text) {
		t.Fatal("the study's training is written in another way than this test knows")
	}
	if err := os.WriteFile(study, []byte(cosine), 0o666); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "ablate-arm64")
	build := exec.Command("go", "build", "-trimpath", "-gcflags=all=-d=fmahash=qn", "-gcflags=ablate/stages/internal/kernel/...=", "-o", program, ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here := func() *exec.Cmd { return &exec.Cmd{Path: self, Args: []string{"ablate"}} }
	there := func() *exec.Cmd { return exec.Command(emulator, program) }
	path := func(name string) string { return filepath.Join(dir, name) }

	carriedOut(t, here(), dir, "--cache", path("here"), "run", "study.yaml", "--out", path("out"), "--quiet")
	carriedOut(t, there(), dir, "--cache", path("there"), "run", "study.yaml", "--out", path("out"), "--quiet")
	same(t, path("here/blobs"), path("there/blobs"), 40)

	carriedOut(t, here(), dir, "--cache", path("here"), "report", "study.yaml", "--out", path("report-here"))
	carriedOut(t, there(), dir, "--cache", path("here"), "report", "study.yaml", "--out", path("report-there"))
	same(t, path("report-here"), path("report-there"), 15)
}

func carriedOut(t *testing.T, program *exec.Cmd, dir string, arg ...string) {
	t.Helper()
	program.Args = append(program.Args, arg...)
	program.Dir = dir
	if out, err := program.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", program.Args, err, out)
	}
}

// same fails where the files below two folders, at least some, do not have the same names and
// bytes.
func same(t *testing.T, here, there string, least int) {
	t.Helper()
	a, b := digestsBelow(t, here), digestsBelow(t, there)
	if len(a) < least {
		t.Errorf("only %d files: %v", len(a), slices.Sorted(maps.Keys(a)))
	}
	for name, digest := range a {
		if other, ok := b[name]; !ok {
			t.Errorf("%s: %s: not written on arm64", filepath.Base(here), name)
		} else if other != digest {
			t.Errorf("%s: %s: other bytes on arm64", filepath.Base(here), name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s: %s: written on arm64 alone", filepath.Base(here), name)
		}
	}
}

func digestsBelow(t *testing.T, root string) map[string][32]byte {
	t.Helper()
	files := map[string][32]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, root)] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
