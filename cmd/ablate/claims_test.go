package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// cacheCommands are the commands of scripts about runs that share a cache, and about one that
// cannot be written.
var cacheCommands = map[string]func(*testscript.TestScript, bool, []string){
	"once": once, "killbeside": killbeside, "readonly": readonly,
}

// once FILE...: reads what `ablate run --json` printed in several runs on one cache, and wants
// every step of theirs carried out once, by one of them.
func once(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: once FILE FILE...")
	}
	made, steps := map[string]string{}, map[string]bool{}
	for _, file := range args {
		dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
		n := 0
		for {
			var e struct{ Event, Step, Key string }
			if err := dec.Decode(&e); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				ts.Fatalf("%s: %v", file, err)
			}
			switch e.Event {
			case "finished":
				n++
				if by := made[e.Key]; by != "" {
					ts.Fatalf("step %s (%s) was made in %s and in %s", e.Step, e.Key, by, file)
				}
				made[e.Key], steps[e.Key] = file, true
			case "reused":
				steps[e.Key] = true
			}
		}
		ts.Logf("%s: made %d steps", file, n)
	}
	if len(made) == 0 || len(made) != len(steps) {
		ts.Fatalf("%d steps were made and %d used", len(made), len(steps))
	}
}

// killbeside FILE ARGS...: starts ablate and, when it has saved a training, starts it again beside.
// When the second says that it waits for the first, the first is killed with SIGKILL; the second
// must end well. What it wrote to stderr goes to FILE.
func killbeside(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: killbeside FILE ARGS...")
	}
	first, firstOut, firstDone := startSaved(ts, append(args[1:len(args):len(args)], "--out", "killed"))
	second := program(ts, args[1:])
	pipe, err := second.StderrPipe()
	ts.Check(err)
	ts.Check(second.Start())
	var said bytes.Buffer
	lines := bufio.NewScanner(pipe)
	killed := false
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if !killed && strings.Contains(lines.Text(), "waiting for step") {
			killed = true
			ts.Check(first.Process.Kill())
		}
	}
	if err := second.Wait(); err != nil {
		ts.Fatalf("the second run: %v\n%s", err, said.String())
	}
	if !killed {
		first.Process.Kill()
		<-firstDone
		ts.Fatalf("the second run never waited for the first\n%s", said.String())
	}
	var exit *exec.ExitError
	if err := <-firstDone; !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		ts.Fatalf("the first run ended by itself: %v\n%s", err, firstOut.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), said.Bytes(), 0o666))
}
