package train

import (
	"fmt"
	"math/big"
	"sort"

	"ablate/stages/internal/random"
	"ablate/stages/kind"
)

// interleaved is the order of a training's sequences where sources give shares of it. At every
// sequence each source has given its share of all sequences so far to within one, so that every
// batch has its quotas to within the rounding that batches before it left: the largest remainder
// rule, carried on from batch to batch. Which source comes next is chosen as in Tijdeman (1980),
// "The chairman assignment problem", Discrete Mathematics 32: of the sources that are behind by
// 1/(2k-2) or more, the one that has to come soonest if none is to fall behind by more than
// 1-1/(2k-2); of several, the first. With two sources that is the nearest whole number to the
// share. A source's own sequences come in an order of its own, whatever the others do.
//
// All of it follows from the seed and the shares, and nothing from the length of the training,
// where sources are read in turn. The order of sources repeats after as many sequences as the
// shares' common denominator says, so that any batch can be found from its number alone.
type interleaved struct {
	parts  []int64 // of every period sequences, those of each source
	period int64
	behind []int64 // period times what each source has been short of its share, before the next sequence
	own    []order // of each source
	first  []int   // unit of each source
	units  int
}

// order hands out sequences.
type order interface {
	seek(at int64)
	draw() pick
	counts() []int64 // of each unit, in the whole training
}

// mostPeriod is the largest common denominator of shares: its products with numbers of units stay
// within 63 bits.
const mostPeriod = 1 << 40

// newInterleaved prepares a training of total sequences over units of so many chunks.
func newInterleaved(seed, total int64, chunks []int64, sources []kind.Source) (*interleaved, error) {
	x := &interleaved{units: len(chunks), behind: make([]int64, len(sources))}
	if err := x.divide(sources); err != nil {
		return nil, err
	}
	quotas, at := x.taken(total), 0
	clear(x.behind) // the first sequence comes next
	for i, s := range sources {
		if s.Units < 1 || at+s.Units > len(chunks) {
			return nil, fmt.Errorf("internal error: source %d has units %d to %d of %d", i, at, at+s.Units-1, len(chunks))
		}
		own, err := ownOrder(seed, quotas[i], at, chunks[at:at+s.Units], s.Sampling)
		if err != nil {
			return nil, fmt.Errorf("source %d: %w", i, err)
		}
		x.own, x.first = append(x.own, own), append(x.first, at)
		at += s.Units
	}
	if at != len(chunks) {
		return nil, fmt.Errorf("internal error: sources have %d units of %d", at, len(chunks))
	}
	return x, nil
}

func ownOrder(seed, total int64, first int, chunks []int64, sampling string) (order, error) {
	if sampling == "" {
		return newInTurn(seed, total, first, chunks)
	}
	return newSampler(seed, total, chunks, sampling)
}

// divide brings the shares to a common denominator.
func (x *interleaved) divide(sources []kind.Source) error {
	shares, period, sum := make([]*big.Rat, len(sources)), big.NewInt(1), new(big.Rat)
	for i, s := range sources {
		share, ok := new(big.Rat).SetString(s.Share)
		if !ok || share.Sign() <= 0 {
			return fmt.Errorf("internal error: source %d has share %q, want a fraction above 0 such as 7/10", i, s.Share)
		}
		shares[i] = share
		sum.Add(sum, share)
		gcd := new(big.Int).GCD(nil, nil, period, share.Denom())
		period.Mul(period, gcd.Quo(share.Denom(), gcd))
		if period.Cmp(big.NewInt(mostPeriod)) > 0 {
			return fmt.Errorf("the common denominator of the shares is above %d", int64(mostPeriod))
		}
	}
	if sum.Cmp(big.NewRat(1, 1)) != 0 {
		return fmt.Errorf("internal error: shares sum to %s, want 1", sum.RatString())
	}
	x.period = period.Int64()
	for _, share := range shares {
		part := new(big.Int).Quo(period, share.Denom())
		x.parts = append(x.parts, part.Mul(part, share.Num()).Int64())
	}
	return nil
}

