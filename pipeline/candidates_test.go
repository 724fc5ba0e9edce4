package pipeline

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// spaceOf makes a space of parts with the given numbers of units.
func spaceOf(fixed, pool []int, draws ...choice) candidates {
	var s candidates
	for i, units := range fixed {
		s.fixed = append(s.fixed, component{part{set: "fixed", name: fmt.Sprint("f", i), text: fmt.Sprint("f", i), units: units}, -1})
	}
	for i, units := range pool {
		s.pool = append(s.pool, component{part{set: "pool", name: fmt.Sprint("p", i), text: fmt.Sprint("p", i), units: units}, -1})
	}
	s.choices = draws
	return s
}

// The closed forms agree with counting one by one.
func TestCountsOfSpaces(t *testing.T) {
	for _, tt := range []struct {
		name  string
		space candidates
		want  int64
	}{
		{"pairs", spaceOf(nil, []int{1, 2, 3, 4}, choice{0, 4, 2, false}), 6},
		{"all of them", spaceOf(nil, []int{1, 2, 3}, choice{0, 3, 3, false}), 1},
		{"one", spaceOf(nil, []int{1, 2, 3}, choice{0, 3, 1, false}), 3},
		{"multisets", spaceOf(nil, []int{1, 2, 3, 5}, choice{0, 4, 3, true}), 20},
		{"more than there are, with repetition", spaceOf(nil, []int{1, 3}, choice{0, 2, 4, true}), 5},
		{"with a fixed one", spaceOf([]int{7}, []int{1, 2, 3, 4, 5}, choice{0, 5, 2, false}), 10},
		{"crossed", spaceOf(nil, []int{1, 2, 3, 10, 20}, choice{0, 3, 1, false}, choice{3, 2, 1, false}), 6},
		{"crossed thrice with fixed ones", spaceOf([]int{1, 1}, []int{1, 2, 3, 10, 20, 5}, choice{0, 3, 2, false}, choice{3, 2, 1, false}, choice{5, 1, 1, false}), 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			count, units := int64(0), int64(0)
			seen := map[string]bool{}
			for picked := range tt.space.all() {
				count++
				for _, x := range tt.space.fixed {
					units += int64(x.units())
				}
				for _, i := range picked {
					units += int64(tt.space.pool[i].units())
				}
				if !slices.IsSorted(picked) || seen[fmt.Sprint(picked)] {
					t.Errorf("mixture %v is out of order or there already", picked)
				}
				seen[fmt.Sprint(picked)] = true
			}
			if count != tt.want || tt.space.count().Cmp(big.NewInt(count)) != 0 || tt.space.units().Cmp(big.NewInt(units)) != 0 {
				t.Errorf("one by one %d mixtures of %d units, closed forms %s and %s; want %d mixtures", count, units, tt.space.count(), tt.space.units(), tt.want)
			}
		})
	}
}

// Both ways to sample give as many different mixtures as asked for, take each about equally often,
// and move little when a component comes.
func TestSamplesOfSpaces(t *testing.T) {
	pool := slices.Repeat([]int{1}, 7)
	for _, tt := range []struct {
		name  string
		draws func(n int) []choice
	}{
		{"pairs", func(n int) []choice { return []choice{{0, n, 2, false}} }},
		{"multisets", func(n int) []choice { return []choice{{0, n, 2, true}} }},
		{"crossed", func(n int) []choice { return []choice{{0, 3, 1, false}, {3, n - 3, 1, false}} }},
	} {
		for way, sample := range map[string]func(s candidates, m int, seed string) [][]int{
			"lowest": func(s candidates, m int, seed string) [][]int { return s.lowest(m, seed, namesOf(s)) },
			"thrown": func(s candidates, m int, seed string) [][]int { return s.thrown(m, seed, namesOf(s)) },
		} {
			t.Run(tt.name+" "+way, func(t *testing.T) {
				s := spaceOf(nil, pool, tt.draws(7)...)
				possible := int(s.count().Int64())
				times := map[string]int{}
				const seeds, m = 900, 4
				for seed := range seeds {
					got := sample(s, m, fmt.Sprint(seed))
					for _, picked := range got {
						times[fmt.Sprint(picked)]++
					}
					if len(got) != m || slices.ContainsFunc(got, func(p []int) bool { return len(p) != 2 }) {
						t.Fatalf("sample %v, want %d mixtures of 2", got, m)
					}
				}
				mean := float64(seeds*m) / float64(possible)
				for mixture, n := range times { // binomial, of 15 to 28 mixtures: five deviations are less than half of the mean
					if float64(n) < mean/2 || float64(n) > mean*1.5 {
						t.Errorf("mixture %s was taken %d times, the mean is %.0f", mixture, n, mean)
					}
				}
				if len(times) != possible {
					t.Errorf("%d mixtures were ever taken, of %d", len(times), possible)
				}
				if tt.name == "multisets" && way == "thrown" {
					return // by place, so that a new component moves all of it
				}
				kept := 0
				for seed := range 50 {
					old := sample(s, m, fmt.Sprint(seed))
					for _, picked := range sample(spaceOf(nil, append(pool, 1), tt.draws(8)...), m, fmt.Sprint(seed)) {
						if slices.ContainsFunc(old, func(p []int) bool { return slices.Equal(p, picked) }) {
							kept++
						}
					}
				}
				if kept < 50*m/2 || kept == 50*m {
					t.Errorf("%d of %d mixtures stayed when a component came, want most", kept, 50*m)
				}
			})
		}
	}
}

