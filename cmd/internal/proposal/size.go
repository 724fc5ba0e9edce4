package proposal

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"ablate/stages/survey"
)

// sizing is the partitions of the study and how they are cut into base units.
type sizing struct {
	parts     []*part // in the order of their names
	tokenizer *survey.Tokenizer
	bytes     float64 // of text a token, of all partitions together
	longest   float64 // bytes of the longest document
	unit      float64 // tokens of a base unit
	test      float64 // share of the documents that are held out to evaluate on

	unitMixtures bool // mixtures are of units, because there are too few partitions
	possible     int  // mixtures
	sample       int  // of them that are taken
}

// Bounds of the proposed sizes.
const (
	leastUnit   = 2000      // tokens: a shorter unit trains no model of its own
	mostUnits   = 4         // of a partition, so that references stay short
	mostPairs   = 12        // mixtures that get a reference model
	leastHeld   = 10        // documents of a partition that are held out
	pairsFrom   = 5         // partitions whose pairs are enough mixtures to compare: ten
	safety      = 0.85      // of the tokens that are expected: a run's tokenizer and what it holds out differ a little
	sampleBytes = 2 << 20   // of text that the tokenizer is measured on
	partBytes   = 256 << 10 // of text of each partition whose tokens are counted
)

// chooseSizes measures the tokens of the partitions and cuts them into units.
func (p *Proposal) chooseSizes(ctx context.Context) error {
	candidates := p.by.usable()
	if len(candidates) > mostParts {
		candidates = candidates[:mostParts]
	}
	if err := p.measure(ctx, candidates); err != nil {
		return err
	}
	slices.SortStableFunc(candidates, func(a, b *part) int { return -cmp.Compare(a.tokens, b.tokens) })
	for k := len(candidates); k >= 2; k-- {
		kept := candidates[:k]
		small := k > 2 && p.trained(kept[k-1], 0)*4 < p.trained(kept[k/2], 0) // would make all units small
		if unit := p.unitFor(kept); unit >= leastUnit && !small {
			return p.cut(kept, unit)
		}
	}
	a, b := candidates[0], candidates[1]
	return fmt.Errorf("--from: too little text for units: the two largest partitions by %s are %s with about %s tokens and %s with %s; each needs about %s tokens (%s of text) so that models can be trained on parts of them; add text, or divide by another field with --by",
		p.by.label(), show(a.name), count(a.tokens), show(b.name), count(b.tokens), count(p.least()), size(int64(p.least()*p.bytesPerToken())))
}

// least is how many tokens each of two partitions needs.
func (p *Proposal) least() float64 { return roundUp(2 * leastUnit / (safety * (1 - 0.2))) }

func (p *Proposal) bytesPerToken() float64 { return math.Max(1, p.sizing.bytes) }

// measure counts tokens, and pieces of documents, in the text of the candidates.
func (p *Proposal) measure(ctx context.Context, candidates []*part) error {
	s := p.main
	metadata := map[string]string{p.by.name: p.by.source}
	byName := map[string]*part{}
	for _, v := range candidates {
		byName[v.name] = v
	}
	each := func(f func(v *part, d survey.Document)) error {
		for _, e := range s.read {
			if _, err := survey.Documents(ctx, s.options(metadata), e, func(d survey.Document) {
				if v := byName[d.Meta[p.by.name]]; v != nil && !slices.Contains(d.Lacks, p.by.name) {
					f(v, d)
				}
			}); err != nil {
				return fmt.Errorf("%s: %w", s.option, err)
			}
		}
		return nil
	}
	var texts []string
	taken := map[*part]int{}
	quota := min(sampleBytes/len(candidates), partBytes)
	if err := each(func(v *part, d survey.Document) {
		p.longest = math.Max(p.longest, float64(len(d.Text)))
		if taken[v] < quota {
			text := cutText(d.Text, quota-taken[v])
			taken[v] += len(text)
			texts = append(texts, text)
		}
	}); err != nil {
		return err
	}
	vocab := 512
	for vocab < 4096 && p.main.bytes > float64(vocab)*2000 { // a pair is seen often enough to be worth an id
		vocab *= 2
	}
	for {
		var err error
		if p.tokenizer, err = survey.NewTokenizer(texts, vocab); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
		if p.tokenizer.Vocab == vocab {
			break
		}
		if vocab /= 2; vocab <= 256 {
			return fmt.Errorf("--from: the text has too few different words: a tokenizer of it has %d ids, and a study takes one of 512 or more; add text with other words", p.tokenizer.Vocab)
		}
	}
	return p.tokens(candidates, each)
}

