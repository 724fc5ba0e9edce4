package output

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// options are those of a small report: two files and a folder.
func options(study string) Options {
	return Options{
		Study: study, Names: []string{"plan.json", "provenance.json", "report.html", studyFile}, Above: []string{"tables"},
		Known: []Named{{Name: studyFile, Data: []byte("study: " + study)}},
	}
}

// report is what a run of a study leaves.
func report(study string) []Named {
	var files []Named
	for _, name := range []string{"plan.json", "provenance.json", "report.html", "tables/sets/a.csv"} {
		files = append(files, Named{Name: name, Data: []byte(name + " of " + study)})
	}
	return append(files, options(study).Known...)
}

// run looks at a directory, claims it, and writes a report into it.
func run(dir, study string, change func(*Options)) error {
	opt := options(study)
	if change != nil {
		change(&opt)
	}
	d, err := Look(dir, opt)
	if err != nil {
		return err
	}
	if err := d.Claim(); err != nil {
		return err
	}
	return d.Write(report(study), nil)
}

func TestLook(t *testing.T) {
	force := func(o *Options) { o.Force = true }
	mine := func(names ...string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, name := range names {
				put(t, filepath.Join(dir, name), "mine", 0o644)
			}
		}
	}
	earlier := func(t *testing.T, dir string) {
		for _, f := range report("small") {
			put(t, filepath.Join(dir, f.Name), string(f.Data), 0o644)
		}
	}
	later := func(t *testing.T, dir string) {
		if err := run(dir, "small", nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		given  []func(*testing.T, string)
		change func(*Options)
		kept   []string // files of a person that must be as they were
		err    string   // "": it is written
	}{
		{name: "new"},
		{name: "empty folders", given: []func(*testing.T, string){func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o777); err != nil {
				t.Fatal(err)
			}
		}}},
		{name: "logs of a run that failed", given: []func(*testing.T, string){mine("logs/seed.log")}, kept: []string{"logs/seed.log"}},
		{name: "a file that was not whole", given: []func(*testing.T, string){mine(asideHead + "elsewhere.1.2.3.4")}},
		{name: "a person's file of the report's name", given: []func(*testing.T, string){mine("report.html")}, kept: []string{"report.html"},
			err: "holds files that ablate did not write: report.html;"},
		{name: "a person's file of another name", given: []func(*testing.T, string){mine("deep/notes.md")}, kept: []string{"deep/notes.md"},
			err: "holds files that ablate did not write: deep/notes.md;"},
		{name: "many", given: []func(*testing.T, string){mine("a", "b", "c", "d", "e", "f", "g")}, kept: []string{"a", "g"}, err: ": a, b, c, d, e, ...;"},
		{name: "a hidden file", given: []func(*testing.T, string){mine(".git/config")}, kept: []string{".git/config"}, err: ".git/config"},
		{name: "a plan alone", given: []func(*testing.T, string){mine("plan.json")}, kept: []string{"plan.json"}, err: "plan.json"},
		{name: "forced", given: []func(*testing.T, string){mine("report.html", "notes.md")}, change: force, kept: []string{"notes.md"}},
		{name: "of this version", given: []func(*testing.T, string){later}},
		{name: "of this version, with a person's file", given: []func(*testing.T, string){later, mine("notes.md")}, kept: []string{"notes.md"}},
		{name: "of this version, a new name taken", given: []func(*testing.T, string){later, func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "report.html")); err != nil {
				t.Fatal(err)
			}
			d, err := Look(dir, options("small")) // a run that ends here takes the name off the list
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Claim(); err != nil {
				t.Fatal(err)
			}
		}, mine("report.html")}, kept: []string{"report.html"}, err: "would replace files that ablate did not write: report.html in"},
		{name: "of an earlier version", given: []func(*testing.T, string){earlier}},
		{name: "of an earlier version, with a person's files", given: []func(*testing.T, string){earlier, mine("notes.md", "study.yaml")},
			kept: []string{"notes.md", "study.yaml"}, err: "would replace files that ablate did not write: study.yaml in"},
		{name: "another run's below", given: []func(*testing.T, string){func(t *testing.T, dir string) { later(t, filepath.Join(dir, "a/b")) }}},
		{name: "a damaged mark", given: []func(*testing.T, string){mine(MarkFile)}, err: "is damaged"},
		{name: "a folder where a file is due", given: []func(*testing.T, string){later, func(t *testing.T, dir string) {
			if err := errors.Join(os.Remove(filepath.Join(dir, "plan.json")), os.Mkdir(filepath.Join(dir, "plan.json"), 0o777)); err != nil {
				t.Fatal(err)
			}
		}}, change: force, err: "plan.json is a directory"},
		{name: "a file where a folder is due", given: []func(*testing.T, string){mine("tables")}, change: force, err: "tables is a file"},
		{name: "what the study reads", given: []func(*testing.T, string){mine("report.html")},
			change: func(o *Options) { o.Force, o.Inputs = true, []string{"report.html"} },
			kept:   []string{"report.html"}, err: "would replace files that the study itself reads: report.html in"},
		{name: "what the study reads through a link", given: []func(*testing.T, string){mine("raw"), func(t *testing.T, dir string) { link(t, "raw", filepath.Join(dir, "plan.json")) }},
			change: func(o *Options) { o.Force, o.Inputs = true, []string{"raw"} },
			kept:   []string{"raw"}, err: "would replace files that the study itself reads: plan.json in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			for _, f := range c.given {
				f(t, dir)
			}
			change := func(o *Options) {
				if c.change != nil {
					c.change(o)
				}
				for i := range o.Inputs {
					o.Inputs[i] = filepath.Join(dir, o.Inputs[i])
				}
			}
			_, looked := Look(dir, func() Options { o := options("small"); change(&o); return o }())
			err := run(dir, "small", change)
			if (looked == nil) != (err == nil) {
				t.Errorf("Look: %v; then: %v", looked, err)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("%v; want %q", err, c.err)
			}
			for _, name := range c.kept {
				if got := read(t, filepath.Join(dir, name)); got != "mine" {
					t.Errorf("%s holds %q", name, got)
				}
			}
			if err == nil {
				for _, f := range report("small") {
					if got := read(t, filepath.Join(dir, f.Name)); got != string(f.Data) {
						t.Errorf("%s holds %q", f.Name, got)
					}
				}
				if err := run(dir, "small", nil); err != nil {
					t.Errorf("again, without force: %v", err)
				}
			}
		})
	}
}

