package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"ablate/cache"
	"ablate/cache/table"
	"ablate/stages/tables"
)

// tamper does what someone would who wants other numbers:
//
//	tamper swap CACHE KIND OUTPUT     another step's output of that name under the name of the first one's blob
//	tamper remove CACHE KIND          the entry of the first step of that kind
//	tamper edit CACHE KIND            another provenance in that entry
//	tamper forge CACHE KIND OUTPUT [END]  that entry names another step's output as its own, and its sum is right; of steps whose
//	                                  names end so
//	tamper saved CACHE                a weight in every checkpoint of a training under way, whose digests are right again
//	tamper scores FILE                another perplexity in the first row of scores.parquet
func tamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: tamper HOW ...")
	}
	if args[0] == "scores" {
		path := ts.MkAbs(args[1])
		rows, err := table.ReadRows[tables.ScoreRow](path)
		ts.Check(err)
		rows[0].Perplexity -= 1
		ts.Check(os.Remove(path))
		ts.Check(table.WriteRows(path, rows))
		return
	}
	if args[0] == "saved" {
		forgeSaved(ts, ts.MkAbs(args[1]))
		return
	}
	dir, kind := ts.MkAbs(args[1]), args[2]
	c, err := cache.OpenAudit(dir)
	ts.Check(err)
	var found []*cache.Entry
	for e, err := range c.Entries() {
		ts.Check(err)
		if e.Kind == kind && (len(args) < 5 || strings.HasSuffix(e.Provenance.Step, args[4])) {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		ts.Fatalf("tamper: no entry of kind %s", kind)
	}
	entry := filepath.Join(dir, "entries", found[0].Key.String()[:2], found[0].Key.String())
	blob := func(e *cache.Entry) (cache.Output, string) {
		out, ok := e.Output(args[3])
		if !ok {
			ts.Fatalf("tamper: step %s has no output %s", e.Provenance.Step, args[3])
		}
		return out, filepath.Join(dir, "blobs", out.Digest.String()[:2], out.Digest.String())
	}
	other := func() (cache.Output, string) {
		first, _ := blob(found[0])
		for _, e := range found[1:] {
			if out, path := blob(e); out.Digest != first.Digest {
				return out, path
			}
		}
		ts.Fatalf("tamper: all %s of kind %s are the same", args[3], kind)
		return cache.Output{}, ""
	}
	switch args[0] {
	case "remove":
		ts.Check(os.Remove(entry))
	case "swap":
		_, from := other()
		data, err := os.ReadFile(from)
		ts.Check(err)
		_, to := blob(found[0])
		overwrite(ts, to, data)
	case "edit":
		data, err := os.ReadFile(entry)
		ts.Check(err)
		overwrite(ts, entry, bytes.Replace(data, []byte(`"study":"small"`), []byte(`"study":"smell"`), 1))
	case "forge":
		data, err := os.ReadFile(entry)
		ts.Check(err)
		mine, _ := blob(found[0])
		theirs, _ := other()
		named := func(o cache.Output) string { return fmt.Sprintf(`"digest":"%s","size":%d`, o.Digest, o.Size) }
		text := strings.Replace(string(data), named(mine), named(theirs), 1)
		body := text[:strings.LastIndex(text, `"sum":"`)]
		sum := sha256.Sum256([]byte(body))
		overwrite(ts, entry, []byte(body+`"sum":"`+hex.EncodeToString(sum[:])+"\"}\n"))
	default:
		ts.Fatalf("tamper: unknown way %s", args[0])
	}
}

// forgeSaved changes a weight in what trainings under way have saved.
func forgeSaved(ts *testscript.TestScript, dir string) {
	models, err := filepath.Glob(filepath.Join(dir, "partial", "*", "step-*", "model.safetensors"))
	ts.Check(err)
	if len(models) == 0 {
		ts.Fatalf("tamper: no training has saved anything")
	}
	for _, path := range models {
		data, err := os.ReadFile(path)
		ts.Check(err)
		before := sha256.Sum256(data)
		data[len(data)-2] ^= 0x40 // in the exponent of the last weight
		after := sha256.Sum256(data)
		overwrite(ts, path, data)
		state := filepath.Join(filepath.Dir(path), "state.json")
		text, err := os.ReadFile(state)
		ts.Check(err)
		overwrite(ts, state, bytes.Replace(text, []byte(hex.EncodeToString(before[:])), []byte(hex.EncodeToString(after[:])), 1))
	}
}

// overwrite replaces a read-only file and puts its time back, as someone would who wants it not to
// show.
func overwrite(ts *testscript.TestScript, path string, data []byte) {
	info, err := os.Stat(path)
	ts.Check(err)
	ts.Check(errors.Join(os.Chmod(path, 0o644), os.WriteFile(path, data, 0o644), os.Chtimes(path, info.ModTime(), info.ModTime()), os.Chmod(path, info.Mode())))
}

// rezip FROM TO NAME OLD NEW: copies a zip file, with text replaced once in the file of that name.
// rezip FROM TO FOLDER remove: without the first file of that folder.
func rezip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: rezip FROM TO NAME OLD NEW")
	}
	from, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer from.Close()
	out, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	to := zip.NewWriter(out)
	done := false
	for _, f := range from.File {
		r, err := f.Open()
		ts.Check(err)
		data, err := io.ReadAll(r)
		ts.Check(errors.Join(err, r.Close()))
		switch {
		case done:
		case args[3] == "remove" && strings.HasPrefix(f.Name, args[2]+"/"):
			done = true
			continue
		case f.Name == args[2]:
			edited := strings.Replace(string(data), args[3], args[4], 1)
			done = edited != string(data)
			data = []byte(edited)
		}
		w, err := to.Create(f.Name)
		ts.Check(err)
		_, err = w.Write(data)
		ts.Check(err)
	}
	ts.Check(errors.Join(to.Close(), out.Close()))
	if !done {
		ts.Fatalf("rezip: %s: %q is not there", args[2], args[3])
	}
}

// unpack FILE DIR: unpacks a zip file of ours.
func unpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unpack FILE DIR")
	}
	from, err := zip.OpenReader(ts.MkAbs(args[0]))
	ts.Check(err)
	defer from.Close()
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), &from.Reader))
}
