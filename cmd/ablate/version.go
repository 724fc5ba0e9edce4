package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"ablate/licences"
)

// version of the program; it is part of provenance, never of a key.
const version = "0.1.0"

// described is what `git describe` says of the commit that was built. The Makefile sets it;
// otherwise it is empty.
var described string

type versionCommand struct{}

func (versionCommand) Run(a *app) error {
	_, err := fmt.Fprintf(a.stdout, "ablate %s, %s, %s, %s/%s\n", version, commit(described), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// commit says which commit was built: as git describes it, or as the go command found it in the
// checkout.
func commit(described string) string {
	if described != "" {
		return "commit " + described
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "commit not known"
	}
	var revision, edited string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			edited = "-dirty"
		}
	}
	if revision == "" {
		return "commit not known"
	}
	return "commit " + revision + edited
}

type licencesCommand struct{}

func (licencesCommand) Run(a *app) error {
	text, err := licences.Text()
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.stdout, text)
	return err
}
