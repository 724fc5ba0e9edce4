package pipeline

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"

	"ablate/cache"
	"ablate/specs"
	"ablate/specs/ident"
	"ablate/stages/kind"
)

// Sources are the raw files of a study, found and hashed by the caller.
type Sources struct {
	Corpora   map[string][]File // by corpus name, sorted by Name
	EvalSets  map[string][]File // by evaluation set name
	Tokenizer *File             // where the study names a tokenizer.json
	Vocab     int               // ids of that tokenizer
	EOS       uint32            // its end-of-text id
	Names     UnitNames         // of the units of corpora that have been split
	Notes     []string          // what files were passed over, in sentences with their place in the study
	Sizes     UnitSizes         // of the same units
	Missing   []string          // variables that are not set and name where files lie; those are MissingFiles
}

// Catalogue holds the number of units of each partition, by partition set.
type Catalogue map[string]map[string]int

// textShards is the number of token files that a corpus of many small text files becomes. A file's
// shard follows from its name, so that a new file changes one shard only.
const textShards = 8

// Compile turns a study into a plan. The catalogue says how many units each partition has, as found
// by splitting; a set that the study declares needs none. Where neither is there, the plan ends
// with the corpus steps and the seed model, and says so in Partial.
func Compile(study *specs.Study, src Sources, found Catalogue) (*Plan, error) {
	c := &compiler{
		study: study, src: src,
		plan:   &Plan{Study: study.Name, Missing: src.Missing, Result: -1, index: map[string]int{}, aliases: map[string]string{}, recipes: map[string]recipe{}, sampledFrom: map[string]Pool{}, sources: map[int][]string{}, texts: map[string]map[string]EvalText{}},
		dag:    newDAG(),
		shards: map[string][]int{}, trained: map[string]trained{}, evaluated: map[evaluation]int{}, replays: map[string]int{}, lengths: map[int]int64{}, shared: map[any]json.RawMessage{},
	}
	c.vocab, c.eos = src.Vocab, src.EOS
	if t := study.Tokenizer.Train; t != nil {
		c.vocab, c.eos = t.Vocab, uint32(t.Vocab-1)
	}
	c.plan.losses = losses{documents: int64(study.Eval.Documents), tokens: int64(study.Eval.Tokens), tokenBytes: c.tokenBytes()}
	if err := c.checkVocab(); err != nil {
		return nil, err
	}
	c.corpora()
	c.scales()
	if missing := c.units(found); len(missing) > 0 {
		c.plan.Partial = "the units of " + strings.Join(missing, ", ") + " are known once the corpus has been split"
	} else if len(c.errs) == 0 {
		if err := c.models(); err != nil {
			return nil, err
		}
	}
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	c.listModels()
	if err := finish(c.plan); err != nil {
		return nil, err
	}
	return c.plan, nil
}

type compiler struct {
	study *specs.Study
	src   Sources
	plan  *Plan
	dag   *dag
	errs  specs.Errors

	vocab         int
	eos           uint32
	tokenizer     Input                     // the tokenizer.json
	shards        map[string][]int          // corpus -> tokenize steps
	evalSets      []string                  // sorted
	evals         []int                     // tokenize step of each evaluation set
	partitionSets []partitionSet            // partition sets, sorted by name
	own           *scale                    // of unit models and all that proxies are made of
	reference     *scale                    // of reference models; mostly own
	trained       map[string]trained        // train steps by the name they were asked for
	replays       map[string]int            // corpus -> the step that packs it to be replayed
	weights       map[componentKey]*big.Rat // that the study gives, of the proxy weighted
	evaluated     map[evaluation]int        // steps
	lengths       map[int]int64             // tokens of each text that a step leaves to evaluate on, estimated
	shared        map[any]json.RawMessage   // see sharedParams
}

// sharedParams are canonical parameters that thousands of steps may have, kept once under what they
// are made of.
func (c *compiler) sharedParams(key any, params func() any) json.RawMessage {
	p, ok := c.shared[key]
	if !ok {
		p = canonical(params())
		c.shared[key] = p
	}
	return p
}

// partitionSet is a partition partitionSet whose units are known.
type partitionSet struct {
	name  string
	split int
	parts []part // sorted by name
}

type part struct {
	set, name string // which together tell it from all others
	text      string // the name as a part of longer names
	prefix    string // set/ where another set of partitions has that name, too, or empty: what stands before the text outside its set
	split     int
	units     int
	names     []string // of the units, where they have others than numbers
}

