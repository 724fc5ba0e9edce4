package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rogpeppe/go-internal/testscript"

	"ablate/cache"
)

// remoteCommands are the commands of scripts about remotes.
var remoteCommands = map[string]func(*testscript.TestScript, bool, []string){"s3": s3, "nowhere": nowhere, "diverge": diverge}

// s3 NAME: starts an S3 server in memory, on loopback, and sets NAME to the URL of a bucket in it.
func s3(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: s3 NAME")
	}
	backend := s3mem.New()
	ts.Check(backend.CreateBucket("results"))
	srv := httptest.NewServer(gofakes3.New(backend).Server())
	ts.Defer(srv.Close)
	ts.Setenv(args[0], "s3://results/group?endpoint="+url.QueryEscape(srv.URL))
}

// nowhere TEXT FILE...: wants no file or name below the files to hold a text, and some file to be
// there.
func nowhere(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || args[0] == "" {
		ts.Fatalf("usage: nowhere TEXT FILE...")
	}
	for _, root := range args[1:] {
		n := 0
		ts.Check(filepath.WalkDir(ts.MkAbs(root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			n++
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte(args[0])) || strings.Contains(d.Name(), args[0]) {
				ts.Fatalf("%s holds %q", path, args[0])
			}
			return err
		}))
		if n == 0 {
			ts.Fatalf("%s holds no file", root)
		}
	}
}

// diverge CACHE KIND FILE: makes the first entry of a kind that has an output FILE one whose FILE
// has another byte at its end.
func diverge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: diverge CACHE KIND FILE")
	}
	c, err := cache.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer c.Close()
	for e, err := range c.Entries() {
		ts.Check(err)
		if _, ok := e.Output(args[2]); e.Kind != args[1] || !ok {
			continue
		}
		b, err := c.Begin(e.Key)
		ts.Check(err)
		for _, o := range e.Outputs {
			path, err := c.Blob(o.Digest)
			ts.Check(err)
			data, err := os.ReadFile(path)
			ts.Check(err)
			if o.Name == args[2] {
				data = append(data, 'x')
			}
			to := filepath.Join(b.Dir, filepath.FromSlash(o.Name))
			ts.Check(errors.Join(os.MkdirAll(filepath.Dir(to), 0o777), os.WriteFile(to, data, 0o666)))
		}
		_, err = c.Remove(context.Background(), []cache.Key{e.Key}, true, false)
		ts.Check(err)
		_, err = b.Commit(e.Kind, e.KeyInputs, e.Provenance)
		ts.Check(err)
		return
	}
	ts.Fatalf("%s has no entry of kind %s with %s", args[0], args[1], args[2])
}
