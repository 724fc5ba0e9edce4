package specs

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func itoa(i int) string { return strconv.Itoa(i) }

func (c *checker) corpora() {
	for _, name := range sortedKeys(c.s.Corpora) {
		c.corpus(at("corpora", name), c.s.Corpora[name])
	}
	for _, name := range sortedKeys(c.s.Eval.OutOfDomain) {
		c.corpus(at("eval", "out_of_domain", name), c.s.Eval.OutOfDomain[name].Corpus)
	}
}

func (c *checker) corpus(here []string, x Corpus) {
	for _, list := range []struct {
		key      string
		patterns []string
	}{{"files", x.Files}, {"exclude", x.Exclude}} {
		for i, p := range list.patterns {
			if err := checkPattern(p); err != nil {
				c.fail(append(under(here, list.key), itoa(i)), "%v", err)
			}
		}
		c.once(under(here, list.key), list.patterns)
	}
	if c.whole(under(here, "metadata")...) && c.whole(under(here, "between")...) {
		c.between(under(here, "between"), x)
	}
	if pieces := under(here, "piece_bytes"); c.ok(pieces) && x.PieceBytes > 0 && x.PieceBytes < utf8.UTFMax {
		c.fail(pieces, "%d bytes may be less than one character of text, which has up to %d; want 0, or %d or more", x.PieceBytes, utf8.UTFMax, utf8.UTFMax)
	}
	if !c.ok(under(here, "format"), under(here, "files")) {
		return
	}
	format := x.Format
	if format == "auto" {
		format = autoFormat(x.Files)
	}
	c.dtype(here, format)
	if format == "jsonl" || format == "parquet" || format == "" {
		for _, f := range []struct{ key, path string }{{"text", x.Text}, {"id", x.ID}} {
			if err := checkFieldPath(f.path); err != nil {
				c.fail(under(here, f.key), "%v", err)
			}
		}
	} else {
		for _, key := range []string{"text", "id"} {
			if c.given(under(here, key)...) {
				c.fail(under(here, key), "names a field of jsonl or parquet, but %s", otherFormat(x, format))
			}
		}
	}
	for _, name := range sortedKeys(x.Metadata) {
		p := append(under(here, "metadata"), name)
		var err error
		switch {
		case name == "id":
			err = fmt.Errorf("the name id is taken: order: id orders documents by their identity")
		case format == "jsonl" || format == "parquet":
			err = checkFieldPath(x.Metadata[name])
		case format == "text":
			err = checkExpression(x.Metadata[name])
		case format == "tokens":
			err = checkTokenField(x.Metadata[name])
		default:
			err = fmt.Errorf("by their names, the files have several formats, and metadata has a different meaning for each; give format, or make a corpus of each format")
		}
		if err != nil {
			c.fail(p, "%v", err)
		}
	}
}

// otherFormat says why files are taken for text or tokens: the study says it, or their names do not
// say that they are anything else.
func otherFormat(x Corpus, format string) string {
	if x.Format == "auto" && format == "text" {
		return "the names of the files do not say that they are, as *.jsonl and *.parquet do: give format: jsonl or format: parquet"
	}
	return fmt.Sprintf("the files are %s; give format if they are not", format)
}

// dtype checks what tokens need and others have no use for, and what tokens cannot have.
func (c *checker) dtype(here []string, format string) {
	dtype := under(here, "dtype")
	if format != "tokens" {
		if c.given(dtype...) && format != "" {
			c.fail(dtype, "is the type of ids, but the files are %s; give format: tokens if they are not", format)
		}
		return
	}
	if !c.given(dtype...) && c.ok(dtype) {
		c.fail(here, "files of tokens need dtype: uint16 or uint32, the type of their ids")
	}
	if pieces := under(here, "piece_bytes"); c.given(pieces...) {
		c.fail(pieces, "files of tokens cannot be cut, because a piece would have to be tokenized again")
	}
	if train := at("tokenizer", "train"); c.given(train...) {
		c.fail(train, "%s are tokens already, whose ids are those of a tokenizer.json: give tokenizer.file", strings.Join(here, "."))
	}
}

// tokenColumn is metadata of tokens that begins with a column of the index, or with the array's
// name.
var tokenColumn = regexp.MustCompile(`^(id|src|loc|name)\s*(?:~\s*(.*))?$`)

// otherColumn is metadata that look as if they began with a column.
var otherColumn = regexp.MustCompile(`^([a-z]+)(\s*~|$)`)

func checkTokenField(source string) error {
	if m := tokenColumn.FindStringSubmatch(source); m != nil && m[2] == "" {
		return nil // the column as it is
	} else if m != nil {
		return checkExpression(m[2])
	}
	if m := otherColumn.FindStringSubmatch(source); m != nil {
		return fmt.Errorf("unknown column %q%s", m[1], didYouMean(m[1], []string{"id", "loc", "name", "src"}))
	}
	return checkExpression(source)
}

