package main

import (
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every link of every page of the site leads to a file of the site, and every anchor to an element;
// nothing is fetched from elsewhere.
func TestSite(t *testing.T) {
	dir := t.TempDir()
	if err := build("../..", dir); err != nil {
		t.Fatal(err)
	}
	if err := build("../..", dir); err != nil { // over itself
		t.Fatal(err)
	}
	links := regexp.MustCompile(`(href|src)="([^"]*)"`)
	pages := 0
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".html") {
			return err
		}
		pages++
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, m := range links.FindAllStringSubmatch(string(data), -1) {
			u, err := url.Parse(strings.ReplaceAll(m[2], "&amp;", "&"))
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if u.Scheme != "" {
				if m[1] == "src" {
					t.Errorf("%s: %s is fetched from elsewhere", file, m[2])
				}
				continue
			}
			to, body := file, data
			if u.Path != "" {
				to = filepath.Join(filepath.Dir(file), filepath.FromSlash(u.Path))
				if body, err = os.ReadFile(to); err != nil {
					t.Errorf("%s: %s: %v", file, m[2], err)
					continue
				}
			}
			if u.Fragment != "" && !strings.Contains(string(body), `id="`+u.Fragment+`"`) {
				t.Errorf("%s: %s: no element has this anchor", file, m[2])
			}
		}
		return nil
	})
	if err != nil || pages < 20 {
		t.Fatalf("%d pages, %v", pages, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "search-index.js"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct{ Page, Section, URL, Text string }
	text := strings.TrimSuffix(strings.TrimPrefix(string(data), "window.ablateIndex = "), ";\n")
	if err := json.Unmarshal([]byte(text), &index); err != nil || len(index) < pages {
		t.Fatalf("%d entries, %v", len(index), err)
	}
	found := false
	for _, e := range index {
		found = found || e.Page == "The method" && e.Section == "Intervals and tests" && strings.Contains(e.Text, "Phipson and Smyth")
	}
	if !found {
		t.Error("the search does not know of the permutation test")
	}
}

// A directory that is no site of ours stays as it is.
func TestOthersFilesStay(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := build("../..", dir); err == nil || !strings.Contains(err.Error(), "no site of ours") {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}
