package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/runner/runnertest"
	"ablate/stages/kind"
)

// run is a finished run with what it left in a directory.
type run struct {
	runnertest.Finished
	cache *cache.Cache
	out   string
}

func finishedRun(t *testing.T) run {
	t.Helper()
	dir := t.TempDir()
	r := run{Finished: runnertest.Run(t, dir), out: filepath.Join(dir, "out")}
	for name, text := range map[string]string{
		"study.yaml": runnertest.Study, "sources.json": "{}", "provenance.json": "[]", "report.html": "<p>report</p>", "figures/a.svg": "<svg/>",
	} {
		path := filepath.Join(r.out, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := cache.OpenAudit(r.Cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	r.cache = c
	return r
}

func (r run) pack(t *testing.T, m Manifest) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Pack(&b, m, r.State, r.cache, r.out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// manifest is that of a bundle of the run.
func manifest() Manifest {
	return Manifest{Study: "tiny", StudyFile: "study.yaml", About: "About it.", Program: "ablate test"}
}

// unpack unpacks a bundle into a directory of its own.
func unpack(t *testing.T, data []byte) (dir string, m Manifest) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bundle.zip")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "unpacked")
	m, err := Unpack(t.Context(), path, dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, m
}

func names(t *testing.T, data []byte) []string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range z.File {
		all = append(all, f.Name)
	}
	return all
}

// What is packed comes out again: entries and blobs that another machine can look up, and what the
// run left. The same run gives the same bytes.
func TestPackAndUnpack(t *testing.T) {
	r := finishedRun(t)
	m := manifest()
	m.Checkpoints, m.Tokens = true, true
	data := r.pack(t, m)
	if !bytes.Equal(data, r.pack(t, m)) {
		t.Error("the same run gives other bytes")
	}
	if all := names(t, data); all[0] != crateName || !slices.IsSorted(all[1:]) {
		t.Errorf("files are not in order: %q", all[:5])
	}
	dir, got := unpack(t, data)
	if m.Format = format; got != m {
		t.Errorf("manifest %+v, want %+v", got, m)
	}
	c, err := cache.OpenAudit(filepath.Join(dir, cacheFolder))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	state, err := r.Plan.Resolve(r.State.Kinds, c.Lookup)
	if err != nil {
		t.Fatal(err)
	}
	if hit, _, _ := state.Count(); hit != len(r.Plan.Steps) {
		t.Errorf("%d of %d steps are hits in the bundle", hit, len(r.Plan.Steps))
	}
	for _, name := range []string{"study.yaml", "report.html", "figures/a.svg"} {
		want, err := os.ReadFile(filepath.Join(r.out, name))
		got, gotErr := os.ReadFile(filepath.Join(dir, outFolder, name))
		if errors.Join(err, gotErr) != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if is, want, extra, err := Check(dir, got, state, c); err != nil || is != want || len(extra) > 0 {
		t.Errorf("of a bundle as it was packed: metadata %s, want %s, extra %q, %v", is, want, extra, err)
	}
}

// Whoever packs says whether checkpoints and tokens go with the rest. Raw files never do.
func TestWhatIsPacked(t *testing.T) {
	r := finishedRun(t)
	raw := map[string]bool{}
	for _, step := range r.Plan.Steps {
		for _, in := range step.Inputs {
			if in.File != nil {
				raw[blobName(in.File.Digest)] = true
			}
		}
	}
	for _, c := range []struct{ checkpoints, tokens bool }{{}, {checkpoints: true}, {tokens: true}, {true, true}} {
		m := manifest()
		m.Checkpoints, m.Tokens = c.checkpoints, c.tokens
		packed := map[string]bool{}
		for _, name := range names(t, r.pack(t, m)) {
			if packed[name] || raw[name] {
				t.Errorf("%+v: %s is packed twice, or is a raw file", c, name)
			}
			packed[name] = true
		}
		// Two outputs may be one blob, which is packed if either may be.
		want := map[string]bool{}
		for i, step := range r.Plan.Steps {
			if !packed[entryName(r.State.Keys[i])] {
				t.Errorf("%+v: step %s has no entry", c, step.ID)
			}
			for _, o := range r.State.Entries[i].Outputs {
				tokens := step.Kind == kind.Tokenize && o.Name != kind.OutCounts && o.Name != kind.OutPlaces || step.Kind == kind.Split && strings.HasSuffix(o.Name, ".arrow")
				checkpoint := strings.HasSuffix(o.Name, ".safetensors")
				if (c.checkpoints || !checkpoint) && (c.tokens || !tokens) {
					want[blobName(o.Digest)] = true
				}
			}
		}
		for _, e := range r.State.Entries {
			for _, o := range e.Outputs {
				if name := blobName(o.Digest); packed[name] != want[name] {
					t.Errorf("%+v: %s of %s is packed: %t", c, o.Name, e.Provenance.Step, packed[name])
				}
			}
		}
	}
}

func TestLacks(t *testing.T) {
	const checkpoints, tokens = "the bundle holds no checkpoints (--checkpoints packs them)", "the bundle holds no tokens and documents (--tokens packs them)"
	for _, c := range []struct {
		m            Manifest
		step, output string
		want         string
	}{
		{Manifest{}, kind.Train, kind.OutModel, checkpoints},
		{Manifest{}, kind.Train, kind.OutOptimizer, checkpoints},
		{Manifest{}, kind.Merge, kind.OutModel, checkpoints},
		{Manifest{Tokens: true}, kind.Train, kind.OutModel, checkpoints},
		{Manifest{Checkpoints: true}, kind.Train, kind.OutModel, ""},
		{Manifest{}, kind.Train, kind.OutCurve, ""},
		{Manifest{}, kind.Tokenize, kind.OutTokens, tokens},
		{Manifest{}, kind.Tokenize, kind.OutDocuments, tokens},
		{Manifest{Checkpoints: true}, kind.Tokenize, kind.OutParagraphs, tokens},
		{Manifest{Tokens: true}, kind.Tokenize, kind.OutTokens, ""},
		{Manifest{}, kind.Tokenize, kind.OutCounts, ""},
		{Manifest{}, kind.Tokenize, kind.OutPlaces, ""},
		{Manifest{}, kind.Split, kind.UnitOutput("a", 0), tokens},
		{Manifest{}, kind.Split, kind.OutSizes, ""},
		{Manifest{}, kind.Eval, kind.OutLosses, ""},
		{Manifest{}, kind.Tokenizer, kind.OutTokenizer, ""},
	} {
		if got := c.m.Lacks(c.step, c.output); got != c.want {
			t.Errorf("%+v: %s of %s: %q, want %q", c.m, c.output, c.step, got, c.want)
		}
	}
}

// An unpacked bundle that is not as Pack would write it is found.
func TestCheck(t *testing.T) {
	r := finishedRun(t)
	data := r.pack(t, manifest())
	for _, c := range []struct {
		name   string
		damage func(dir string) error
		same   bool // the metadata
		extra  string
		err    string
	}{
		{name: "as packed", damage: func(string) error { return nil }, same: true},
		{name: "metadata edited", damage: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, crateName), []byte("{}"), 0o666)
		}},
		{name: "a file that no step names", damage: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, cacheFolder, "more"), nil, 0o666)
		}, same: true, extra: "cache/more"},
		{name: "a file of the report more", damage: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, outFolder, "more"), nil, 0o666)
		}},
		{name: "a file of the report edited", damage: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, outFolder, "report.html"), []byte("other"), 0o666)
		}},
		{name: "no metadata", damage: func(dir string) error { return os.Remove(filepath.Join(dir, crateName)) }, err: "no such file"},
		{name: "no version", damage: func(dir string) error { return os.Remove(filepath.Join(dir, cacheFolder, "version")) }, err: "bundle: "},
		{name: "a blob gone", damage: func(dir string) error {
			o, _ := r.State.Entries[r.Step(t, "seed")].Output(kind.OutCurve)
			return os.Remove(filepath.Join(dir, filepath.FromSlash(blobName(o.Digest))))
		}, err: "absent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, m := unpack(t, data)
			store, err := cache.OpenAudit(filepath.Join(dir, cacheFolder))
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			is, want, extra, err := Check(dir, m, r.State, store)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || (is == want) != c.same || strings.Join(extra, " ") != c.extra {
				t.Errorf("metadata the same: %t, extra %q, %v", is == want, extra, err)
			}
		})
	}
}

