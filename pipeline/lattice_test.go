package pipeline

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
)

// The closed form agrees with counting one by one, with caps too, and numbers find every vector.
func TestCountsOfLattices(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps int
		most  []int
		want  int64
	}{
		{"one component", 4, []int{4}, 1},
		{"two", 4, []int{4, 4}, 5},
		{"quarters of three", 4, []int{4, 4, 4}, 15},
		{"twentieths of six", 20, []int{20, 20, 20, 20, 20, 20}, 53130},
		{"capped", 4, []int{2, 4, 4}, 12},
		{"all capped to one point", 4, []int{1, 1, 2}, 1},
		{"caps that leave nothing", 4, []int{1, 1, 1}, 0},
		{"one left out", 4, []int{0, 4, 4}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := lattice{steps: c.steps, most: c.most}
			if got := l.count(); got.Cmp(big.NewInt(c.want)) != 0 {
				t.Errorf("%d vectors, want %d", got, c.want)
			}
			ways, n := l.ways(), int64(0)
			for v := range l.all() {
				sum := 0
				for i, x := range v {
					if sum += x; x < 0 || x > c.most[i] {
						t.Fatalf("%v is beyond %v", v, c.most)
					}
				}
				if sum != c.steps {
					t.Fatalf("%v sums to %d", v, sum)
				}
				if at := l.at(ways, big.NewInt(n)); !slices.Equal(at, v) {
					t.Fatalf("number %d is %v, want %v", n, at, v)
				}
				n++
			}
			if n != c.want {
				t.Errorf("%d vectors one by one, want %d", n, c.want)
			}
		})
	}
}

// A sample is of distinct vectors, with the same chance for each, and can be all of them. Of a
// lattice that nobody could walk through it takes no longer.
func TestSamplesOfLattices(t *testing.T) {
	l := lattice{steps: 4, most: []int{4, 3, 4}}
	all := l.sample(14, "seed")
	var want [][]int
	for v := range l.all() {
		want = append(want, slices.Clone(v))
	}
	if fmt.Sprint(all) != fmt.Sprint(want) {
		t.Errorf("all of the lattice: %v, want %v", all, want)
	}
	counts := map[string]int{}
	const rounds = 7000
	for n := range rounds {
		for _, v := range l.sample(2, fmt.Sprint(n)) {
			counts[fmt.Sprint(v)]++
		}
	}
	for v, n := range counts { // 1000 are expected, with a standard deviation of 29
		if n < 850 || n > 1150 {
			t.Errorf("%s was drawn %d times, want about 1000", v, n)
		}
	}
	if len(counts) != 14 {
		t.Errorf("%d vectors were drawn, want 14", len(counts))
	}
	vast := lattice{steps: 1000, most: slices.Repeat([]int{900}, 30)}
	if got := vast.sample(100, "seed"); len(got) != 100 {
		t.Errorf("%d vectors of a vast lattice, want 100", len(got))
	}
}