// NamesMatter says whether metadata of tokens come from the names of the arrays.
func NamesMatter(metadata map[string]string) bool {
	for _, source := range metadata {
		if m := tokenColumn.FindStringSubmatch(source); m == nil || m[1] == "name" {
			return true
		}
	}
	return false
}

var rangeForm = regexp.MustCompile(`^(-?[0-9]{1,9})-(-?[0-9]{1,9})$`)

func (c *checker) between(here []string, x Corpus) {
	for _, name := range sortedKeys(x.Between) {
		p := under(here, name)
		if _, ok := x.Metadata[name]; !ok {
			c.fail(p, "the corpus declares no metadata %q%s", clip(name), didYouMean(name, sortedKeys(x.Metadata)))
			continue
		}
		m := rangeForm.FindStringSubmatch(x.Between[name])
		if m == nil {
			c.fail(p, "range %q: want two whole numbers, such as 1970-2022", clip(x.Between[name]))
			continue
		}
		from, _ := strconv.Atoi(m[1])
		if to, _ := strconv.Atoi(m[2]); from > to {
			c.fail(p, "range %q ends before it begins; write the smaller number first", m[0])
		}
	}
}

// autoFormat is what format: auto makes of the patterns; "" where they differ. What the files hold
// is not known here.
func autoFormat(patterns []string) string {
	found := ""
	for _, p := range patterns {
		format := FormatOfName(p)
		if format == "" {
			format = "text"
		}
		if found != "" && found != format {
			return ""
		}
		found = format
	}
	return found
}

// Endings of names, in small letters, that say of which format a file is, and of those that are
// compressed.
var (
	formatEndings      = map[string]string{".jsonl": "jsonl", ".ndjson": "jsonl", ".jsonlines": "jsonl", ".json": "jsonl", ".parquet": "parquet", ".npy": "tokens"}
	compressionEndings = []string{".gz", ".gzip", ".zst", ".zstd", ".xz", ".bz2", ".lz4", ".bgz"}
)

