package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// fill commits n steps of two small outputs each, as eval steps are.
func fill(tb testing.TB, c *Cache, n int) []Key {
	tb.Helper()
	// The disk's time is not what is measured here.
	c.disk.sync = func(*os.File) error { return nil }
	keys := make([]Key, n)
	for i := range keys {
		in := benchKeyInputs(i)
		keys[i] = KeyOf(in)
		commitFiles(tb, c, in, map[string]string{
			"losses.parquet": fmt.Sprintf("losses of %d", i), "summary.json": fmt.Sprintf("summary of %d", i)})
	}
	return keys
}

// benchKeyInputs are those of an evaluation of a mean of 16 units.
func benchKeyInputs(i int) []KeyInput {
	in := []KeyInput{
		{"kind", "eval"}, {"kind version", "1"},
		{"params", fmt.Sprintf(`{"context":256,"mixture":%d,"recipe":"micro","stride":256}`, i)},
	}
	for u := range 16 {
		in = append(in, KeyInput{fmt.Sprintf("input unit %d", u), DigestOf([]byte{byte(u)}).String()})
	}
	return in
}

// BenchmarkLookup10000 is the cache's part of a rerun of a finished study of 10,000 steps: open the
// cache, find every entry, check every blob by stat.
func BenchmarkLookup10000(b *testing.B) {
	dir := b.TempDir()
	c := mustOpen(b, dir)
	keys := fill(b, c, 10000)
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c := mustOpen(b, dir)
		for _, k := range keys {
			if _, err := c.Lookup(k); err != nil {
				b.Fatal(err)
			}
		}
		c.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1e4, "us/entry")
}

// BenchmarkLookupNoMemo reads every blob again: the cost of a lost memo.
func BenchmarkLookupNoMemo(b *testing.B) {
	dir := b.TempDir()
	c := mustOpen(b, dir)
	keys := fill(b, c, 1000)
	for b.Loop() {
		os.RemoveAll(filepath.Join(dir, "memo"))
		c := mustOpen(b, dir)
		for _, k := range keys {
			if _, err := c.Lookup(k); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1e3, "us/entry")
}

// BenchmarkCommit is the latency of a small step, with all its fsyncs, on the disk of the temporary
// directory.
func BenchmarkCommit(b *testing.B) {
	for _, outputs := range []int{1, 2, 8} {
		b.Run(fmt.Sprintf("outputs=%d", outputs), func(b *testing.B) {
			c := mustOpen(b, b.TempDir())
			files := make(map[string]string)
			i := 0
			for b.Loop() {
				i++
				for o := range outputs {
					files[fmt.Sprintf("out%d", o)] = fmt.Sprintf("%d of %d", o, i)
				}
				commitFiles(b, c, benchKeyInputs(i), files)
			}
		})
	}
}

// BenchmarkHash is the rate of verification.
func BenchmarkHash(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 64<<20), 0o666); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(64 << 20)
	for b.Loop() {
		if _, err := hashFile(b.Context(), path, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyCommitted reads a cache of 64 blobs of 4 MiB, as from a disk that is not in the
// way. What to compare it with is reading the same files and doing nothing with them, by as many
// goroutines; x-of-reading is the ratio of the two.
func BenchmarkVerifyCommitted(b *testing.B) {
	c := mustOpen(b, b.TempDir())
	c.disk.sync = func(*os.File) error { return nil }
	const blobs, size = 64, 4 << 20
	for i := range blobs {
		data := make([]byte, size)
		data[0] = byte(i)
		commitFiles(b, c, benchKeyInputs(i), map[string]string{"f": string(data)})
	}
	var verifying, reading time.Duration
	for b.Loop() {
		began := time.Now()
		if problems, err := c.Verify(b.Context(), nil); err != nil || len(problems) > 0 {
			b.Fatal(problems, err)
		}
		verifying += time.Since(began)
		began = time.Now()
		readAll(b, c)
		reading += time.Since(began)
	}
	b.ReportMetric(float64(b.N)*blobs*size/1e6/verifying.Seconds(), "MB/s")
	b.ReportMetric(float64(b.N)*blobs*size/1e6/reading.Seconds(), "MB/s-reading")
	b.ReportMetric(reading.Seconds()/verifying.Seconds(), "x-of-reading")
}

// readAll reads every blob as Verify does, and hashes nothing.
func readAll(b *testing.B, c *Cache) {
	paths := make(chan string)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			buf := make([]byte, 256<<10)
			for path := range paths {
				f, err := os.Open(path)
				if err != nil {
					b.Error(err)
					continue
				}
				for n := 1; n > 0; {
					n, _ = f.Read(buf)
				}
				f.Close()
			}
		})
	}
	for path, err := range c.files("blobs") {
		if err != nil {
			b.Error(err)
		}
		paths <- path
	}
	close(paths)
	wait.Wait()
}
