package output

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cache"
)

// TestAside: what a run left that was killed goes with the next file; what runs elsewhere are
// writing stays.
func TestAside(t *testing.T) {
	dir := t.TempDir()
	part := strings.Split(cache.Owner(), ".")
	part[2] = "4194304" // no process has this number
	dead, far := asideHead+strings.Join(part, ".")+".1", asideHead+"elsewhere.1.2.3.4"
	for _, name := range []string{dead, far, "report.html"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mine, err := aside(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	other, err := aside(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for name, stays := range map[string]bool{dead: false, far: true, "report.html": true, filepath.Base(mine.Name()): true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != stays {
			t.Errorf("%s: %v, want it to stay: %v", name, err, stays)
		}
	}
}
