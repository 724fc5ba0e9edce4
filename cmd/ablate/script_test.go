package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ablate/cache"
)

var update = flag.Bool("update", false, "write what the scripts print as what they want")

// commands are what the test binary is when a test runs it by another name; `ablate` is the real
// program.
var commands = map[string]func(){"ablate": func() { os.Exit(Main()) }}

func TestMain(m *testing.M) { testscript.Main(m, commands) }

// TestScripts runs the sessions in testdata/script: one behaviour each. Every script starts in an
// empty directory with a cache of its own ($ABLATE_CACHE), a small study of our own (study.yaml)
// and the text it needs (data/*.jsonl), made by the commands below.
func TestScripts(t *testing.T) {
	params := testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup:         setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"full":     full,
			"unpack":   unpack,
			"write":    write,
			"edit":     edit,
			"gz":       gz,
			"scatter":  scatter,
			"enlarge":  enlarge,
			"digests":  digests,
			"tree":     tree,
			"spoil":    spoil,
			"killrun":  killrun,
			"tmpfs":    tmpfs,
			"grow":     grow,
			"samebits": samebits,
			"tamper":   tamper,
			"rezip":    rezip,
			"rederive": rederive,
		},
		Condition: condition,
	}
	maps.Copy(params.Cmds, cacheCommands)
	maps.Copy(params.Cmds, remoteCommands)
	testscript.Run(t, params)
}

func setup(env *testscript.Env) error {
	env.Setenv("ABLATE_CACHE", filepath.Join(env.WorkDir, "cache"))
	if root := goroot(); root != "" {
		env.Setenv("GOROOT", root)
	}
	env.Setenv("SHARED", shared())
	tokenizer, err := filepath.Abs("../../stages/internal/bpe/testdata/tiny.tokenizer.json")
	if err != nil {
		return err
	}
	env.Setenv("TOKENIZER", tokenizer)
	kept, err := filepath.Abs("testdata/kept-cache.zip")
	if err != nil {
		return err
	}
	env.Setenv("KEPT", kept)
	parquet, err := filepath.Abs("../../stages/internal/corpus/parquet/testdata/golden")
	if err != nil {
		return err
	}
	env.Setenv("PARQUET", parquet) // files of several writers
	study, err := os.ReadFile("testdata/study/study.yaml")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(env.WorkDir, "data"), 0o777); err != nil {
		return err
	}
	for _, part := range []struct {
		name      string
		topic     int
		documents int
	}{{"seed", 0, 60}, {"alpha", 1, 40}, {"beta", 2, 40}, {"gamma", 3, 40}, {"far", 4, 8}} {
		if err := os.WriteFile(filepath.Join(env.WorkDir, "data", part.name+".jsonl"), documents(part.name, part.topic, 0, part.documents), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(env.WorkDir, "study.yaml"), study, 0o666)
}

func goroot() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// shared is the folder of corpora that are not part of the project, or empty.
func shared() string {
	if dir := os.Getenv("ABLATE_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	for err == nil {
		candidate := filepath.Join(dir, "shared")
		if _, err := os.Stat(filepath.Join(candidate, "data")); err == nil {
			return candidate
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
	return ""
}

func condition(cond string) (bool, error) {
	switch cond {
	case "shared":
		return shared() != "", nil
	case "root":
		return os.Getuid() == 0, nil
	case "mount":
		return os.Getuid() == 0 && canMount(), nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// documents makes jsonl documents from..to of a topic: sentences over words of its own and words
// that all topics share, from a generator that numbers name, so that the same call gives the same
// text.
func documents(part string, topic, from, to int) []byte {
	var b bytes.Buffer
	for i := from; i < to; i++ {
		r := rand.New(rand.NewPCG(uint64(topic), uint64(i)))
		var text strings.Builder
		for range 12 {
			for w := range 10 {
				n := topic*20 + r.IntN(20)
				if r.IntN(3) == 0 {
					n = r.IntN(15)
				}
				if w > 0 {
					text.WriteByte(' ')
				}
				text.WriteString(word(n))
			}
			text.WriteString(".\\n")
		}
		fmt.Fprintf(&b, `{"id":"%s-%03d","text":"%s","metadata":{"part":"%s","year":%d}}`+"\n", part, i, text.String(), part, 1990+i)
	}
	return b.Bytes()
}

// word is the n-th made-up word.
func word(n int) string {
	syllables := []string{"ba", "ko", "mi", "ru", "ten", "sal", "dor", "vi", "pa", "lun"}
	return syllables[n%10] + syllables[n/10%10] + syllables[(n*7+3)%10]
}

// exits N ARGS...: runs ablate and wants exit code N. Output goes to the stdout and stderr of the
// script.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec("ablate", args[1:]...)
	var exit *exec.ExitError
	got := 0
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("ablate %s: %v", strings.Join(args[1:], " "), err)
	}
	if got != want {
		ts.Fatalf("ablate %s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// full ARGS...: runs ablate with a standard output that takes nothing, as a full disk, and wants
// exit code 1 and a word of it.
func full(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: full ARGS...")
	}
	to, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	ts.Check(err)
	defer to.Close()
	var told bytes.Buffer
	cmd := program(ts, args)
	cmd.Stdout, cmd.Stderr = to, &told
	err = cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailed || !strings.Contains(told.String(), "no space left") {
		ts.Fatalf("ablate %s >/dev/full: %v, want exit code %d and a word of it\n%s", strings.Join(args, " "), err, exitFailed, told.String())
	}
}

// write FILE PART TOPIC FROM TO: writes or, where the file exists, appends documents.
func write(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: write FILE PART TOPIC FROM TO")
	}
	n := make([]int, 3)
	for i := range n {
		var err error
		n[i], err = strconv.Atoi(args[2+i])
		ts.Check(err)
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	ts.Check(err)
	_, err = f.Write(documents(args[1], n[0], n[1], n[2]))
	ts.Check(errors.Join(err, f.Close()))
}

// gz FILE NAME: compresses FILE with gzip as NAME.
func gz(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: gz FILE NAME")
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(errors.Join(err, z.Close(), os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o666)))
}

// edit FILE OLD NEW: replaces text that must be there once.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	unquote := func(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }
	if n := strings.Count(string(data), unquote(args[1])); n != 1 {
		ts.Fatalf("edit %s: %q is there %d times, want 1", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(string(data), unquote(args[1]), unquote(args[2]), 1)), 0o666))
}

// digests CACHE FILE: writes every key of a cache with its kind and output digests.
func digests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: digests CACHE FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(artifacts(ts, args[0]), "")), 0o666))
}

