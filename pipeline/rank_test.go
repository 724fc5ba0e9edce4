package pipeline

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"ablate/specs"
	"ablate/stages"
	"ablate/stages/kind"
)

// A study of which two pairs of three are selected, so that ranking has more to score than the
// study has.
func query(t *testing.T, set, proxy string, replace ...string) Query {
	t.Helper()
	s := parsed(t, append([]string{"pairs: {choose: 2}", "pairs: {choose: 2, sample: 2}"}, replace...)...)
	return Query{Study: s, Sources: sources(), Set: set, Proxy: proxy}
}

// What a ranking evaluates is what the study evaluates, by key: after a run only the mixtures that
// the study does not select are left, and none of it is a training.
func TestCandidatesShareTheStudysSteps(t *testing.T) {
	for _, set := range []string{"far", kind.InDomain} {
		q := query(t, set, "macro")
		sh := newShelf()
		sh.run(t, compiled(t, q.Study))
		plan, scored, err := q.Candidates(Every(q.Study.Mixtures))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range scored {
			names = append(names, s.Name)
		}
		if want := []string{"alpha+beta", "alpha+gamma", "beta+gamma"}; !slices.Equal(names, want) {
			t.Errorf("%s: candidates %q, want %q", set, names, want)
		}
		state, err := plan.Resolve(stages.Kinds(), sh.lookup)
		if err != nil {
			t.Fatal(err)
		}
		missing, blocked := state.Untrained()
		_, run, waits := state.Count()
		if len(missing) > 0 || len(blocked) > 0 || waits > 0 || run != len(scored[0].Evals) {
			t.Errorf("%s: missing %v, blocked %v, %d to run and %d waiting, want one mixture to evaluate", set, missing, blocked, run, waits)
		}
		for i, s := range plan.Steps {
			if state.Status[i] == Run && s.Kind != kind.Eval {
				t.Errorf("%s: %s must run", set, s.ID)
			}
			if s.Kind == kind.Correlate {
				t.Errorf("%s: the plan holds %s", set, s.ID)
			}
		}
		sampled, some, err := q.Candidates(q.Study.Mixtures)
		if err != nil || len(some) != 2 {
			t.Fatalf("%s: %d candidates, %v, want the two selected", set, len(some), err)
		}
		if state, err = sampled.Resolve(stages.Kinds(), sh.lookup); err != nil {
			t.Fatal(err)
		} else if hit, _, _ := state.Count(); hit != len(sampled.Steps) {
			t.Errorf("%s: %d hits of %d steps", set, hit, len(sampled.Steps))
		}
	}
}