// corpora adds the steps that turn raw files into tokens and units.
func (c *compiler) corpora() {
	st := c.study
	if t := st.Tokenizer.Train; t != nil {
		files := c.src.Corpora[t.On]
		i := c.add(&Step{
			ID: "tokenizer", Kind: kind.Tokenizer,
			Params: canonical(kind.TokenizerParams{
				Vocab: t.Vocab, MinFrequency: t.MinFrequency, Bytes: int64(t.Bytes), Read: read(st.Corpora[t.On], files),
			}),
			Inputs: fileInputs(files),
		})
		c.tokenizer = Input{Role: "tokenizer", Step: i, Output: kind.OutTokenizer}
	} else {
		c.tokenizer = Input{Role: "tokenizer", File: c.src.Tokenizer}
	}
	for _, name := range sortedKeys(st.Eval.OutOfDomain) {
		files := c.src.EvalSets[name]
		c.evalSets = append(c.evalSets, name)
		c.evals = append(c.evals, c.tokenize("tokenize/"+evalSets+"/"+name, About{Role: kind.RoleEvalSet, EvalSet: name}, st.Eval.OutOfDomain[name].Corpus, files))
	}
	for _, name := range sortedKeys(st.Partitions) {
		p, params := st.Partitions[name], c.splitting()
		params.By, params.Fold, params.Order, params.Only, params.Except, params.Small = p.By, p.Fold, p.Order, sorted(p.Only), sorted(p.Except), p.Small
		params.Declared, params.UnitTokens, params.Cut = p.Units, int64(p.Unit.Tokens), ""
		if p.Unit.Cut != "document" {
			params.Cut = p.Unit.Cut
		}
		params.Validation, params.Test = float64(st.Heldout.Validation), float64(st.Heldout.Test)
		i := c.split("split/"+name, About{Role: kind.RoleUnits, PartitionSet: name}, p.Corpus, params, c.others(p.Corpus))
		c.plan.Splits = append(c.plan.Splits, SplitRef{PartitionSet: name, Step: i})
		c.partitionSets = append(c.partitionSets, partitionSet{name: name, split: i})
	}
}

// pack adds the step that takes a corpus whole, for a seed model, and returns it.
func (c *compiler) pack(corpus string) int {
	return c.whole("pack/"+corpus, corpus, kind.HoldOut{Seed: c.study.Heldout.Seed})
}

// whole adds the step that takes a corpus whole but for the documents held out of it.
func (c *compiler) whole(id, corpus string, out kind.HoldOut) int {
	// As in the paper, not against held-out text: documents that are added would hold more out, and
	// a seed model that loses one trains everything anew.
	params := c.splitting()
	params.By, params.Order, params.Small = []string{}, "id", "keep"
	params.Validation, params.Test, params.Seed = out.Validation, out.Test, out.Seed
	params.Against = slices.DeleteFunc(params.Against, func(s string) bool { return s == "heldout" })
	if len(params.Against) == 0 {
		params.Bloom = nil
	}
	i := c.split(id, About{Role: kind.RoleWhole, Corpus: corpus}, corpus, params, nil)
	if !slices.Contains(c.plan.Splits, SplitRef{PartitionSet: corpus, Step: i, Seed: true}) {
		c.plan.Splits = append(c.plan.Splits, SplitRef{PartitionSet: corpus, Step: i, Seed: true})
	}
	return i
}

// splitting is what the study says of every split.
func (c *compiler) splitting() kind.SplitParams {
	st, d := c.study, c.study.Decontaminate
	params := kind.SplitParams{
		Seed: st.Heldout.Seed, Against: sorted(d.Against), Overlap: float64(d.Overlap), Common: d.Common,
	}
	if d.Filter == "bloom" && len(d.Against) > 0 {
		params.Bloom = &kind.Bloom{FalsePositives: d.FalsePositives, Seed: d.Seed}
	}
	return params
}

// others are the corpora but this one that documents are held out of.
func (c *compiler) others(corpus string) []string {
	var names []string
	for _, p := range c.study.Partitions {
		if p.Corpus != corpus {
			names = append(names, p.Corpus)
		}
	}
	return sorted(names)
}

// evalSets stands where the name of a corpus does in the IDs of steps that read evaluation sets.
const evalSets = "eval"

// tokenizeID begins the IDs of the steps that read a corpus. A corpus may be called eval.
func tokenizeID(corpus string) string {
	if corpus == evalSets {
		corpus = "%65val"
	}
	return "tokenize/" + corpus
}

