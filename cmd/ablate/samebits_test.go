package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"ablate/stages"
)

// kernelPaths are all there are, on any machine.
var kernelPaths = []string{"avx512", "avx2", "fused", "portable"}

// samebits STUDY: runs the study with 1, 2 and 7 threads on the machine's best kernel path, with 2
// and 7 on the others, each time in a cache of its own, and wants the digests of all artifacts of
// all steps to be the same. It says which paths the machine lacks.
func samebits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: samebits STUDY")
	}
	defer ts.Setenv("ABLATE_KERNEL", "")
	var first string
	var want []string
	for _, path := range kernelPaths {
		if _, err := stages.Kernels(path); err != nil {
			ts.Logf("not compared: %v", err)
			continue
		}
		ts.Setenv("ABLATE_KERNEL", path)
		threads := []string{"1", "2", "7"}
		if want != nil {
			threads = threads[1:]
		}
		for _, threads := range threads {
			run := fmt.Sprintf("%s-%s-%s", strings.TrimSuffix(args[0], ".yaml"), path, threads)
			ts.Check(ts.Exec("ablate", "--cache", run, "run", args[0], "--threads", threads, "--out", run+".out"))
			got := artifacts(ts, run)
			if want == nil {
				first, want = run, got
			}
			for _, line := range want {
				if !slices.Contains(got, line) {
					ts.Logf("only in %s: %s", first, line)
				}
			}
			if !slices.Equal(got, want) {
				ts.Fatalf("samebits: the artifacts of %s differ from those of %s", run, first)
			}
			// What a run leaves outside the cache tells times and machines, but its numbers and
			// figures are artifacts.
			ts.Check(os.RemoveAll(ts.MkAbs(run)))
		}
	}
	ts.Logf("%s: %d artifacts", args[0], len(want))
}
