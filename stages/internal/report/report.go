package report

import (
	"io"
)

// Render writes the page.
func Render(w io.Writer, d Data) error {
	_, err := io.WriteString(w, d.Study)
	return err
}
