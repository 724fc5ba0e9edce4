// Package licences holds the licences and notices of everything that is linked into ablate on the
// systems it is shipped for: its modules, and Go's own library. `make licences` collects them from
// the module cache; a test fails where the list is not that of the program.
package licences

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
)

//go:generate go run ./collect

//go:embed licences.txt.gz
var packed []byte

// Text returns the list of modules and, below it, every text, each once with the modules that it is
// from.
func Text() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("internal error: licences.txt.gz: %w", err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("internal error: licences.txt.gz: %w", err)
	}
	return string(text), nil
}
