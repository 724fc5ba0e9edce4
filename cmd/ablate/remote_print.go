package main

import (
	"fmt"
	"io"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/study"
	"ablate/specs/words"
)

// tellMoved says what a run moved to and from its remote, and what it did not.
func tellMoved(w io.Writer, m study.Moved) {
	if m.Remote == "" {
		return
	}
	if m.Read != (remote.Count{}) {
		fmt.Fprintf(w, "remote %s: read %s\n", m.Remote, moved(m.Read))
	}
	if m.Wrote != (remote.Count{}) {
		fmt.Fprintf(w, "remote %s: wrote %s\n", m.Remote, moved(m.Wrote))
	}
	tellRemoteConflicts(w, m.Remote, m.Conflicts)
	if m.Unsent > 0 {
		fmt.Fprintf(w, "remote %s: %d results of this run are not there; `ablate cache push` writes them\n", m.Remote, m.Unsent)
	}
}

func moved(n remote.Count) string {
	text := fmt.Sprintf("%d entries, %d blobs, %s", n.Entries, n.Blobs, words.Bytes(n.Bytes))
	if n.Healed > 0 {
		text += fmt.Sprintf("; %d of them had been damaged there", n.Healed)
	}
	return text
}

// tellRemoteConflicts names results of ours that differ from those of others.
func tellRemoteConflicts(w io.Writer, r string, conflicts []*cache.Conflict) {
	for _, e := range conflicts {
		fmt.Fprintf(w, "NOT DETERMINISTIC: %v\n  at %s: %s on %s, %s\n  here: %s on %s, %s\n", e, r,
			cache.Printable(e.First.Provenance.Started), cache.Printable(e.First.Provenance.Host), cache.Printable(e.First.Provenance.CPU),
			cache.Printable(e.Second.Provenance.Started), cache.Printable(e.Second.Provenance.Host), cache.Printable(e.Second.Provenance.CPU))
	}
	if len(conflicts) > 0 {
		fmt.Fprintln(w, "What is at the remote stays there, and what is here stays here.")
	}
}
