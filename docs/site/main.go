// Command site makes a static site of the documentation: HTML pages with a search that needs no
// server and no network. It is a module of its own, so that neither the program nor its tests need
// what it needs.
//
//	site -from DIR -to DIR
//
// from is the project's directory. The pages are docs/README.md, the pages of the project that
// links lead to from there, and so on. Other files that are linked are copied. The index,
// docs/README.md, also is the navigation: its sections with their lists of links.
package main

import (
	"bytes"
	"embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"strings"
)

//go:embed page.html style.css search.js
var assets embed.FS

// index is the first page.
const index = "docs/README.md"

// images is where the pictures of the pages are.
const images = "docs/images/"

func main() {
	from := flag.String("from", "../..", "the project's directory")
	to := flag.String("to", "../../site", "the directory to write")
	flag.Parse()
	if err := build(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// mark is a file by which the program knows a directory that it wrote.
const mark = ".ablate-docs"

// build writes the site. It replaces an earlier site, and nothing else.
func build(from, to string) error {
	pages, files, err := crawl(from)
	if err != nil {
		return err
	}
	if err := clear(to); err != nil {
		return err
	}
	page, err := template.ParseFS(assets, "page.html")
	if err != nil {
		return err
	}
	menu := navigation(pages[index])
	for _, p := range sorted(pages) {
		var b bytes.Buffer
		if err := page.Execute(&b, view{Page: p, Menu: menu.at(p)}); err != nil {
			return err
		}
		if err := write(to, p.URL, b.Bytes()); err != nil {
			return err
		}
	}
	for name, url := range files {
		data, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if err := write(to, url, data); err != nil {
			return err
		}
	}
	for _, name := range []string{"style.css", "search.js"} {
		data, err := assets.ReadFile(name)
		if err != nil {
			return err
		}
		if err := write(to, name, data); err != nil {
			return err
		}
	}
	entries, err := searchIndex(pages)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d pages\n", filepath.Join(to, "index.html"), len(pages))
	return write(to, "search-index.js", entries)
}

// clear removes an earlier site. A directory that holds anything else is an error.
func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, mark)); err != nil {
			return fmt.Errorf("%s holds files that are no site of ours; name another directory with -to", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return write(dir, mark, nil)
}

func write(dir, name string, data []byte) error {
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o666)
}

// view is what page.html shows.
type view struct {
	*Page
	Menu []Group
}

// Up is the way from the page to the top of the site.
func (v view) Up() string { return strings.Repeat("../", strings.Count(v.URL, "/")) }

// urlOf is where a file of the project is in the site.
func urlOf(name string) string {
	switch {
	case name == index:
		return "index.html"
	case strings.HasPrefix(name, images):
		return strings.TrimPrefix(name, "docs/")
	case !strings.HasSuffix(name, ".md"):
		return "source/" + name + ".txt" // so that a browser shows it
	case strings.HasPrefix(name, "docs/"):
		return strings.TrimSuffix(strings.TrimPrefix(name, "docs/"), ".md") + ".html"
	}
	return "source/" + strings.TrimSuffix(name, ".md") + ".html"
}

// relative is the way from a page of the site to another file of it.
func relative(from, to string) string {
	way, err := filepath.Rel(filepath.FromSlash(path.Dir(from)), filepath.FromSlash(to))
	if err != nil {
		panic(fmt.Sprintf("internal error: from %s to %s: %v", from, to, err)) // both are below the top
	}
	return filepath.ToSlash(way)
}
