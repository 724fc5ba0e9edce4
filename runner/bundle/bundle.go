// Package bundle packs what an outside auditor needs of a finished run into one file, and unpacks
// such a file, which may come from anyone, into a directory where it can be audited like a run of
// one's own.
//
// A bundle is a zip file and an RO-Crate (https://w3id.org/ro/crate/1.1):
//
//	ro-crate-metadata.json    what everything is, for people and programs that do not know ablate: a CreateAction a step
//	bundle.json               format, study and what the bundle holds
//	out/...                   what the run left: report, tables, figures, study.yaml, sources.json, plan.json, provenance.json
//	cache/version             the cache directory (cache/FORMAT.md), with the study's entries and those blobs that the bundle holds
//	cache/entries/ab/KEY
//	cache/blobs/ab/DIGEST
//
// The same run gives the same bytes: files are sorted, none has a time. Raw files are never in it.
// Checkpoints, tokens and documents are where asked for; everything else, the losses per document
// among them, always is.
package bundle

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/stages/kind"
)

// format is the value of Manifest.Format.
const format = 1

// Manifest is bundle.json.
type Manifest struct {
	Format      int    `json:"format"`
	Study       string `json:"study"`
	StudyFile   string `json:"study_file"` // name of the study's file, without its folder
	About       string `json:"about"`
	Program     string `json:"program"` // that packed it
	License     string `json:"license"` // terms, as whoever packed it states them; may be empty
	Hosts       bool   `json:"hosts"`   // the names of the machines that made the entries are in it
	Checkpoints bool   `json:"checkpoints"`
	Tokens      bool   `json:"tokens"`
}

// Lacks says why a bundle with this manifest does not hold an output of a kind of step, or "" where
// it does. Counts and places have no text in them, and the report is made from them.
func (m Manifest) Lacks(step, output string) string {
	switch {
	case strings.HasSuffix(output, ".safetensors") && !m.Checkpoints:
		return "the bundle holds no checkpoints (--checkpoints packs them)"
	case m.Tokens:
	case step == kind.Tokenize && output != kind.OutCounts && output != kind.OutPlaces, step == kind.Split && strings.HasSuffix(output, ".arrow"):
		return "the bundle holds no tokens and documents (--tokens packs them)"
	}
	return ""
}

// Names of files in a bundle.
const (
	crateName    = "ro-crate-metadata.json"
	manifestName = "bundle.json"
	outFolder    = "out"
	cacheFolder  = "cache"
)

func entryName(k cache.Key) string {
	return cacheFolder + "/entries/" + k.String()[:2] + "/" + k.String()
}

func blobName(d cache.Digest) string {
	return cacheFolder + "/blobs/" + d.String()[:2] + "/" + d.String()
}

// packed is a file to pack: from a path, or from memory.
type packed struct {
	name  string
	path  string
	data  []byte
	store bool // bytes that no compression makes smaller
}

// Pack writes a bundle of a finished run, of which every step is a hit and every blob sound: out is
// a directory with what the run left.
func Pack(w io.Writer, m Manifest, s *pipeline.State, c *cache.Cache, out string) error {
	m.Format = format
	files, err := contents(m, s, c, out)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	crate, err := metadata(m, s, files)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	z := zip.NewWriter(w)
	for _, f := range append([]packed{{name: crateName, data: crate}}, files...) { // as readers of crates expect it
		if err := add(z, f); err != nil {
			return fmt.Errorf("bundle: %s: %w", f.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return nil
}

// Check compares an unpacked bundle with what Pack would write of the run in it: it returns the
// digests of the metadata as they are and as they should be, and the files that no step of the run
// names.
func Check(dir string, m Manifest, s *pipeline.State, c *cache.Cache) (is, want cache.Digest, extra []string, err error) {
	files, err := contents(m, s, c, filepath.Join(dir, outFolder))
	if err != nil {
		return is, want, nil, fmt.Errorf("bundle: %w", err)
	}
	named := map[string]bool{crateName: true}
	for _, f := range files {
		named[f.name] = true
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if name := filepath.ToSlash(rel); err == nil && !named[name] {
			extra = append(extra, name)
		}
		return err
	})
	if err != nil {
		return is, want, nil, fmt.Errorf("bundle: %w", err)
	}
	crate, err := metadata(m, s, files)
	if err != nil {
		return is, want, nil, fmt.Errorf("bundle: %w", err)
	}
	given, err := os.ReadFile(filepath.Join(dir, crateName))
	return cache.DigestOf(given), cache.DigestOf(crate), extra, err
}

// contents lists what a bundle holds, metadata aside, sorted by name.
func contents(m Manifest, s *pipeline.State, c *cache.Cache, out string) ([]packed, error) {
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	files := []packed{{name: manifestName, data: append(manifest, '\n')}}
	version, err := os.ReadFile(filepath.Join(c.Dir(), "version"))
	if err != nil {
		return nil, err
	}
	files = append(files, packed{name: cacheFolder + "/version", data: version})
	err = filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(out, path)
		files = append(files, packed{name: outFolder + "/" + filepath.ToSlash(rel), path: path})
		return err
	})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, step := range s.Plan.Steps {
		if name := entryName(s.Keys[i]); !seen[name] {
			seen[name] = true
			data, err := s.Entries[i].Bytes()
			if err != nil {
				return nil, err
			}
			files = append(files, packed{name: name, data: data})
		}
		for _, o := range s.Entries[i].Outputs {
			name := blobName(o.Digest)
			if seen[name] || m.Lacks(step.Kind, o.Name) != "" {
				continue
			}
			seen[name] = true
			path, err := c.BlobOf(o)
			if err != nil {
				return nil, err
			}
			files = append(files, packed{name: name, path: path, store: strings.HasSuffix(o.Name, ".safetensors")})
		}
	}
	slices.SortFunc(files, func(a, b packed) int { return strings.Compare(a.name, b.name) })
	return files, nil
}

// epoch is the time of every file in a bundle, the earliest that zip can say.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func add(z *zip.Writer, f packed) (err error) {
	h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: epoch}
	h.SetMode(0o644)
	if f.store {
		h.Method = zip.Store
	}
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	if f.path == "" {
		_, err = w.Write(f.data)
		return err
	}
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	_, err = io.Copy(w, r)
	return err
}