// FormatOfName is the format that the name of a file, or a pattern of names, says: "" for one that
// says none, whose content counts.
func FormatOfName(name string) string {
	name = strings.ToLower(name)
	for _, end := range compressionEndings {
		name = strings.TrimSuffix(name, end)
	}
	return formatEndings[path.Ext(name)]
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkPattern checks the form of a file pattern. Whether its variables are set and it matches a
// file depends on the machine.
func checkPattern(p string) error {
	var plain strings.Builder
	for rest := p; ; {
		before, after, found := strings.Cut(rest, "${")
		plain.WriteString(before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return fmt.Errorf("pattern %q: ${ without }", clip(p))
		}
		if !variable.MatchString(name) {
			return fmt.Errorf("pattern %q: ${%s}: the name of a variable is letters, digits and _", clip(p), clip(name))
		}
		plain.WriteString("x")
		rest = tail
	}
	for level := range strings.SplitSeq(plain.String(), "/") {
		if strings.Contains(level, "**") && level != "**" {
			return fmt.Errorf("pattern %q: ** must stand alone between slashes, found %q", clip(p), clip(level))
		}
		if _, err := path.Match(level, ""); err != nil {
			return fmt.Errorf("pattern %q: %q is malformed: a [ without ], or a \\ at the end", clip(p), clip(level))
		}
	}
	return nil
}

var fieldPath = regexp.MustCompile(`^[^.\[\]]+(\[[0-9]{1,9}\])*(\.[^.\[\]]+(\[[0-9]{1,9}\])*)*$`)

func checkFieldPath(p string) error {
	if p != "" && !fieldPath.MatchString(p) {
		return fmt.Errorf("field path %q: want keys and indices, such as metadata.field or authors[0]", clip(p))
	}
	return nil
}

func checkExpression(e string) error {
	if e == "" {
		return nil // reported as empty
	}
	re, err := regexp.Compile(e)
	if err != nil {
		return fmt.Errorf("regular expression %q: %w", clip(e), err)
	}
	if n := re.NumSubexp(); n != 1 {
		return fmt.Errorf("regular expression %q has %d groups, want 1, whose match is the value (for a field of jsonl or parquet give format, jsonl or parquet)", clip(e), n)
	}
	return nil
}

func (c *checker) tokenizer() {
	t := c.s.Tokenizer.Train
	if t == nil {
		return
	}
	known(c, at("tokenizer", "train", "on"), "corpus", t.On, c.s.Corpora, "corpora")
}

func (c *checker) partitions() {
	for _, name := range sortedKeys(c.s.Partitions) {
		here, p := at("partitions", name), c.s.Partitions[name]
		by := under(here, "by")
		c.once(by, p.By)
		if known(c, under(here, "corpus"), "corpus", p.Corpus, c.s.Corpora, "corpora") && c.whole("corpora", p.Corpus, "metadata") {
			declared := c.s.Corpora[p.Corpus].Metadata
			for i, word := range p.By {
				if _, ok := declared[word]; !ok {
					c.fail(under(by, itoa(i)), "corpus %s declares no metadata %q%s", p.Corpus, clip(word), didYouMean(word, sortedKeys(declared)))
				}
			}
			if _, ok := declared[p.Order]; !ok && p.Order != "id" && p.Order != "" {
				c.fail(under(here, "order"), "corpus %s declares no metadata %q%s", p.Corpus, clip(p.Order), didYouMean(p.Order, append(sortedKeys(declared), "id")))
			}
		}
		if cut := append(under(here, "unit"), "cut"); p.Unit.Cut == "order" && p.Order == "id" && c.ok(cut, under(here, "order")) {
			c.fail(cut, "order: identities order the documents, and no two have the same; name the metadata that orders them, such as order: year")
		}
		c.fold(here, p)
		for _, list := range []struct {
			key   string
			names []string
		}{{"only", p.Only}, {"except", p.Except}} {
			c.once(under(here, list.key), list.names)
			for i, part := range list.names {
				if _, ok := p.Units[part]; !ok && len(p.Units) > 0 && c.whole(under(here, "units")...) {
					c.fail(append(under(here, list.key), itoa(i)), "units declares no partition %q%s", clip(part), didYouMean(part, sortedKeys(p.Units)))
				}
				if list.key == "except" && slices.Contains(p.Only, part) {
					c.fail(append(under(here, list.key), itoa(i)), "%q is in only as well", clip(part))
				}
			}
		}
	}
}

// fold checks partitions that are part of others: no other key may know them, and merging by size
// leaves nothing to declare.
func (c *checker) fold(here []string, p Partition) {
	if !c.whole(under(here, "fold")...) {
		return
	}
	for _, part := range sortedKeys(p.Fold) {
		at := append(under(here, "fold"), part)
		if into, ok := p.Fold[p.Fold[part]]; ok {
			c.fail(at, "%q is folded on into %q; name that", clip(p.Fold[part]), clip(into))
		}
		for _, list := range []struct {
			key  string
			have bool
		}{{"only", slices.Contains(p.Only, part)}, {"except", slices.Contains(p.Except, part)}, {"units", p.Units[part] > 0}} {
			if list.have {
				c.fail(at, "%q is in %s, but no longer exists after folding; name %q there", clip(part), list.key, clip(p.Fold[part]))
			}
		}
	}
	if small := under(here, "small"); c.ok(small) && p.Small == "merge" && len(p.Units) > 0 {
		c.fail(small, "merge depends on the sizes of partitions, and units declares them; join partitions with fold, or leave units out")
	}
}

// catalogue is the declared partitions of a set that only and except leave, in order of their
// names; nil where none are declared or any of it could not be read.
func (c *checker) catalogue(set string) []string {
	p, ok := c.s.Partitions[set]
	if !ok || len(p.Units) == 0 || !c.whole("partitions", set, "units") || !c.whole("partitions", set, "only") || !c.whole("partitions", set, "except") {
		return nil
	}
	return slices.DeleteFunc(sortedKeys(p.Units), func(part string) bool {
		return len(p.Only) > 0 && !slices.Contains(p.Only, part) || slices.Contains(p.Except, part)
	})
}

// heldout also checks decontamination, which removes nothing where there is nothing to compare
// with.
func (c *checker) heldout() {
	h := c.s.Heldout
	validation, test := at("heldout", "validation"), at("heldout", "test")
	if c.ok(validation, test) && h.Validation+h.Test > 1-1e-9 { // 0.7 + 0.3 may fall short of 1
		c.fail(at("heldout"), "validation %s and test %s leave nothing to train on", percent(h.Validation), percent(h.Test))
	}
	for i, word := range c.s.Decontaminate.Against {
		here := at("decontaminate", "against", itoa(i))
		switch {
		case word == "heldout" && c.ok(validation, test) && h.Validation+h.Test == 0:
			c.fail(here, "against heldout, but heldout holds no documents out; give heldout.test a share, or leave heldout out of against")
		case word == "eval" && c.whole("eval") && len(c.s.Eval.OutOfDomain) == 0:
			c.fail(here, "against eval, but eval.out_of_domain names no set; add a set, or leave eval out of against")
		}
	}
	c.once(at("decontaminate", "against"), c.s.Decontaminate.Against)
	bloom := c.s.Decontaminate.Filter == "bloom"
	if filter := at("decontaminate", "filter"); !c.ok(filter) {
		return
	}
	for _, key := range []string{"false_positives", "seed"} {
		if here := at("decontaminate", key); !bloom && c.given(here...) {
			c.fail(here, "has no meaning with filter: exact, which has no false positives")
		}
	}
	if here := at("decontaminate", "common"); bloom && c.ok(here) && c.s.Decontaminate.Common > 0 {
		c.fail(here, "%d needs filter: exact; a Bloom filter cannot count the documents that hold a paragraph", c.s.Decontaminate.Common)
	}
}

func percent(x Fraction) string { return strconv.FormatFloat(100*float64(x), 'g', 6, 64) + "%" }
