package split

import (
	"encoding/binary"
	"math"

	"github.com/bits-and-blooms/bloom/v3"

	"ablate/stages/internal/elementary"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// bloomLibrary is recorded beside m and k, for which bits a key sets is the library's choice
// (murmur3 in version 3).
const bloomLibrary = "github.com/bits-and-blooms/bloom/v3"

// blooms is a contamination that takes 3 bytes a paragraph at a false-positive rate of 1e-5 and
// removes a wrong document now and then. It has one filter for each set, so that the ledger can say
// for which set's a wrong paragraph was taken. It does not know which document holds a paragraph:
// what it finds is looked up afterwards (confirm).
type blooms struct {
	record  tables.Filter
	filters []*bloom.BloomFilter // of record.Sets
}

// newBlooms makes filters for sets of known size. The sets share the rate, so that all of them
// together have it.
func newBlooms(p kind.Bloom, sets []tables.FilterSet) *blooms {
	b := &blooms{record: tables.Filter{Kind: tables.FilterBloom, Library: bloomLibrary, FalsePositives: p.FalsePositives, Seed: p.Seed, Sets: sets}}
	for i := range sets {
		f := bloom.New(bloomSize(max(1, sets[i].Paragraphs), p.FalsePositives/float64(len(sets))))
		sets[i].Bits, sets[i].Hashes = f.Cap(), f.K()
		b.filters = append(b.filters, f)
	}
	return b
}

// bloomSize returns the bits of a filter for n keys at a rate of false positives, and how many of
// them a key sets: the least that give the rate (Bloom, "Space/time trade-offs in hash coding with
// allowable errors", CACM 13(7), 1970), as the library estimates them.
func bloomSize(n int64, rate float64) (bits, hashes uint) {
	ln2 := elementary.Log(2)
	m := math.Ceil(-float64(n) * elementary.Log(rate) / float64(ln2*ln2))
	return uint(m), uint(math.Ceil(ln2 * m / float64(n)))
}

// keyOf puts the seed before the fingerprint: the library's hash has none.
func (b *blooms) keyOf(p tables.Fingerprint) []byte {
	var key [8 + len(p)]byte
	binary.LittleEndian.PutUint64(key[:], uint64(b.record.Seed))
	copy(key[8:], p[:])
	return key[:]
}

// add enters the paragraphs of a document of a set that newBlooms was given.
func (b *blooms) add(set string, paragraphs []tables.Fingerprint) {
	for i := range b.record.Sets {
		if b.record.Sets[i].Set == set {
			for _, p := range paragraphs {
				b.filters[i].Add(b.keyOf(p))
			}
		}
	}
}

func (b *blooms) find(p tables.Fingerprint) (evalDocument, bool) {
	key := b.keyOf(p)
	for i, f := range b.filters {
		if f.Test(key) {
			return evalDocument{set: b.record.Sets[i].Set}, true
		}
	}
	return evalDocument{}, false
}

func (b *blooms) filter() tables.Filter { return b.record }