// tokenize adds one tokenize step over all the files, which fails on files without text where those
// are an evaluation set.
func (c *compiler) tokenize(id string, about About, corpus specs.Corpus, files []File) int {
	d, nonEmpty := c.study.Decontaminate, about.Role == kind.RoleEvalSet
	var bytes int64
	for _, f := range files {
		bytes += f.Size
	}
	duplicate := "" // of a corpus, split knows
	if said := corpus.Bad.Duplicate; nonEmpty && (said == "drop" || said == "error") {
		duplicate = said
	}
	return c.add(&Step{
		ID: id, About: about, Kind: kind.Tokenize,
		Params: canonical(kind.TokenizeParams{
			Read: read(corpus, files), Paragraph: d.Paragraph, MinTokens: d.MinTokens, NonEmpty: nonEmpty, Duplicate: duplicate,
		}),
		Inputs: append([]Input{c.tokenizer}, fileInputs(files)...),
		Cost:   Cost{Bytes: bytes, Disk: bytes / 2}, // of English, about half of it tokens, a tenth what is known of paragraphs
	})
}

// corpusShards adds the tokenize steps of a corpus, once. Files of jsonl, Parquet or tokens have
// one each where they are few or large, and share them otherwise; see gather. Of a tree of text
// files there are textShards, and more where these would be heavy.
func (c *compiler) corpusShards(name string) []int {
	if steps, ok := c.shards[name]; ok {
		return steps
	}
	corpus, files := c.study.Corpora[name], c.src.Corpora[name]
	var steps []int
	add := func(id string, files []File) {
		steps = append(steps, c.tokenize(id, About{Role: kind.RoleCorpus, Corpus: name}, corpus, files))
	}
	batches := func(prefix string, batches [][]File) {
		for _, batch := range batches {
			add(prefix+"/"+ident.Files(batch[0].Name, len(batch)-1), batch)
		}
	}
	switch {
	case Format(corpus, files) == "text":
		// The order of documents is that of the shards, also where a shard is several steps, so
		// that units stay what they are as it grows.
		for i, shard := range shardByName(files) {
			id := fmt.Sprintf("%s/%d", tokenizeID(name), i)
			if weightOfAll(shard) > mostWeight {
				batches(id, gather(shard))
			} else if len(shard) > 0 {
				add(id, shard)
			}
		}
	case len(files) > fewFiles:
		batches(tokenizeID(name), gather(files))
	default:
		batches(tokenizeID(name), singles(files))
	}
	c.shards[name] = steps
	return steps
}

// split adds the step that cuts a corpus into units. Text held out of the other corpora must not be
// in them either.
func (c *compiler) split(id string, about About, corpus string, params kind.SplitParams, others []string) int {
	params.EOS, params.Vocab = c.eos, c.vocab
	if said := c.study.Corpora[corpus].Bad.Duplicate; said != "auto" {
		params.Duplicate = said
	}
	var inputs []Input
	texts := map[string]EvalText{"heldout": {Corpus: corpus}}
	for i, s := range c.corpusShards(corpus) {
		inputs = append(inputs,
			Input{Role: kind.Role("tokens", i), Step: s, Output: kind.OutTokens},
			Input{Role: kind.Role("documents", i), Step: s, Output: kind.OutDocuments},
			Input{Role: kind.Role("paragraphs", i), Step: s, Output: kind.OutParagraphs},
			Input{Role: kind.Role("missing", i), Step: s, Output: kind.OutMissing})
		if params.Duplicate == "error" { // only then, so that a split does not depend on where documents lie
			inputs = append(inputs, Input{Role: kind.Role("places", i), Step: s, Output: kind.OutPlaces})
		}
	}
	if slices.Contains(params.Against, "heldout") {
		n := 0
		for _, other := range others {
			for _, s := range c.corpusShards(other) {
				inputs = append(inputs, Input{Role: kind.Role("heldout", n), Step: s, Output: kind.OutParagraphs})
				texts[kind.Role("heldout", n)] = EvalText{Corpus: other}
				n++
			}
		}
		if h := c.study.Heldout; n > 0 {
			params.Elsewhere = &kind.HoldOut{Validation: float64(h.Validation), Test: float64(h.Test), Seed: h.Seed}
		}
	}
	if slices.Contains(params.Against, "eval") {
		for i, s := range c.evals {
			inputs = append(inputs, Input{Role: kind.Role("against", i), Step: s, Output: kind.OutParagraphs})
			texts[kind.Role("against", i)] = EvalText{EvalSet: c.evalSets[i]}
		}
	}
	i := c.add(&Step{ID: id, About: about, Kind: kind.Split, Params: canonical(params), Inputs: inputs})
	c.plan.texts[c.plan.Steps[i].ID] = texts
	return i
}

