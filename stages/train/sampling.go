package train

import (
	"fmt"
	"math/bits"
	"slices"

	"ablate/stages/internal/random"
	"ablate/stages/kind"
)

// quotas returns how many of total sequences each unit gives, exactly. What does not divide goes by
// the largest remainder, ties to the earlier unit.
//
//   - equal: the same from each unit, so that a short unit repeats;
//   - proportional: in proportion to the units' chunks, so that nothing repeats before everything was read;
//   - repeat: in proportion to chunks times floor(most / chunks), most being the chunks of the largest unit: whole copies, as the authors'
//     code makes them (its --upsample). Two units may differ up to twofold. That code shuffles the copies and cuts at the budget, which
//     gives these shares on average; here they are exact;
//   - replacement: as many as equal, but each drawn at random from the whole unit, as the authors' code does where it is given proportions.
func quotas(total int64, chunks []int64, sampling string) ([]int64, error) {
	weights := make([]int64, len(chunks))
	most := slices.Max(chunks)
	var sum int64
	for i, c := range chunks {
		switch sampling {
		case kind.SamplingEqual, kind.SamplingReplacement:
			weights[i] = 1
		case kind.SamplingProportional:
			weights[i] = c
		case kind.SamplingRepeat:
			weights[i] = c * (most / c)
		default:
			return nil, fmt.Errorf("sampling is %q, want %q, %q, %q or %q", sampling, kind.SamplingEqual, kind.SamplingProportional, kind.SamplingRepeat, kind.SamplingReplacement)
		}
		sum += weights[i]
	}
	shares := make([]int64, len(weights))
	remainders := make([]uint64, len(weights))
	order := make([]int, len(weights))
	left := total
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		q, r := bits.Div64(hi, lo, uint64(sum)) // w <= sum, so the quotient fits
		shares[i], remainders[i], order[i] = int64(q), r, i
		left -= int64(q)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case remainders[a] > remainders[b]:
			return -1
		case remainders[a] < remainders[b]:
			return 1
		}
		return 0
	})
	for _, i := range order[:left] {
		shares[i]++
	}
	return shares, nil
}

// A pick is one training sequence: the chunk-th stretch of context tokens of a unit.
type pick struct {
	unit  int
	chunk int64
}

// A sampler says which sequence comes when. The units' quotas are laid out as slots and shuffled;
// the j-th slot of a unit reads chunk j mod chunks of its epoch j / chunks, and each epoch of each
// unit has a fresh permutation of the unit's chunks; with replacement it reads a chunk that follows
// from j alone. All of it follows from the seed, so any batch can be found from its number alone,
// and a resumed training needs no replayed state.
//
// Memory: two bytes a slot and four a chunk.
type sampler struct {
	seed   int64
	again  bool // with replacement
	chunks []int64
	slots  []uint16
	next   int     // slot that comes next
	taken  []int64 // slots of each unit before next
	epochs []epoch
}

// An epoch is the order of a unit's chunks in one pass.
type epoch struct {
	number int64 // -1: none yet
	order  []int32
}

const (
	maxUnits  = kind.MostUnits
	maxChunks = 1 << 31
)

// newSampler prepares the sequences of a training of total sequences over units of so many chunks.
func newSampler(seed int64, total int64, chunks []int64, sampling string) (*sampler, error) {
	if len(chunks) == 0 || len(chunks) > maxUnits {
		return nil, fmt.Errorf("%d units, want 1 to %d", len(chunks), maxUnits)
	}
	for i, c := range chunks {
		if c < 1 || c > maxChunks {
			return nil, fmt.Errorf("unit %d has %d sequences, want 1 to %d", i, c, int64(maxChunks))
		}
	}
	shares, err := quotas(total, chunks, sampling)
	if err != nil {
		return nil, err
	}
	s := &sampler{seed: seed, again: sampling == kind.SamplingReplacement, chunks: chunks, slots: make([]uint16, 0, total), taken: make([]int64, len(chunks)), epochs: make([]epoch, len(chunks))}
	for u, n := range shares {
		for range n {
			s.slots = append(s.slots, uint16(u))
		}
		s.epochs[u].number = -1
	}
	random.Shuffle(random.Stream(seed, "units of sequences"), s.slots)
	return s, nil
}

// seek makes slot number at the next one.
func (s *sampler) seek(at int64) {
	clear(s.taken)
	for _, u := range s.slots[:at] {
		s.taken[u]++
	}
	s.next = int(at)
}

// draw returns the next sequence.
func (s *sampler) draw() pick {
	u := int(s.slots[s.next])
	s.next++
	j := s.taken[u]
	s.taken[u]++
	return pick{unit: u, chunk: s.chunkOf(u, j)}
}

func (s *sampler) chunkOf(u int, j int64) int64 {
	if s.again {
		return int64(random.Below(random.Stream(s.seed, "sequence with replacement", int64(u), j), int(s.chunks[u])))
	}
	n, e := s.chunks[u], &s.epochs[u]
	e.become(s.seed, u, j/n, n)
	return int64(e.order[j%n])
}

// counts returns how many slots each unit has.
func (s *sampler) counts() []int64 {
	counts := make([]int64, len(s.chunks))
	for _, u := range s.slots {
		counts[u]++
	}
	return counts
}
