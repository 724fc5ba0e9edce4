package stages

// A fingerprint is what stands for a paragraph: the first 16 bytes of the SHA-256 of its trimmed text. Among a billion paragraphs two
// different ones agree with probability 10^-21.
type fingerprint [16]byte

// An evaluated paragraph is known by the first evaluation document that holds it.
type evaluated struct {
	first int32 // number of that document
	count int32 // evaluation documents that hold it
}

// An evalDocument is a document that must not be trained on.
type evalDocument struct{ set, id string }

// contamination knows the paragraphs of evaluation documents. It is exact; it takes about 50 bytes a paragraph, which evaluation sets can
// afford and which a Bloom filter would bring down to 3 at the price of removing wrong documents now and then.
type contamination struct {
	docs       []evalDocument
	paragraphs map[fingerprint]evaluated
	common     int32 // a paragraph in more documents than this proves nothing; 0: every paragraph counts
}

func newContamination(common int) *contamination {
	return &contamination{paragraphs: map[fingerprint]evaluated{}, common: int32(common)}
}

// add enters an evaluation document and returns its number for addParagraph.
func (c *contamination) add(set, id string) int32 {
	c.docs = append(c.docs, evalDocument{set, id})
	return int32(len(c.docs) - 1)
}

// addParagraph enters a paragraph of document number doc; each paragraph once per document.
func (c *contamination) addParagraph(doc int32, p fingerprint) {
	e, ok := c.paragraphs[p]
	if !ok {
		e.first = doc
	}
	e.count++
	c.paragraphs[p] = e
}

// find returns the evaluation document that holds p, if p counts.
func (c *contamination) find(p fingerprint) (evalDocument, bool) {
	e, ok := c.paragraphs[p]
	if !ok || c.common > 0 && e.count > c.common {
		return evalDocument{}, false
	}
	return c.docs[e.first], true
}
