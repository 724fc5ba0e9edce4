package cache

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

var errCut = errors.New("connection cut")

// wire serves bytes that are cut after some; it notes where each read began.
type wire struct {
	data string
	cut  int // bytes until the next cut; 0: none
	at   []int64
}

func (w *wire) from(offset int64) (io.ReadCloser, error) {
	w.at = append(w.at, offset)
	if offset > int64(len(w.data)) {
		return nil, errors.New("no such range")
	}
	rest := w.data[offset:]
	if w.cut == 0 || w.cut >= len(rest) {
		return io.NopCloser(strings.NewReader(rest)), nil
	}
	return io.NopCloser(io.MultiReader(strings.NewReader(rest[:w.cut]), iotest.ErrReader(errCut))), nil
}

// TestFetchBlob: what came before a cut is not fetched again, in this process, in the next, nor in
// one after a kill.
func TestFetchBlob(t *testing.T) {
	const text = "0123456789abcdefghij"
	d := DigestOf([]byte(text))
	c := mustOpen(t, t.TempDir())
	w := &wire{data: text, cut: 8}
	for i, want := range []int64{0, 8} {
		if n, err := c.FetchBlob(t.Context(), d, 20, w.from); n != 8 || !errors.Is(err, errCut) || w.at[i] != want {
			t.Fatalf("%d bytes, %v, read from %v; want 8 from %d", n, err, w.at, want)
		}
		if _, ok := c.HasBlob(d); ok {
			t.Fatal("a part is seen as the blob")
		}
	}
	// As a process leaves it that dies at work.
	owner := strings.Split(ownerName(), ".")
	owner[2] = "99999999" // above the largest process id of a system
	busy := strings.Join(owner, ".") + fetchBusy + d.String() + "-1"
	if err := os.Rename(c.path("tmp", fetchIdle+d.String()), c.path("tmp", busy)); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, c.Dir())
	if n, err := again.FetchBlob(t.Context(), d, 20, w.from); n != 4 || err != nil || w.at[2] != 16 {
		t.Fatalf("%d bytes, %v, read from %v; want 4 from 16", n, err, w.at)
	}
	path, err := again.Blob(d)
	if data, rerr := os.ReadFile(path); err != nil || rerr != nil || string(data) != text {
		t.Errorf("%q, %v, %v", data, err, rerr)
	}
	if left := readNames(c.path("tmp")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestFetchBad: bytes that are not those of the digest are not kept, and parts that turn out so are
// fetched anew.
func TestFetchBad(t *testing.T) {
	const text = "0123456789abcdefghij"
	d := DigestOf([]byte(text))
	tests := map[string]struct {
		left, sent string
		size       int64
		want       string // of the error
		reads      int
	}{
		"torn part":       {"01234XX", text, 20, "", 2},
		"part too long":   {text + "x", text, 20, "", 1},
		"whole part":      {text, "", 20, "", 0},
		"whole and wrong": {"x" + text[1:], text, 20, "", 1},
		"other":           {"", "x" + text[1:], 20, "have digest", 1},
		"other, resumed":  {"0123", "x" + text[1:19] + "y", 20, "have digest", 2},
		"more":            {"", text + "more", 20, "more than the 20 bytes", 1},
		"endless":         {"", strings.Repeat(text, 1000), 20, "more than the 20 bytes", 1},
		"less":            {"", text[:19], 20, "after 19 of 20", 1},
		"too large":       {"", text, 1 << 60, "writing", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := mustOpen(t, t.TempDir())
			if tt.left != "" {
				if err := os.WriteFile(c.path("tmp", fetchIdle+d.String()), []byte(tt.left), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w := &wire{data: tt.sent}
			n, err := c.FetchBlob(t.Context(), d, tt.size, w.from)
			_, there := c.HasBlob(d)
			switch {
			case tt.want == "" && (err != nil || !there):
				t.Errorf("%v, there %v", err, there)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || there):
				t.Errorf("%v, there %v; want an error with %q", err, there, tt.want)
			}
			if len(w.at) != tt.reads {
				t.Errorf("read from %v, want %d reads", w.at, tt.reads)
			}
			if n > 2*20+2 {
				t.Errorf("%d bytes were read", n)
			}
			if left := readNames(c.path("tmp")); len(left) > 0 && name != "less" {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// TestFetchLink: a name in tmp/ that leads elsewhere is not written through.
func TestFetchLink(t *testing.T) {
	c := mustOpen(t, t.TempDir())
	text := []byte("bytes")
	d := DigestOf(text)
	victim := c.path("victim")
	if err := errors.Join(os.WriteFile(victim, []byte("mine"), 0o666), os.Symlink(victim, c.path("tmp", fetchIdle+d.String()))); err != nil {
		t.Fatal(err)
	}
	w := &wire{data: string(text)}
	if _, err := c.FetchBlob(t.Context(), d, 5, w.from); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(victim); err != nil || !bytes.Equal(data, []byte("mine")) {
		t.Errorf("%q, %v", data, err)
	}
}
