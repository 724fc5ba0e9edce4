package kernel

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGeneratedIsCurrent runs the generators in a folder of its own and compares: nobody edits
// assembly that the next `go generate` would take back.
func TestGeneratedIsCurrent(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command on the PATH to run the generators")
	}
	programs := t.TempDir()
	for name, folder := range map[string]string{"rows": ".", "tile": "matmul", "bf16": "matmul"} {
		dir := t.TempDir()
		program := filepath.Join(programs, name)
		if out, err := exec.Command(goTool, "build", "-o", program, "./generate/"+name).CombinedOutput(); err != nil {
			t.Fatalf("go build %s: %v\n%s", name, err, out)
		}
		cmd := exec.Command(program)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		written, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(written) == 0 {
			t.Fatalf("the generator of %s wrote nothing", name)
		}
		for _, e := range written {
			want, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is not what its generator writes: run go generate ./stages/internal/kernel/...", e.Name())
			}
		}
	}
}
