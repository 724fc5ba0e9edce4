package bundle

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file is a file of a made-up bundle.
type file struct {
	name string
	data string
	mode fs.FileMode
	size uint64 // that its header says, where it lies
}

func write(t *testing.T, files ...file) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bundle.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for _, x := range files {
		h := &zip.FileHeader{Name: x.name, Method: zip.Deflate}
		if x.mode != 0 {
			h.SetMode(x.mode)
		}
		if x.size > 0 { // stored, so that the bytes are what they are
			h.Method, h.UncompressedSize64, h.CompressedSize64 = zip.Store, x.size, uint64(len(x.data))
			h.CRC32 = crc32.ChecksumIEEE([]byte(x.data))
			w, err := z.CreateRaw(h)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(x.data)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(x.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// whole is the least that a bundle must have.
func whole(more ...file) []file {
	return append([]file{
		{name: "ro-crate-metadata.json", data: "{}"}, {name: "bundle.json", data: `{"format":1,"study_file":"s.yaml"}`}, {name: "cache/version", data: "v"},
		{name: "out/study.yaml", data: "s"}, {name: "out/sources.json", data: "{}"}, {name: "out/provenance.json", data: "[]"},
	}, more...)
}

func TestUnpack(t *testing.T) {
	blob := "cache/blobs/ab/ab" + strings.Repeat("0", 62)
	path := write(t, whole(file{name: blob, data: "blob"}, file{name: "out/figures/a-b.svg", data: "figure"})...)
	if !Is(path) {
		t.Error("Is: a bundle is none")
	}
	dir := filepath.Join(t.TempDir(), "d")
	m, err := Unpack(t.Context(), path, dir)
	if err != nil || m.StudyFile != "s.yaml" {
		t.Fatalf("Unpack = %+v, %v", m, err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, blob)); err != nil || string(got) != "blob" {
		t.Errorf("blob %q, %v", got, err)
	}
}

// TestUnpackHostile holds that nothing leaves the directory and that no bundle costs much more than
// its size.
func TestUnpackHostile(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []file
		want  string
	}{
		{"parent", whole(file{name: "out/../../evil"}), "no bundle has a file of this name"},
		{"parent at once", whole(file{name: "../evil"}), "no bundle has a file of this name"},
		{"absolute", whole(file{name: "/tmp/evil"}), "no bundle has a file of this name"},
		{"backslash", whole(file{name: `out/..\..\evil`}), "no bundle has a file of this name"},
		{"drive", whole(file{name: "out/c:evil"}), "no bundle has a file of this name"},
		{"hidden", whole(file{name: "out/.ssh/config"}), "no bundle has a file of this name"},
		{"control character", whole(file{name: "out/a\nb"}), "no bundle has a file of this name"},
		{"long", whole(file{name: "out/" + strings.Repeat("a", 2000)}), "no bundle has a file of this name"},
		{"elsewhere in the cache", whole(file{name: "cache/memo/host"}), "no bundle has a file of this name"},
		{"short digest", whole(file{name: "cache/blobs/ab/abc"}), "no bundle has a file of this name"},
		{"folder", whole(file{name: "out/sub/"}), "no bundle has a file of this name"},
		{"link", whole(file{name: "out/link", data: "/etc/passwd", mode: 0o777 | fs.ModeSymlink}), "no plain file"},
		{"device", whole(file{name: "out/null", mode: 0o666 | fs.ModeDevice | fs.ModeCharDevice}), "no plain file"},
		{"twice", whole(file{name: "out/a", data: "1"}, file{name: "out/a", data: "2"}), "is there twice"},
		{"twice where names fold", whole(file{name: "out/a", data: "1"}, file{name: "out/A", data: "2"}), "is there twice"},
		{"file and folder", whole(file{name: "out/a", data: "1"}, file{name: "out/a/b", data: "2"}), "not a directory"},
		{"bomb", whole(file{name: "out/zeros", data: strings.Repeat("\x00", 72<<20)}), "times the bundle's size"},
		{"many small bombs", whole(file{name: "out/z1", data: strings.Repeat("\x00", 36<<20)}, file{name: "out/z2", data: strings.Repeat("\x00", 36<<20)}), "times the bundle's size"},
		{"a size that is no size", whole(file{name: "out/a", data: "12345", size: 1 << 63}), "times the bundle's size"},
		{"more than it says", whole(file{name: "out/a", data: "12345", size: 3}), ""},
		{"less than it says", whole(file{name: "out/a", data: "12345", size: 9}), ""},
		{"lacks the study", whole()[:3], "has no out/study.yaml"},
		{"another format", append(whole()[2:], file{name: "bundle.json", data: `{"format":2}`}, file{name: "ro-crate-metadata.json"}), "has format 2, this program reads 1"},
		{"study file elsewhere", append(whole()[2:], file{name: "bundle.json", data: `{"format":1,"study_file":"../x"}`}, file{name: "ro-crate-metadata.json"}), "is no file name"},
		{"no JSON", append(whole()[2:], file{name: "bundle.json", data: `{`}, file{name: "ro-crate-metadata.json"}), "bundle.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.files...)
			top := t.TempDir()
			_, err := Unpack(t.Context(), path, filepath.Join(top, "in"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Unpack: %v, want an error with %q", err, c.want)
			}
			if names, _ := os.ReadDir(top); len(names) > 1 || len(names) == 1 && names[0].Name() != "in" {
				t.Errorf("files outside: %v", names)
			}
			var total int64
			_ = filepath.WalkDir(top, func(_ string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					info, err := d.Info()
					if err != nil {
						return err
					}
					if !info.Mode().IsRegular() {
						t.Errorf("%s is no plain file", d.Name())
					}
					total += info.Size()
				}
				return err
			})
			if info, err := os.Stat(path); err != nil || total > info.Size()*mostTimes+mostExtra {
				t.Errorf("%d bytes of a bundle of %d, %v", total, info.Size(), err)
			}
		})
	}
	if path := filepath.Join(t.TempDir(), "x"); os.WriteFile(path, []byte("PK"), 0o666) != nil || Is(path) || Is(t.TempDir()) {
		t.Error("Is takes what is no bundle")
	}
}

// FuzzUnpack feeds it damaged bundles: it must return, and leave nothing outside.
func FuzzUnpack(f *testing.F) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, x := range whole(file{name: "out/report.html", data: "page"}) {
		w, err := z.Create(x.name)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write([]byte(x.data)); err != nil {
			f.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		top := t.TempDir()
		path := filepath.Join(top, "bundle")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		_, _ = Unpack(t.Context(), path, filepath.Join(top, "in")) // whatever it says of them
		names, err := os.ReadDir(top)
		if err != nil || len(names) > 2 {
			t.Errorf("files outside: %v, %v", names, err)
		}
	})
}
