// Package docs_test holds what is true of all pages of the documentation: every link leads
// somewhere, every page can be reached from the index, no page uses a retired word, and the program
// does what the pages show.
package docs_test

import (
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/docs/page"
)

// top is the project's directory.
const top = ".."

// read parses every page of the documentation, by its path from the project's directory. The two
// pages at the top are pages of it, too.
func read(t *testing.T) map[string]*page.Page {
	t.Helper()
	pages := map[string]*page.Page{}
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		pages[name] = parse(t, name)
	}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".md") {
			return err
		}
		pages[path.Join("docs", filepath.ToSlash(file))] = parse(t, path.Join("docs", filepath.ToSlash(file)))
		return nil
	})
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	return pages
}

func parse(t *testing.T, name string) *page.Page {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := page.Parse(string(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// Every link leads to a file of the project, or to a heading of a page. Links to other sites are
// only read as addresses: no test needs a network.
func TestLinks(t *testing.T) {
	pages := read(t)
	for name, p := range pages {
		for _, l := range p.Links {
			u, err := url.Parse(l.Target)
			switch {
			case err != nil:
				t.Errorf("%s:%d: %v", name, l.Line, err)
				continue
			case u.Scheme == "https" && u.Host != "":
				continue
			case u.Scheme != "" || u.Host != "" || strings.HasPrefix(l.Target, "/"):
				t.Errorf("%s:%d: %s: a link is https:// or starts from the page", name, l.Line, l.Target)
				continue
			}
			to := name
			if u.Path != "" {
				to = path.Join(path.Dir(name), u.Path)
			}
			if strings.HasPrefix(to, "../") {
				t.Errorf("%s:%d: %s leads out of the project", name, l.Line, l.Target)
			} else if _, err := os.Stat(filepath.Join(top, filepath.FromSlash(to))); err != nil {
				t.Errorf("%s:%d: %s: there is no %s", name, l.Line, l.Target, to)
			} else if u.Fragment != "" {
				target := pages[to]
				if target == nil && strings.HasSuffix(to, ".md") {
					target = parse(t, to)
				}
				if target == nil || !slices.ContainsFunc(target.Headings, func(h page.Heading) bool { return h.Anchor == u.Fragment }) {
					t.Errorf("%s:%d: %s: no heading of %s has the anchor %s", name, l.Line, l.Target, to, u.Fragment)
				}
			}
		}
	}
}

// Every page has one title and can be reached from the index, or is the project's first page.
func TestReached(t *testing.T) {
	pages := read(t)
	reached := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if reached[name] || pages[name] == nil {
			return
		}
		reached[name] = true
		for _, l := range pages[name].Links {
			to, _, _ := strings.Cut(l.Target, "#")
			visit(path.Join(path.Dir(name), to))
		}
	}
	visit("docs/README.md")
	visit("README.md")
	for name, p := range pages {
		if !reached[name] {
			t.Errorf("%s: no link from docs/README.md leads here", name)
		}
		titles := 0
		for _, h := range p.Headings {
			if h.Level == 1 {
				titles++
			}
		}
		if titles != 1 || p.Headings[0].Level != 1 {
			t.Errorf("%s: %d titles, want one, at the start", name, titles)
		}
	}
}
