package pipeline

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"strings"

	"ablate/cache"
)

// candidates is all mixtures that a set of mixtures can draw: every one has the fixed components,
// and k of the pool's components by each draw. It is counted in closed form and never held as a
// whole.
type candidates struct {
	fixed   []component
	pool    []component // of the draws, one after the other
	choices []choice
}

// choice takes k of n components of the pool, in any order: each once, or with repetition.
type choice struct {
	first, n, k int
	repeat      bool
}

func (s candidates) String() string {
	var words []string
	for _, d := range s.choices {
		w := fmt.Sprintf("choose %d of %d", d.k, d.n)
		if d.repeat {
			w += " with repetition"
		}
		words = append(words, w)
	}
	return strings.Join(words, " times ")
}

// slots is the number of things that are chosen of: with repetition, k of n are as many as k of
// n+k-1 (stars and bars).
func (d choice) slots() int {
	if d.repeat {
		return d.n + d.k - 1
	}
	return d.n
}

// count is C(n, k), or C(n+k-1, k) with repetition.
func (d choice) count() *big.Int { return new(big.Int).Binomial(int64(d.slots()), int64(d.k)) }

// each is how often one component of the draw stands in all of its combinations: C(n-1, k-1), or
// C(n+k-1, k-1) with repetition, which is k/n of the combinations.
func (d choice) each() *big.Int {
	if d.repeat {
		return new(big.Int).Binomial(int64(d.slots()), int64(d.k-1))
	}
	return new(big.Int).Binomial(int64(d.n-1), int64(d.k-1))
}

func (s candidates) count() *big.Int {
	all := big.NewInt(1)
	for _, d := range s.choices {
		all.Mul(all, d.count())
	}
	return all
}

// units is the number of units of all mixtures together.
func (s candidates) units() *big.Int {
	of := func(components []component) *big.Int {
		n := int64(0)
		for _, x := range components {
			n += int64(x.units())
		}
		return big.NewInt(n)
	}
	count := s.count()
	sum := new(big.Int).Mul(of(s.fixed), count)
	for _, d := range s.choices {
		n := new(big.Int).Mul(of(s.pool[d.first:d.first+d.n]), d.each())
		sum.Add(sum, n.Mul(n, new(big.Int).Div(count, d.count()))) // every combination of this draw with all of the others
	}
	return sum
}

// within is the space of the mixtures of some of the pool alone. How many places the others had is
// of no matter to counts.
func (s candidates) within(used map[int]bool) candidates {
	for i, d := range s.choices {
		if i == 0 {
			s.choices = slices.Clone(s.choices)
		}
		n := 0
		for j := range d.n {
			if used[d.first+j] {
				n++
			}
		}
		s.choices[i].n = n
	}
	return s
}

// all yields every mixture as places in the pool, in lexicographic order. The slice is reused.
func (s candidates) all() iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		var picked []int
		var level func(i int) bool
		level = func(i int) bool {
			if i == len(s.choices) {
				return yield(picked)
			}
			d, before := s.choices[i], len(picked)
			for comb := range combinations(d.slots(), d.k) {
				picked = picked[:before]
				for j, slot := range comb {
					picked = append(picked, d.place(j, slot))
				}
				if !level(i + 1) {
					return false
				}
			}
			picked = picked[:before]
			return true
		}
		level(0)
	}
}

// place is the component of the pool that the j-th slot of a combination stands for.
func (d choice) place(j, slot int) int {
	if d.repeat {
		slot -= j // 0..n+k-2 ascending becomes 0..n-1 not descending
	}
	return d.first + slot
}

// combinations yields the k-subsets of 0..n-1 in lexicographic order. The slice is reused.
func combinations(n, k int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		c := make([]int, k)
		for i := range c {
			c[i] = i
		}
		for {
			if !yield(c) {
				return
			}
			i := k - 1
			for i >= 0 && c[i] == n-k+i {
				i--
			}
			if i < 0 {
				return
			}
			c[i]++
			for j := i + 1; j < k; j++ {
				c[j] = c[j-1] + 1
			}
		}
	}
}

// largestWalk is the number of possible mixtures up to which a sample walks through all of them,
// which takes a second or so.
const largestWalk = 1 << 21

// sample takes m mixtures, as places in the pool, so that new components leave most of the sample
// as it was. Neither way holds more than the sample.
func (s candidates) sample(m int, seed string) [][]int {
	names := make([][]byte, len(s.pool))
	for i, x := range s.pool {
		names[i] = []byte("\x00" + x.part.set + "/" + x.drawn())
	}
	var out [][]int
	if s.count().Cmp(big.NewInt(largestWalk)) <= 0 {
		out = s.lowest(m, seed, names)
	} else {
		out = s.thrown(m, seed, names)
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// lowest takes the m mixtures whose hash is lowest. A mixture's hash depends on its own names only,
// so that a new component brings new mixtures in and leaves the order of the old ones as it was:
// most references stay what they were.
func (s candidates) lowest(m int, seed string, names [][]byte) [][]int {
	var best maxHeap
	text := []byte(seed)
	for picked := range s.all() {
		text = text[:len(seed)]
		for _, i := range picked {
			text = append(text, names[i]...)
		}
		h := cache.DigestOf(text)
		if len(best) < m {
			heap.Push(&best, ranked{h, slices.Clone(picked)})
		} else if slices.Compare(h[:], best[0].hash[:]) < 0 {
			best[0] = ranked{h, slices.Clone(picked)}
			heap.Fix(&best, 0)
		}
	}
	out := make([][]int, len(best))
	for i, r := range best {
		out[i] = r.picked
	}
	return out
}

// thrown takes m mixtures of more than one can walk through: by number, each has of every draw the
// k slots whose hash with the number is lowest, which is every combination with the same chance;
// one that was there already is thrown again. A new component changes those of the numbers whose k
// it gets among.
func (s candidates) thrown(m int, seed string, names [][]byte) [][]int {
	var out [][]int
	seen := map[string]bool{}
	for number := 0; len(out) < m; number++ {
		var picked []int
		for at, d := range s.choices {
			slots := make([]ranked, d.slots())
			for i := range slots {
				text := fmt.Appendf(nil, "%s\x00%d\x00%d", seed, number, at)
				if i < d.n {
					text = append(text, names[d.first+i]...)
				} else {
					text = fmt.Appendf(text, "\x00again %d", i-d.n)
				}
				slots[i] = ranked{cache.DigestOf(text), []int{i}}
			}
			slices.SortFunc(slots, func(a, b ranked) int { return slices.Compare(a.hash[:], b.hash[:]) })
			chosen := make([]int, d.k)
			for j := range chosen {
				chosen[j] = slots[j].picked[0]
			}
			slices.Sort(chosen)
			for j, slot := range chosen {
				picked = append(picked, d.place(j, slot))
			}
		}
		var key []byte
		for _, i := range picked {
			key = binary.AppendVarint(key, int64(i))
		}
		if !seen[string(key)] {
			seen[string(key)] = true
			out = append(out, picked)
		}
	}
	return out
}

type ranked struct {
	hash   cache.Digest
	picked []int
}

type maxHeap []ranked

func (h maxHeap) Len() int           { return len(h) }
func (h maxHeap) Less(i, j int) bool { return slices.Compare(h[i].hash[:], h[j].hash[:]) > 0 }
func (h maxHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *maxHeap) Push(x any)        { *h = append(*h, x.(ranked)) }
func (h *maxHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
