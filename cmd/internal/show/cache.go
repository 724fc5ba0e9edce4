package show

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/study/entries"
	"ablate/specs/words"
)

// Entries prints a line for each entry of a cache.
func Entries(w io.Writer, list []entries.Entry) error {
	for _, e := range list {
		loose := ""
		if len(e.Needed) == 0 {
			loose = "  " + entries.Loose
		}
		err := Printf(w, "%s  %s  %-9s  %8s  %8s  %s %s%s\n", e.Made.Format(time.DateTime), e.Key.Short(), cache.Printable(e.Kind),
			words.Bytes(e.Bytes), Seconds(e.Cost), e.Study, e.Step, loose)
		if err != nil {
			return err
		}
	}
	return nil
}

// EntriesJSON prints a line of JSON for each entry.
func EntriesJSON(w io.Writer, list []entries.Entry) error {
	enc := json.NewEncoder(w)
	for _, e := range list {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

// Usage prints how much room a cache takes, by kind of step and by study.
func Usage(w io.Writer, u entries.Usage) error {
	kinds := NewTable(Row{"", "files", "bytes"}, 1)
	for _, k := range u.Kinds {
		kinds.AppendRow(Row{k.Kind, k.Blobs.Files, words.Bytes(k.Blobs.Bytes)})
	}
	kinds.AppendSeparator()
	for _, r := range []struct {
		name string
		n    cache.Count
	}{{"entries", u.Entries}, {"blobs", u.Blobs}, {"blobs that no entry names", u.Orphans}, {"unfinished steps", u.Partial},
		{"quarantine", u.Quarantine}, {"temporary", u.Temporary}} {
		kinds.AppendRow(Row{r.name, r.n.Files, words.Bytes(r.n.Bytes)})
	}
	_, err := fmt.Fprintf(w, "%s\n%s\n", u.Dir, kinds.Render(w))
	if len(u.Studies) > 0 {
		studies := NewTable(Row{"study", "entries", "bytes of outputs", "needed by it only"}, 1)
		for _, s := range u.Studies {
			studies.AppendRow(Row{s.Study, s.All.Files, words.Bytes(s.All.Bytes), words.Bytes(s.Alone.Bytes)})
		}
		err = errors.Join(err, Printf(w, "\n%s\n", studies.Render(w)))
	}
	if u.Free >= 0 {
		err = errors.Join(err, Printf(w, "\n%s free on its file system\n", words.Bytes(u.Free)))
	}
	return err
}

// CollectionJSON prints what a collection removed, or would.
func CollectionJSON(w io.Writer, f *entries.Collection) error {
	var removed []entries.Entry
	for _, it := range f.Removed {
		removed = append(removed, entries.Entry{
			Key: it.Key, Kind: it.Kind, Study: it.Study, Step: it.Step, Bytes: it.Size, Made: it.Made.UTC(), Cost: it.Cost.Seconds(), Needed: []string{},
		})
	}
	return JSON(w, struct {
		DryRun  bool            `json:"dry_run"`
		Before  int64           `json:"bytes_before"`
		After   int64           `json:"bytes_after"`
		Entries cache.Count     `json:"entries"`
		Blobs   cache.Count     `json:"blobs"`
		Partial cache.Count     `json:"partial"`
		Removed []entries.Entry `json:"removed"`
	}{f.Rules.DryRun, f.Before, f.After(), f.Entries, f.Blobs, f.Partial, removed})
}

// Collection prints what a collection removed, or would, and why it kept the rest.
func Collection(w io.Writer, f *entries.Collection) error {
	items(w, f.Removed)
	went, after := "removed", f.After()
	if f.Rules.DryRun {
		went = "would remove"
	}
	err := Printf(w, "%s %s, %s and %s of unfinished steps: %d bytes (%s); %d bytes (%s) stay\n", went, entriesOf(f.Entries.Files), blobsOf(f.Blobs.Files),
		words.Counted(f.Partial.Files, "file", "files"), f.Before-after, words.Bytes(f.Before-after), after, words.Bytes(after))
	var kept []string
	for _, k := range []struct {
		n   int
		why string
	}{{f.Kept.Roots, "that studies or runs need"}, {f.Kept.Young, "too young"}, {f.Kept.Dear, "too expensive"}, {f.Kept.Room, "within the size"}} {
		if k.n > 0 {
			kept = append(kept, fmt.Sprintf("%d %s", k.n, k.why))
		}
	}
	if len(kept) > 0 {
		err = errors.Join(err, Printf(w, "entries kept: %s\n", strings.Join(kept, ", ")))
	}
	for _, r := range f.Live {
		err = errors.Join(err, Printf(w, "running: study %s on %s, since %s\n", r.Study, r.Host, r.Started))
	}
	if most := f.Rules.MaxSize; most > 0 && after > most {
		err = errors.Join(err, Printf(w, "the cache is still %s larger than %s: studies or rules keep the remaining entries; `ablate cache du` shows what each study needs\n",
			words.Bytes(after-most), words.Bytes(most)))
	}
	return err
}

// entriesOf counts entries: "1 entry".
func entriesOf[N ~int | ~int64](n N) string { return words.Counted(n, "entry", "entries") }

// blobsOf counts blobs: "1 blob".
func blobsOf[N ~int | ~int64](n N) string { return words.Counted(n, "blob", "blobs") }

// items prints a line for each of the first entries.
func items(w io.Writer, list []cache.Item) {
	const most = 40
	for i, it := range list {
		if i == most {
			Printf(w, "  and %d more\n", len(list)-most)
			return
		}
		Printf(w, "  %s  %-9s  %8s  %8s  %s %s\n", it.Key.Short(), cache.Printable(it.Kind), words.Bytes(it.Size), Seconds(it.Cost.Seconds()), it.Study, it.Step)
	}
}

// Removal prints the entries that were to be removed, what was made from them, and, without the
// error why they stay, what became of them.
func Removal(w io.Writer, r *entries.Removal, stay error) error {
	items(w, r.Entries)
	if len(r.Dependants) > 0 {
		Printf(w, "entries that were made from these and stay usable without them:\n")
		items(w, r.Dependants)
	}
	switch {
	case stay != nil:
		return nil
	case r.Removed == 0:
		return Printf(w, "%s, %d bytes (%s); nothing was removed, --yes removes them\n", entriesOf(len(r.Entries)), r.Bytes, words.Bytes(r.Bytes))
	}
	return Printf(w, "removed %s, %d bytes (%s)\n", entriesOf(r.Removed), r.Bytes, words.Bytes(r.Bytes))
}

// Copied prints what a push or a pull copied on w, and what it could not copy on warn.
func Copied(w, warn io.Writer, r *entries.Copied) error {
	did, there, absent := "pushed", "already at the remote", "without an entry in this cache"
	if r.Pulled {
		did, there, absent = "pulled", "already in the cache", "without an entry at the remote"
	}
	if r.Dry {
		did = "would " + strings.TrimSuffix(did, "ed")
	}
	err := Printf(w, "%s: %s %s; %d %s\n", r.Remote, did, Moved(r.Moved), r.There, there)
	if r.Absent > 0 {
		err = errors.Join(err, Printf(w, "%s %s\n", words.Counted(r.Absent, "step", "steps"), absent))
	}
	NotCopied(warn, r)
	return err
}

// CopiedJSON prints what a push or a pull copied.
func CopiedJSON(w io.Writer, r *entries.Copied) error {
	type differs struct {
		Key  cache.Key `json:"key"`
		What string    `json:"what"`
	}
	conflicts, failed := []differs{}, []string{}
	for _, e := range r.Conflicts {
		conflicts = append(conflicts, differs{e.First.Key, e.Error()})
	}
	for _, err := range r.Failed {
		failed = append(failed, err.Error())
	}
	return JSON(w, struct {
		Remote    string    `json:"remote"`
		DryRun    bool      `json:"dry_run"`
		Entries   int       `json:"entries"`
		Blobs     int       `json:"blobs"`
		Bytes     int64     `json:"bytes"`
		Healed    int       `json:"healed"` // of the entries and blobs: those that were there and damaged
		There     int       `json:"there"`
		Absent    int       `json:"absent"`
		Conflicts []differs `json:"conflicts"`
		Failed    []string  `json:"failed"`
	}{r.Remote, r.Dry, r.Moved.Entries, r.Moved.Blobs, r.Moved.Bytes, r.Moved.Healed, r.There, r.Absent, conflicts, failed})
}

// NotCopied prints what a push or a pull could not copy.
func NotCopied(w io.Writer, r *entries.Copied) {
	RemoteConflicts(w, r.Remote, r.Conflicts)
	const most = 10
	for i, f := range r.Failed {
		if i == most {
			fmt.Fprintf(w, "and %d more\n", len(r.Failed)-most)
			break
		}
		fmt.Fprintln(w, "failed:", Printable(f))
	}
}

// Moved says how much was moved.
func Moved(n remote.Count) string {
	text := fmt.Sprintf("%s, %s, %s", entriesOf(n.Entries), blobsOf(n.Blobs), words.Bytes(n.Bytes))
	if n.Healed > 0 {
		text += fmt.Sprintf("; %d of them had been damaged there", n.Healed)
	}
	return text
}

// Moving shows on the terminal that w is how much was moved so far; nil where w is none.
func Moving(w io.Writer, doing string) remote.Progress {
	status := Status(w)
	if status == nil {
		return nil
	}
	return func(n remote.Count) { status(doing + ": " + Moved(n)) }
}

// RemoteConflicts names results of ours that differ from those at a remote.
func RemoteConflicts(w io.Writer, at string, conflicts []*cache.Conflict) {
	for _, e := range conflicts {
		fmt.Fprintf(w, "NOT DETERMINISTIC: %v\n  at %s: %s on %s, %s\n  here: %s on %s, %s\n", e, at,
			cache.Printable(e.First.Provenance.Started), cache.Printable(e.First.Provenance.Host), cache.Printable(e.First.Provenance.CPU),
			cache.Printable(e.Second.Provenance.Started), cache.Printable(e.Second.Provenance.Host), cache.Printable(e.Second.Provenance.CPU))
	}
	if len(conflicts) > 0 {
		fmt.Fprintln(w, "Nothing was overwritten: the remote keeps its result, and this cache keeps its own.")
	}
}

// Problems prints what a verification found.
func Problems(w io.Writer, list []cache.Problem) error {
	for _, p := range list {
		if _, err := fmt.Fprintln(w, p); err != nil {
			return err
		}
	}
	return nil
}

// Verified prints that a remote is sound.
func Verified(w io.Writer, found entries.Checked) error {
	return Printf(w, "%s: every entry and blob verifies (%s, %s, %s)\n", found.Remote, entriesOf(found.Entries), blobsOf(found.Blobs), words.Bytes(found.Bytes))
}
