package split

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// A document as the cutting sees it.
type document struct {
	shard, row int // where its tokens are
	id         string
	order      orderValue
	tokens     int64 // without EOS
}

// orderValue is a value of the metadata name that orders documents.
type orderValue struct {
	text   string
	number float64 // where isNumber
	num    bool
}

// newOrderValue takes what Go reads as a finite decimal number for one: years and dates without
// dashes. Words such as "inf" stay words.
func newOrderValue(text string) orderValue {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return orderValue{text: text}
	}
	return orderValue{text: text, number: x, num: true}
}

// compareDocuments orders the documents of a partition by the value that orders them; ties by
// identity.
func compareDocuments(a, b document) int {
	return cmp.Or(compareValues(a.order, b.order), cmp.Compare(a.id, b.id))
}

// compareValues orders numbers by value, before words by their bytes.
func compareValues(a, b orderValue) int {
	switch {
	case a.num && !b.num:
		return -1
	case !a.num && b.num:
		return 1
	case a.num:
		return cmp.Compare(a.number, b.number)
	}
	return cmp.Compare(a.text, b.text)
}

// Where a document goes.
type fate int

const (
	toTrain fate = iota
	toTest
	toValidation
)

// holdOut decides by a hash of seed and identity, so that no document's fate depends on another's.
// The hash is a number u in [0, 1): test takes the upper end and validation the lower, so that a
// changed share moves only the documents between the old bound and the new.
func holdOut(seed int64, id string, validation, test float64) fate {
	sum := sha256.Sum256(fmt.Appendf(nil, "ablate held out, seed %d: %s", seed, id))
	u := math.Ldexp(float64(binary.BigEndian.Uint64(sum[:8])>>11), -53) // 53 bits are exact in a float64
	switch {
	case u >= 1-test:
		return toTest
	case u < validation:
		return toValidation
	}
	return toTrain
}

// A cut is what became of the training documents of one partition.
type cut struct {
	units  [][]document
	unused []document // beyond the declared units
}

// cutUnits cuts ordered documents into units from the front; documentEnds and valueEnds say where a
// full one ends. What remains at the end is a unit of its own from half of unitTokens on, and joins
// the last unit below that. unitTokens 0 makes one unit of everything.
//
// With declared units, exactly so many are made where the text suffices: the last one, too, ends
// where a full one does, and the rest is unused. Documents appended later thus never change a
// declared unit, and without a declaration the last one only.
//
// No unit comes out where all documents together have less than half of unitTokens.
func cutUnits(docs []document, unitTokens int64, declared int, ends func(docs []document, unitTokens int64) []int) cut {
	if unitTokens == 0 {
		if len(docs) == 0 {
			return cut{}
		}
		return cut{units: [][]document{docs}}
	}
	var c cut
	from := 0
	for _, end := range ends(docs, unitTokens) {
		if declared > 0 && len(c.units) == declared {
			break
		}
		c.units = append(c.units, docs[from:end])
		from = end
	}
	tail := docs[from:]
	size := trainingTokens(tail)
	switch {
	case len(tail) == 0:
	case declared > 0 && len(c.units) == declared:
		c.unused = tail
	case size >= unitTokens-size:
		c.units = append(c.units, tail)
	case len(c.units) == 0 || declared > 0:
		c.unused = tail
	default:
		last := len(c.units) - 1
		c.units[last] = docs[from-len(c.units[last]):]
	}
	return c
}

// documentEnds ends a full unit with the document that brings it to unitTokens tokens, EOS after
// each document included.
func documentEnds(docs []document, unitTokens int64) (ends []int) {
	size := int64(0)
	for i, d := range docs {
		if size += d.tokens + 1; size >= unitTokens {
			ends = append(ends, i+1)
			size = 0
		}
	}
	return ends
}

// valueEnds ends a full unit only where the value that orders the documents changes, so that units
// are stretches of whole years, as the paper's are. A unit is widened year by year until it has
// unitTokens tokens, with the year that brings it there or, where it has half of them already and
// comes nearer to them by ratio that way, before that year. A year of several times unitTokens is
// one unit.
//
// Documents of later years leave the end of a full unit where it is: an end behind a year depends
// on the years before it alone, and an end before a year is the nearer one the more, the more of
// that year comes. Documents that come late, of a year within a full unit, change that unit and
// none before it; those behind it stay, too, where its end does. So much may come late that it ends
// a year earlier: then units change up to the next end that is as before.
func valueEnds(docs []document, unitTokens int64) (ends []int) {
	size := int64(0)
	for from := 0; from < len(docs); {
		to := from + 1
		for to < len(docs) && compareValues(docs[to].order, docs[from].order) == 0 {
			to++
		}
		year := trainingTokens(docs[from:to])
		if half := size >= unitTokens-size; half && size+year >= unitTokens && nearer(size, size+year, unitTokens) {
			ends = append(ends, from)
			size = 0
		}
		if size += year; size >= unitTokens {
			ends = append(ends, to)
			size = 0
		}
		from = to
	}
	return ends
}

// nearer reports whether less is nearer by ratio to want than more is: want/less < more/want.
func nearer(less, more, want int64) bool {
	h, l := bits.Mul64(uint64(less), uint64(more))
	wantH, wantL := bits.Mul64(uint64(want), uint64(want))
	return h > wantH || h == wantH && l > wantL
}

// trainingTokens is the length of the documents in a unit, EOS included.
func trainingTokens(docs []document) int64 {
	var n int64
	for _, d := range docs {
		n += d.tokens + 1
	}
	return n
}

// textTokens is the length of the documents without EOS.
func textTokens(docs []document) int64 { return trainingTokens(docs) - int64(len(docs)) }

func sortDocuments(docs []document) { slices.SortStableFunc(docs, compareDocuments) }