// next is the source of the next sequence.
func (x *interleaved) next() int {
	k := int64(len(x.parts))
	for i, part := range x.parts {
		x.behind[i] += part
	}
	best, soonest := 0, int64(-1)
	for i, behind := range x.behind {
		if k == 1 {
			break
		}
		if behind*(2*k-2) < x.period {
			continue
		}
		// How many sequences may still come before it has to: ((2k-3) period - (2k-2) behind) / ((2k-2) part),
		// rounded up.
		over, part := (2*k-3)*x.period-(2*k-2)*behind, (2*k-2)*x.parts[i]
		wait := int64(0)
		if over > 0 {
			wait = (over-1)/part + 1
		}
		if soonest < 0 || wait < soonest {
			best, soonest = i, wait
		}
	}
	x.behind[best] -= x.period
	return best
}

// taken is how many of the first n sequences each source gives.
func (x *interleaved) taken(n int64) []int64 {
	counts := make([]int64, len(x.parts))
	for i, part := range x.parts {
		counts[i] = n / x.period * part
	}
	clear(x.behind)
	for range n % x.period {
		counts[x.next()]++
	}
	return counts
}

func (x *interleaved) seek(at int64) {
	for i, n := range x.taken(at) {
		x.own[i].seek(n)
	}
}

func (x *interleaved) draw() pick {
	i := x.next()
	p := x.own[i].draw()
	p.unit += x.first[i]
	return p
}

func (x *interleaved) counts() []int64 {
	counts := make([]int64, 0, x.units)
	for _, own := range x.own {
		counts = append(counts, own.counts()...)
	}
	return counts
}

// inTurn reads the units of a source one after another, each whole and in an order of its chunks
// that is another one in each pass, as a model of one unit alone reads it; and then all of them
// again.
type inTurn struct {
	seed   int64
	total  int64
	first  int     // number of the first unit among the training's
	before []int64 // chunks of the units before each; all chunks at the end
	at     int64   // sequence that comes next
	passes []epoch
}

func newInTurn(seed, total int64, first int, chunks []int64) (*inTurn, error) {
	o := &inTurn{seed: seed, total: total, first: first, before: make([]int64, len(chunks)+1), passes: make([]epoch, len(chunks))}
	for u, n := range chunks {
		if n < 1 || n > maxChunks {
			return nil, fmt.Errorf("unit %d has %d sequences, want 1 to %d", first+u, n, int64(maxChunks))
		}
		o.before[u+1] = o.before[u] + n
		o.passes[u].number = -1
	}
	return o, nil
}

func (o *inTurn) seek(at int64) { o.at = at }

func (o *inTurn) draw() pick {
	all := o.before[len(o.passes)]
	pass, at := o.at/all, o.at%all
	o.at++
	u := sort.Search(len(o.passes), func(u int) bool { return o.before[u+1] > at })
	e := &o.passes[u]
	e.become(o.seed, o.first+u, pass, o.before[u+1]-o.before[u])
	return pick{unit: u, chunk: int64(e.order[at-o.before[u]])}
}

func (o *inTurn) counts() []int64 {
	all := o.before[len(o.passes)]
	counts := make([]int64, len(o.passes))
	for u := range counts {
		n := o.before[u+1] - o.before[u]
		counts[u] = o.total/all*n + min(n, max(0, o.total%all-o.before[u]))
	}
	return counts
}

// become makes an epoch the one of a number: an order of a unit's n chunks.
func (e *epoch) become(seed int64, unit int, number, n int64) {
	if e.number == number {
		return
	}
	if e.order == nil {
		e.order = make([]int32, n)
	}
	for i := range e.order {
		e.order[i] = int32(i)
	}
	e.number = number
	random.Shuffle(random.Stream(seed, "sequences of a unit", int64(unit), number), e.order)
}
