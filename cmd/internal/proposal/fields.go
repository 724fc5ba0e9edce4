package proposal

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"

	"ablate/stages/survey"
)

// Names that fields often have, the likeliest first.
var (
	textNames = []string{"text", "content", "contents", "raw_content", "body", "document", "article", "abstract", "passage", "markdown", "code", "story"}
	idNames   = []string{"id", "_id", "doc_id", "docid", "document_id", "uuid", "guid", "uid", "url", "uri", "key", "path"}
)

// last is the last key of a path.
func last(path string) string {
	_, key, found := cutLast(path, ".")
	if !found {
		key = path
	}
	key, _, _ = strings.Cut(key, "[")
	return key
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// rank is the place of a field's name in a list of likely ones, or their number.
func rank(names []string, path string) int {
	key := strings.ToLower(last(path))
	if i := slices.Index(names, key); i >= 0 {
		return i
	}
	return len(names)
}

// proseBytes is how long the values of a field are on average, in bytes, that is likely to hold the
// text.
const proseBytes = 40

// chooseText finds the field that holds the text.
func (s *source) chooseText(named string, main bool) error {
	if s.format == formatText {
		return nil
	}
	uses := s.uses.Fields()
	if s.uses.Documents == 0 {
		return s.unreadable()
	}
	if named != "" {
		i := slices.IndexFunc(uses, func(u survey.FieldUse) bool { return u.Path == named })
		switch {
		case i >= 0 && uses[i].Texts > 0:
			s.textField = named
			return nil
		case main:
			return fmt.Errorf("--text %s: no document of %s has a string in this field; the fields are %s", named, s.option, s.list())
		}
	}
	var found []survey.FieldUse
	for _, u := range uses {
		if !u.Odd && u.Texts > 0 && u.Texts*2 >= s.uses.Documents && (u.Bytes >= proseBytes*u.Texts || rank(textNames, u.Path) < 3) && rank(idNames, u.Path) == len(idNames) {
			found = append(found, u)
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%s: init found no field that holds the text, which would be a string of %d bytes or more on average, in at least half of the documents; the fields are %s; name the field with --text", s.option, proseBytes, s.list())
	}
	slices.SortStableFunc(found, func(a, b survey.FieldUse) int {
		return cmp.Or(cmp.Compare(rank(textNames, a.Path), rank(textNames, b.Path)), -cmp.Compare(a.Bytes, b.Bytes))
	})
	// A field of a usual name is taken unless another has far more text; of several others, one
	// that has most of the text.
	best, most := found[0], slices.MaxFunc(found, func(a, b survey.FieldUse) int { return cmp.Compare(a.Bytes, b.Bytes) })
	known := rank(textNames, best.Path) < len(textNames)
	if known && most.Bytes > 4*best.Bytes || !known && len(found) > 1 && found[1].Bytes*2 > best.Bytes {
		return fmt.Errorf("%s: several fields may hold the text: %s and %s; name one with --text", s.option, described(best), described(other(found, best, most)))
	}
	s.textField = best.Path
	return nil
}

// other is the field that competes with best.
func other(found []survey.FieldUse, best, most survey.FieldUse) survey.FieldUse {
	if most.Path != best.Path {
		return most
	}
	return found[1]
}

// described is a field with what it holds.
func described(u survey.FieldUse) string {
	if u.Texts > 0 {
		return fmt.Sprintf("%s (%s, %d bytes on average)", show(u.Path), plural(int(u.Texts), "string"), u.Bytes/u.Texts)
	}
	var of []string
	for _, k := range []struct {
		n    int64
		word string
	}{{u.Numbers, "number"}, {u.Truths, "truth value"}, {u.Lists, "list"}, {u.Objects, "object"}} {
		if k.n > 0 {
			of = append(of, plural(int(k.n), k.word))
		}
	}
	return fmt.Sprintf("%s (%s)", show(u.Path), strings.Join(of, ", "))
}

// list names the fields that there are.
func (s *source) list() string {
	const most = 20
	var list []string
	for _, u := range s.uses.Fields() {
		if len(list) == most {
			list = append(list, "...")
			break
		}
		list = append(list, described(u))
	}
	return strings.Join(list, ", ")
}

// unreadable is the error of files that hold no document at all.
func (s *source) unreadable() error {
	for _, e := range s.read {
		if err := survey.Check(context.Background(), survey.Options{Format: s.format}, e); err != nil {
			return fmt.Errorf("%s: %w", s.option, err)
		}
	}
	return fmt.Errorf("%s: the files hold no document", s.option)
}

// field is a place of metadata with the values that the documents have there.
type field struct {
	name   string // that the study gives it
	source string // a path, or an expression over the name of the file

	documents float64 // that have it
	bytes     float64 // of their text
	values    map[string]*part
	many      bool // more than mostValues, so that only some are here
}

// A part is the documents that have one value.
type part struct {
	name      string
	documents float64
	bytes     float64

	tokens float64 // of its documents, with an end of text for each
	pieces float64 // documents after long ones are cut
	units  int
}

// label is what a person calls the field: its path, or the name that a part of a file's name got.
func (f *field) label() string {
	if strings.Contains(f.source, "(") {
		return f.name
	}
	return f.source
}

// mostValues bounds the values of a field that are told apart: what has more divides nothing.
const mostValues = 5000

// mostCandidates bounds the fields whose values are counted.
const mostCandidates = 60

// seeds of the hashes of identities: collisions would only be counted as duplicates.
var hashSeed = maphash.MakeSeed()

// chooseFields reads the documents and tallies the values of every field.
func (p *Proposal) chooseFields(ctx context.Context) error {
	s := p.main
	if s.format == formatText {
		p.fields = nameFields(s)
	} else {
		p.fields = pathFields(s)
	}
	for _, x := range p.all() {
		if err := x.chooseID(ctx, p.req.ID, x == s); err != nil {
			return err
		}
		if x == s {
			continue
		}
		if err := x.scan(ctx); err != nil {
			return err
		}
		if err := x.judge(p); err != nil {
			return err
		}
	}
	metadata := map[string]string{}
	for _, f := range p.fields {
		metadata[f.name] = f.source
	}
	opt := s.options(metadata)
	seen := map[uint64]bool{}
	for _, e := range s.read {
		weight := s.weight / max(e.Share, 1e-9)
		counts, err := survey.Documents(ctx, opt, e, func(d survey.Document) {
			id := maphash.String(hashSeed, d.ID)
			if seen[id] {
				s.twice++
				return // a run leaves it out, too
			}
			seen[id] = true
			for _, f := range p.fields {
				if !slices.Contains(d.Lacks, f.name) {
					f.add(d.Meta[f.name], weight, float64(len(d.Text)))
				}
			}
			s.documents += weight
			s.bytes += float64(weight * float64(len(d.Text)))
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s.option, err)
		}
		s.counts.Add(counts)
	}
	if err := s.judge(p); err != nil {
		return err
	}
	if s.bytes < leastCorpus {
		return fmt.Errorf("--from: too little text: %s with %s of text, and two partitions that models can be trained on need about %s; name more files", plural(int(math.Round(s.documents)), "document"), size(int64(s.bytes)), size(leastCorpus))
	}
	return nil
}

// leastCorpus is how much text, in bytes, the smallest study takes: [Proposal.least] tokens for
// each of two partitions, where small tokenizers make a token of two to three bytes.
const leastCorpus = 30_000

// scan counts the documents of a source that is not divided.
func (s *source) scan(ctx context.Context) error {
	for _, e := range s.read {
		counts, err := survey.Documents(ctx, s.options(nil), e, func(d survey.Document) {
			s.longest = max(s.longest, len(d.Text))
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s.option, err)
		}
		s.counts.Add(counts)
	}
	return nil
}

// options say how the source's documents are read.
func (s *source) options(metadata map[string]string) survey.Options {
	return survey.Options{Format: s.format, TextField: s.textField, IDField: s.idField, Metadata: metadata, PieceBytes: s.pieces}
}

func (f *field) add(value string, weight, bytes float64) {
	f.documents += weight
	f.bytes += float64(weight * bytes)
	v := f.values[value]
	if v == nil {
		if len(f.values) >= mostValues {
			f.many = true
			return
		}
		v = &part{name: value}
		f.values[value] = v
	}
	v.documents += weight
	v.bytes += float64(weight * bytes)
}

// sorted are the values, the one with the most text first.
func (f *field) sorted() []*part {
	var list []*part
	for _, v := range f.values {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b *part) int { return cmp.Or(-cmp.Compare(a.bytes, b.bytes), cmp.Compare(a.name, b.name)) })
	return list
}

// judge decides what becomes of documents that cannot be used. Few of them are left out by the
// study, and the person is told; of many it is an error.
func (s *source) judge(p *Proposal) error {
	const few = 0.05 // more broken lines than that are no accident but another format
	for _, reason := range []string{badLine, noText} {
		n := s.counts.Dropped[reason]
		if n == 0 {
			continue
		}
		var at file
		var line int64
		for _, place := range s.counts.Places {
			if place.Reason == reason {
				at, line = s.read[place.File].File, max(place.Line, place.Row)
				break
			}
		}
		what := map[string][2]string{badLine: {"is no JSON object", "are no JSON objects"}, noText: {"has no text at " + s.textField, "have no text at " + s.textField}}[reason]
		found := fmt.Sprintf("%s of %s documents %s", grouped(int(n)), grouped(int(s.counts.Read)), what[min(n, 2)-1])
		if float64(n) > few*float64(s.counts.Read) {
			return fmt.Errorf("%s: %s, the first at %s:%d; mend the files, or name the field of the text with --text", s.option, found, at.Path, line)
		}
		s.drops = append(s.drops, drop{reason, fmt.Sprintf("%s (the first: %s:%d)", found, show(at.Name), line)})
		p.note("%s: %s, the first at %s:%d. The study leaves such documents out.", s.option, found, at.Path, line)
	}
	if s.counts.Kept == 0 {
		return fmt.Errorf("%s: the files hold no document with text", s.option)
	}
	return nil
}

// Reasons of survey.Counts for which a run would end with an error.
const (
	badLine = "bad line"
	noText  = "no text field"
)

// drop is a reason for which the study leaves documents out, in the words of a comment.
type drop struct{ reason, words string }

// pathFields are the fields of JSON Lines and tables whose values may be metadata.
func pathFields(s *source) []*field {
	const long = 200 // bytes: longer values are prose
	uses := slices.DeleteFunc(s.uses.Fields(), func(u survey.FieldUse) bool {
		return u.Odd || u.Objects > 0 || u.Path == s.textField || u.Documents() == 0 || u.Texts > 0 && u.Bytes > long*u.Texts
	})
	slices.SortStableFunc(uses, func(a, b survey.FieldUse) int { return -cmp.Compare(a.Documents(), b.Documents()) })
	var list []*field
	taken := map[string]bool{"id": true}
	for _, u := range uses[:min(len(uses), mostCandidates)] {
		name := Identifier(last(u.Path))
		if taken[name] {
			name = Identifier(strings.NewReplacer(".", "_", "[", "_", "]", "").Replace(u.Path))
		}
		for taken[name] {
			name += "_"
		}
		taken[name] = true
		list = append(list, &field{name: name, source: u.Path, values: map[string]*part{}})
	}
	return list
}

var notName = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// Identifier makes a name of the study out of text.
func Identifier(text string) string {
	name := strings.Trim(notName.ReplaceAllString(text, "_"), "_.-")
	if name == "" {
		name = "field"
	}
	return name[:min(len(name), 60)]
}

// nameFields are the parts of the names of text files: folders, and the file itself.
func nameFields(s *source) []*field {
	depth := 0
	for _, f := range s.files {
		depth = max(depth, strings.Count(f.Name, "/"))
	}
	var list []*field
	add := func(name, expression string) {
		list = append(list, &field{name: name, source: expression, values: map[string]*part{}})
	}
	for level := range min(depth, 4) {
		name := "folder"
		if level > 0 {
			name = fmt.Sprintf("folder%d", level+1)
		}
		add(name, "^"+strings.Repeat("[^/]+/", level)+"([^/]+)/")
	}
	add("file", `([^/]+)$`)
	if years := regexp.MustCompile(yearInName); slices.ContainsFunc(s.files, func(f file) bool { return years.MatchString(path.Base(f.Name)) }) {
		add("year", yearInName)
	}
	return list
}

// yearInName finds a year in the name of a file.
const yearInName = `(?:^|[^0-9])((?:19|20)[0-9]{2})(?:[^0-9]|$)`

// chooseID finds the field that holds the identity of documents.
func (s *source) chooseID(ctx context.Context, named string, main bool) error {
	if s.format == formatText {
		return nil
	}
	uses := s.uses.Fields()
	has := func(path string) bool {
		return slices.ContainsFunc(uses, func(u survey.FieldUse) bool { return u.Path == path && u.Objects == 0 && u.Documents() > 0 })
	}
	if named != "" && main {
		if !has(named) {
			return fmt.Errorf("--id %s: no document of %s has a value in this field; the fields are %s", named, s.option, s.list())
		}
		s.idField = named
		return nil
	}
	var candidates []survey.FieldUse
	for _, u := range uses {
		if !u.Odd && u.Objects == 0 && u.Lists == 0 && u.Truths == 0 && u.Path != s.textField && u.Documents() == s.uses.Documents && rank(idNames, u.Path) < len(idNames) {
			candidates = append(candidates, u)
		}
	}
	slices.SortStableFunc(candidates, func(a, b survey.FieldUse) int {
		return cmp.Or(cmp.Compare(rank(idNames, a.Path), rank(idNames, b.Path)), cmp.Compare(strings.Count(a.Path, "."), strings.Count(b.Path, ".")))
	})
	for _, u := range candidates[:min(len(candidates), 3)] {
		repeats, err := s.repeats(ctx, u.Path)
		if err != nil {
			return err
		}
		if repeats <= mostRepeats {
			s.idField = u.Path
			return nil
		}
		s.repeated = append(s.repeated, fmt.Sprintf("%s repeats in %s of the documents", show(u.Path), percent(repeats)))
	}
	if has("id") { // the study has to name another place, or documents of one identity would count as one
		s.idField = "no_id"
		for has(s.idField) {
			s.idField += "_"
		}
	}
	return nil
}

// mostRepeats is the share of documents that may bear the identity of another one. A run ends with
// an error where more than 1% do, and their texts differ.
const mostRepeats = 0.005

// repeats is the share of documents that have the identity of one before them and another text.
func (s *source) repeats(ctx context.Context, path string) (float64, error) {
	opt := survey.Options{Format: s.format, TextField: s.textField, IDField: path}
	texts := map[uint64]uint64{}
	all, twice := 0, 0
	for _, e := range s.read {
		_, err := survey.Documents(ctx, opt, e, func(d survey.Document) {
			id, text := maphash.String(hashSeed, d.ID), maphash.String(hashSeed, d.Text)
			all++
			if before, ok := texts[id]; ok && before != text {
				twice++
			} else if !ok {
				texts[id] = text
			}
		})
		if err != nil {
			return 0, fmt.Errorf("%s: %w", s.option, err)
		}
	}
	return float64(twice) / math.Max(1, float64(all)), nil
}
