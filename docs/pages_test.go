package docs_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"ablate/docs/page"
)

var (
	update = flag.Bool("update", false, "write what the commands of the pages print into the pages")
	long   = flag.Int("long", 0, "run the blocks that need up to so many minutes, too: in a clone of the commit that is checked out")
)

// TestPages does what the pages of the documentation tell their readers to do. Each page has a
// directory of its own, in which the files that the page shows are created and its commands are
// run, in the order of the page; what a command prints must be what the page shows. docs/README.md
// states the conventions. With -update, a page gets the output that was printed. The project's own
// README is such a page, too.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("the pages train models")
	}
	names := pageNames(t)
	// Pages that others start from come first.
	slices.SortStableFunc(names, func(a, b string) int { return strings.Count(a, "/") - strings.Count(b, "/") })
	d := done{root: t.TempDir(), ends: map[string]string{}}
	buildProgram(t, filepath.Join(d.root, "bin", "ablate"))
	t.Setenv("PATH", filepath.Join(d.root, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	for _, name := range names {
		t.Run(strings.Replace(strings.TrimSuffix(name, ".md"), "../", "top/", 1), func(t *testing.T) { d.page(t, name) })
	}
}

// buildProgram builds the program from the tree. The go command keeps the result of a test until a
// file that the test looked at changes, so the test looks at all that the program is built from.
func buildProgram(t *testing.T, file string) {
	t.Helper()
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !slices.Contains([]string{".go", ".s", ".mod", ".sum", ".yaml", ".csv", ".txt"}, filepath.Ext(file)) {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "bin", "dist", "out", "site", "testdata"}, d.Name()) {
			return filepath.SkipDir
		}
		_, err = os.Stat(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-trimpath", "-o", file, "../cmd/ablate").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// goroot is where Go's tree lies.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("go env GOROOT: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// done is what pages left.
type done struct {
	root string            // holds a sandbox for each page
	ends map[string]string // the sandboxes of pages that were done
}

// page does a page, and before it the one that it starts from, and returns its sandbox.
func (d *done) page(t *testing.T, name string) string {
	if root, is := d.ends[name]; is {
		return root
	}
	file := filepath.FromSlash(name)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := page.Parse(string(data))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	root := filepath.Join(d.root, strings.NewReplacer("../", "top-", "/", "-").Replace(strings.TrimSuffix(name, ".md")))
	if p.Start != "" {
		from := d.page(t, path.Join(path.Dir(name), p.Start))
		if err := os.CopyFS(root, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	s := newSandbox(t, root, file)
	s.run(t, p)
	if s.changed {
		s.rewrite(t, string(data))
	}
	d.ends[name] = root
	return root
}

func pageNames(t *testing.T) []string {
	t.Helper()
	names := []string{"../README.md"}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(file, ".md") {
			names = append(names, filepath.ToSlash(file))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// sandbox is where one page is done.
type sandbox struct {
	file    string   // of the page
	root    string   // holds home, and in it work, where the page's commands run
	env     []string // beside the test's own
	changed bool     // there is output to write into the page
	output  map[int]page.Command
}

func newSandbox(t *testing.T, root, file string) *sandbox {
	t.Helper()
	s := &sandbox{file: file, root: root, output: map[int]page.Command{}}
	if err := os.MkdirAll(s.work(), 0o777); err != nil {
		t.Fatal(err)
	}
	s.env = []string{
		"HOME=" + filepath.Join(root, "home"), "XDG_CACHE_HOME=", "LC_ALL=C.UTF-8", "TERM=dumb", "GOROOT=" + goroot(t),
		"ABLATE_CACHE=", "ABLATE_UPSTREAM=", "ABLATE_REMOTE=", "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=eu-central-1",
	}
	return s
}

func (s *sandbox) work() string { return filepath.Join(s.root, "home", "work") }

// needs says for each thing that a block may need, in the words of the page, whether this machine
// has it.
var needs = map[string]func(*testing.T, *sandbox) bool{
	"Python with pandas, polars and duckdb": func(*testing.T, *sandbox) bool {
		return exec.Command("python3", "-c", "import pandas, polars, duckdb, pyarrow").Run() == nil
	},
	"Python with safetensors and numpy": func(*testing.T, *sandbox) bool {
		return exec.Command("python3", "-c", "import safetensors, numpy").Run() == nil
	},
	"an S3 bucket, whose URL is in `BUCKET`": func(t *testing.T, s *sandbox) bool { // one in memory, on loopback
		if slices.ContainsFunc(s.env, func(v string) bool { return strings.HasPrefix(v, "BUCKET=") }) {
			return true
		}
		backend := s3mem.New()
		if err := backend.CreateBucket("results"); err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(gofakes3.New(backend).Server())
		t.Cleanup(srv.Close)
		s.env = append(s.env, "BUCKET=s3://results/group?endpoint="+url.QueryEscape(srv.URL))
		return true
	},
	"Go 1.26, make and five minutes": inClone(5),
	"Go 1.26, make and ten minutes":  inClone(10),
	"Go 1.26, make and an hour":      inClone(60),
	"Slurm":                          func(*testing.T, *sandbox) bool { _, err := exec.LookPath("sbatch"); return err == nil },
	"an NVIDIA GPU": func(*testing.T, *sandbox) bool {
		return exec.Command("nvidia-smi").Run() == nil
	},
}

// inClone is the need of commands that a reader runs in a clone of the project, for so many minutes
// of two cores. The first of them makes the page's folder the clone. Commands have the caches of the
// go command that the test has, so that they build what is new and need no network.
func inClone(minutes int) func(*testing.T, *sandbox) bool {
	return func(t *testing.T, s *sandbox) bool {
		if *long < minutes {
			return false
		}
		if _, err := os.Stat(filepath.Join(s.work(), "go.mod")); err == nil {
			return true
		}
		if out, err := exec.Command("git", "clone", "-q", top, s.work()).CombinedOutput(); err != nil {
			t.Fatalf("git clone: %v\n%s", err, out)
		}
		for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
			out, err := exec.Command("go", "env", name).Output()
			if err != nil {
				t.Fatalf("go env %s: %v", name, err)
			}
			s.env = append(s.env, name+"="+strings.TrimSpace(string(out)))
		}
		return true
	}
}

// numbered is a command of the page with the number of its output.
type numbered struct {
	page.Command
	number int
}

// run does what the page says and compares.
func (s *sandbox) run(t *testing.T, p *page.Page) {
	var script strings.Builder
	stage := t.TempDir()
	var commands []numbered
	do := func(c page.Command) {
		n := len(commands)
		commands = append(commands, numbered{c, n})
		fmt.Fprintf(&script, "(exit $page_code)\n{\n%s\n} >%s/%d.out 2>&1 </dev/null\npage_code=$?; echo $page_code >%[2]s/%[3]d.code\n", c.Text, stage, n)
	}
	base := "study.yaml" // what fragments of a study are laid over
	for i, b := range p.Blocks {
		if b.Needs != "" {
			has, known := needs[b.Needs]
			if !known {
				t.Fatalf("%s:%d: no test knows how to look for %s", s.file, b.Line, b.Needs)
			}
			if !has(t, s) {
				t.Run(fmt.Sprintf("line %d", b.Line), func(t *testing.T) {
					t.Skipf("%s:%d: needs %s, which is not here", s.file, b.Line, b.Needs)
				})
				continue
			}
		}
		file := filepath.Join(stage, fmt.Sprintf("%d.file", i))
		if err := os.WriteFile(file, []byte(b.Text), 0o666); err != nil {
			t.Fatal(err)
		}
		if b.Title != "" {
			fmt.Fprintf(&script, "mkdir -p \"$(dirname %s)\" && cp %s %[1]s\n", b.Title, file)
		}
		switch b.Lang {
		case "console":
			list, err := b.Commands()
			if err != nil {
				t.Fatalf("%s: %v", s.file, err)
			}
			for _, c := range list {
				do(c)
			}
		case "yaml":
			check := page.Command{Line: b.Line, Text: "ablate validate " + b.Title, Want: "…is valid\n"}
			whole := strings.HasPrefix(b.Text, "ablate:") || strings.Contains(b.Text, "\nablate:")
			switch {
			case !whole && b.Title == "": // some keys of a study
				check.Text = fmt.Sprintf("{ echo 'ablate: 1'; echo 'study: fragment'; echo 'extends: %s'; cat %s; } >fragment.yaml; ablate validate fragment.yaml; rm fragment.yaml", base, file)
				do(check)
			case whole && b.Title == "":
				check.Text = fmt.Sprintf("cp %s whole.yaml; ablate validate whole.yaml; rm whole.yaml", file)
				do(check)
			case whole && !strings.HasPrefix(path.Base(b.Title), "wrong"):
				do(check)
				if !strings.Contains(b.Text, "\nextends:") {
					base = b.Title
				}
			}
		case "json":
			if !json.Valid([]byte(b.Text)) {
				t.Errorf("%s:%d: no JSON", s.file, b.Line)
			}
		case "go":
			if _, err := format.Source([]byte(b.Text)); err != nil {
				t.Errorf("%s:%d: no Go: %v", s.file, b.Line, err)
			}
		case "python", "sh":
			if b.Title == "" {
				t.Errorf("%s:%d: a program has a title, title=FILE, and a console block that runs it", s.file, b.Line)
			}
		case "text", "csv":
		default:
			t.Errorf("%s:%d: no test reads blocks of %q", s.file, b.Line, b.Lang)
		}
	}
	if len(commands) == 0 {
		return
	}
	cmd := exec.Command("sh", "-c", "page_code=0\n"+script.String())
	cmd.Dir, cmd.Env = s.work(), append(os.Environ(), s.env...)
	cmd.WaitDelay = time.Second
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%s: %v\n%s", s.file, err, out)
	}
	t.Logf("%s: %d commands in %.1f s", s.file, len(commands), time.Since(began).Seconds())
	for i, c := range commands {
		s.compare(t, stage, c, i+1 < len(commands) && commands[i+1].Text == "echo $?")
	}
}

// compare holds what a command printed against the page. A command may fail only where the page
// shows its exit code next.
func (s *sandbox) compare(t *testing.T, stage string, c numbered, mayFail bool) {
	t.Run(fmt.Sprintf("line %d", c.Line), func(t *testing.T) {
		out, err := os.ReadFile(filepath.Join(stage, fmt.Sprintf("%d.out", c.number)))
		if err != nil {
			t.Fatal(err)
		}
		code, err := os.ReadFile(filepath.Join(stage, fmt.Sprintf("%d.code", c.number)))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(strings.ReplaceAll(string(out), s.work(), "/home/you/work"), filepath.Join(s.root, "home"), "/home/you")
		switch is := strings.TrimSpace(string(code)); {
		case is != "0" && !mayFail:
			t.Errorf("%s:%d: %s\nexit code %s; a page shows it: $ echo $?\n%s", s.file, c.Line, c.Text, is, got)
		case page.Matches(c.Want, got):
		case *update && c.Want != "…is valid\n":
			c.Want = page.Anew(c.Want, got)
			s.output[c.Line], s.changed = c.Command, true
		default:
			t.Errorf("%s:%d: %s\nprinted:\n%s\nthe page shows:\n%s", s.file, c.Line, c.Text, got, c.Want)
		}
	})
}

// rewrite puts what was printed into the page.
func (s *sandbox) rewrite(t *testing.T, text string) {
	lines := strings.SplitAfter(text, "\n")
	var b strings.Builder
	for i := 0; i < len(lines); i++ {
		b.WriteString(lines[i])
		c, is := s.output[i+1]
		if !is {
			continue
		}
		for range strings.Count(c.Text, "\n") {
			i++
			b.WriteString(lines[i])
		}
		b.WriteString(c.Want)
		for i+1 < len(lines) && !strings.HasPrefix(lines[i+1], "```") && !strings.HasPrefix(lines[i+1], "$ ") {
			i++
		}
	}
	if err := os.WriteFile(s.file, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}
