package cache

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGC(t *testing.T) {
	const week = 7 * 24 * time.Hour
	c := mustOpen(t, t.TempDir())
	commitFiles(t, c, abc, map[string]string{"a": "both", "b": "of abc"})
	commitFiles(t, c, worked, map[string]string{"a": "both", "b": "of worked"})
	p, err := c.Partial(KeyOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(p, "step-1"), "12345")
	running := writeBuild(t, c, KeyOf(benchIngredients(1)), map[string]string{"x": "under way"})
	keepABC := func(e *Entry) bool { return e.Key == KeyOf(abc) }

	// A good cache loses nothing, whatever its age.
	freed, err := c.GC(t.Context(), nil, 0)
	if _, serr := os.Stat(p); err != nil || freed.Entries.Files+freed.Blobs.Files != 0 || serr == nil {
		t.Errorf("freed %+v, %v; the partial: %v, want it alone gone", freed, err, serr)
	}
	if p, err = c.Partial(KeyOf(nil)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(p, "step-1"), "12345")

	// Young blobs stay though their entry goes.
	freed, err = c.GC(t.Context(), keepABC, week)
	want := Freed{Entries: Count{1, freed.Entries.Bytes}}
	if d := cmp.Diff(want, freed); d != "" || err != nil || freed.Entries.Bytes < 100 {
		t.Errorf("young (-want +got), %v:\n%s", err, d)
	}
	wantMiss(t, c, KeyOf(worked), Absent, "")
	if _, err := c.Blob(DigestOf([]byte("of worked"))); err != nil {
		t.Error(err)
	}

	// Later the orphan goes, and the blob that both had stays.
	c.now = func() time.Time { return time.Now().Add(week + time.Hour) }
	freed, err = c.GC(t.Context(), keepABC, week)
	want = Freed{Blobs: Count{1, 9}, Partial: Count{1, 5}}
	if d := cmp.Diff(want, freed); d != "" || err != nil {
		t.Errorf("old (-want +got), %v:\n%s", err, d)
	}
	if _, err := c.Lookup(KeyOf(abc)); err != nil {
		t.Error(err)
	}
	if _, err := c.Blob(DigestOf([]byte("of worked"))); !isMiss(err, Absent) {
		t.Errorf("the orphan: %v", err)
	}
	wantWhole(t, c)
	if _, err := running.Commit("eval", benchIngredients(1), Provenance{}); err != nil {
		t.Errorf("the build under way: %v", err)
	}
}
