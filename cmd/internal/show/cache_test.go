package show

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ablate/cache"
	"ablate/cache/remote"
	"ablate/cmd/internal/study/entries"
)

// printed is what a printer writes on a pipe.
func printed(t *testing.T, print func(w *bytes.Buffer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := print(&out); err != nil {
		t.Error(err)
	}
	return out.String()
}

func want(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var item = cache.Item{Key: cache.Key{0xab, 0xcd, 0xef, 0x01}, Kind: "train", Study: "small", Step: "unit/a\x1b", Size: 159_000, Made: time.Unix(1e9, 0), Cost: 90 * time.Second}

func TestEntries(t *testing.T) {
	list := []entries.Entry{
		{Key: item.Key, Kind: "train", Study: "small", Step: "unit/a\x1b", Bytes: 159_000, Made: item.Made.UTC(), Cost: 90, Needed: []string{"small"}},
		{Key: item.Key, Kind: "eval", Study: "small", Step: "eval/b", Bytes: 12, Made: item.Made.UTC(), Cost: 0.04, Needed: []string{}},
	}
	want(t, `2001-09-09 01:46:40  abcdef01  train        159 kB     90.0s  small unit/a\x1b
2001-09-09 01:46:40  abcdef01  eval           12 B      0.0s  small eval/b  (no study needs it)
`, printed(t, func(w *bytes.Buffer) error { return Entries(w, list) }))
	want(t, `{"key":"abcdef0100000000000000000000000000000000000000000000000000000000","kind":"eval","study":"small","step":"eval/b","bytes":12,"made":"2001-09-09T01:46:40Z","cost_seconds":0.04,"needed_by":[]}
`, printed(t, func(w *bytes.Buffer) error { return EntriesJSON(w, list[1:]) }))
}

func TestUsage(t *testing.T) {
	u := entries.Usage{Dir: "/cache", Free: 5e9, Studies: []entries.StudyUsage{{Study: "small", All: cache.Count{Files: 2, Bytes: 500}, Alone: cache.Count{Files: 1, Bytes: 200}}}}
	u.Entries = cache.Count{Files: 3, Bytes: 3000}
	want(t, `/cache
                            files  bytes 
─────────────────────────────────────────
 entries                        3   3 kB 
 blobs                          0    0 B 
 blobs that no entry names      0    0 B 
 unfinished steps               0    0 B 
 quarantine                     0    0 B 
 temporary                      0    0 B 

 study  entries  bytes of outputs  needed by it only 
─────────────────────────────────────────────────────
 small        2             500 B              200 B 

5 GB free on its file system
`, printed(t, func(w *bytes.Buffer) error { return Usage(w, u) }))
}

func TestCollection(t *testing.T) {
	f := &cache.Freed{Removed: []cache.Item{item}, Entries: cache.Count{Files: 1, Bytes: 1000}, Blobs: cache.Count{Files: 2, Bytes: 159_000}, Before: 500_000}
	f.Kept.Roots, f.Kept.Dear = 3, 1
	f.Live = []cache.Root{{Study: "large", Host: "node7", Started: "2026-01-02T03:04:05Z"}}
	want(t, `  abcdef01  train        159 kB     90.0s  small unit/a\x1b
would remove 1 entry, 2 blobs and 0 files of unfinished steps: 160000 bytes (160 kB); 340000 bytes (340 kB) stay
entries kept: 3 that studies or runs need, 1 too expensive
running: study large on node7, since 2026-01-02T03:04:05Z
the cache is still 40 kB larger than 300 kB: studies or rules keep the remaining entries; `+"`ablate cache du`"+` shows what each study needs
`, printed(t, func(w *bytes.Buffer) error {
		return Collection(w, &entries.Collection{Freed: f, Rules: cache.Rules{DryRun: true, MaxSize: 300_000}})
	}))
	want(t, `{
  "dry_run": false,
  "bytes_before": 7,
  "bytes_after": 7,
  "entries": {
    "files": 0,
    "bytes": 0
  },
  "blobs": {
    "files": 0,
    "bytes": 0
  },
  "partial": {
    "files": 0,
    "bytes": 0
  },
  "removed": null
}
`, printed(t, func(w *bytes.Buffer) error {
		return CollectionJSON(w, &entries.Collection{Freed: &cache.Freed{Before: 7}})
	}))
}

func TestRemoval(t *testing.T) {
	const line = "  abcdef01  train        159 kB     90.0s  small unit/a\\x1b\n"
	r := &entries.Removal{Entries: []cache.Item{item}, Bytes: 160_000}
	want(t, line+"1 entry, 160000 bytes (160 kB); nothing was removed, --yes removes them\n", printed(t, func(w *bytes.Buffer) error { return Removal(w, r, nil) }))
	r.Removed = 1
	want(t, line+"removed 1 entry, 160000 bytes (160 kB)\n", printed(t, func(w *bytes.Buffer) error { return Removal(w, r, nil) }))
	r.Removed, r.Dependants = 0, []cache.Item{item}
	want(t, line+"entries that were made from these and stay usable without them:\n"+line, printed(t, func(w *bytes.Buffer) error { return Removal(w, r, errors.New("they stay")) }))
}

func TestCopied(t *testing.T) {
	r := &entries.Copied{Remote: "s3://b/p", Dry: true}
	r.Moved, r.There, r.Absent = remote.Count{Entries: 2, Blobs: 3, Bytes: 700, Healed: 1}, 4, 5
	for range 11 {
		r.Failed = append(r.Failed, errors.New("no answer"))
	}
	var warned bytes.Buffer
	want(t, `s3://b/p: would push 2 entries, 3 blobs, 700 B; 1 of them had been damaged there; 4 already at the remote
5 steps without an entry in this cache
`, printed(t, func(w *bytes.Buffer) error { return Copied(w, &warned, r) }))
	if got := bytes.Count(warned.Bytes(), []byte("failed: no answer\n")); got != 10 || !bytes.HasSuffix(warned.Bytes(), []byte("and 1 more\n")) {
		t.Errorf("warnings:\n%s", warned.String())
	}
	r.Pulled, r.Dry, r.Failed, r.Absent = true, false, nil, 0
	want(t, "s3://b/p: pulled 2 entries, 3 blobs, 700 B; 1 of them had been damaged there; 4 already in the cache\n",
		printed(t, func(w *bytes.Buffer) error { return Copied(w, &warned, r) }))
	want(t, `{
  "remote": "s3://b/p",
  "dry_run": false,
  "entries": 2,
  "blobs": 3,
  "bytes": 700,
  "healed": 1,
  "there": 4,
  "absent": 0,
  "conflicts": [],
  "failed": []
}
`, printed(t, func(w *bytes.Buffer) error { return CopiedJSON(w, r) }))
}
