package exectest

import (
	"testing"

	"ablate/runner/exec"
)

func TestCluster(t *testing.T) {
	Test(t, func(_ *testing.T, w exec.Worker) exec.Executor { return NewCluster(w) })
}
