package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"ablate/cache/table"
	"ablate/runner/audit"
	"ablate/stages/tables"
)

// scoreName is what a score is known by in every table.
type scoreName struct{ mixtureSet, mixture, scorer, evalSet string }

// rederive OUT: computes every score again from OUT/losses.parquet alone and compares it with
// OUT/scores.parquet, and checks that OUT/provenance.json names, for each score, the keys of as
// many evaluations as its losses are from.
func rederive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: rederive OUT")
	}
	dir := ts.MkAbs(args[0])
	losses, err := table.ReadRows[tables.StudyLossRow](filepath.Join(dir, "losses.parquet"))
	ts.Check(err)
	scores, err := table.ReadRows[tables.ScoreRow](filepath.Join(dir, "scores.parquet"))
	ts.Check(err)
	got, models := perplexities(losses)
	for _, s := range scores {
		name := scoreName{s.Group, s.Mixture, s.Scorer, s.Set}
		if x, ok := got[name]; !ok || math.Abs(x/s.Perplexity-1) > 1e-12 {
			ts.Fatalf("%v: perplexity %v by losses.parquet, %v in scores.parquet", name, x, s.Perplexity)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		ts.Fatalf("scores.parquet lacks %v", got)
	}

	data, err := os.ReadFile(filepath.Join(dir, "provenance.json"))
	ts.Check(err)
	steps, err := audit.ParseProvenance(data)
	ts.Check(err)
	keys, users := map[string]string{}, map[string]int{}
	for _, s := range steps {
		keys[s.ID] = s.Key.String()
	}
	behind := steps[slices.IndexFunc(steps, func(s audit.Step) bool { return s.Kind == "correlate" })].Scores
	if len(behind) != len(scores) {
		ts.Fatalf("provenance.json has %d scores, scores.parquet %d", len(behind), len(scores))
	}
	for i, p := range behind {
		name := scoreName{p.Group, p.Mixture, p.Scorer, p.Set}
		if s := scores[i]; name != (scoreName{s.Group, s.Mixture, s.Scorer, s.Set}) {
			ts.Fatalf("score %d is %v in provenance.json, %v in scores.parquet", i, name, s)
		}
		var evaluations []string
		for _, d := range p.Domains {
			for _, e := range d.Evaluations {
				if e.Key.String() != keys[e.Step] {
					ts.Fatalf("%v: step %s has key %s, want %s", name, e.Step, e.Key, keys[e.Step])
				}
				evaluations = append(evaluations, d.Domain+" "+e.Model)
				users[e.Step]++
			}
		}
		if p.Set != "out-of-domain" && !slices.Equal(evaluations, models[name]) {
			ts.Fatalf("%v: evaluations %q in provenance.json, %q in losses.parquet", name, evaluations, models[name])
		}
	}
	shared := 0
	for _, n := range users {
		if n > 1 {
			shared++
		}
	}
	fmt.Fprintf(ts.Stdout(), "%d scores of %d documents, %d evaluations, %d of them shared\n", len(scores), len(losses), len(users), shared)
}

// perplexities computes scores as TABLES.md says, and lists what each was computed from.
func perplexities(losses []tables.StudyLossRow) (map[scoreName]float64, map[scoreName][]string) {
	type model struct {
		scoreName
		domain string
		number int64
	}
	type sum struct{ nats, tokens float64 }
	sums := map[model]*sum{}
	domains := map[scoreName][]string{} // in their order
	count := map[scoreName]map[string]int64{}
	models := map[scoreName][]string{}
	for _, r := range losses {
		m := model{scoreName{r.Group, r.Mixture, r.Scorer, r.Set}, r.Domain, r.Number}
		if sums[m] == nil {
			sums[m] = &sum{}
			if count[m.scoreName] == nil {
				count[m.scoreName] = map[string]int64{}
			}
			if !slices.Contains(domains[m.scoreName], r.Domain) {
				domains[m.scoreName] = append(domains[m.scoreName], r.Domain)
			}
			count[m.scoreName][r.Domain]++
			models[m.scoreName] = append(models[m.scoreName], r.Domain+" "+r.Model)
		}
		sums[m].nats += r.Nats
		sums[m].tokens += float64(r.Tokens)
	}
	out := map[scoreName]float64{}
	average, sets := map[scoreName]float64{}, map[scoreName]float64{}
	for name, of := range domains {
		for _, d := range of {
			var mean float64
			for n := range count[name][d] {
				s := sums[model{name, d, n}]
				mean += math.Exp(s.nats/s.tokens) / float64(count[name][d])
			}
			out[name] += mean / float64(len(of))
		}
		if name.evalSet != "in-domain" {
			all := name
			all.evalSet = "out-of-domain"
			average[all] += out[name]
			sets[all]++
		}
	}
	for name, x := range average {
		if sets[name] > 1 {
			out[name] = x / sets[name]
		}
	}
	return out, models
}
