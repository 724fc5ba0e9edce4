package ranking_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/ranking"
	"ablate/cmd/internal/study/studytest"
)

// A ranking needs trained units, trains nothing, and evaluates what lacks once. A greedy search
// scores fewer mixtures than there are.
func TestRank(t *testing.T) {
	path := studytest.Study(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "choose: 2", "choose: 2, repeat: true", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test"}
	t.Chdir(t.TempDir()) // logs go below out
	opt := ranking.Options{Study: path, Proxy: "macro", Most: 100}
	if _, err := ranking.Rank(t.Context(), s, opt); err == nil || !strings.Contains(err.Error(), "nothing to rank yet") {
		t.Errorf("before a run: %v", err)
	}
	studytest.Run(t, s, path, filepath.Join(t.TempDir(), "out"))
	r, err := ranking.Rank(t.Context(), s, opt)
	if err != nil {
		t.Fatal(err)
	}
	if r.On != "far" || len(r.Ranked) != int(r.AllPossible().Int64()) || len(r.Searched) != 0 || r.Untrained != 0 || len(r.Lines) != 1 {
		t.Errorf("the ranking: %+v", r)
	}
	for i := 1; i < len(r.Ranked); i++ {
		if r.Ranked[i].Loss < r.Ranked[i-1].Loss {
			t.Errorf("place %d has a lower loss than the place before", i+1)
		}
	}
	again, err := ranking.Rank(t.Context(), s, opt)
	if err != nil || again.Ran != 0 || again.Evaluations != r.Evaluations {
		t.Errorf("again: %d of %d evaluations ran, %v", again.Ran, again.Evaluations, err)
	}
	if len(r.Ranked) != 3 {
		t.Errorf("%d mixtures are ranked, want alpha twice, beta twice, and both", len(r.Ranked))
	}
	opt.Most = 1
	searched, err := ranking.Rank(t.Context(), s, opt)
	if err != nil {
		t.Fatal(err)
	}
	if len(searched.Searched) != 1 || len(searched.Ranked) >= len(r.Ranked) || searched.Ranked[0].Mixture != r.Ranked[0].Mixture {
		t.Errorf("the search came to %+v of %d mixtures", searched.Ranked, len(r.Ranked))
	}

	var usage *fault.UsageError
	for _, c := range []struct {
		change func(*ranking.Options)
		want   string
	}{
		{func(o *ranking.Options) { o.On = "near" }, "--on near: study small evaluates on far, in-domain"},
		{func(o *ranking.Options) { o.Proxy = "best" }, "--proxy best: want one of"},
		{func(o *ranking.Options) { o.Proxy = "weighted" }, "--proxy weighted: study small does not list this proxy"},
		{func(o *ranking.Options) { o.Proxy = "macro_id" }, "--proxy macro_id"},
		{func(o *ranking.Options) { o.Mixtures = "triples" }, "--mixtures triples: study small has pairs"},
	} {
		wrong := opt
		c.change(&wrong)
		if _, err := ranking.Rank(t.Context(), s, wrong); !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %q", err, c.want)
		}
	}
}
