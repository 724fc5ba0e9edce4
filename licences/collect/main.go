// Command collect writes licences.txt.gz: the licences and notices of the modules that ablate links
// on the systems it is shipped for. Run it by `make licences`, in any folder of the checkout, after
// modules have changed.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ablate/licences"
)

func main() {
	if err := collect(); err != nil {
		fmt.Fprintln(os.Stderr, "collect:", err)
		os.Exit(1)
	}
}

func collect() error {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("go list -m: %w", err)
	}
	root := strings.TrimSpace(string(out))
	linked, err := licences.Linked(root)
	if err != nil {
		return err
	}
	text, err := document(linked)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	path := filepath.Join(root, "licences", "licences.txt.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o666); err != nil {
		return err
	}
	fmt.Printf("%s: %d modules, %d bytes of text, %d packed\n", path, len(linked), len(text), packed.Len())
	return nil
}

// A notice is one text and the files that have it.
type notice struct {
	text string
	from []string
}

// document is the table of modules, then each text once.
func document(linked []licences.Module) ([]byte, error) {
	var table, texts strings.Builder
	var notices []*notice
	byDigest := map[[32]byte]*notice{}
	for _, m := range linked {
		files, err := noticeFiles(m)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			text := strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
			for _, n := range namesOf(text) {
				if !slices.Contains(names, n) {
					names = append(names, n)
				}
			}
			rel, err := filepath.Rel(m.Dir, path)
			if err != nil {
				return nil, err
			}
			digest := sha256.Sum256([]byte(text))
			if byDigest[digest] == nil {
				byDigest[digest] = &notice{text: text}
				notices = append(notices, byDigest[digest])
			}
			byDigest[digest].from = append(byDigest[digest].from, m.Path+" "+m.Version+": "+filepath.ToSlash(rel))
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("%s %s: no known licence in %v; read them, and teach namesOf in licences/collect what they are", m.Path, m.Version, files)
		}
		fmt.Fprintf(&table, "%s %s: %s\n", m.Path, m.Version, strings.Join(names, ", "))
	}
	for _, n := range notices {
		fmt.Fprintf(&texts, "\n%s\n%s\n\n%s\n", strings.Repeat("-", 80), strings.Join(n.from, "\n"), n.text)
	}
	return []byte(licences.Heading + table.String() + texts.String()), nil
}

var noticeName = regexp.MustCompile(`(?i)^(un)?licen[cs]e|^copying|^notice|^patents|^copyright|^third.?party`)

// noticeFiles lists the texts of a module that hold for its linked packages: those beside a
// package, and in the folders above it up to the module's root, and whole folders of them.
func noticeFiles(m licences.Module) ([]string, error) {
	var found []string
	for _, dir := range foldersOf(m) {
		items, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			path := filepath.Join(dir, item.Name())
			switch {
			case !noticeName.MatchString(item.Name()) || strings.HasSuffix(item.Name(), ".go"):
			case item.IsDir():
				err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
					if err == nil && d.Type().IsRegular() && !strings.HasSuffix(p, ".go") {
						found = append(found, p)
					}
					return err
				})
				if err != nil {
					return nil, err
				}
			default:
				found = append(found, path)
			}
		}
	}
	if len(found) == 0 { // some state their licence in the README
		for _, path := range []string{filepath.Join(m.Dir, "README.md"), filepath.Join(m.Dir, "README")} {
			if b, err := os.ReadFile(path); err == nil && len(namesOf(string(b))) > 0 {
				return []string{path}, nil
			}
		}
		return nil, fmt.Errorf("%s %s: no licence in %s; a program that links the module cannot be passed on", m.Path, m.Version, m.Dir)
	}
	return found, nil
}

// foldersOf lists the folders of the linked packages and those above them, from the module's root
// down.
func foldersOf(m licences.Module) []string {
	all := []string{m.Dir}
	for _, dir := range m.Packages {
		for ; len(dir) > len(m.Dir); dir = filepath.Dir(dir) {
			if !slices.Contains(all, dir) {
				all = append(all, dir)
			}
		}
	}
	slices.Sort(all)
	return all
}

// namesOf names the licences whose words are in a text, in the order of this list.
func namesOf(text string) []string {
	words := strings.Join(strings.Fields(text), " ")
	var out []string
	for _, l := range []struct{ name, words string }{
		{"Apache-2.0", "Apache License Version 2.0"},
		{"Apache-2.0", "apache.org/licenses/LICENSE-2.0"},
		{"MIT", "Permission is hereby granted, free of charge"},
		{"BSD", "Redistributions of source code must retain the above copyright notice"},
		{"BSD", "Redistributions in binary form must reproduce"},
		{"ISC", "Permission to use, copy, modify, and/or distribute this software"},
		{"ISC", "Permission to use, copy, modify, and distribute this software"},
		{"CC-BY-4.0", "Creative Commons Attribution 4.0"},
		{"OFL-1.1", "SIL OPEN FONT LICENSE Version 1.1"},
		{"MPL-2.0", "Mozilla Public License"},
		{"FreeType", "FreeType License"},
		{"Unlicense", "free and unencumbered software released into the public domain"},
		{"GPL", "GNU GENERAL PUBLIC LICENSE Version"},
		{"patent grant", "Additional IP Rights Grant"},
	} {
		if strings.Contains(words, l.words) && !slices.Contains(out, l.name) {
			out = append(out, l.name)
		}
	}
	return out
}