// artifacts lists every output of every entry of a cache, a line each.
func artifacts(ts *testscript.TestScript, dir string) []string {
	c, err := cache.Open(ts.MkAbs(dir))
	ts.Check(err)
	defer c.Close()
	var lines []string
	for e, err := range c.Entries() {
		ts.Check(err)
		for _, o := range e.Outputs {
			lines = append(lines, fmt.Sprintf("%s %s %s %s\n", e.Kind, e.Key, o.Name, o.Digest))
		}
	}
	if len(lines) == 0 {
		ts.Fatalf("the cache %s is empty", dir)
	}
	slices.Sort(lines)
	return lines
}

// tree DIR FILE: writes name, size, digest and time of change of every file under DIR.
func tree(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tree DIR FILE")
	}
	var lines []string
	root := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		lines = append(lines, fmt.Sprintf("%s %d %x %d\n", rel, len(data), sha256.Sum256(data), info.ModTime().UnixNano()))
		return err
	}))
	if len(lines) == 0 {
		ts.Fatalf("tree %s: no files", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(lines, "")), 0o666))
}

// spoil CACHE KIND OUTPUT flip|cut|remove: damages the blob of one output of the first entry of a
// kind.
func spoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: spoil CACHE KIND OUTPUT flip|cut|remove")
	}
	dir := ts.MkAbs(args[0])
	c, err := cache.Open(dir)
	ts.Check(err)
	defer c.Close()
	for e, err := range c.Entries() {
		ts.Check(err)
		out, ok := e.Output(args[2])
		if e.Kind != args[1] || !ok {
			continue
		}
		path, err := c.Blob(out.Digest)
		ts.Check(err)
		ts.Check(os.Chmod(path, 0o644))
		data, err := os.ReadFile(path)
		ts.Check(err)
		switch args[3] {
		case "flip":
			data[len(data)/2] ^= 1
			ts.Check(os.WriteFile(path, data, 0o644))
		case "cut":
			ts.Check(os.WriteFile(path, data[:len(data)/2], 0o644))
		case "remove":
			ts.Check(os.Remove(path))
		}
		return
	}
	ts.Fatalf("spoil: no entry of kind %s with output %s", args[1], args[2])
}

// killrun SIGNAL ARGS...: starts ablate, waits until a training has saved a checkpoint, and sends
// the signal (KILL, INT, TERM or HUP). With KILL the run must not have ended by itself; with the
// others its exit code must be 130.
func killrun(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: killrun SIGNAL ARGS...")
	}
	sig := map[string]syscall.Signal{"KILL": syscall.SIGKILL, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}[args[0]]
	cmd, out, done := startSaved(ts, args[1:])
	ts.Check(cmd.Process.Signal(sig))
	err := <-done
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		ts.Fatalf("killrun: the run ended with %v after SIG%s\n%s", err, args[0], out.String())
	}
	if sig != syscall.SIGKILL && exit.ExitCode() != exitInterrupted {
		ts.Fatalf("killrun: exit code %d after SIG%s, want %d\n%s", exit.ExitCode(), args[0], exitInterrupted, out.String())
	}
	ts.Logf("%s", out.String())
}

// program is a command that runs ablate with the script's environment.
func program(ts *testscript.TestScript, args []string) *exec.Cmd {
	self, err := exec.LookPath("ablate")
	if path := ts.Getenv("PATH"); err != nil || path != "" { // the script's own ablate comes first
		for _, dir := range filepath.SplitList(path) {
			if candidate := filepath.Join(dir, "ablate"); isFile(candidate) {
				self = candidate
				break
			}
		}
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "ABLATE_CACHE="+ts.Getenv("ABLATE_CACHE"), "PATH="+ts.Getenv("PATH"), "HOME="+ts.Getenv("WORK"))
	return cmd
}

// startSaved starts ablate and waits until a training has saved a checkpoint. done gives the end of
// the process.
func startSaved(ts *testscript.TestScript, args []string) (cmd *exec.Cmd, out *bytes.Buffer, done chan error) {
	cmd, out = program(ts, args), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, out
	saved := filepath.Join(ts.Getenv("ABLATE_CACHE"), "partial", "*", "step-*")
	before, _ := filepath.Glob(saved)
	ts.Check(cmd.Start())
	done = make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		select {
		case err := <-done:
			ts.Fatalf("the run ended before it saved a checkpoint: %v\n%s", err, out.String())
		default:
		}
		found, _ := filepath.Glob(saved)
		if slices.ContainsFunc(found, func(path string) bool { return !slices.Contains(before, path) }) {
			break
		}
	}
	return cmd, out, done
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
