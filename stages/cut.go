package stages

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
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

// newOrderValue takes what Go reads as a finite decimal number for one: years and dates without dashes. Words such as "inf" stay words.
func newOrderValue(text string) orderValue {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return orderValue{text: text}
	}
	return orderValue{text: text, number: x, num: true}
}

// compareDocuments orders the documents of a partition: numbers by value, before words by their bytes; ties by identity.
func compareDocuments(a, b document) int {
	switch {
	case a.order.num && !b.order.num:
		return -1
	case !a.order.num && b.order.num:
		return 1
	}
	c := 0
	if a.order.num {
		c = cmp.Compare(a.order.number, b.order.number)
	} else {
		c = cmp.Compare(a.order.text, b.order.text)
	}
	return cmp.Or(c, cmp.Compare(a.id, b.id))
}

// Where a document goes.
type fate int

const (
	toTrain fate = iota
	toTest
	toValidation
)

// holdOut decides by a hash of seed and identity, so that no document's fate depends on another's. The hash is a number u in [0, 1): test
// takes the upper end and validation the lower, so that a changed share moves only the documents between the old bound and the new.
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

// cutUnits cuts ordered documents into units from the front: a unit ends with the document that brings it to unitTokens tokens, EOS after
// each document included. What remains at the end is a unit of its own from half of unitTokens on, and joins the last unit below that.
// unitTokens 0 makes one unit of everything.
//
// With declared units, exactly so many are made where the text suffices: the last one, too, ends at its threshold, and the rest is unused.
// Documents appended later thus never change a declared unit, and without a declaration the last one only.
//
// No unit comes out where all documents together have less than half of unitTokens.
func cutUnits(docs []document, unitTokens int64, declared int) cut {
	if unitTokens == 0 {
		if len(docs) == 0 {
			return cut{}
		}
		return cut{units: [][]document{docs}}
	}
	var c cut
	from, size := 0, int64(0)
	for i, d := range docs {
		if declared > 0 && len(c.units) == declared {
			c.unused = docs[i:]
			return c
		}
		size += d.tokens + 1
		if size >= unitTokens {
			c.units = append(c.units, docs[from:i+1])
			from, size = i+1, 0
		}
	}
	tail := docs[from:]
	switch {
	case len(tail) == 0:
	case size >= unitTokens-size:
		c.units = append(c.units, tail)
	case len(c.units) == 0:
		c.unused = tail
	case declared > 0 && len(c.units) == declared:
		c.unused = tail
	case declared == 0:
		last := len(c.units) - 1
		c.units[last] = docs[len(docs)-len(tail)-len(c.units[last]):]
	default:
		c.unused = tail
	}
	return c
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

func sortDocuments(docs []document) { slices.SortFunc(docs, compareDocuments) }