func namesOf(s candidates) [][]byte {
	var names [][]byte
	for _, x := range s.pool {
		names = append(names, []byte("\x00"+x.part.set+"/"+x.drawn()))
	}
	return names
}

// Mixtures of every sort of set, by name, with their budgets.
func TestMixtureSets(t *testing.T) {
	const two = `  topics: {corpus: seed, by: area, unit: {tokens: 1000}, units: {delta: 1, beta: 2}}
`
	for _, tt := range []struct{ name, mixtures, want string }{
		{"cross", "x: {cross: [topics, parts], where: {units: 1}}", "parts/beta+delta:2, gamma+delta:2"},
		{"all of two sets", "x: {from: [parts, topics], choose: 5}", "alpha+parts/beta+gamma+topics/beta+delta:7"},
		{"fixed", "x: {from: parts, choose: 1, fix: [delta]}", "alpha+delta:3, parts/beta+delta:2, gamma+delta:2"},
		{"fixed of the same set", "x: {from: parts, choose: 1, fix: [gamma]}", "alpha+gamma:3, parts/beta+gamma:2"},
		{"fixed units", "x: {from: parts, of: units, choose: 1, fix: [topics/beta/1], where: {min_units: 2}}", "alpha/0+topics/beta/1:2, alpha/1+topics/beta/1:2"},
		{"multisets", "x: {from: parts, choose: 2, repeat: true, where: {max_units: 1}}", "parts/beta+parts/beta:2, parts/beta+gamma:2, gamma+gamma:2"},
		{"whole partitions", "x: {from: topics, choose: 1}", "topics/beta:2, delta:1"},
		{"a list over sets", "x: {from: [parts, topics], list: [[delta, gamma], [topics/beta]]}", "gamma+delta:2, topics/beta:2"},
		{"a list of multisets", "x: {from: parts, repeat: true, list: [[gamma, gamma, alpha]]}", "alpha+gamma+gamma:4"},
		{"a budget", "x: {from: parts, choose: 2, tokens: 1024}", "alpha+parts/beta:0.5, alpha+gamma:0.5, parts/beta+gamma:0.5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := parsed(t, "heldout:", two+"heldout:", "  seed: {files:", "  seed: {metadata: {area: x}, files:", "pairs: {choose: 2}", tt.mixtures, "{seq: pairs}", "{seq: x}",
				"tokens_per_unit: 2000", "tokens_per_unit: 2048")
			p := compiled(t, s)
			var got []string
			var tokens int64
			for _, m := range p.Mixtures {
				got = append(got, fmt.Sprintf("%s:%g", m.Name, float64(m.Tokens)/2048))
				tokens += m.Tokens
			}
			if names := strings.Join(got, ", "); names != tt.want {
				t.Errorf("mixtures %s, want %s", names, tt.want)
			}
			if p.Summary.TokensReferenceOf.Int64() != tokens || p.Summary.References.Tokens != tokens || p.Summary.MixturesPossible.Int64() != int64(len(got)) {
				t.Errorf("%s possible mixtures of %s tokens, references of %d; want %d of %d", p.Summary.MixturesPossible, p.Summary.TokensReferenceOf, p.Summary.References.Tokens,
					len(got), tokens)
			}
		})
	}
}