// The metadata describe every file of the bundle and every step, with digests and sizes that are
// right, and refer to nothing that they do not describe.
func TestMetadata(t *testing.T) {
	r := finishedRun(t)
	data := r.pack(t, manifest())
	dir, _ := unpack(t, data)
	known := described(t, dir)
	for _, e := range known {
		for _, property := range []string{"hasPart", "mentions", "object", "result", "instrument", "license", "about"} {
			for _, to := range referred(e[property]) {
				if known[to] == nil {
					t.Errorf("%v: %s refers to %s, which is not described", e["@id"], property, to)
				}
			}
		}
	}
	for _, name := range names(t, data) {
		if name == crateName {
			continue
		}
		e := known[strings.ReplaceAll(name, "%", "%25")]
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if e == nil || e["@type"] != "File" || e["sha256"] != cache.DigestOf(content).String() || e["contentSize"] != fmt.Sprint(len(content)) {
			t.Errorf("%s is described as %v", name, e)
		}
	}
	for i, step := range r.Plan.Steps {
		a := known["#step-"+r.State.Keys[i].String()]
		if a == nil || a["@type"] != "CreateAction" || len(referred(a["object"])) != len(step.Inputs) || len(referred(a["result"])) != len(r.State.Entries[i].Outputs) {
			t.Errorf("step %s is described as %v", step.ID, a)
		}
	}
}

