package main

import (
	"os"
	"path/filepath"
	"strings"

	"ablate/cache"
)

// asideHead begins the names of files that are not whole yet.
const asideHead = ".ablate-"

// aside makes a file in a directory that is to take its name there by a rename once it is whole. It removes those that runs left which were
// killed.
func aside(dir string) (*os.File, error) {
	if names, err := os.ReadDir(dir); err == nil { // if not, the next line says why
		for _, n := range names {
			if owner, ok := strings.CutPrefix(n.Name(), asideHead); ok && cache.Left(owner) {
				os.Remove(filepath.Join(dir, n.Name())) // met again next time if it fails
			}
		}
	}
	return os.CreateTemp(dir, asideHead+cache.Owner()+".*")
}
