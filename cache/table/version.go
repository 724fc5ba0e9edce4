package table

import "fmt"

// versionError is what a reader says of a file of another version.
func versionError(have, want string) error {
	return fmt.Errorf("version %.80q, this program reads %q: run the step that makes the file again, or read it with the version of ablate that wrote it", have, want)
}
