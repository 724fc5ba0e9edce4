package proposal

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/specs"
)

// width is where comments are wrapped, in bytes.
const width = 110

// page is a study that is being written.
type page struct{ strings.Builder }

// line writes a line of YAML.
func (b *page) line(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

// say writes a comment, wrapped, behind so many spaces.
func (b *page) say(indent int, format string, args ...any) {
	head := strings.Repeat(" ", indent) + "#"
	line := head
	for _, word := range strings.Fields(fmt.Sprintf(format, args...)) {
		if len(line)+1+len(word) > width && line != head {
			b.line("%s", line)
			line = head
		}
		line += " " + word
	}
	b.line("%s", line)
}

// YAML is the study, with comments.
func (p *Proposal) YAML() []byte {
	b := &page{}
	b.line("%s", SchemaLine(p.req.Schema))
	b.say(0, "A first study of %s, made by `ablate init` from the numbers that the comments give. Change what you know better.", strings.Join(p.main.patterns, ", "))
	b.say(0, "`ablate plan` shows what it costs, `ablate run` runs it, and `ablate schema --markdown` explains every key.")
	b.line("")
	b.line("ablate: 1 # version of the study language")
	b.line("study: %s", quote(p.req.Study))
	b.line("about: %s", quote(fmt.Sprintf("Which parts of the text, by %s, help a model of which other parts?", p.by.name)))
	b.line("")
	p.writeCorpora(b)
	p.writePartitions(b)
	p.writeModel(b)
	p.writeMixtures(b)
	p.writeEval(b)
	return []byte(b.String())
}

// SchemaLine is the comment by which editors find the JSON Schema of a study.
func SchemaLine(schema string) string { return "# yaml-language-server: $schema=" + schema }

// Names in the study.
const (
	mainCorpus = "text"
	seedCorpus = "seed"
	partSet    = "parts"
)

// seedOn is the corpus of the seed model.
func (p *Proposal) seedOn() string {
	if p.seed != nil {
		return seedCorpus
	}
	return mainCorpus
}

func (p *Proposal) writeCorpora(b *page) {
	b.line("corpora:")
	s := p.main
	b.say(2, "%s; about %s and %s of text.", s.bound(), plural(int(math.Round(s.documents)), "document"), size(int64(s.bytes)))
	if s.twice > 0 {
		b.say(2, "%s were left out, because an earlier one has the same identity; a run leaves them out, too.", plural(int(s.twice), "document"))
	}
	b.say(2, "Fields that were found:")
	for _, f := range p.fields {
		b.say(2, "  %s", f.describe(s))
	}
	for _, u := range s.strange() {
		b.say(2, "  %s", u)
	}
	b.line("  %s:", mainCorpus)
	metadata := []*field{p.by}
	if p.order != nil {
		metadata = append(metadata, p.order)
	}
	s.write(b, 4, metadata, p.absent)
	if p.seed != nil {
		b.line("  %s: # where all models start", seedCorpus)
		p.seed.write(b, 4, nil, "")
	}
	b.line("")
}

// describe says in a line what values the documents have.
func (f *field) describe(s *source) string {
	values := plural(len(f.values), "value")
	if f.many {
		values = fmt.Sprintf("more than %s values", grouped(mostValues))
	}
	text := fmt.Sprintf("%s: %s in %s of the documents", show(f.label()), values, percent(math.Min(1, f.documents/math.Max(1, s.documents))))
	if missing := s.documents - f.documents; missing >= 0.5 {
		text += fmt.Sprintf(", missing in about %s", grouped(int(math.Round(missing))))
	}
	if list := f.frequent(); len(list) > 0 && list[0].documents > 1.5 {
		var names []string
		for _, v := range list[:min(3, len(list))] {
			names = append(names, fmt.Sprintf("%s (%s)", show(v.name), percent(v.documents/math.Max(1, s.documents))))
		}
		text += "; the most frequent: " + strings.Join(names, ", ")
	}
	return text
}

// frequent are the values, the one of most documents first.
func (f *field) frequent() []*part {
	list := f.sorted()
	slices.SortStableFunc(list, func(a, b *part) int { return int(math.Copysign(1, b.documents-a.documents)) })
	return list
}

// strange says which fields no study can use, and why.
func (s *source) strange() []string {
	if s.uses == nil {
		return nil
	}
	const most = 10
	var list []string
	for _, u := range s.uses.Fields() {
		why := ""
		switch {
		case u.Odd:
			why = "cannot be named, because a key in its path has one of the signs . [ ]"
		case u.Objects > 0 && u.Objects < u.Documents():
			why = fmt.Sprintf("is an object or a list of objects in %s and something else in %s, so that it cannot be metadata", plural(int(u.Objects), "document"), grouped(int(u.Documents()-u.Objects)))
		default:
			continue
		}
		if len(list) == most {
			return append(list, "...")
		}
		list = append(list, fmt.Sprintf("%s: %s", show(u.Path), why))
	}
	return list
}

// write writes the keys of a corpus.
func (s *source) write(b *page, indent int, metadata []*field, absent string) {
	pad := strings.Repeat(" ", indent)
	b.line("%sfiles: %s", pad, quoteAll(s.patterns))
	if slices.ContainsFunc(s.patterns, func(p string) bool { return specs.FormatOfName(p) != s.format }) {
		b.line("%sformat: %s", pad, s.format)
	}
	if s.textField != "" && s.textField != "text" {
		b.line("%stext: %s # the field that holds the text", pad, quote(s.textField))
	}
	for _, why := range s.repeated {
		b.say(indent, "%s, so it is no identity.", why)
	}
	switch {
	case s.idField == "id" || s.format == formatText:
	case s.idField == "":
		b.say(indent, "No field is an identity: a hash of the text is, so that exact duplicates are left out.")
	case strings.HasPrefix(s.idField, "no_id"):
		b.line("%sid: %s # no document has this field, so that a hash of its text is its identity", pad, quote(s.idField))
	default:
		b.line("%sid: %s # the field that holds the identity of a document", pad, quote(s.idField))
	}
	if len(metadata) > 0 {
		b.line("%smetadata:", pad)
		for _, f := range metadata {
			b.line("%s  %s: %s", pad, quote(f.name), quote(f.source))
		}
	}
	if absent != "" {
		b.line("%sabsent: %s # of a document without a value; others have NA as their value", pad, quote(absent))
	}
	if s.pieces > 0 {
		why := "longer documents are cut, so that units can be equal and some of each partition is held out"
		if s.name != "" {
			why = "longer documents are cut, so that several are evaluated"
		}
		b.line("%spiece_bytes: %s # %s", pad, binary(s.pieces), why)
	}
	if len(s.drops) > 0 {
		b.line("%sbad:", pad)
		for _, d := range s.drops {
			b.say(indent+2, "%s. Such documents are left out and counted; without this line a run ends with an error there.", d.words)
			b.line("%s  %s: drop", pad, map[string]string{badLine: "line", noText: "text"}[d.reason])
		}
	}
}

func (p *Proposal) writePartitions(b *page) {
	t := p.tokenizer
	b.say(0, "A tokenizer of this text: %.2g bytes a token, measured on a sample. For one of yours write {file: tokenizer.json}.", p.bytesPerToken())
	b.line("tokenizer: {train: {vocab: %d, on: %s, bytes: 4M}}", t.Vocab, mainCorpus)
	b.line("")
	b.line("partitions:")
	if len(p.others) > 0 {
		var list []string
		for _, f := range p.others[:min(5, len(p.others))] {
			list = append(list, fmt.Sprintf("%s (%s)", show(f.label()), plural(len(f.values), "value")))
		}
		b.say(2, "Other fields that could divide the text: %s. `ablate init --by FIELD` makes a study of one.", strings.Join(list, ", "))
	}
	if len(p.more) > 0 {
		text := 0.0
		var names []string
		for i, v := range p.more {
			text += v.bytes
			if i < 5 {
				names = append(names, show(v.name))
			}
		}
		if len(p.more) > len(names) {
			names = append(names, "...")
		}
		b.say(2, "Left out are %s with %s of the text: %s. Add them to units below if you want them.", plural(len(p.more), "other value"), percent(text/math.Max(1, p.main.bytes)), strings.Join(names, ", "))
	}
	b.line("  %s:", partSet)
	b.line("    corpus: %s", mainCorpus)
	b.line("    by: %s", quote(p.by.name))
	if p.order != nil {
		b.line("    order: %s # units are stretches of it; text that is added later makes new units", quote(p.order.name))
	} else {
		b.say(4, "No field of years or dates orders the documents, so their identities do.")
	}
	var sizes []string
	for _, v := range p.parts {
		sizes = append(sizes, fmt.Sprintf("%s %s", show(v.name), count(v.tokens)))
	}
	b.say(4, "Tokens, estimated: %s. %s of the documents are held out, and %s of the rest is counted on.", strings.Join(sizes, ", "), percent(p.test), percent(safety))
	b.line("    unit: {tokens: %s}", count(p.unit))
	b.say(4, "How many units each partition has. More text stays unused: raise the numbers, or remove units to use all of it.")
	b.line("    units:")
	for _, v := range p.parts {
		b.line("      %s: %d", quote(v.name), v.units)
	}
	b.line("")
	b.line("heldout: {test: %.0f%%} # of the documents, to evaluate on, chosen by a hash of their identity", 100*p.test)
	against := "heldout"
	if len(p.eval) > 0 {
		against = "heldout, eval"
	}
	b.line("decontaminate: {against: [%s], overlap: 10%%} # removes documents that share a tenth of their text with what is evaluated", against)
	b.line("")
}

func (p *Proposal) writeModel(b *page) {
	m := p.model
	b.say(0, "%s parameters. This machine trains %s tokens a second, so that the study takes about %s. `ablate schema --markdown` lists presets, such as {preset: paper-102m}.",
		count(float64(m.parameters)), count(roundDown(m.speed)), duration(m.minutes))
	b.line("model: {d_model: %d, layers: %d, heads: %d, context: %d}", m.arch.DModel, m.arch.Layers, m.arch.Heads, m.arch.Context)
	if p.seed == nil {
		b.say(0, "The seed model, where all others start, reads the same text, that of the held-out documents included: losses in domain are a little too low, for all models alike. Name other text with `ablate init --seed`.")
	}
	b.line("seed_model: {on: %s, tokens: %s, batch: %s, lr: 3e-3, final_lr: 3e-4}", p.seedOn(), count(m.seedTokens), binary(int64(m.seedBatch)))
	b.line("train: {tokens_per_unit: %s, batch: %s, lr: 6e-4} # a reference model gets this for each unit of its mixture", count(p.unit), binary(int64(m.unitBatch)))
	b.line("")
}

// duration writes minutes.
func duration(minutes float64) string {
	switch {
	case minutes < 1:
		return "a minute"
	case minutes < 90:
		return plural(int(math.Ceil(minutes)), "minute")
	}
	return fmt.Sprintf("%.1f hours", minutes/60)
}

func (p *Proposal) writeMixtures(b *page) {
	b.line("mixtures:")
	sample := ""
	if p.sample < p.possible {
		sample = fmt.Sprintf(", sample: %d", p.sample)
	}
	if p.unitMixtures {
		b.say(2, "%s are too few for pairs of them to be compared, so these are pairs of their units: %d are possible.", plural(len(p.parts), "partition"), p.possible)
		b.line("  pairs: {choose: 2, of: units%s}", sample)
	} else {
		b.say(2, "Pairs of partitions, of which %d are possible. {choose: 3} gives triples.", p.possible)
		b.line("  pairs: {choose: 2%s}", sample)
	}
	b.say(0, "Proxies are averages of the unit models' parameters or scores. A model is really trained on each mixture below, to see how well they predict it.")
	b.line("proxies: [mean_ind, ind_id, merged, macro, micro]")
	b.line("reference: {seq: pairs}")
	b.line("")
}

func (p *Proposal) writeEval(b *page) {
	b.line("eval:")
	b.line("  in_domain: mixture # the held-out documents of a mixture's own partitions")
	b.line("  tokens: %s # of each partition and evaluation set at most", count(p.model.evalTokens))
	if len(p.eval) == 0 {
		b.say(2, "Text of another kind, which no mixture has, shows what carries over. `ablate init --eval NAME=FILES` writes this:")
		b.line("  # out_of_domain:")
		b.line("  #   news: {about: \"What it is.\", files: \"news/*.jsonl.gz\"}")
		return
	}
	b.line("  out_of_domain:")
	for _, s := range p.eval {
		b.say(4, "%s; %s read.", s.bound(), plural(int(s.counts.Kept), "document"))
		b.line("    %s:", quote(s.name))
		s.write(b, 6, nil, "")
	}
}
