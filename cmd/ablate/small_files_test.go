package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// scatter DIR FILES...: writes every line of the files as a file of its own, 000.jsonl and so on.
func scatter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: scatter DIR FILES...")
	}
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o777))
	n := 0
	for _, file := range args[1:] {
		for line := range strings.Lines(ts.ReadFile(file)) {
			ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), fmt.Sprintf("%03d.jsonl", n)), []byte(line), 0o666))
			n++
		}
	}
}

// enlarge FILE: appends a megabyte of empty lines, in which there is no document.
func enlarge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: enlarge FILE")
	}
	file := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(file, append([]byte(ts.ReadFile(args[0])), bytes.Repeat([]byte("\n"), 1<<20)...), 0o666))
}

// BenchmarkSmallFiles splits a corpus of 20,000 files of a kilobyte with an empty cache, and then
// does nothing. It reports the files of the cache, and their bytes for each byte of the corpus.
func BenchmarkSmallFiles(b *testing.B) {
	const files = 20_000
	self, err := exec.LookPath("ablate") // which TestMain put there
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	study, err := os.ReadFile("testdata/study/study.yaml")
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Replace(string(study), "[data/alpha.jsonl, data/beta.jsonl, data/gamma.jsonl]", "data/each/*.jsonl", 1)
	text = strings.Replace(text, "{tokens: 5000}", "{tokens: 2000000}", 1) // few units, so that what is counted is the files' own
	written := map[string][]byte{"study.yaml": []byte(text), "data/seed.jsonl": documents("seed", 0, 0, 60), "data/far.jsonl": documents("far", 4, 0, 8)}
	size := 0
	for i := range files {
		content := documents([]string{"alpha", "beta"}[i%2], 1+i%2, i, i+1)
		written["data/each/"+strconv.Itoa(i)+".jsonl"] = content
		size += len(content)
	}
	if err := os.MkdirAll(filepath.Join(dir, "data", "each"), 0o777); err != nil {
		b.Fatal(err)
	}
	for name, content := range written {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	run := func(b *testing.B) {
		cmd := exec.Command(self, "run", "study.yaml", "--corpus", "--quiet")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "ABLATE_CACHE="+filepath.Join(dir, "cache"))
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			if err := os.RemoveAll(filepath.Join(dir, "cache")); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			run(b)
		}
		n, bytes := 0, int64(0)
		err := filepath.Walk(filepath.Join(dir, "cache"), func(_ string, info os.FileInfo, err error) error {
			if err == nil && info.Mode().IsRegular() {
				n, bytes = n+1, bytes+info.Size()
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n), "cache-files")
		b.ReportMetric(float64(bytes)/float64(size), "cache-bytes/byte")
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			run(b)
		}
	})
}
