package proposal

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names of fields that often divide a corpus well, and of those that order it.
var (
	partNames  = []string{"domain", "field", "category", "topic", "subset", "source", "area", "genre", "language", "lang", "section", "subject", "label", "class", "type", "kind", "split", "folder"}
	orderNames = []string{"year", "date", "created", "timestamp", "published", "time"}
)

// mostParts is how many partitions a first study has: enough for pairs to differ, few enough for
// minutes.
const mostParts = 8

// choosePartitions finds the field that divides the documents, and the one that orders them.
func (p *Proposal) choosePartitions(context.Context) error {
	if err := p.chooseOrder(); err != nil {
		return err
	}
	if p.req.By != "" {
		f := p.named(p.req.By)
		switch {
		case f == nil:
			return fmt.Errorf("--by %s: no document of --from has such a field; there are %s", p.req.By, p.names())
		case len(f.values) == 1 && f.documents >= p.main.documents:
			return fmt.Errorf("--by %s: every document has the same value in this field, %s, so the field divides nothing; there are %s", p.req.By, show(f.sorted()[0].name), p.names())
		case len(f.values) == 1:
			return fmt.Errorf("--by %s: the field has only one value, %s, and %s of the documents have no value; there are %s", p.req.By, show(f.sorted()[0].name), percent(1-f.documents/p.main.documents), p.names())
		case len(f.usable()) < 2:
			return fmt.Errorf("--by %s: fewer than two values can be names of partitions: %s", p.req.By, nameRule)
		}
		p.by = f
	}
	for _, f := range p.fields {
		if f != p.order && f != p.by && f.quality(p.main.documents) > 0 {
			p.others = append(p.others, f)
		}
	}
	slices.SortStableFunc(p.others, func(a, b *field) int {
		return -cmp.Compare(a.quality(p.main.documents), b.quality(p.main.documents))
	})
	if p.by == nil {
		if len(p.others) == 0 {
			return p.undivided()
		}
		p.by, p.others = p.others[0], p.others[1:]
	}
	if p.by.documents < p.main.documents && p.by.values["NA"] != nil {
		for _, word := range []string{"absent", "missing", "none", "no-value", "no-value-given"} {
			if p.absent == "" && p.by.values[word] == nil {
				p.absent = word
			}
		}
	}
	return nil
}

// undivided is the error of documents that no field divides.
func (p *Proposal) undivided() error {
	single := ""
	for _, f := range p.fields {
		if len(f.values) == 1 && f.documents >= p.main.documents {
			single = fmt.Sprintf(" (%s is %s everywhere)", f.label(), show(f.sorted()[0].name))
			break
		}
	}
	if p.main.format == formatText {
		return fmt.Errorf("--from: the names of %s divide the text into no parts%s: put the files of each part into a folder of its own, such as DATA/law/1.txt and DATA/news/1.txt, and name DATA", plural(len(p.main.files), "file"), single)
	}
	files := ""
	if len(p.main.files) > 1 && p.main.format == formatJSONL {
		files = "; to divide by files, write their names into the documents, for example with jq -c '. + {domain: input_filename}' FILES >all.jsonl"
	}
	return fmt.Errorf("--from: no field divides the documents%s: a field that does has between 2 and %s values and is in half of the documents at least; there are %s; name one with --by, or add a field, such as \"domain\", to the documents%s",
		single, grouped(mostValues), p.names(), files)
}

// names lists the fields with their numbers of values.
func (p *Proposal) names() string {
	var list []string
	for _, f := range p.fields {
		values := plural(len(f.values), "value")
		if f.many {
			values = fmt.Sprintf("more than %d values", mostValues)
		}
		list = append(list, fmt.Sprintf("%s (%s in %s of the documents)", show(f.label()), values, percent(f.documents/math.Max(1, p.main.documents))))
	}
	if len(list) == 0 {
		return "no fields of short values"
	}
	return strings.Join(list, ", ")
}

// named is the field that a person means, by its path or by its name in the study.
func (p *Proposal) named(word string) *field {
	for _, f := range p.fields {
		if f.source == word {
			return f
		}
	}
	for _, f := range p.fields {
		if f.name == word {
			return f
		}
	}
	return nil
}

// nameRule says what a partition can be called; see specs.
const nameRule = "a name of a partition is one line of at most 1000 bytes without space at its ends"

// nameable says whether a value can be the name of a partition.
func nameable(value string) bool {
	if value == "" || len(value) > 1000 || !utf8.ValidString(value) || strings.TrimSpace(value) != value {
		return false
	}
	return !strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' })
}

// usable are the values that can be names of partitions, the one with the most text first.
func (f *field) usable() []*part {
	return slices.DeleteFunc(f.sorted(), func(v *part) bool { return !nameable(v.name) })
}

// quality says how well a field divides so many documents: 0, not at all. It is the number of parts
// of equal size that would be as uneven as the largest ones are: 1 over the sum of the squares of
// their shares of the text (Simpson's index of diversity), of mostParts at most; times the root of
// the share of the documents that are in them.
func (f *field) quality(documents float64) float64 {
	list := f.usable()
	if len(list) < 2 || f.many || f.documents*2 < documents {
		return 0
	}
	list = list[:min(len(list), mostParts)]
	docs, bytes := 0.0, 0.0
	for _, v := range list {
		docs, bytes = docs+v.documents, bytes+v.bytes
	}
	squares := 0.0
	for _, v := range list {
		share := v.bytes / math.Max(1, bytes)
		squares += float64(share * share)
	}
	if list[1].bytes < leastText || docs < 0.1*documents {
		return 0
	}
	q := 1 / math.Max(squares, 1e-9) * math.Sqrt(docs/documents)
	switch i := rank(partNames, f.name); {
	case strings.HasPrefix(f.name, "folder"):
		q *= 1.5
	case i < len(partNames):
		q *= 2 - float64(i)/float64(len(partNames))
	}
	if f.numeric() > 0.9 { // a measure, more often than a kind
		q *= 0.3
	}
	return q
}

// numeric is the share of the values that are numbers.
func (f *field) numeric() float64 {
	n := 0
	for v := range f.values {
		if number.MatchString(v) {
			n++
		}
	}
	return float64(n) / math.Max(1, float64(len(f.values)))
}

var (
	number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	moment = regexp.MustCompile(`^(1[0-9]{3}|20[0-9]{2})(-[01][0-9](-[0-3][0-9]([T ].*)?)?)?$`)
)

// chooseOrder finds a field of years or dates.
func (p *Proposal) chooseOrder() error {
	if p.req.Order != "" {
		if p.order = p.named(p.req.Order); p.order == nil {
			return fmt.Errorf("--order %s: no document of --from has such a field; there are %s", p.req.Order, p.names())
		}
		return nil
	}
	best := 0.0
	for _, f := range p.fields {
		moments := 0.0
		for v := range f.values {
			if moment.MatchString(v) {
				moments++
			}
		}
		share := moments / math.Max(1, float64(len(f.values)))
		if len(f.values) < 2 || share < 0.9 || f.documents*2 < p.main.documents || f.source == p.req.By || f.name == p.req.By {
			continue
		}
		q := f.documents / p.main.documents
		if i := rank(orderNames, f.name); i < len(orderNames) {
			q += 1 - float64(i)/float64(len(orderNames))
		} else if f.numeric() == 1 && len(f.values) < 4 {
			continue // numbers that happen to be of the size of years
		}
		if q > best {
			p.order, best = f, q
		}
	}
	return nil
}

// leastText is how much text, in bytes, the second largest part has at least.
const leastText = 4 << 10
