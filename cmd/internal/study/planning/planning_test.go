package planning

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/studytest"
	"ablate/pipeline"
)

// planned calls f with the plan of a study, which is changed before.
func planned(t *testing.T, s *study.Session, path string, change func(text string) string, f func(p *study.Compiled)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := change(string(text))
	if edited == string(text) {
		t.Log("the study is as it was")
	}
	if err := os.WriteFile(path, []byte(edited), 0o666); err != nil {
		t.Fatal(err)
	}
	err = s.WithPlan(context.Background(), path, study.Planning{Assume: true}, func(p *study.Compiled) error { f(p); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

func same(text string) string { return text }

func replaced(old, new string) func(string) string {
	return func(text string) string { return strings.Replace(text, old, new, 1) }
}

// One run serves what is said of a study before it, after it, and after changes.
func TestPlanning(t *testing.T) {
	path := studytest.Study(t)
	s := &study.Session{CacheDir: filepath.Join(t.TempDir(), "cache"), Version: "test"}
	t.Chdir(filepath.Dir(path))
	var usage *fault.UsageError

	planned(t, s, path, same, func(p *study.Compiled) {
		if _, err := EfficiencyOf(p, "study.yaml"); err == nil || !strings.Contains(err.Error(), "`ablate run study.yaml` splits the corpus") {
			t.Errorf("efficiency before a run: %v", err)
		}
		if _, err := TogetherOf([]*study.Compiled{p, p}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "ends with the split") {
			t.Errorf("together before a run: %v", err)
		}
		if _, err := Explain(p, "unit/parts/alpha/0"); !errors.As(err, &usage) || !strings.Contains(err.Error(), "ends with the split") {
			t.Errorf("a step that is not planned yet: %v", err)
		}
		if x, err := Explain(p, "tokenizer"); err != nil || x.Status != pipeline.Run || !strings.Contains(x.Because[0].Note, "never seen") {
			t.Errorf("a step that never ran: %+v, %v", x, err)
		}
	})

	studytest.Run(t, s, path, filepath.Join("out", "small"))

	planned(t, s, path, same, func(p *study.Compiled) {
		if x, err := Explain(p, "seed"); err != nil || x.Status != pipeline.Hit {
			t.Errorf("a step that is there: %+v, %v", x, err)
		}
		if _, err := Explain(p, "nosuchstep"); !errors.As(err, &usage) {
			t.Errorf("a step that is none: %v", err)
		}
		e, err := EfficiencyOf(p, path)
		if err != nil {
			t.Fatal(err)
		}
		checkEfficiency(t, p, e)
		both, err := TogetherOf([]*study.Compiled{p, p})
		if err != nil || both.Together.Saved.Models == 0 || both.Together.Joined.Models*2 != both.Together.Apart.Models || len(both.Accounts()) != 2 {
			t.Errorf("a study and itself share everything: %+v, %v", both.Together, err)
		}
	})

	planned(t, s, path, replaced("lr: 3e-3", "lr: 4e-3"), func(p *study.Compiled) {
		x, err := Explain(p, "seed")
		if err != nil || x.Status != pipeline.Run || len(x.Because[0].Differs) != 1 {
			t.Fatalf("%+v, %v", x, err)
		}
		d := x.Because[0].Differs[0]
		if d.Label != "param optimizer.lr" || d.Old != "0.003" || d.New != "0.004" || !strings.Contains(d.At, "study.yaml:13:") {
			t.Errorf("the seed model's rate: %+v", d)
		}
		i, err := p.Plan.Find("seed")
		if err != nil {
			t.Fatal(err)
		}
		if r := Reasons(p)(i); len(r.Differs) != 1 || r.Differs[0] != d {
			t.Errorf("the reason is %+v, want %+v", r, d)
		}
		e, err := EfficiencyOf(p, path)
		if err != nil || e.Saving != nil || e.Left.Units == 0 {
			t.Errorf("of models that never ran: %+v, %v", e, err)
		}
	})

	// What is lost is told from what never was: the report says that it ran.
	planned(t, s, path, replaced("lr: 4e-3", "lr: 3e-3"), func(p *study.Compiled) {
		i, err := p.Plan.Find("seed")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Cache.Remove(context.Background(), p.State.Keys[i:i+1], true, false); err != nil {
			t.Fatal(err)
		}
	})
	planned(t, s, path, same, func(p *study.Compiled) {
		x, err := Explain(p, "seed")
		if want := "evicted: " + filepath.Join("out", "small", "provenance.json") + " records that step seed ran on"; err != nil || !strings.HasPrefix(x.Because[0].Note, want) {
			t.Errorf("a step that was removed: %+v, %v", x, err)
		}
	})
}

// checkEfficiency checks the sums of a study that ran whole.
func checkEfficiency(t *testing.T, p *study.Compiled, e *Efficiency) {
	t.Helper()
	if e.Study != "small" || e.Possible != "1" || e.Covered != "1" || e.Left.Units != 0 || e.Modular.Models == "0" || e.Naive.Models != "1" {
		t.Errorf("%+v", e)
	}
	for _, m := range e.Measured {
		if m.Done != m.Steps || m.Steps == 0 || m.Seconds <= 0 {
			t.Errorf("measured: %+v", m)
		}
	}
	for _, w := range []Way{e.Modular, e.Naive} {
		if sum := *w.Train + *w.Eval; math.Abs(sum-*w.Seconds) > 1e-9*sum {
			t.Errorf("%g and %g are %g s", *w.Train, *w.Eval, *w.Seconds)
		}
	}
	if got := *e.Naive.Seconds / *e.Modular.Seconds; *e.Saving != got {
		t.Errorf("saving %g, want %g", *e.Saving, got)
	}
	if len(e.Next) != 1 || e.Next[0].Set != "parts" || e.Next[0].Mixtures != "2" {
		t.Errorf("one more partition: %+v", e.Next)
	}
}
