package licences

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The list is that of the program, on every platform that it is shipped for.
func TestListIsUpToDate(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	linked, err := Linked(root)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Text()
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	table, _, _ := strings.Cut(strings.TrimPrefix(text, Heading), "\n\n")
	for line := range strings.Lines(table) {
		module, licences, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if licences == "" {
			t.Errorf("%s: no licence", module)
		}
		got = append(got, module)
	}
	for _, m := range linked {
		want = append(want, m.Path+" "+m.Version)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the list is not that of the program; run make licences\nlisted %q\nlinked %q", got, want)
	}
	if len(want) < 20 {
		t.Errorf("only %d modules: the go command was not understood", len(want))
	}
	for _, m := range linked {
		if n := strings.Count(text, "\n"+m.Path+" "+m.Version+": "); n < 2 { // in the table, and above a text
			t.Errorf("%s %s: no text", m.Path, m.Version)
		}
	}
}

// A program that is passed on under its own licence must not link what forbids that.
func TestLicencesAllowPassingOn(t *testing.T) {
	text, err := Text()
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(strings.TrimPrefix(text, Heading), "\n\n")
	for line := range strings.Lines(table) {
		// FreeType's texts leave the choice between its own licence and the GPL.
		if strings.Contains(line, "GPL") && !strings.Contains(line, "FreeType, GPL") {
			t.Errorf("%s", line)
		}
	}
}
