package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

// told is what a list and an account of the cache say, in text.
func told(t testing.TB, c *Cache) string {
	t.Helper()
	var b bytes.Buffer
	for it, err := range c.Items() {
		fmt.Fprintf(&b, "%+v %v\n", it, err)
	}
	u, err := c.Usage()
	fmt.Fprintf(&b, "%+v %v\n", u, err)
	return b.String()
}

// TestIndex: a list says the same with an index, without one, and with one that is out of date or
// damaged, whatever was done to the entries since.
func TestIndex(t *testing.T) {
	dir := t.TempDir()
	c := mustOpen(t, dir)
	keys := fill(t, c, 200)
	plain := func() string {
		os.Remove(c.indexPath())
		return told(t, c)
	}
	first := plain()
	if _, err := os.Stat(c.indexPath()); err != nil {
		t.Fatal("an old cache is not indexed at first use:", err)
	}
	reads := 0
	for key, r := range c.readIndex() {
		if c.record(key, r).record != r {
			reads++
		}
	}
	if reads > 0 || len(c.readIndex()) != len(keys) {
		t.Errorf("%d of %d entries are read though they are indexed", reads, len(c.readIndex()))
	}
	change := map[string]func(){
		"nothing": func() {},
		"an entry removed": func() {
			if err := os.Remove(c.entryPath(keys[3])); err != nil {
				t.Fatal(err)
			}
		},
		"an entry more": func() { commitFiles(t, c, benchKeyInputs(1000), map[string]string{"x": "more"}) },
		"many entries more": func() { // others than the first, whatever the order of these changes
			for i := range 100 {
				commitFiles(t, c, benchKeyInputs(2000+i), map[string]string{"x": "more"})
			}
		},
		"an entry damaged": func() { overwrite(t, c.entryPath(keys[5]), flip) },
		"an entry made again": func() {
			os.Remove(c.entryPath(keys[6]))
			commitFiles(t, c, benchKeyInputs(6), map[string]string{"y": "other"})
		},
		"index of no use":        func() { overwrite(t, c.indexPath(), func([]byte) []byte { return []byte("rubbish") }) },
		"index with a bit wrong": func() { overwrite(t, c.indexPath(), flip) },
		"index cut":              func() { overwrite(t, c.indexPath(), func(b []byte) []byte { return b[:len(b)/3] }) },
		"index a directory":      func() { os.Remove(c.indexPath()); os.Mkdir(c.indexPath(), 0o777) },
		"index of an exabyte": func() {
			os.RemoveAll(c.indexPath())
			os.WriteFile(c.indexPath(), nil, 0o666)
			os.Truncate(c.indexPath(), 1<<60)
		},
	}
	for name, do := range change {
		do()
		got := told(t, c)
		again := told(t, c)
		os.RemoveAll(c.indexPath())
		if want := plain(); got != want || again != want {
			t.Errorf("%s: with an index:\n%s\nwithout:\n%s", name, got, want)
		}
	}
	if first == told(t, c) {
		t.Error("the test changes nothing")
	}
}

// TestIndexHostile: bytes that are no index, or nearly one, are refused without taking memory for
// what they claim.
func TestIndexHostile(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	fill(t, c, 20)
	told(t, c)
	var all []*record
	for r, err := range c.records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	data := appendIndex(all)
	if got, ok := parseIndex(data); !ok || len(got) != 20 {
		t.Fatalf("%d records, %v", len(got), ok)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		body := slices.Clone(data[:len(data)-4])
		for range 1 + r.IntN(3) {
			body[len(indexHead)+r.IntN(len(body)-len(indexHead))] = byte(r.IntN(256))
		}
		parseIndex(sealIndex(body[:len(body)-r.IntN(40)])) // must return
	}
	if got, ok := parseIndex(sealIndex(append([]byte(indexHead), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))); ok {
		t.Errorf("a claim of 2^56 records gives %d", len(got))
	}
}