// TestLookLeavesNothing: to look makes neither the folder nor those above it.
func TestLookLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := Look(filepath.Join(dir, "a/b/c"), options("small")); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestEdited: what changes between the look and the writing is seen.
func TestEdited(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, studyFile)
	put(t, study, "study: small", 0o644)
	opt := options("small")
	opt.Force, opt.Inputs = true, []string{study}
	d, err := Look(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Claim(); err != nil {
		t.Fatal(err)
	}
	put(t, study, "study: edited while it ran", 0o644)
	var foreign *ForeignError
	if err := d.Write(report("small"), nil); !errors.As(err, &foreign) || !foreign.Input || !slices.Equal(foreign.Files, []string{studyFile}) {
		t.Errorf("%v", err)
	}
	if got := read(t, study); got != "study: edited while it ran" {
		t.Errorf("the study holds %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); err == nil {
		t.Error("half a report is written")
	}
}

// TestWas: the report of another study is told before it is replaced.
func TestWas(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ study, was string }{{"small", ""}, {"small", ""}, {"other", "small"}, {"other", ""}} {
		d, err := Look(dir, options(c.study))
		if err != nil {
			t.Fatal(err)
		}
		if d.Was() != c.was {
			t.Errorf("before %s it holds the report of %q, want %q", c.study, d.Was(), c.was)
		}
		if err := run(dir, c.study, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A pipe in the place of a file of the report is refused, and nothing waits for its reader.
func TestPipesAreNoReport(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, "small", nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, report("small")[0].Name)
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, "small", nil); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("%v, want that a pipe is no regular file", err)
	}
}
