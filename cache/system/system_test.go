package system

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A build for another system ends with the reason, and with nothing else: no package of ours is
// compiled without this one that needs a system of Unix's kind.
func TestOtherSystemsAreToldInWords(t *testing.T) {
	for _, system := range []string{"windows", "freebsd"} {
		cmd := exec.Command("go", "vet", ".")
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "ablate_runs_on_Linux_and_macOS_only") {
			t.Errorf("GOOS=%s: %v, %s", system, err, out)
		}
	}
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}: {{.Imports}}", "ablate/cache", "ablate/cache/table/mapping").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, "ablate/cache/system") {
			t.Errorf("does not import this package: %s", line)
		}
	}
}