// tokens estimates the tokens of each candidate from the text that is counted of it.
func (p *Proposal) tokens(candidates []*part, each func(func(*part, survey.Document)) error) error {
	type sum struct{ bytes, tokens int }
	counted := map[*part]*sum{}
	for _, v := range candidates {
		counted[v] = &sum{}
		v.pieces = 0
	}
	if err := each(func(v *part, d survey.Document) {
		if c := counted[v]; c.bytes < partBytes {
			text := cutText(d.Text, partBytes-c.bytes)
			c.bytes, c.tokens = c.bytes+len(text), c.tokens+p.tokenizer.Count(text)
		}
	}); err != nil {
		return err
	}
	bytes, tokens := 0, 0
	for _, v := range candidates {
		c := counted[v]
		bytes, tokens = bytes+c.bytes, tokens+c.tokens
		v.tokens = float64(v.bytes*float64(c.tokens)/math.Max(1, float64(c.bytes))) + v.documents
	}
	p.sizing.bytes = float64(bytes) / math.Max(1, float64(tokens))
	return nil
}

// cutText is the first bytes of text, at most so many, whole characters.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && text[most]&0xc0 == 0x80 {
		most--
	}
	return text[:most]
}

// trained is how many tokens of a partition can be counted on to be in units.
func (p *Proposal) trained(v *part, test float64) float64 { return v.tokens * (1 - test) * safety }

// unitFor is the unit that gives the median of the partitions several, and each at least one; with
// few partitions, enough units for pairs of them.
func (p *Proposal) unitFor(kept []*part) float64 {
	share := 3.0
	if len(kept) < pairsFrom {
		share = 4
	}
	const held = 0.2 // at most
	median := p.trained(kept[len(kept)/2], held)
	unit := math.Min(median/share, p.trained(kept[len(kept)-1], held))
	if len(kept) < pairsFrom { // the smallest of few is not left with one unit
		unit = math.Min(unit, p.trained(kept[len(kept)-1], held)/2)
	}
	return unit
}

// cut settles units of about so many tokens, the pieces of long documents, and what is held out.
func (p *Proposal) cut(kept []*part, unit float64) error {
	p.unit = roundDown(unit)
	for _, v := range p.by.sorted() {
		if !slices.Contains(kept, v) {
			p.more = append(p.more, v)
		}
	}
	p.parts = slices.Clone(kept)
	slices.SortFunc(p.parts, func(a, b *part) int { return cmp.Compare(a.name, b.name) })
	p.resize(p.unit)
	return p.holdOut()
}

// resize gives the partitions units of another size.
func (p *Proposal) resize(unit float64) {
	p.unit = unit
	most, units := mostUnits, 0
	if len(p.parts) < pairsFrom {
		most += 2
	}
	for _, v := range p.parts {
		v.units = max(1, min(most, int(p.trained(v, 0.2)/unit)))
		units += v.units
	}
	p.unitMixtures = len(p.parts) < pairsFrom
	n := len(p.parts)
	if p.unitMixtures {
		n = units
	}
	p.possible = n * (n - 1) / 2
	p.sample = min(p.possible, mostPairs)
}

// units is how many there are in all.
func (p *Proposal) units() int {
	n := 0
	for _, v := range p.parts {
		n += v.units
	}
	return n
}

// holdOut chooses how long documents are cut and how many are held out: every partition needs some.
func (p *Proposal) holdOut() error {
	unitBytes := p.unit * p.bytesPerToken()
	if p.longest > math.Min(unitBytes/4, mostEval*p.bytesPerToken()/2) || p.fewest(0) < 20*leastHeld {
		piece := math.Min(16<<10, math.Max(1<<10, powerOfTwo(unitBytes/16)))
		for piece > 1<<10 && p.fewest(piece) < 10*leastHeld {
			piece /= 2
		}
		if p.longest > piece {
			p.main.pieces = int64(piece)
		}
	}
	fewest := p.fewest(float64(p.main.pieces))
	for _, test := range []float64{0.05, 0.1, 0.2} {
		if p.test = test; fewest*test >= 2*leastHeld {
			return nil
		}
	}
	if fewest*p.test < leastHeld/2 {
		v := slices.MinFunc(p.parts, func(a, b *part) int { return cmp.Compare(a.documents, b.documents) })
		return fmt.Errorf("--from: too few documents: partition %s has %s, and about %d are needed so that some can be held out to evaluate on; add documents, or divide by another field with --by", show(v.name), plural(int(v.documents), "document"), 5*leastHeld/2)
	}
	return nil
}

// fewest is how many documents the smallest partition has where longer ones than piece bytes are
// cut; 0: none is cut.
func (p *Proposal) fewest(piece float64) float64 {
	fewest := math.Inf(1)
	for _, v := range p.parts {
		n := v.documents
		if piece > 0 {
			n = math.Max(n, v.bytes/piece)
		}
		fewest = math.Min(fewest, n)
	}
	return fewest
}