// units settles the catalogue of every partition set and returns the sets that are still unknown.
func (c *compiler) units(found Catalogue) (missing []string) {
	for i := range c.partitionSets {
		s := &c.partitionSets[i]
		counts := found[s.name]
		if counts == nil {
			counts = c.study.Partitions[s.name].Units
		}
		if c.numbered(s.name) {
			c.plan.Numbered = append(c.plan.Numbered, s.name)
		}
		spec := c.study.Partitions[s.name]
		units := int64(0)
		for _, name := range sortedKeys(counts) {
			if len(spec.Only) > 0 && !slices.Contains(spec.Only, name) || slices.Contains(spec.Except, name) {
				continue // declared, and left out all the same
			}
			if counts[name] > 0 {
				s.parts = append(s.parts, part{set: s.name, name: name, text: ident.Text(name, len(spec.By)), split: s.split, units: counts[name]})
				units += int64(counts[name])
			}
		}
		c.boundUnits(s.name, units)
		c.plan.Steps[s.split].Cost.Disk = units * int64(spec.Unit.Tokens) * c.tokenBytes()
		s.named(c.src.Names[s.name])
		if len(counts) == 0 || c.listsRanges(*s) {
			missing = append(missing, s.name)
		}
	}
	c.distinguish()
	return missing
}

// tokenBytes is the width of a token on the disk.
func (c *compiler) tokenBytes() int64 {
	if c.vocab > 1<<16 {
		return 4
	}
	return 2
}

// add puts a step into the plan, or returns the index of the step that is already there with the
// same definition: two names for one computation share it.
func (c *compiler) add(s *Step) int {
	i, other := c.dag.add(c.plan, s)
	if other != nil {
		c.twice(s.ID, s, other)
	}
	return i
}

// read is a corpus's reading rule as it enters keys; names count where identities or metadata come
// from them.
func read(corpus specs.Corpus, files []File) kind.Read {
	r := kind.Read{Format: Format(corpus, files), Metadata: corpus.Metadata, Absent: corpus.Absent, Between: corpus.Between, Bad: bad(corpus.Bad), PieceBytes: int64(corpus.PieceBytes)}
	switch r.Format {
	case "tokens":
		r.DType = corpus.DType
		if !specs.NamesMatter(corpus.Metadata) {
			return r
		}
	case "text":
	default:
		r.Text, r.ID = corpus.Text, corpus.ID
		return r
	}
	for _, f := range files {
		r.Names = append(r.Names, f.Name)
	}
	return r
}

// bad is what the study says otherwise than by default, so that the keys of studies that say
// nothing hold.
func bad(b specs.Bad) map[string]string {
	var out map[string]string
	for _, x := range []struct{ fault, is, usual string }{
		{"line", b.Line, "error"}, {"text", b.Text, "error"}, {"utf8", b.UTF8, "drop"}, {"surrogate", b.Surrogate, "drop"}, {"empty", b.Empty, "drop"},
		{"index", b.Index, "error"}, {"format", b.Format, "error"},
	} {
		if x.is != x.usual && x.is != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[x.fault] = x.is
		}
	}
	return out
}

// Format is the format of a corpus: what the study says, or what the files' content or names do.
func Format(corpus specs.Corpus, files []File) string {
	if corpus.Format != "auto" && corpus.Format != "" {
		return corpus.Format
	}
	for _, f := range files {
		if f.Format != "" {
			return f.Format
		}
	}
	for _, f := range files {
		if format := specs.FormatOfName(f.Name); format != "" {
			return format
		}
	}
	return "text"
}

func fileInputs(files []File) []Input {
	var inputs []Input
	for i := range files {
		inputs = append(inputs, Input{Role: kind.Role("file", i), File: &files[i]})
	}
	for i := range files {
		if files[i].Index != nil {
			inputs = append(inputs, Input{Role: kind.Role("index", i), File: files[i].Index})
		}
	}
	return inputs
}

func shardByName(files []File) [textShards][]File {
	var shards [textShards][]File
	for _, f := range files {
		h := cache.DigestOf([]byte(f.Name))
		i := int(h[0]) % textShards
		shards[i] = append(shards[i], f)
	}
	return shards
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func sorted(s []string) []string {
	out := slices.Clone(s)
	sort.Strings(out)
	return slices.Compact(out)
}
