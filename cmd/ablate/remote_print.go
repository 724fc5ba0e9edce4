package main

import (
	"fmt"
	"io"

	"ablate/cache/remote"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
)

// tellMoved says what a run moved to and from its remote, and what it did not.
func tellMoved(w io.Writer, m study.Moved) {
	if m.Remote == "" {
		return
	}
	if m.Read != (remote.Count{}) {
		fmt.Fprintf(w, "remote %s: read %s\n", m.Remote, show.Moved(m.Read))
	}
	if m.Wrote != (remote.Count{}) {
		fmt.Fprintf(w, "remote %s: wrote %s\n", m.Remote, show.Moved(m.Wrote))
	}
	show.RemoteConflicts(w, m.Remote, m.Conflicts)
	if m.Unsent > 0 {
		fmt.Fprintf(w, "remote %s: %d results of this run are not there; `ablate cache push` writes them\n", m.Remote, m.Unsent)
	}
}
