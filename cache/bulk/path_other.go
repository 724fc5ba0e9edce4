//go:build !amd64

package bulk

func vectorPaths() []*path { return nil }
