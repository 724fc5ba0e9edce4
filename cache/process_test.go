package cache

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// The test binary runs itself as a second process: TestMain looks for a role.
const roleEnv, dirEnv, argEnv = "ABLATE_TEST_ROLE", "ABLATE_TEST_DIR", "ABLATE_TEST_ARG"

func TestMain(m *testing.M) {
	role, ok := map[string]func(dir, arg string) error{
		"commit": commitRole, "endless": endlessRole, "dies": diesRole, "full": fullRole, "claims": claimsRole, "registers": registersRole, "shares": sharesRole,
	}[os.Getenv(roleEnv)]
	if !ok {
		goleak.VerifyTestMain(m) // fails when a goroutine is left after the tests
	}
	if err := role(os.Getenv(dirEnv), os.Getenv(argEnv)); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(t *testing.T, role, dir, arg string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleEnv+"="+role, dirEnv+"="+dir, argEnv+"="+arg)
	return cmd
}

// step commits step i with an output that all steps share and one of its own, large enough that a
// kill falls into its hashing and writing too.
func step(c *Cache, i int) error {
	in := benchKeyInputs(i)
	b, err := c.Begin(KeyOf(in))
	if err != nil {
		return err
	}
	own := strings.Repeat(fmt.Sprintf("step %d ", i), 8<<10)
	if err := errors.Join(
		os.WriteFile(filepath.Join(b.Dir, "own"), []byte(own), 0o666),
		os.WriteFile(filepath.Join(b.Dir, "shared"), []byte("the same in all"), 0o666)); err != nil {
		return err
	}
	if _, err = b.Commit("eval", in, Provenance{}); err != nil {
		return err
	}
	_, err = c.Lookup(KeyOf(in))
	return err
}

// commitRole commits steps 0 to arg-1.
func commitRole(dir, arg string) error {
	n, err := strconv.Atoi(arg)
	if err != nil {
		return err
	}
	c, err := Open(dir)
	if err != nil {
		return err
	}
	for i := range n {
		if err := step(c, i); err != nil {
			return err
		}
	}
	return c.Close()
}

// endlessRole commits step after step and says so, until it is killed.
func endlessRole(dir, arg string) error {
	first, err := strconv.Atoi(arg)
	if err != nil {
		return err
	}
	c, err := Open(dir)
	if err != nil {
		return err
	}
	for i := first; ; i++ {
		if err := step(c, i); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// diesRole kills itself before the disk call number arg of its first commit, and exits well if
// there are fewer.
func diesRole(dir, arg string) error {
	at, err := strconv.Atoi(arg)
	if err != nil {
		return err
	}
	c, err := Open(dir)
	if err != nil {
		return err
	}
	c.disk = failing(0, nil, func(n int, _ string) {
		if n == at {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it arrives
		}
	})
	if err := step(c, 0); err != nil {
		return err
	}
	return c.Close()
}

func TestConcurrentProcesses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache") // made by whoever is first
	const processes, steps = 4, 20
	var cmds []*exec.Cmd
	for range processes {
		cmd := child(t, "commit", dir, strconv.Itoa(steps))
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v", i, err)
		}
	}
	c := mustOpen(t, dir)
	for i := range steps {
		if _, err := c.Lookup(KeyOf(benchKeyInputs(i))); err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
	wantWhole(t, c)
	u, err := c.Usage()
	if err != nil || u.Entries.Files != steps || u.Blobs.Files != steps+1 || u.Orphans.Files+u.Quarantine.Files+u.Temporary.Files != 0 {
		t.Errorf("usage %+v, %v", u, err)
	}
	// What one of them remembered, this one does: four processes appended.
	if n := len(c.memo.blobs); n != steps+1 {
		t.Errorf("the memo knows %d blobs, want %d", n, steps+1)
	}
}

// TestKilledAtEachCall kills a process before each disk call of its commit.
func TestKilledAtEachCall(t *testing.T) {
	for at := 1; ; at++ {
		dir := t.TempDir()
		out, err := child(t, "dies", dir, strconv.Itoa(at)).CombinedOutput()
		killed := wasKilled(err)
		if err != nil && !killed {
			t.Fatalf("call %d: %v\n%s", at, err, out)
		}
		c := mustOpen(t, dir) // sweeps
		wantWhole(t, c)
		if n := readNames(c.path("tmp")); len(n) != 0 {
			t.Errorf("call %d: the dead process left %q in tmp", at, n)
		}
		if err := step(c, 0); err != nil {
			t.Errorf("call %d: the step afterwards: %v", at, err)
		}
		wantWhole(t, c)
		if !killed {
			if at < 10 {
				t.Errorf("the process was killed %d times, a commit has more calls", at-1)
			}
			return
		}
	}
}

func wasKilled(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	ws, ok := exit.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL
}

// TestKilledAnywhere kills a process that commits without end, after a few commits and wherever it
// then is, between two calls or inside one.
func TestKilledAnywhere(t *testing.T) {
	dir := t.TempDir()
	first := 0
	for round := range 12 {
		cmd := child(t, "endless", dir, strconv.Itoa(first))
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		last := first - 1
		for range round%4 + 1 {
			if !lines.Scan() {
				break
			}
			if last, err = strconv.Atoi(lines.Text()); err != nil {
				t.Errorf("round %d: %s", round, lines.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		for lines.Scan() { // said before the kill arrived
		}
		if err := cmd.Wait(); !wasKilled(err) {
			t.Errorf("round %d: %v, want killed", round, err)
		}
		c := mustOpen(t, dir)
		for i := range last + 1 {
			if _, err := c.Lookup(KeyOf(benchKeyInputs(i))); err != nil {
				t.Errorf("round %d: step %d was committed before the kill: %v", round, i, err)
			}
		}
		wantWhole(t, c)
		if n := readNames(c.path("tmp")); len(n) != 0 {
			t.Errorf("round %d: tmp holds %q", round, n)
		}
		first = last + 1
	}
}
