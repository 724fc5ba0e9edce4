//go:build !amd64 && !arm64

package kernel

// paths lists what this machine can run, best first.
func paths() []*path { return []*path{&portablePath} }
