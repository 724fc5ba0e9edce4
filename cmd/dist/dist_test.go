package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"strings"
	"testing"
	"time"

	"ablate/docs/page"
)

// An archive depends on names, bytes, modes and the time it is given, not on the order of the
// files.
func TestPack(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	program, text := file{name: "ablate", data: []byte("\x7fELF"), mode: 0o755}, file{name: "README.md", data: []byte("read me"), mode: 0o644}
	one, err := pack("ablate-1", []file{program, text}, at)
	if err != nil {
		t.Fatal(err)
	}
	other, err := pack("ablate-1", []file{text, program}, at.In(time.FixedZone("east", 3600)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, other) {
		t.Error("the same files in another order and another time zone give other bytes")
	}
	z, err := gzip.NewReader(bytes.NewReader(one))
	if err != nil {
		t.Fatal(err)
	}
	if z.Name != "" || !z.ModTime.IsZero() {
		t.Errorf("the gzip header names %q, %v", z.Name, z.ModTime)
	}
	r := tar.NewReader(z)
	for _, want := range []file{{name: "ablate-1/README.md", data: text.data, mode: 0o644}, {name: "ablate-1/ablate", data: program.data, mode: 0o755}} {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Name != want.name || h.Mode != want.mode || !bytes.Equal(b, want.data) || !h.ModTime.Equal(at) || h.Uid != 0 || h.Uname != "" {
			t.Errorf("got %+v with %q, want %s, mode %o, %q", h, b, want.name, want.mode, want.data)
		}
	}
}

// Every link of a page that is shipped leads to a file that is shipped.
func TestDocumentation(t *testing.T) {
	t.Chdir("../..")
	files, err := documentation()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range files {
		names[f.name] = true
	}
	links := 0
	for _, f := range files {
		if path.Ext(f.name) != ".md" {
			continue
		}
		p, err := page.Parse(string(f.data))
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		for _, l := range p.Links {
			to, _, _ := strings.Cut(l.Target, "#")
			if to == "" || strings.Contains(to, "://") {
				continue
			}
			if links++; !names[path.Join(path.Dir(f.name), to)] {
				t.Errorf("%s:%d: %s is not in the archive", f.name, l.Line, l.Target)
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links were found", links)
	}
}

func TestMistakesAreToldBeforeAnythingIsBuilt(t *testing.T) {
	d := dist{out: t.TempDir(), version: "1"}
	if err := d.make([]string{"windows/amd64"}); err == nil || !strings.Contains(err.Error(), "linux/amd64, linux/arm64, darwin/amd64, darwin/arm64") {
		t.Errorf("a platform that is not shipped: %v", err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if err := d.make([]string{"linux/amd64"}); err == nil || !strings.Contains(err.Error(), `"yesterday"`) {
		t.Errorf("a time that is none: %v", err)
	}
}
