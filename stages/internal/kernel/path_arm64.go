package kernel

import "ablate/stages/internal/kernel/matmul"

var fusedPath = path{
	name:     "fused",
	Path:     &matmul.Fused,
	rowLoops: goLoops,
}

// paths lists what this machine can run, best first.
func paths() []*path {
	if matmul.RoundsOnce() {
		return []*path{&fusedPath, &portablePath}
	}
	return []*path{&portablePath}
}