func TestUntil(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	e := commitFiles(t, c, abc, map[string]string{"a": "bytes of a"})
	overwrite(t, c.blobPath(e.Outputs[0].Digest), func(b []byte) []byte { return b }) // so that it is read
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	c.Until(ctx)
	cancel(stop)
	_, err1 := c.Lookup(e.Key)
	_, err2 := c.Blob(e.Outputs[0].Digest)
	_, _, err3 := c.FileDigest(c.path("README"))
	_, err4 := c.Verify(ctx, nil)
	for i, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, stop) || !errors.Is(err, context.Canceled) {
			t.Errorf("%d: %v; want the cause and that it was cancelled", i+1, err)
		}
	}
	c.Until(t.Context())
	if _, err := c.Lookup(e.Key); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestSparse: a blob that became a sparse file of 2 TiB is told by its size, wherever it is met,
// and so is one that no entry names.
func TestSparse(t *testing.T) {
	const huge = 2 << 40
	enlarge := func(t *testing.T, path string) {
		t.Helper()
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, huge); err != nil {
			t.Skip("no sparse files here:", err)
		}
	}
	for name, look := range map[string]func(c *Cache, e *Entry) error{
		"Lookup": func(c *Cache, e *Entry) error { _, err := c.Lookup(e.Key); return err },
		"BlobOf": func(c *Cache, e *Entry) error { _, err := c.BlobOf(e.Outputs[0]); return err },
		"Verify": func(c *Cache, e *Entry) error {
			problems, err := c.Verify(context.Background(), nil)
			if err != nil || len(problems) != 2 { // the blob, and its entry that is incomplete now
				return fmt.Errorf("%v, %v", problems, err)
			}
			return &Miss{Reason: Corrupt, Detail: problems[0].Detail}
		},
		"BlobDigest": func(c *Cache, e *Entry) error {
			_, err := c.BlobDigest(context.Background(), e.Outputs[0].Digest, 1<<20)
			if !errors.Is(err, errTooLarge) {
				return err
			}
			_, err = c.Lookup(e.Key)
			return err
		},
		"Commit again": func(c *Cache, e *Entry) error {
			other := commitFiles(t, c, []KeyInput{{"other", ""}}, map[string]string{"b": "bytes of a"})
			if _, err := c.Lookup(other.Key); err != nil {
				return err
			}
			return &Miss{Reason: Corrupt, Detail: "its entry says 10"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustOpen(t, t.TempDir())
			e := commitFiles(t, c, abc, map[string]string{"a": "bytes of a"})
			enlarge(t, c.blobPath(e.Outputs[0].Digest))
			began := time.Now()
			var miss *Miss
			if err := look(c, e); !errors.As(err, &miss) || miss.Reason != Corrupt {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	t.Run("no entry names it", func(t *testing.T) {
		c := mustOpen(t, t.TempDir())
		d := DigestOf([]byte("orphan"))
		if err := lay(c.blobPath(d), nil); err != nil {
			t.Fatal(err)
		}
		enlarge(t, c.blobPath(d))
		if room := totalBytes(c.dir); room < 0 || room >= huge {
			t.Skip("the file system is as large as the file")
		}
		problems, err := c.Verify(t.Context(), nil)
		if err != nil || len(problems) != 1 {
			t.Errorf("%v, %v", problems, err)
		}
	})
}

// BenchmarkList200000 is `cache ls` and half of `cache du` on a cache of 200,000 entries, at first
// use and with an index.
func BenchmarkList200000(b *testing.B) {
	c := mustOpen(b, b.TempDir())
	for i := range 200_000 {
		if _, err := c.Lay("eval", benchKeyInputs(i), map[string][]byte{"losses.parquet": fmt.Appendf(nil, "losses of %d", i%50_000)}); err != nil {
			b.Fatal(err)
		}
	}
	for _, name := range []string{"first", "indexed", "usage"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if name == "first" {
					os.Remove(c.indexPath())
				}
				n := 0
				if name == "usage" {
					u, err := c.Usage()
					if err != nil {
						b.Fatal(err)
					}
					n = u.Entries.Files
				} else {
					for _, err := range c.Items() {
						if err != nil {
							b.Fatal(err)
						}
						n++
					}
				}
				if n != 200_000 {
					b.Fatal(n)
				}
			}
		})
	}
}
