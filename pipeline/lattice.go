package pipeline

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"math/big"
	"slices"
)

// lattice is all vectors of whole numbers from 0 to most that sum to steps: shares in equal steps,
// which are counted in closed form and never held as a whole.
type lattice struct {
	steps int
	most  []int // of each component, between 0 and steps
}

// mostCells bounds the table by which capped vectors are counted, and any are numbered: a number of
// some 60 bytes a cell.
const mostCells = 2_000_000

// capped reports whether a component has less than all steps.
func (l lattice) capped() bool {
	return slices.ContainsFunc(l.most, func(most int) bool { return most < l.steps })
}

// cells is the size of the table.
func (l lattice) cells() int { return (len(l.most) + 1) * (l.steps + 1) }

// count is C(steps+d-1, d-1) for d components (stars and bars); under caps, the number of the
// table.
func (l lattice) count() *big.Int {
	if !l.capped() {
		d := int64(len(l.most))
		return new(big.Int).Binomial(int64(l.steps)+d-1, d-1)
	}
	return l.ways()[0][l.steps]
}

// ways tells for each component i and number m how many vectors of the components from i on sum to
// m: with ways(i, m) the sum over v from 0 to most(i) of ways(i+1, m-v), each is the one before it,
// ways(i, m-1), with a term more and a term less.
func (l lattice) ways() [][]*big.Int {
	d := len(l.most)
	table := make([][]*big.Int, d+1)
	table[d] = make([]*big.Int, l.steps+1)
	for m := range table[d] {
		table[d][m] = new(big.Int)
	}
	table[d][0].SetInt64(1)
	for i := d - 1; i >= 0; i-- {
		table[i] = make([]*big.Int, l.steps+1)
		for m := range table[i] {
			n := new(big.Int).Set(table[i+1][m])
			if m > 0 {
				n.Add(n, table[i][m-1])
			}
			if gone := m - l.most[i] - 1; gone >= 0 {
				n.Sub(n, table[i+1][gone])
			}
			table[i][m] = n
		}
	}
	return table
}

// all yields every vector, the largest numbers of the first components first. The slice is reused.
func (l lattice) all() iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		d := len(l.most)
		behind := make([]int, d+1) // the most that components from i on can have
		for i := d - 1; i >= 0; i-- {
			behind[i] = min(l.steps, behind[i+1]+l.most[i])
		}
		v := make([]int, d)
		var level func(i, left int) bool
		level = func(i, left int) bool {
			if i == d {
				return yield(v)
			}
			for v[i] = min(left, l.most[i]); v[i] >= 0 && left-v[i] <= behind[i+1]; v[i]-- {
				if !level(i+1, left-v[i]) {
					return false
				}
			}
			return true
		}
		if behind[0] == l.steps {
			level(0, l.steps)
		}
	}
}

// sample takes n distinct vectors, each with the same chance, in the order of all: of numbers that
// follow from the seed, those that were not there already.
func (l lattice) sample(n int, seed string) [][]int {
	ways := l.ways()
	count := ways[0][l.steps]
	seen := map[string]bool{}
	var ranks []*big.Int
	for number := 0; len(ranks) < n; number++ {
		rank := below(count, fmt.Sprintf("%s\x00%d", seed, number))
		if key := string(rank.Bytes()); !seen[key] {
			seen[key] = true
			ranks = append(ranks, rank)
		}
	}
	slices.SortFunc(ranks, (*big.Int).Cmp)
	out := make([][]int, n)
	for i, rank := range ranks {
		out[i] = l.at(ways, rank)
	}
	return out
}

// at is the vector of a rank, from 0, in the order of all.
func (l lattice) at(ways [][]*big.Int, rank *big.Int) []int {
	v, left, rest := make([]int, len(l.most)), l.steps, new(big.Int).Set(rank)
	for i := range v {
		v[i] = min(left, l.most[i])
		for ; ; v[i]-- {
			here := ways[i+1][left-v[i]]
			if rest.Cmp(here) < 0 {
				break
			}
			rest.Sub(rest, here)
		}
		left -= v[i]
	}
	return v
}

// below is a number from 0 to less than n that follows from a text: the remainder of 128 bits more
// than n has, so that no number has a chance that differs from another's by more than 2^-128 of
// it.
func below(n *big.Int, text string) *big.Int {
	var bits []byte
	for block := 0; len(bits)*8 < n.BitLen()+128; block++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", text, block))
		bits = append(bits, sum[:]...)
	}
	number := new(big.Int).SetBytes(bits)
	return number.Mod(number, n)
}
