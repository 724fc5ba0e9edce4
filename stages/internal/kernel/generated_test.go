package kernel

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGeneratedIsCurrent runs the generators in a folder of its own and compares: nobody edits assembly that the next `go generate` would
// take back.
func TestGeneratedIsCurrent(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command on the PATH to run gen.go")
	}
	dir := t.TempDir()
	programs, inputs := [][]string{{"gen.go", "gen_attention.go", "gen_attention_avx2.go"}, {"gen_tile.go"}, {"gen_bf16.go"}}, []string{"gen.go", "gen_attention.go", "gen_attention_avx2.go", "gen_tile.go", "gen_bf16.go", "rows_amd64.go.tmpl"}
	for _, name := range inputs {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, sources := range programs {
		cmd := exec.Command(goTool, append([]string{"run"}, sources...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go run %v: %v\n%s", sources, err, out)
		}
	}
	written, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(written) <= len(inputs) {
		t.Fatal("the generator wrote nothing")
	}
	for _, e := range written {
		want, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what its generator writes: run go generate ./stages/internal/kernel", e.Name())
		}
	}
}
