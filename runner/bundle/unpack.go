package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// Bounds on what is unpacked, so that a bundle from a stranger costs no more than what it sends
// suggests. Tables compress to a half, entries to a fifth, pages to a tenth.
const (
	mostTimes = 100      // as many bytes as the file has, at most so often
	mostExtra = 64 << 20 // and so many in any case: a small bundle may be of one repetitive page
	mostFiles = 1 << 20
	mostName  = 1024
)

// Is says whether a file begins as a bundle does.
func Is(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return false
	}
	head := make([]byte, 4)
	_, err = io.ReadFull(f, head)
	return err == nil && bytes.Equal(head, []byte("PK\x03\x04"))
}

// Unpack unpacks a bundle into dir, which must be empty: dir/out and dir/cache are what they were
// where it was packed. It writes nothing outside dir, no more than the bounds allow, and refuses
// what no bundle has: names of other forms, links, two files of one name. Digests are not its
// business; an audit checks them.
func Unpack(ctx context.Context, path, dir string) (Manifest, error) {
	var m Manifest
	info, err := os.Stat(path)
	if err != nil {
		return m, fmt.Errorf("bundle: %w", err)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		return m, fmt.Errorf("bundle %s: %w", path, err)
	}
	defer z.Close()
	if len(z.File) > mostFiles {
		return m, fmt.Errorf("bundle %s: %d files, at most %d are allowed", path, len(z.File), mostFiles)
	}
	room := uint64(info.Size())*mostTimes + mostExtra
	seen := map[string]bool{}
	for _, f := range z.File {
		if err := ctx.Err(); err != nil {
			return m, context.Cause(ctx)
		}
		switch {
		case !allowed(f.Name):
			err = errors.New("no bundle has a file of this name")
		case !f.Mode().IsRegular():
			err = fmt.Errorf("is no plain file (%s)", f.Mode())
		case seen[strings.ToLower(f.Name)]:
			err = errors.New("is there twice")
		case f.UncompressedSize64 > room:
			err = fmt.Errorf("unpacks to %d bytes, so that the files up to this one have more than %d times the bundle's size", f.UncompressedSize64, mostTimes)
		default:
			room -= f.UncompressedSize64
			seen[strings.ToLower(f.Name)] = true
			err = extract(f, filepath.Join(dir, filepath.FromSlash(f.Name)))
		}
		if err != nil {
			return m, fmt.Errorf("bundle %s: file %.100q: %w", path, f.Name, err)
		}
	}
	for _, need := range []string{crateName, manifestName, cacheFolder + "/version", outFolder + "/study.yaml", outFolder + "/sources.json", outFolder + "/provenance.json"} {
		if !seen[need] {
			return m, fmt.Errorf("bundle %s: has no %s", path, need)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return m, fmt.Errorf("bundle: %w", err)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("bundle %s: %s: %w", path, manifestName, err)
	}
	if m.Format != format {
		return m, fmt.Errorf("bundle %s: has format %d, this program reads %d", path, m.Format, format)
	}
	if m.StudyFile != filepath.Base(m.StudyFile) || strings.ContainsFunc(m.StudyFile, unicode.IsControl) || len(m.StudyFile) > 255 {
		return m, fmt.Errorf("bundle %s: study_file %.100q is no file name", path, m.StudyFile)
	}
	return m, nil
}

var inCache = regexp.MustCompile(`^cache/(version|(entries|blobs)/[0-9a-f]{2}/[0-9a-f]{64})$`)

// allowed says whether a bundle may hold a file of this name.
func allowed(name string) bool {
	if name == crateName || name == manifestName || inCache.MatchString(name) {
		return true
	}
	if len(name) > mostName || !fs.ValidPath(name) || !strings.HasPrefix(name, outFolder+"/") ||
		strings.ContainsAny(name, `\:`) || strings.ContainsFunc(name, unicode.IsControl) {
		return false
	}
	return !strings.Contains(name, "/.")
}

// extract writes one file, and no more of it than its header says.
func extract(f *zip.File, to string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	n, err := io.Copy(w, io.LimitReader(r, int64(f.UncompressedSize64)+1))
	if err == nil && uint64(n) != f.UncompressedSize64 {
		err = fmt.Errorf("does not unpack to the %d bytes that its header states", f.UncompressedSize64)
	}
	return err
}
