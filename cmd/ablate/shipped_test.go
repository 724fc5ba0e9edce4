package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ablate/cmd/internal/study/sources"
	"ablate/specs"
	"ablate/stages/text"
)

// TestShippedStudiesReadSourcesAlone: what the studies that run on Go's tree read is there wherever
// Go is. Toolchains that the go command fetches lack doc and test; and some distributions put
// testdata and tests into packages of their own, so that the first studies of a newcomer do without
// these. The paper's miniatures read one file of testdata, on which the numbers in README.md rest.
func TestShippedStudiesReadSourcesAlone(t *testing.T) {
	if goroot() == "" {
		t.Skip("there is no Go tree here")
	}
	var studies []*specs.Study
	for _, name := range []string{"demo", "smoke"} {
		s, err := specs.LoadScale(name, "")
		if err != nil {
			t.Fatal(err)
		}
		studies = append(studies, s)
	}
	for _, name := range specs.Shipped() {
		if strings.HasPrefix(name, "paper/") {
			s, err := specs.LoadScale(name, specs.MiniScale)
			if err != nil {
				t.Fatal(err)
			}
			studies = append(studies, s)
		}
	}
	first, err := template()
	if err != nil {
		t.Fatal(err)
	}
	start, err := specs.Parse("template", first, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(studies, start) {
		sets := maps.Clone(s.Corpora)
		for name, set := range s.Eval.OutOfDomain {
			sets["eval "+name] = set.Corpus
		}
		for _, name := range slices.Sorted(maps.Keys(sets)) {
			for _, p := range sets[name].Files {
				if !strings.HasPrefix(p, "${GOROOT}/src/") {
					t.Errorf("%s: %s reads %s, which is not below src of Go's tree", s.Name, name, p)
				}
			}
			files, _, err := text.Files(s.Dir, sets[name].Files, sets[name].Exclude, sources.Environment)
			if err != nil {
				t.Errorf("%s: %s: %v", s.Name, name, err)
			}
			for _, f := range files {
				if strings.HasPrefix(s.Name, "paper/") && f.Name == "Isaac.Newton-Opticks.txt" {
					continue
				}
				if strings.Contains(f.Path, "/testdata/") || strings.HasSuffix(f.Path, "_test.go") {
					t.Errorf("%s: %s reads %s, which not every Go tree has", s.Name, name, f.Path)
					break
				}
			}
		}
	}
}
