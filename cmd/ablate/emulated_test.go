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

// A study leaves the same files on arm64 as on this machine: every artifact in the cache, and every file of the report, figures and page
// among them, but for provenance.json, which names the machine. The program for arm64 is built as `make dist` builds it, and runs under
// QEMU's user emulation (Debian's qemu-user-static), some twenty times slower than this machine.
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
	build := exec.Command("go", "build", "-trimpath", "-gcflags=all=-d=fmahash=qn", "-gcflags=ablate/stages/internal/kernel=", "-o", program, ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here := ran(t, &exec.Cmd{Path: self, Args: []string{"ablate"}}, dir, "here")
	there := ran(t, exec.Command(emulator, program), dir, "there")
	if len(here) < 40 {
		t.Errorf("only %d files: %v", len(here), slices.Sorted(maps.Keys(here)))
	}
	for name, digest := range here {
		if other, ok := there[name]; !ok {
			t.Errorf("%s: not written on arm64", name)
		} else if other != digest {
			t.Errorf("%s: other bytes on arm64", name)
		}
	}
	for name := range there {
		if _, ok := here[name]; !ok {
			t.Errorf("%s: written on arm64 alone", name)
		}
	}
}

// ran runs the study in dir with a cache and a report of its own, and returns the digests of the artifacts and of the files of the report.
func ran(t *testing.T, program *exec.Cmd, dir, name string) map[string][32]byte {
	t.Helper()
	out, cache := filepath.Join(dir, name), filepath.Join(dir, name+"-cache")
	program.Args = append(program.Args, "--cache", cache, "run", "study.yaml", "--out", out, "--quiet")
	program.Dir = dir
	if b, err := program.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", program.Args, err, b)
	}
	files := map[string][32]byte{}
	for root, wanted := range map[string]func(string) bool{
		out:                           func(rel string) bool { return rel != "provenance.json" },
		filepath.Join(cache, "blobs"): func(string) bool { return true },
	} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil || !wanted(rel) {
				return err
			}
			b, err := os.ReadFile(path)
			files[strings.Replace(filepath.Base(root), name, "report", 1)+"/"+rel] = sha256.Sum256(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
