package entries

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
)

// shelf is a cache with four entries: made by study one, which needs all of its own but the last,
// and by study two, which needs shared, too.
//
//	one: shared, made (of shared), loose     two: other
func shelf(t *testing.T) (*study.Session, *cache.Cache, map[string]cache.Key) {
	t.Helper()
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache")}
	c, err := s.OpenCache(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	keys := map[string]cache.Key{}
	digest := map[string]cache.Digest{}
	for _, e := range []struct {
		study, step, kind, from string
		size                    int
		cost                    float64
	}{
		{"one", "shared", "tokenize", "", 300, 2},
		{"one", "made", "train", "shared", 200, 3},
		{"one", "loose", "train", "", 100, 1},
		{"two", "other", "eval", "", 400, 0.5},
	} {
		of := []cache.KeyInput{{Label: "step", Value: e.step}}
		if e.from != "" {
			of = append(of, cache.KeyInput{Label: "input in", Value: digest[e.from].String()})
		}
		key := cache.KeyOf(of)
		b, err := c.Begin(key)
		if err != nil {
			t.Fatal(err)
		}
		data := []byte(strings.Repeat(e.step[:1], e.size))
		if err := os.WriteFile(filepath.Join(b.Dir, "out"), data, 0o666); err != nil {
			t.Fatal(err)
		}
		p := cache.Provenance{Study: e.study, Step: e.step, WallSeconds: e.cost, Started: "2026-01-02T03:04:05.000Z"}
		if _, err := b.Commit(e.kind, of, p); err != nil {
			t.Fatal(err)
		}
		keys[e.step], digest[e.step] = key, cache.DigestOf(data)
	}
	for name, steps := range map[string][]string{"one": {"shared", "made"}, "two": {"shared", "other"}} {
		if err := c.Register(name, name+".yaml"); err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			if _, err := c.Lookup(keys[step]); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Unregister(true); err != nil {
			t.Fatal(err)
		}
	}
	return s, c, keys
}

func steps(list []Entry) string {
	var names []string
	for _, e := range list {
		names = append(names, e.Step)
	}
	return strings.Join(names, " ")
}

func TestList(t *testing.T) {
	_, c, _ := shelf(t)
	for _, tt := range []struct {
		name string
		f    Filter
		want string
	}{
		{"what a study made or needs", Filter{Study: "two", Sort: "size"}, "other shared"},
		{"a kind", Filter{Kind: "train", Sort: "cost"}, "made loose"},
		{"what no study needs", Filter{Loose: true}, "loose"},
		{"by cost", Filter{Sort: "cost"}, "made shared loose other"},
		{"by kind", Filter{Sort: "kind", Study: "two"}, "other shared"},
		{"nothing", Filter{Study: "three"}, ""},
	} {
		list, damaged, err := List(c, tt.f)
		if err != nil || len(damaged) > 0 {
			t.Fatal(err, damaged)
		}
		if got := steps(list); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		for _, e := range list {
			if want := map[string][]string{"shared": {"one", "two"}, "made": {"one"}, "loose": {}, "other": {"two"}}[e.Step]; !slices.Equal(e.Needed, want) || e.Needed == nil {
				t.Errorf("%s is needed by %q, want %q", e.Step, e.Needed, want)
			}
		}
	}
	if _, _, err := List(c, Filter{Sort: "colour"}); err == nil {
		t.Error("an order that is none was taken")
	}
}

func TestUsage(t *testing.T) {
	_, c, _ := shelf(t)
	u, err := UsageOf(c)
	if err != nil {
		t.Fatal(err)
	}
	want := []StudyUsage{
		{"one", cache.Count{Files: 2, Bytes: 500}, cache.Count{Files: 1, Bytes: 200}},
		{"two", cache.Count{Files: 2, Bytes: 700}, cache.Count{Files: 1, Bytes: 400}},
		{Loose, cache.Count{Files: 1, Bytes: 100}, cache.Count{Files: 1, Bytes: 100}},
	}
	if !slices.Equal(u.Studies, want) || u.Dir != c.Dir() || u.Entries.Files != 4 || u.Blobs.Bytes != 1000 {
		t.Errorf("got %+v, want the studies %+v", u, want)
	}
}

func TestCollect(t *testing.T) {
	s, c, keys := shelf(t)
	for _, tt := range []struct {
		name    string
		studies []string
		rules   cache.Rules
		want    []string // steps that go
	}{
		{"what no study needs", nil, cache.Rules{DryRun: true}, []string{"loose"}},
		{"what is dear stays", nil, cache.Rules{DryRun: true, KeepCost: 1}, nil},
		{"what others than the one named need", []string{"two"}, cache.Rules{DryRun: true}, []string{"loose", "made"}},
		{"for good", nil, cache.Rules{}, []string{"loose"}},
	} {
		got, err := Collect(context.Background(), s, c, tt.studies, tt.rules)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		var went []string
		for _, it := range got.Removed {
			went = append(went, it.Step)
		}
		slices.Sort(went)
		if !slices.Equal(went, tt.want) {
			t.Errorf("%s: %q went, want %q", tt.name, went, tt.want)
		}
	}
	if c.Has(keys["loose"]) || !c.Has(keys["made"]) {
		t.Error("the cache does not hold what it should")
	}
	_, err := Collect(context.Background(), s, c, []string{"three"}, cache.Rules{})
	var usage *fault.UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), `there are ["one" "two"]`) {
		t.Errorf("a study that is none: %v", err)
	}
}

