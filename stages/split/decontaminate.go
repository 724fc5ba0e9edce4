package split

import (
	"ablate/stages/tables"
)

// contamination knows the paragraphs of evaluation documents.
type contamination interface {
	// find returns the evaluation document that holds p, if p counts.
	find(p tables.Fingerprint) (evalDocument, bool)
	// filter says what is known, and how.
	filter() tables.Filter
}

// An evalDocument is a document that must not be trained on.
type evalDocument struct{ set, id string }

// A hit is what decontamination found of a document.
type hit struct {
	evalDocument
	paragraph  tables.Fingerprint
	paragraphs []tables.Fingerprint // all that were found, in their order, until the hit is confirmed
	wrong      bool                 // no evaluation document holds any of them: a false positive of a Bloom filter
}

// An evaluated paragraph is known by the first evaluation document that holds it.
type evaluated struct {
	first int32 // number of that document
	count int32 // evaluation documents that hold it
}

// exact is a contamination that never errs. It takes about 50 bytes a paragraph.
type exact struct {
	docs       []evalDocument
	sets       []tables.FilterSet
	paragraphs map[tables.Fingerprint]evaluated
	common     int32 // a paragraph in more documents than this proves nothing; 0: every paragraph counts
}

func newExact(common int) *exact {
	return &exact{paragraphs: map[tables.Fingerprint]evaluated{}, common: int32(common)}
}

// add enters an evaluation document with its paragraphs, each once.
func (c *exact) add(set, id string, paragraphs []tables.Fingerprint) {
	doc := int32(len(c.docs))
	c.docs = append(c.docs, evalDocument{set, id})
	c.sets = countSet(c.sets, set, len(paragraphs))
	for _, p := range paragraphs {
		e, ok := c.paragraphs[p]
		if !ok {
			e.first = doc
		}
		e.count++
		c.paragraphs[p] = e
	}
}

func (c *exact) find(p tables.Fingerprint) (evalDocument, bool) {
	e, ok := c.paragraphs[p]
	if !ok || c.common > 0 && e.count > c.common {
		return evalDocument{}, false
	}
	return c.docs[e.first], true
}

func (c *exact) filter() tables.Filter { return tables.Filter{Kind: tables.FilterExact, Sets: c.sets} }

// countSet counts a document of a set.
func countSet(sets []tables.FilterSet, set string, paragraphs int) []tables.FilterSet {
	for i := range sets {
		if sets[i].Set == set {
			sets[i].Documents++
			sets[i].Paragraphs += int64(paragraphs)
			return sets
		}
	}
	return append(sets, tables.FilterSet{Set: set, Documents: 1, Paragraphs: int64(paragraphs)})
}
