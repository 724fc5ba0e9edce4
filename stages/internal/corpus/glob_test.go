package corpus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes files below a new directory.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		p := filepath.Join(root, filepath.FromSlash(f))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(f), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var goFiles = []string{"src/fmt/print.go", "src/fmt/scan.go", "src/fmt/testdata/bad.go", "src/os/file.go", "src/os/exec/exec.go", "src/zoo.go", "src/README", "doc/a.txt", "doc/b.txt", "doc/[x].txt"}

func TestGlob(t *testing.T) {
	root := tree(t, goFiles...)
	for _, c := range []struct {
		name               string
		patterns, excludes []string
		want               []string // names
	}{
		{"one file", []string{"src/zoo.go"}, nil, []string{"zoo.go"}},
		{"one level", []string{"doc/*.txt"}, nil, []string{"[x].txt", "a.txt", "b.txt"}},
		{"any depth", []string{"src/**/*.go"}, nil, []string{"fmt/print.go", "fmt/scan.go", "fmt/testdata/bad.go", "os/exec/exec.go", "os/file.go", "zoo.go"}},
		{"between", []string{"src/*/**/exec.go"}, nil, []string{"os/exec/exec.go"}},
		{"none between", []string{"src/**/os/**/file.go"}, nil, []string{"os/file.go"}},
		{"all below", []string{"src/os/**"}, nil, []string{"exec/exec.go", "file.go"}},
		{"question mark and class", []string{"d?c/[ab].txt"}, nil, []string{"doc/a.txt", "doc/b.txt"}},
		{"negated class", []string{"doc/[^ab]*.txt"}, nil, []string{"[x].txt"}},
		{"escaped", []string{`doc/\[x\].txt`}, nil, []string{"[x].txt"}},
		{"wildcard first", []string{"*/a.txt"}, nil, []string{"doc/a.txt"}},
		{"absolute", []string{root + "/doc/a*"}, nil, []string{"a.txt"}},
		{"cleaned", []string{"./doc/../doc//a.txt"}, nil, []string{"a.txt"}},
		{"sorted over patterns", []string{"src/fmt/s*.go", "doc/b.txt", "src/fmt/p*.go"}, nil, []string{"b.txt", "print.go", "scan.go"}},
		{"once, by the first pattern", []string{"src/os/*.go", "src/*/*.go"}, nil, []string{"file.go", "fmt/print.go", "fmt/scan.go"}},
		{"exclude a directory", []string{"src/**/*.go"}, []string{"**/testdata/**", "**/exec/**"}, []string{"fmt/print.go", "fmt/scan.go", "os/file.go", "zoo.go"}},
		{"exclude by file name", []string{"src/**/*.go"}, []string{"**/z*.go", "**/[ep]*.go"}, []string{"fmt/scan.go", "fmt/testdata/bad.go", "os/file.go"}},
		{"exclude by name", []string{"src/fmt/*.go"}, []string{"scan.go"}, []string{"print.go"}},
		{"exclude by path from the root", []string{"src/fmt/*.go"}, []string{"src/fmt/scan.go"}, []string{"print.go"}},
		{"exclude by absolute path", []string{"src/fmt/*.go"}, []string{root + "/**/scan.go"}, []string{"print.go"}},
		{"exclude of nothing", []string{"src/fmt/*.go"}, []string{"fmt/*.txt", "../*"}, []string{"print.go", "scan.go"}},
		{"exclude keeps a file named like the directory", []string{"src/**"}, []string{"README/**", "**/*.go"}, []string{"README"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := Glob(root, c.patterns, c.excludes)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found.Files {
				got = append(got, f.Name)
				data, err := os.ReadFile(f.Path)
				if err != nil || !strings.HasSuffix(string(data), f.Name) {
					t.Errorf("%s holds %q, %v", f.Path, data, err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGlobErrors(t *testing.T) {
	root := tree(t, goFiles...)
	for _, c := range []struct {
		name               string
		patterns, excludes []string
		want               string
	}{
		{"nothing", []string{"doc/*.txt", "doc/**/*.md"}, nil, `corpus: pattern "doc/**/*.md" matches no file in ` + filepath.Join(root, "doc")},
		{"no such directory", []string{"docs/*.txt"}, nil, `corpus: pattern "docs/*.txt" matches no file in ` + filepath.Join(root, "docs")},
		{"a directory is no file", []string{"src/os"}, nil, "; that is a directory, whose files are \"src/os/**\""},
		{"a device is no file", []string{os.DevNull}, nil, "; that is not a regular file ("},
		{"all excluded", []string{"doc/*"}, []string{"*.txt"}, `all of the 3 files that it matches in ` + filepath.Join(root, "doc") + " are excluded"},
		{"overlapping patterns are no clash", []string{"src/fmt/print.go", "src/**/*.go", "src/os/*/exec.go", "src/o*/../zoo.go"}, nil, ""},

		{"empty", []string{""}, nil, `pattern "": it is empty`},
		{"bad class", []string{"doc/[a"}, nil, `pattern "doc/[a": "[a": syntax error in pattern`},
		{"joined stars", []string{"src/**.go"}, nil, `"**.go": ** must stand alone between slashes`},
		{"bad exclude", []string{"src/*"}, []string{"a**"}, `corpus: exclude "a**": "a**": ** must stand alone`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Glob(root, c.patterns, c.excludes)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	clash := tree(t, "a/x.txt", "b/x.txt")
	_, err := Glob(clash, []string{"a/*.txt", "b/*.txt"}, nil)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(clash, "a", "x.txt")+" and "+filepath.Join(clash, "b", "x.txt")+` would both be named "x.txt"`) {
		t.Errorf("error %v, want both paths", err)
	}
}

func TestGlobLinks(t *testing.T) {
	root := tree(t, "real/a.txt", "real/sub/b.txt")
	for link, target := range map[string]string{"base": "real", "real/link.txt": "a.txt", "real/loop": "."} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Skipf("this file system makes no links: %v", err)
		}
	}
	found, err := Glob(root, []string{"base/**"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found.Files {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff([]string{"a.txt", "sub/b.txt"}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// Links are followed wherever they lead, and each file is taken once, by its own name where that
// matches.
func TestGlobFollowsLinks(t *testing.T) {
	for _, c := range []struct {
		name     string
		files    []string
		links    map[string]string
		patterns []string
		excludes []string
		want     []string
		passed   []string
		err      string
	}{
		{"a directory on another disk", []string{"d/a/1.txt", "disk/2.txt"}, map[string]string{"d/b": "../disk"}, []string{"d/*/*.txt"}, nil, []string{"a/1.txt", "b/2.txt"}, nil, ""},
		{"at any depth", []string{"d/a/1.txt", "disk/x/y/2.txt"}, map[string]string{"d/b": "../disk"}, []string{"d/**/*.txt"}, nil, []string{"a/1.txt", "b/x/y/2.txt"}, nil, ""},
		{"a link to a link", []string{"disk/1.txt"}, map[string]string{"d/b": "../c", "c": "disk"}, []string{"d/*/*.txt"}, nil, []string{"b/1.txt"}, nil, ""},
		{"a circle", []string{"d/1.txt", "d/e/2.txt"}, map[string]string{"d/e/up": "..", "d/self": "."}, []string{"d/**"}, nil, []string{"1.txt", "e/2.txt"}, nil, ""},
		{"two that lead to each other", []string{"d/a/1.txt", "d/b/2.txt"}, map[string]string{"d/a/b": "../b", "d/b/a": "../a"}, []string{"d/**/*.txt"}, nil, []string{"a/1.txt", "b/2.txt"}, nil, ""},
		{"to what matches itself, before it in order", []string{"d/z.txt"}, map[string]string{"d/a.txt": "z.txt"}, []string{"d/*.txt"}, nil, []string{"z.txt"}, []string{"passed over 1 link to a file that is taken already"}, ""},
		{"to what is excluded by its own name", []string{"d/z.txt"}, map[string]string{"d/a.txt": "z.txt"}, []string{"d/*.txt"}, []string{"z.txt"}, []string{"a.txt"}, nil, ""},
		{"nowhere", []string{"d/1.txt"}, map[string]string{"d/2.txt": "gone.txt"}, []string{"d/*.txt"}, nil, nil, nil, "/d/2.txt is a link to gone.txt, which is not there: mend or exclude it"},
		{"nowhere, and nothing else", nil, map[string]string{"d/2.txt": "gone.txt"}, []string{"d/*.txt"}, nil, nil, nil, "is a link to gone.txt"},
		{"nowhere, excluded", []string{"d/1.txt"}, map[string]string{"d/2.txt": "gone.txt"}, []string{"d/*.txt"}, []string{"2.txt"}, []string{"1.txt"}, nil, ""},
		{"nowhere, where a directory may have been", []string{"d/1.txt"}, map[string]string{"d/b": "gone"}, []string{"d/**/*.txt"}, nil, []string{"1.txt"}, []string{"passed over 1 link that leads nowhere, such as "}, ""},
		{"to itself", []string{"d/1.txt"}, map[string]string{"d/b": "b"}, []string{"d/**/*.txt"}, nil, []string{"1.txt"}, []string{"passed over 1 link that cannot be followed"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, c.files...)
			for link, target := range c.links {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(root, link)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
					t.Skipf("this file system makes no links: %v", err)
				}
			}
			checkFound(t, root, c.patterns, c.excludes, c.want, c.passed, c.err)
		})
	}
}

func checkFound(t *testing.T, root string, patterns, excludes, want, passed []string, message string) {
	t.Helper()
	found, err := Glob(root, patterns, excludes)
	if message != "" || err != nil {
		if err == nil || message == "" || !strings.Contains(err.Error(), message) {
			t.Errorf("error %v, want %q", err, message)
		}
		return
	}
	var got []string
	for _, f := range found.Files {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if len(found.Passed) != len(passed) {
		t.Fatalf("passed over %q, want %q", found.Passed, passed)
	}
	for i, p := range passed {
		if !strings.HasPrefix(found.Passed[i], p) {
			t.Errorf("passed over %q, want %q", found.Passed[i], p)
		}
	}
}

// Hidden files and editors' copies are taken only where a pattern spells out what makes them so.
func TestGlobPassesOver(t *testing.T) {
	root := tree(t, "d/a.txt", "d/.b.txt", "d/._a.txt", "d/a.txt~", "d/#a.txt#", "d/a.txt.swp", "d/.git/c.txt", "d/e/.DS_Store", "d/~a.txt", "d/#b.txt")
	const hidden = "hidden or editors' files and directories, such as "
	for _, c := range []struct {
		name, pattern string
		want, passed  []string
		err           string
	}{
		{"any text", "d/*.txt", []string{"#b.txt", "a.txt", "~a.txt"}, []string{"passed over 2 " + hidden}, ""},
		{"anything", "d/**", []string{"#b.txt", "a.txt", "~a.txt"}, []string{"passed over 7 " + hidden}, ""},
		{"what is not excluded", "d/**", []string{"#b.txt", "a.txt", "~a.txt"}, []string{"passed over 6 " + hidden}, ""},
		{"hidden ones", "d/.*.txt", []string{"._a.txt", ".b.txt"}, nil, ""},
		{"in a hidden directory", "d/.git/*.txt", []string{"c.txt"}, nil, ""},
		{"in any hidden directory", "d/.*/*.txt", []string{".git/c.txt"}, nil, ""},
		{"copies", "d/*~", []string{"a.txt~"}, nil, ""},
		{"copies of another editor", "d/#*", []string{"#a.txt#", "#b.txt"}, nil, ""},
		{"one by name", "d/a.txt.swp", []string{"a.txt.swp"}, nil, ""},
		{"nothing else", "d/*_Store", nil, nil, "matches no file in "},
		{"nothing else, told", "d/e/*", nil, nil, "; passed over 1 hidden or editors' file or directory, such as "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var excludes []string
			if c.name == "what is not excluded" {
				excludes = []string{"**/.git/**"}
			}
			checkFound(t, root, []string{c.pattern}, excludes, c.want, c.passed, c.err)
		})
	}
}

func TestExpand(t *testing.T) {
	lookup := func(name string) (string, bool) {
		v, ok := map[string]string{"GOROOT": "/go", "EMPTY": ""}[name]
		return v, ok
	}
	for _, c := range []struct{ pattern, want, err string }{
		{"${GOROOT}/src/**", "/go/src/**", ""},
		{"a${EMPTY}b${GOROOT}", "ab/go", ""},
		{"$GOROOT/x$", "$GOROOT/x$", ""},
		{"${HOME}/x", "", `corpus: pattern "${HOME}/x": variable HOME is not set`},
		{"a/${GOROOT", "", `corpus: pattern "a/${GOROOT": ${ without }`},
	} {
		got, err := Expand(c.pattern, lookup)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("Expand(%q) = %q, %v, want %q, %q", c.pattern, got, err, c.want, c.err)
		}
	}
}

// Many ** must not make matching slow: the states are counted, not the time.
func TestGlobStates(t *testing.T) {
	levels, err := splitPattern(strings.Repeat("**/a/", 30) + "b")
	if err != nil {
		t.Fatal(err)
	}
	states := start(levels)
	for range 200 {
		if states, _ = step(levels, states, "a", false); len(states) > len(levels)+1 {
			t.Fatalf("%d states for %d levels", len(states), len(levels))
		}
	}
	if states, _ = step(levels, states, "b", false); !accepts(levels, states) {
		t.Error("a path of a's and b does not match")
	}
}