// Of a cache on which no study ran, nothing is known, and all would go.
func TestCollectOfNothing(t *testing.T) {
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache")}
	c, err := s.OpenCache(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var usage *fault.UsageError
	if _, err := Collect(context.Background(), s, c, nil, cache.Rules{}); !errors.As(err, &usage) {
		t.Errorf("got %v, want an error of usage", err)
	}
}

func TestRemove(t *testing.T) {
	_, c, keys := shelf(t)
	ctx := context.Background()
	var stays *StaysError
	var usage *fault.UsageError
	if _, err := Remove(ctx, c, Choice{What: []string{"nosuch"}}); !errors.As(err, &usage) || !strings.Contains(err.Error(), `"nosuch"`) {
		t.Errorf("a step that is none: %v", err)
	}
	if _, err := Remove(ctx, c, Choice{What: []string{"shared"}, Study: "two", Yes: true}); !errors.As(err, &usage) {
		t.Errorf("a step that another study made: %v", err)
	}
	r, err := Remove(ctx, c, Choice{What: []string{"l*"}})
	if err != nil || len(r.Entries) != 1 || r.Removed != 0 || r.Bytes < 100 || !c.Has(keys["loose"]) {
		t.Errorf("without yes: %+v, %v", r, err)
	}
	r, err = Remove(ctx, c, Choice{What: []string{keys["shared"].String()[:8]}, Yes: true})
	if !errors.As(err, &stays) || len(r.Dependants) != 1 || r.Dependants[0].Step != "made" || !c.Has(keys["shared"]) {
		t.Errorf("what another was made from: %+v, %v", r, err)
	}
	r, err = Remove(ctx, c, Choice{What: []string{"shared"}, Yes: true, Force: true})
	if err != nil || r.Removed != 1 || c.Has(keys["shared"]) || !c.Has(keys["made"]) {
		t.Errorf("by force: %+v, %v", r, err)
	}
	r, err = Remove(ctx, c, Choice{What: []string{"loose", "other"}, Yes: true})
	if err != nil || r.Removed != 2 || c.Has(keys["loose"]) {
		t.Errorf("two: %+v, %v", r, err)
	}
}

func TestCopy(t *testing.T) {
	s, _, keys := shelf(t)
	ctx := context.Background()
	at := filepath.Join(t.TempDir(), "remote")
	if err := os.Mkdir(at, 0o777); err != nil {
		t.Fatal(err)
	}
	would, err := Push(ctx, s, Copying{Remote: at, Dry: true})
	if err != nil || would.Moved.Entries != 4 || !would.Dry || would.Pulled {
		t.Fatalf("%+v, %v", would, err)
	}
	if list, err := os.ReadDir(at); err != nil || len(list) > 0 {
		t.Fatalf("a dry push left %v, %v", list, err)
	}
	done, err := Push(ctx, s, Copying{Remote: at, Studies: []string{"two"}})
	if err != nil || done.Err() != nil || done.Moved.Entries != 2 || done.Moved.Bytes != 700 {
		t.Fatalf("%+v, %v", done, err)
	}
	done, err = Push(ctx, s, Copying{Remote: at})
	if err != nil || done.Moved.Entries != 2 || done.There != 2 {
		t.Fatalf("again: %+v, %v", done, err)
	}
	other := &study.Session{CacheDir: filepath.Join(t.TempDir(), "other"), Remote: at}
	got, err := Pull(ctx, other, Copying{Remote: at})
	if err != nil || got.Err() != nil || got.Moved.Entries != 4 || !got.Pulled {
		t.Fatalf("%+v, %v", got, err)
	}
	c, err := other.OpenCache(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for step, key := range keys {
		if !c.Has(key) {
			t.Errorf("%s was not pulled", step)
		}
	}
	found, err := VerifyRemote(ctx, other, nil)
	if err != nil || found.Entries != 4 || len(found.Problems) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
	var usage *fault.UsageError
	if _, err := Push(ctx, s, Copying{Remote: s.CacheDir}); !errors.As(err, &usage) {
		t.Errorf("the cache as its own remote: %v", err)
	}
	if _, err := Pull(ctx, other, Copying{Remote: filepath.Join(at, "nosuch")}); err == nil {
		t.Error("a remote that is none was pulled from")
	}
}

// A blob that is damaged at the remote is reported, and written again by a push that checks.
func TestVerifyDamagedRemote(t *testing.T) {
	s, _, _ := shelf(t)
	ctx := context.Background()
	s.Remote = filepath.Join(t.TempDir(), "remote")
	if err := os.Mkdir(s.Remote, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Push(ctx, s, Copying{Remote: s.Remote}); err != nil {
		t.Fatal(err)
	}
	spoilt := 0
	err := filepath.WalkDir(s.Remote, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(path, "blobs") && spoilt == 0 {
			spoilt++
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			data[0] ^= 1
			return errors.Join(os.Chmod(path, 0o666), os.WriteFile(path, data, 0o666))
		}
		return err
	})
	if err != nil || spoilt != 1 {
		t.Fatal(err, spoilt)
	}
	if found, err := VerifyRemote(ctx, s, nil); err != nil || len(found.Problems) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	if done, err := Push(ctx, s, Copying{Remote: s.Remote, Check: true}); err != nil || done.Moved.Healed != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if found, err := VerifyRemote(ctx, s, nil); err != nil || len(found.Problems) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
}