func TestReferencesOfARanking(t *testing.T) {
	q := query(t, "far", "micro")
	sh := newShelf()
	sh.run(t, compiled(t, q.Study))
	plan, proxy, reference, err := q.References(q.Study.Mixtures)
	if err != nil || len(proxy) != 2 || len(reference) != 2 || proxy[0].Name != reference[0].Name {
		t.Fatalf("proxy %v, reference %v, %v, want the two selected", proxy, reference, err)
	}
	state, err := plan.Resolve(stages.Kinds(), sh.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if hit, _, _ := state.Count(); hit != len(plan.Steps) {
		t.Errorf("%d hits of %d steps", hit, len(plan.Steps))
	}
	// Of the third pair the reference is not trained: its evaluation is kept from running, that of
	// the proxy is not.
	plan, proxy, reference, err = q.References(Every(q.Study.Mixtures))
	if err != nil || len(proxy) != 3 || len(reference) != 3 {
		t.Fatalf("proxy %v, reference %v, %v, want all three", proxy, reference, err)
	}
	if state, err = plan.Resolve(stages.Kinds(), sh.lookup); err != nil {
		t.Fatal(err)
	}
	missing, blocked := state.Untrained()
	there := 0
	for i := range proxy {
		if blocked[proxy[i].Evals[0][0]] {
			t.Errorf("the proxy of %s waits", proxy[i].Name)
		}
		if !blocked[reference[i].Evals[0][0]] {
			there++
		}
	}
	if len(missing) != 1 || there != 2 {
		t.Errorf("missing %v, %d references are there, want one missing and two there", missing, there)
	}
	sub, at := plan.Only(map[int]bool{proxy[0].Evals[0][0]: true})
	if id, want := sub.Steps[at[proxy[0].Evals[0][0]]].ID, plan.Steps[proxy[0].Evals[0][0]].ID; id != want {
		t.Errorf("step %s, want %s", id, want)
	}

	q.Study.Reference.Seq = nil
	if _, proxy, reference, err = q.References(q.Study.Mixtures); err != nil || len(proxy)+len(reference) > 0 {
		t.Errorf("without references: %v, %v, %v", proxy, reference, err)
	}
}

// On average a mixture has every out-of-domain set as a domain.
func TestCandidatesOnAverage(t *testing.T) {
	q := query(t, kind.Average, "macro", "    far: {files: far.jsonl}", "    far: {files: far.jsonl}\n    near: {files: far.jsonl, text: other}")
	q.Sources.EvalSets["near"] = []File{file("near.jsonl", "near text")}
	sh := newShelf()
	study, err := Compile(q.Study, q.Sources, nil)
	if err != nil {
		t.Fatal(err)
	}
	sh.run(t, study)
	plan, scored, err := q.Candidates(q.Study.Mixtures)
	if err != nil {
		t.Fatal(err)
	}
	state, err := plan.Resolve(stages.Kinds(), sh.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if hit, _, _ := state.Count(); hit != len(plan.Steps) {
		t.Errorf("%d hits of %d steps: the study evaluates the same", hit, len(plan.Steps))
	}
	for _, s := range scored {
		if len(s.Evals) != 2 || len(s.Evals[0]) != 1 || len(s.Evals[1]) != 1 || s.Evals[0][0] == s.Evals[1][0] {
			t.Errorf("%s: evaluations %v, want one on each of two sets", s.Name, s.Evals)
		}
	}
}

func TestPossible(t *testing.T) {
	q := query(t, "far", "macro", "reference: {seq: pairs}", "  three: {choose: 3}\n  some: {list: [[alpha, beta], [beta]]}\nreference: {seq: pairs}")
	got, err := q.Possible(q.Study.Mixtures)
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[string]int64{"pairs": 3, "three": 1, "some": 2} {
		if got[group] == nil || got[group].Cmp(big.NewInt(want)) != 0 {
			t.Errorf("%s: %v possible, want %d", group, got[group], want)
		}
	}
}

func TestEveryLeavesTheStudyAlone(t *testing.T) {
	m := map[string]specs.Mixture{"pairs": {Choose: 2, Sample: 1}}
	if all := Every(m); all["pairs"].Sample != 0 || m["pairs"].Sample != 1 {
		t.Errorf("all %+v, the study's %+v", all, m)
	}
}

func TestEfficiency(t *testing.T) {
	q := query(t, "far", "macro")
	plan := compiled(t, q.Study)
	sh := newShelf()
	before, err := plan.Resolve(stages.Kinds(), sh.lookup)
	if err != nil {
		t.Fatal(err)
	}
	e, err := before.Efficiency()
	if err != nil {
		t.Fatal(err)
	}
	if u := e.Models["unit"]; u.Steps != 4 || u.Done != 0 || u.Each() != 0 {
		t.Errorf("before a run: %+v", u)
	}
	after := sh.run(t, plan)
	for i := range after.Entries {
		after.Entries[i].Provenance.WallSeconds = 2
	}
	if e, err = after.Efficiency(); err != nil {
		t.Fatal(err)
	}
	// A unit model trains on 2000 tokens in batches of 256. Two partitions and one set outside:
	// three evaluations of an average.
	if u, want := *e.Models["unit"], (Measured{Steps: 4, Done: 4, Tokens: 4 * 2048, Seconds: 8}); u != want || u.Each() != 2 {
		t.Errorf("unit models %+v, want %+v", u, want)
	}
	if r := *e.Models["reference"]; r.Done != 2 || e.PerMixture != 3 || e.Averages.Done == 0 || e.Averages.Done >= e.Evaluations.Done {
		t.Errorf("references %+v, %g evaluations for a mixture, %+v of averages of %+v", r, e.PerMixture, e.Averages, e.Evaluations)
	}
}

// Of three partitions one is not trained yet: one pair of three needs no training.
func TestCovered(t *testing.T) {
	s := parsed(t, "mixtures:\n", "mixtures:\n  three: {choose: 3}\n")
	plan := compiled(t, s)
	sh := newShelf()
	state := sh.run(t, plan)
	covered := func() int64 {
		t.Helper()
		if state, err := plan.Resolve(stages.Kinds(), sh.lookup); err != nil {
			t.Fatal(err)
		} else if n := state.Covered(s, sources()); n != nil {
			return n.Int64()
		}
		return -1
	}
	if n := covered(); n != 4 {
		t.Errorf("all trained: %d covered, want 3 pairs and one of three", n)
	}
	gone, err := plan.Find("unit/parts/alpha/1")
	if err != nil {
		t.Fatal(err)
	}
	delete(sh.entries, state.Keys[gone])
	if n := covered(); n != 1 {
		t.Errorf("without a unit of alpha: %d covered, want beta+gamma", n)
	}
	s.Mixtures["listed"] = specs.Mixture{List: []specs.Listed{{Names: []string{"alpha", "beta"}}}, From: []string{"parts"}, Of: "partitions"}
	if n := covered(); n != -1 {
		t.Errorf("with a list that names alpha: %d, want nil", n)
	}
}

// One more partition is in as many pairs as there are partitions.
func TestNextPartition(t *testing.T) {
	for _, c := range []struct {
		name    string
		replace []string
	}{
		{"declared", nil},
		{"named", []string{"units: {alpha: 2, beta: 1, gamma: 1}}", "units: {alpha: 2, beta: 1, gamma: 1}, only: [alpha, beta, gamma]}"}},
	} {
		q := query(t, "far", "macro", c.replace...)
		next, err := NextPartition(q.Study, q.Sources, nil)
		if err != nil || len(next) != 1 {
			t.Fatalf("%s: %v, %v", c.name, next, err)
		}
		// Pairs with one unit more: 2+1, 1+1 and 1+1 units of 2000 tokens.
		if n := next[0]; n.Set != "parts" || n.Units != 1 || n.Tokens != 2048 || n.Mixtures.Int64() != 3 || n.Naive.Int64() != 7*2000 {
			t.Errorf("%s: %+v", c.name, n)
		}
		if _, there := q.Study.Partitions["parts"].Units[newcomer]; there || slices.Contains(q.Study.Partitions["parts"].Only, newcomer) {
			t.Errorf("%s: the study was changed", c.name)
		}
	}
}

// What it takes to ask for all 8,128 pairs of 128 partitions by one proxy on one set.
func BenchmarkCandidates8128(b *testing.B) {
	units := make([]string, 128)
	for i := range units {
		units[i] = fmt.Sprintf("u%03d: 1", i)
	}
	text := strings.Replace(study, "{alpha: 2, beta: 1, gamma: 1}", "{"+strings.Join(units, ", ")+"}", 1)
	s, err := specs.Parse("study.yaml", []byte(text), ".")
	if err != nil {
		b.Fatal(err)
	}
	q := Query{Study: s, Sources: sources(), Set: "far", Proxy: "macro"}
	b.ReportAllocs()
	for b.Loop() {
		_, scored, err := q.Candidates(Every(s.Mixtures))
		if err != nil || len(scored) != 8128 {
			b.Fatalf("%d candidates, %v", len(scored), err)
		}
	}
}
