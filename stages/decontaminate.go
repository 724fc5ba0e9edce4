package stages

import "fmt"

// A fingerprint is what stands for a paragraph: the first 16 bytes of the SHA-256 of the form in which paragraphs are compared
// (corpus.Paragraphs). Among a billion paragraphs two different ones agree with probability 10^-21.
type fingerprint [16]byte

// contamination knows the paragraphs of evaluation documents.
type contamination interface {
	// find returns the evaluation document that holds p, if p counts.
	find(p fingerprint) (evalDocument, bool)
	// filter says what is known, and how.
	filter() Filter
}

// An evalDocument is a document that must not be trained on.
type evalDocument struct{ set, id string }

// Filter is filter.json: what decontamination looked for.
type Filter struct {
	Kind           string      `json:"filter"`            // none, exact or bloom
	Library        string      `json:"library,omitempty"` // of the Bloom filter: bits depend on its hash
	FalsePositives float64     `json:"false_positives,omitempty"`
	Seed           int64       `json:"seed,omitempty"`
	Sets           []FilterSet `json:"sets"`
}

// FilterSet is one source of evaluation text.
type FilterSet struct {
	Set        string `json:"eval_set"` // as in the ledger
	Documents  int64  `json:"documents"`
	Paragraphs int64  `json:"paragraphs"` // of min_tokens or more; those of each document count
	Bits       uint   `json:"m,omitempty"`
	Hashes     uint   `json:"k,omitempty"`
}

// A hit is what decontamination found of a document.
type hit struct {
	evalDocument
	paragraph  fingerprint
	paragraphs []fingerprint // all that were found, in their order, until the hit is confirmed
	wrong      bool          // no evaluation document holds any of them: a false positive of a Bloom filter
}

// An evaluated paragraph is known by the first evaluation document that holds it.
type evaluated struct {
	first int32 // number of that document
	count int32 // evaluation documents that hold it
}

// exact is a contamination that never errs. It takes about 50 bytes a paragraph.
type exact struct {
	docs       []evalDocument
	sets       []FilterSet
	paragraphs map[fingerprint]evaluated
	common     int32 // a paragraph in more documents than this proves nothing; 0: every paragraph counts
}

func newExact(common int) *exact {
	return &exact{paragraphs: map[fingerprint]evaluated{}, common: int32(common)}
}

// add enters an evaluation document with its paragraphs, each once.
func (c *exact) add(set, id string, paragraphs []fingerprint) {
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

func (c *exact) find(p fingerprint) (evalDocument, bool) {
	e, ok := c.paragraphs[p]
	if !ok || c.common > 0 && e.count > c.common {
		return evalDocument{}, false
	}
	return c.docs[e.first], true
}

func (c *exact) filter() Filter { return Filter{Kind: filterExact, Sets: c.sets} }

// countSet counts a document of a set.
func countSet(sets []FilterSet, set string, paragraphs int) []FilterSet {
	for i := range sets {
		if sets[i].Set == set {
			sets[i].Documents++
			sets[i].Paragraphs += int64(paragraphs)
			return sets
		}
	}
	return append(sets, FilterSet{Set: set, Documents: 1, Paragraphs: int64(paragraphs)})
}

// Words says how evaluation text was looked for, and how often that was wrong.
func (f Filter) Words(losses []Loss) string {
	if f.Kind != filterBloom {
		return "looked up in an exact set of those of evaluation text"
	}
	var bits, hashes uint
	for _, s := range f.Sets {
		bits, hashes = bits+s.Bits, max(hashes, s.Hashes)
	}
	var removed, wrong int64
	for _, l := range losses {
		removed, wrong = removed+l.RemovedDocuments, wrong+l.FalsePositives
	}
	return fmt.Sprintf("looked up in Bloom filters of %.3g MB in all, %d hashes at most, seed %d, which take at most %g of clean ones for evaluation text; "+
		"looked up once more in the text itself, %d of the %d removed documents are false positives", float64(bits)/8e6, hashes, f.Seed, f.FalsePositives, wrong, removed)
}