// described are the entities of an unpacked bundle's metadata by their IDs.
func described(t *testing.T, dir string) map[string]map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, crateName))
	if err != nil {
		t.Fatal(err)
	}
	var crate struct {
		Graph []map[string]any `json:"@graph"`
	}
	if err := json.Unmarshal(text, &crate); err != nil {
		t.Fatal(err)
	}
	known := map[string]map[string]any{}
	for _, e := range crate.Graph {
		id := fmt.Sprint(e["@id"])
		if known[id] != nil {
			t.Errorf("%s is described twice", id)
		}
		known[id] = e
	}
	return known
}

// referred are the IDs that a property refers to: one, or a list.
func referred(property any) (ids []string) {
	switch p := property.(type) {
	case map[string]any:
		ids = append(ids, fmt.Sprint(p["@id"]))
	case []any:
		for _, x := range p {
			ids = append(ids, referred(x)...)
		}
	}
	return ids
}

func TestLicense(t *testing.T) {
	r := finishedRun(t)
	for _, c := range []struct{ license, id, name string }{
		{"", "#license", "not stated"},
		{"CC-BY-4.0", "#license", "CC-BY-4.0"},
		{"https://example.org/terms", "https://example.org/terms", "https://example.org/terms"},
	} {
		m := manifest()
		m.License = c.license
		dir, _ := unpack(t, r.pack(t, m))
		known := described(t, dir)
		if ids := referred(known["./"]["license"]); len(ids) != 1 || ids[0] != c.id || known[c.id]["name"] != c.name {
			t.Errorf("license %q: the bundle has %v, %v", c.license, ids, known[c.id])
		}
	}
}

// errWriter takes so many bytes.
type errWriter struct{ left int }

func (w *errWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

// A bundle that cannot be written, or whose run has lost something, is an error.
func TestPackFails(t *testing.T) {
	r := finishedRun(t)
	size := len(r.pack(t, manifest()))
	for _, left := range []int{0, size / 2, size - 1} {
		if err := Pack(&errWriter{left}, manifest(), r.State, r.cache, r.out); !errors.Is(err, io.ErrShortWrite) || !strings.HasPrefix(err.Error(), "bundle: ") {
			t.Errorf("%d bytes can be written: %v", left, err)
		}
	}
	if err := Pack(io.Discard, manifest(), r.State, r.cache, filepath.Join(r.out, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a report that is not there: %v", err)
	}
	o, _ := r.State.Entries[r.Step(t, "seed")].Output(kind.OutCurve)
	runnertest.Remove(t, runnertest.BlobPath(r.Cache, o.Digest))
	var miss *cache.Miss
	if err := Pack(io.Discard, manifest(), r.State, r.cache, r.out); !errors.As(err, &miss) {
		t.Errorf("a blob that is not there: %v", err)
	}
}
