package specs

import (
	"gopkg.in/yaml.v3"

	"ablate/specs/arch"
)

// This file is the study language: one struct per noun, one field per key. The comment of a field
// is the documentation of its key, in the reference and in editors: what the values do, in
// sentences of which the first word is not the key, and for words a list with a line each. The test
// of this package copies the comments to comments.go (go test ./specs -update). Everything else
// about a key is a tag beside it, so that the decoder, the JSON Schema and REFERENCE.md cannot
// disagree:
//
//	yaml      the key; in a struct that other rooms use too (package arch), json has it, and doc the documentation
//	unit      tokens, documents, ... where the value has one
//	default   the value where the key is absent, as one would write it in YAML
//	example   a value to copy
//	need      "yes" where the key must be given
//	enum      allowed words, separated by |
//	names     what names of the writer's choice may look like: name, path or partition (name.go)
//	one       "yes" where exactly one of the keys below must be given
//	whole     "yes" where a study that is laid over another replaces all of it
//	min max   bounds of a number, themselves allowed
//	above below   bounds of a number, themselves not allowed
//	key       what a change of this value makes run again
//
// A []string also takes a single word. Count takes 3M, 100k, 8Ki, 1_000; Fraction takes 5% or 0.05.

// Study is one whole YAML file.
type Study struct {
	// Version of the study language; this program reads 1.
	Version int `yaml:"ablate" min:"1" max:"1" need:"yes" example:"1" key:"nothing"`

	// Name of the study: letters, digits, - _ . and /.
	Name string `yaml:"study" names:"path" need:"yes" example:"go-areas" key:"nothing"`

	// The question the study answers, for the report.
	About string `yaml:"about" example:"Which areas help which text?" key:"nothing"`

	// The study that this one extends: a file, or the name of a study that comes with the program.
	// Relative file names start from this study's folder. Keys given here replace those of the
	// extended study:
	//   - sections, and corpora, partitions and mixtures of the same name: merged key by key.
	//   - lists, values, and names with plain values: replaced as a whole.
	//   - tokenizer and eval.out_of_domain: replaced as a whole.
	Extends string `yaml:"extends" example:"paper/base" key:"nothing by itself"`

	// Text to train on, by a name of your choice.
	Corpora map[string]Corpus `yaml:"corpora" names:"name" need:"yes"`

	// How text becomes tokens: trained here, or a tokenizer.json.
	Tokenizer Tokenizer `yaml:"tokenizer" one:"yes" need:"yes"`

	// Partition sets: how a corpus divides into partitions and base units.
	Partitions map[string]Partition `yaml:"partitions" names:"name" need:"yes"`

	// Documents kept out of every unit, for in-domain evaluation.
	Heldout Heldout `yaml:"heldout"`

	// Removes training documents that share a long paragraph with evaluation text.
	Decontaminate Decontaminate `yaml:"decontaminate"`

	// The architecture every model of the study shares.
	Model Model `yaml:"model" need:"yes"`

	// AdamW, for every training of the study.
	Optimizer Optimizer `yaml:"optimizer"`

	// The model from which all unit and reference models start. Without this section they start
	// from random weights, which train.seed determines.
	SeedModel *SeedModel `yaml:"seed_model"`

	// How unit and reference models are trained.
	Train Train `yaml:"train" need:"yes"`

	// Mixture sets to compare.
	Mixtures map[string]Mixture `yaml:"mixtures" names:"name" need:"yes"`

	// Proxies to compare with the reference models. Some are one model whose parameters are
	// averages. The others are means of scores, which are means of perplexities.
	//   - micro: one model, the average of all unit models.
	//   - macro: one model, the average over components of the mean of each component's unit
	//     models.
	//   - merged: one model, the average of one model per component, each trained on its whole
	//     component.
	//   - weighted: one model, a weighted average; see section weights.
	//   - mean_ind: mean score of the unit models. Every unit has the same weight.
	//   - mean_merged: mean score over components of the mean of each component's unit models.
	//   - mean_seq: mean score of the models that are trained on a whole component each.
	//   - ind_id: as mean_ind, with each model scored on its own partition alone. Every partition
	//     has the same weight, whatever its number of units. Like merged_id and seq_id, it needs
	//     eval.in_domain: mixture.
	//   - merged_id: as mean_merged, with each model scored on its own partition alone.
	//   - seq_id: as mean_seq, with each model scored on its own partition alone.
	//   - mixmin: no model, but a mixture of the probabilities that the unit models give to each
	//     document, with the weights of macro, from the losses of their evaluations.
	//   - small_seq: score of the study's own model trained on the mixture. It needs
	//     reference.model.
	//
	// A mixture with shares of its own is scored by micro, macro, merged, weighted, mixmin
	// and small_seq alone. Its shares are the weights of its components, which a component's units divide evenly.
	Proxies []string `yaml:"proxies" enum:"mean_ind|ind_id|merged|macro|micro|weighted|mean_merged|merged_id|mean_seq|seq_id|small_seq|mixmin" default:"[mean_ind, ind_id, merged, macro, micro]" key:"evaluations of the proxies added"`

	// What the proxy weighted averages, and with which weights.
	Weights Weights `yaml:"weights"`

	// The mixtures for which a reference model is trained, and how it is trained.
	Reference Reference `yaml:"reference"`

	// What every model is evaluated on.
	Eval Eval `yaml:"eval"`

	// How proxies are compared with references.
	Correlate Correlate `yaml:"correlate"`

	// Prices for the plan.
	Cost Cost `yaml:"cost"`

	// A small version of the study. With --scale mini, these keys replace keys of the study, as
	// keys of a study replace those of the one it extends. If the extended study has a `mini`
	// section, it is applied first.
	Mini Overlay `yaml:"mini" key:"nothing by itself"`

	Path string `yaml:"-"` // where the study was read from, for messages
	Dir  string `yaml:"-"` // directory that relative file names start from

	root  *yaml.Node            // the outermost mapping, for positions
	files map[*yaml.Node]string // of its nodes that are of another file than Path
	text  []byte                // of the study as one file
}

// Declared reports whether the study declares the units of all of its partitions, so that it can be
// planned before any data is read.
func (s *Study) Declared() bool {
	for _, p := range s.Partitions {
		if len(p.Units) == 0 {
			return false
		}
	}
	return true
}

// Corpus names raw files and says how to read documents from them.
type Corpus struct {
	// Patterns of file names, relative to the study's file. ** matches folders of any depth, * ?
	// and [a-z] match within a name, and ${VAR} stands for an environment variable. Links are
	// followed. Hidden files and editors' copies (.a, a~, #a#, a.swp) are skipped and counted,
	// unless a pattern spells out their special character. Other keys see a file's path from the
	// first component that contains a wildcard.
	Files []string `yaml:"files" need:"yes" example:"[\"data/*.jsonl.gz\"]" key:"content of the files, not their names; for text files also their names below the pattern's fixed part"`

	// Patterns of files to leave out.
	Exclude []string `yaml:"exclude" example:"[\"**/testdata/**\"]" key:"as files"`

	// How files hold documents. Files of text and jsonl may be compressed with gzip, zstd, xz,
	// bzip2 or lz4, whatever their names.
	//   - text: a file is a document.
	//   - jsonl: a line is a document.
	//   - parquet: a row is a document.
	//   - tokens: files are arrays of ids of the study's tokenizer.json, little-endian, without a
	//     header (as Dolma writes them) or with NumPy's. An index NAME.csv.gz beside NAME.npy
	//     (columns start,end,id,src,loc) says where documents begin and end. Without an index, an
	//     end-of-text id ends a document.
	//   - auto: the name decides, in upper or lower case: *.jsonl, *.ndjson, *.jsonlines and
	//     *.json are jsonl, *.parquet is parquet, *.npy is tokens. For other names the content
	//     decides: JSON Lines, Parquet, an array of NumPy, and otherwise text.
	Format string `yaml:"format" enum:"auto|text|jsonl|parquet|tokens" default:"auto" key:"tokens"`

	// Type of the ids in files of tokens. It must be given, because an array without a header does
	// not state it.
	DType string `yaml:"dtype" enum:"uint16|uint32" example:"uint16" key:"tokens"`

	// Field of a jsonl document, or column of a parquet one, that holds the text: a string, or
	// bytes that are UTF-8.
	Text string `yaml:"text" default:"text" key:"tokens"`

	// Field or column that holds a document's identity. A document without one is identified by a
	// hash of its text. For tokens it is the index's id.
	ID string `yaml:"id" default:"id" key:"tokens"`

	// Names for metadata, each with the place of its value.
	//   - for jsonl and parquet: a field path (metadata.field, authors[0]). The first element of a
	//     list is taken. In a parquet column a date is 2000-03-01, a timestamp 2000-03-01T12:00:00
	//     (with Z if it is an instant), and a decimal 3.50.
	//   - for text: a regular expression with one group, which is matched against the file's name.
	//     What the group matches is the value.
	//   - for tokens: a column of the index (src, loc, id), an expression over a column (src ~
	//     EXPRESSION), or an expression over the array's name (EXPRESSION).
	Metadata map[string]string `yaml:"metadata" names:"name" example:"{area: \"^([^/]+)/\"}" key:"tokens"`

	// A document longer than this is cut into pieces, at blank lines if it has any; 0: no document
	// is cut. A piece is a document of its own, for holding out, too. Its identity is the
	// document's, followed by # and the piece's number from 0. Signs # before digits at the end of
	// an identity, or at the end of the identity of a document that is cut, are doubled, so that no
	// other document has a piece's identity.
	PieceBytes Count `yaml:"piece_bytes" min:"0" unit:"bytes" default:"0" example:"8k" key:"tokens"`

	// Value used when a document lacks a metadata name. If a document has several values, the first
	// is used. A run reports how many documents lack a name; it is an error if all documents do. It
	// is also an error if documents have this very value and a partition set uses the name:
	// then give a word that no document has.
	Absent string `yaml:"absent" default:"NA" key:"tokens"`

	// Ranges of whole numbers, by name of metadata. Documents with another value, or with none, are
	// left out and counted. It is an error if no document is left.
	Between map[string]string `yaml:"between" names:"name" example:"{year: 1970-2022}" key:"tokens"`

	// What happens to documents that cannot be used as they are: error ends the step, drop leaves
	// them out and counts them.
	Bad Bad `yaml:"bad"`
}

// Bad says what becomes of documents that cannot be used as they are. What is dropped is counted by
// reason, and the report says where the first few lie.
type Bad struct {
	// A line of jsonl is not a JSON object, is longer than 256 MiB, or has metadata that is an
	// object.
	Line string `yaml:"line" enum:"error|drop" default:"error" key:"tokens"`

	// The text of a document is not a string. For tokens: an id is not one of the tokenizer's, or
	// an end-of-text id stands inside a document.
	Text string `yaml:"text" enum:"error|drop" default:"error" key:"tokens"`

	// The text, the identity or the metadata hold bytes that are not UTF-8.
	UTF8 string `yaml:"utf8" enum:"error|drop" default:"drop" key:"tokens"`

	// The text, the identity or the metadata hold half of a surrogate pair, written as an escape of
	// jsonl.
	Surrogate string `yaml:"surrogate" enum:"error|drop" default:"drop" key:"tokens"`

	// The text has no bytes.
	Empty string `yaml:"empty" enum:"error|drop" default:"drop" key:"tokens"`

	// A document has the identity of an earlier one, in the same file or in another file of the
	// corpus.
	//   - auto: drop in a corpus, keep in an evaluation set. In a corpus it is an error if more
	//     than 1% of the documents have the identity of an earlier document but another text.
	//   - error: the step ends.
	//   - drop: the later document is left out and counted.
	//   - keep: all documents are used.
	Duplicate string `yaml:"duplicate" enum:"auto|error|drop|keep" default:"auto" key:"units, evaluation sets"`

	// A file has content of another format than the corpus: an archive, a Parquet file among texts,
	// UTF-16 text, or a compression that the program does not read.
	Format string `yaml:"format" enum:"error|drop" default:"error" key:"tokens"`

	// An entry of the index of tokens overlaps another one, runs backwards or ends beyond the
	// array, or ids belong to no entry.
	Index string `yaml:"index" enum:"error|drop" default:"error" key:"tokens"`
}

// Tokenizer is exactly one of Train and File.
type Tokenizer struct {
	// Train a byte-level BPE on one of the corpora.
	Train *TokenizerTrain `yaml:"train"`

	// A tokenizer.json (byte-level BPE); ${VAR} from the environment; relative to the study's file.
	File string `yaml:"file" example:"tokenizer.json" key:"everything, by content"`
}

// TokenizerTrain says how a byte-level BPE is trained.
type TokenizerTrain struct {
	// Vocabulary size, the 256 bytes and end-of-text included.
	Vocab int `yaml:"vocab" min:"257" max:"1048575" need:"yes" unit:"ids" example:"2048" key:"everything"`

	// Corpus to train on.
	On string `yaml:"on" need:"yes" example:"seed" key:"everything"`

	// Most text to read. Documents are chosen by a hash of their identity.
	Bytes Count `yaml:"bytes" min:"1" unit:"bytes" default:"32M" key:"everything"`

	// A pair must occur this often to be merged.
	MinFrequency int `yaml:"min_frequency" min:"1" default:"2" key:"everything"`
}

// Partition is one partition set: a corpus divided by metadata, each part cut into base units.
type Partition struct {
	// Corpus to divide.
	Corpus string `yaml:"corpus" need:"yes" example:"go" key:"units"`

	// Metadata names whose values name a document's partition. Several values are joined by a
	// slash, and a slash within one of them is written %2F. In the names of mixtures, models and
	// steps, a plus sign of a partition's name is written %2B, and so is any other character that
	// would give the name another meaning.
	By []string `yaml:"by" need:"yes" example:"area" key:"units"`

	// Partitions to keep; the others are counted and left out.
	Only []string `yaml:"only" example:"[crypto, net]" key:"units added"`

	// Partitions to leave out.
	Except []string `yaml:"except" example:"[NA]" key:"units added"`

	// Metadata name whose values order the documents of a partition. Numbers are ordered by value,
	// and documents of equal value by identity. id: by identity alone.
	Order string `yaml:"order" default:"id" example:"year" key:"units"`

	// Size of a base unit.
	Unit Unit `yaml:"unit" need:"yes"`

	// Partitions that become part of another one, by name. Other keys and mixtures see only the
	// names folded into. Folding ignores sizes, so it is stable when documents are added.
	Fold map[string]string `yaml:"fold" names:"partition" example:"{Law: PoliticalScience}" key:"units"`

	// What happens to a partition with less text than half a unit.
	//   - error: the step ends.
	//   - drop: the partition is left out and counted.
	//   - keep: the partition has one unit all the same.
	//   - merge: all such partitions become one partition named other. No document may belong to a
	//     partition of that name otherwise.
	Small string `yaml:"small" enum:"error|drop|keep|merge" default:"error" key:"units added"`

	// Declared catalogue: partitions and their numbers of units. A study with a catalogue can be
	// planned before any data is read. Text beyond the declared units is not used.
	Units map[string]int `yaml:"units" names:"partition" min:"1" max:"1000000" unit:"units" example:"{crypto: 2, net: 1}" key:"units added"`
}

// Unit is the size of a base unit.
type Unit struct {
	// Size of a unit. A unit ends with the document that reaches this many tokens. A remainder
	// shorter than half of it joins the last unit.
	Tokens Count `yaml:"tokens" min:"1" need:"yes" unit:"tokens" example:"100k" key:"units"`

	// Where a unit may end.
	//   - document: after any document. Units are about equal, and the documents of a year may be
	//     in several units.
	//   - order: where the value of order changes, at the place nearest to tokens. A unit covers
	//     whole years, and a year with many tokens is one large unit.
	Cut string `yaml:"cut" enum:"document|order" default:"document" key:"units"`
}

// Heldout says which documents never enter a unit.
type Heldout struct {
	// Share of documents that are held out for validation, chosen by a hash of their identity.
	Validation Fraction `yaml:"validation" default:"0%" example:"5%" key:"units"`

	// Share of documents that are held out to evaluate on, chosen by a hash of their identity.
	Test Fraction `yaml:"test" default:"5%" example:"5%" key:"units"`

	// Another seed holds out other documents.
	Seed int64 `yaml:"seed" default:"1" key:"units"`
}

// Decontaminate removes training documents that hold evaluation text.
type Decontaminate struct {
	// Text that units must not contain. An empty list removes nothing.
	//   - heldout: documents held out of this and of the other partition sets.
	//   - eval: the out-of-domain evaluation sets. They are removed from the seed model's corpus,
	//     too.
	Against []string `yaml:"against" enum:"heldout|eval" default:"[]" example:"[heldout, eval]" key:"units that lose a document"`

	// Paragraphs with fewer tokens are not compared.
	MinTokens int `yaml:"min_tokens" min:"1" unit:"tokens" default:"13" key:"tokens"`

	// What ends a paragraph.
	//   - line: a newline, as in the paper.
	//   - blank: a blank line.
	Paragraph string `yaml:"paragraph" enum:"line|blank" default:"line" key:"tokens"`

	// Share of a document's bytes that shared paragraphs must make up before the document is
	// removed; 0%: one paragraph is enough, as in the paper. With a small share, a licence header
	// removes nothing.
	Overlap Fraction `yaml:"overlap" default:"0%" example:"10%" key:"units that lose a document"`

	// How evaluation paragraphs are looked up.
	//   - exact: in a set of their hashes, of 50 bytes each. It never errs and names the
	//     evaluation document.
	//   - bloom: in a Bloom filter for each set, as in the paper, of 3 bytes each. What the filter
	//     finds is looked up again, so that the ledger names the document and marks false
	//     positives. False positives are removed, too.
	Filter string `yaml:"filter" enum:"exact|bloom" default:"exact" key:"units that lose a document"`

	// Probability that the Bloom filters take a clean paragraph for one of evaluation text.
	FalsePositives float64 `yaml:"false_positives" above:"0" below:"1" default:"1e-5" key:"units that lose a document"`

	// Another seed gives the Bloom filters other false positives.
	Seed int64 `yaml:"seed" default:"1" key:"units that lose a document"`

	// A paragraph in more than this many evaluation documents is boilerplate, such as a licence
	// header, and is not compared; 0: every paragraph is compared.
	Common int `yaml:"common" min:"0" unit:"documents" default:"0" example:"3" key:"units that lose a document"`
}

// Model is the architecture; a preset fills what is not given. Its other keys are the fields of
// arch.Model.
type Model struct {
	// Fills the keys below that are not given; see the tables of presets.
	Preset string `yaml:"preset" enum:"tiny|small|paper-102m|paper-278m|paper-1b|paper-102m-parallel|paper-278m-parallel|paper-1b-parallel|pythia-14m|pythia-31m|pythia-70m|pythia-160m|pythia-410m|pythia-1b|pythia-1.4b|pythia-2.8b|datadecide-4m|datadecide-20m|datadecide-60m|datadecide-90m|datadecide-150m|datadecide-300m|datadecide-530m|datadecide-750m|datadecide-1b|stories-15m|stories-42m|stories-110m|llama-7b" default:"tiny" key:"nothing by itself"`
	arch.Model
}

// Optimizer is AdamW with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101).
type Optimizer struct {
	// Decay of the first moment.
	Beta1 float64 `yaml:"beta1" min:"0" below:"1" default:"0.9" key:"all models"`

	// Decay of the second moment.
	Beta2 float64 `yaml:"beta2" min:"0" below:"1" default:"0.95" key:"all models"`

	// Added to the root of the second moment.
	Eps float64 `yaml:"eps" min:"1e-38" default:"1e-8" key:"all models"`

	// Decoupled, on all parameters as in the paper's code.
	WeightDecay float64 `yaml:"weight_decay" min:"0" default:"0.1" key:"all models"`

	// Largest norm of the gradient; 0: no clipping.
	Clip float64 `yaml:"clip" min:"0" default:"1.0" key:"all models"`
}

// SeedModel is the common start.
type SeedModel struct {
	// Corpus to train on.
	On string `yaml:"on" need:"yes" example:"seed" key:"all models"`

	// Training length.
	Tokens Count `yaml:"tokens" min:"1" max:"1000000000000" need:"yes" unit:"tokens" example:"3M" key:"all models"`

	// Tokens per optimizer step, a multiple of model.context; 8Ki is 8192.
	Batch Count `yaml:"batch" min:"1" max:"1000000000000" unit:"tokens" default:"8Ki" key:"all models"`

	// Highest learning rate.
	LR float64 `yaml:"lr" above:"0" default:"1e-3" key:"all models"`

	// Share of the steps over which the rate rises linearly from 0.
	Warmup Fraction `yaml:"warmup" default:"2%" key:"all models"`

	// How the rate falls after the warm-up.
	Schedule string `yaml:"schedule" enum:"constant|cosine|linear" default:"cosine" key:"all models"`

	// Rate at the end of a cosine or linear schedule.
	FinalLR float64 `yaml:"final_lr" min:"0" default:"1e-4" key:"all models"`

	// Initial weights and data order.
	Seed int64 `yaml:"seed" default:"1" key:"all models"`

	// See train.precision.
	Precision string `yaml:"precision" enum:"fp32|bf16" default:"fp32" key:"all models"`
}

// Train is how unit and reference models are trained.
type Train struct {
	// Training length of a unit model. A reference model is trained on this many tokens for each
	// unit of its mixture.
	TokensPerUnit Count `yaml:"tokens_per_unit" min:"1" max:"1000000000000" need:"yes" unit:"tokens" example:"300k" key:"unit and reference models"`

	// Tokens per optimizer step, a multiple of model.context; 8Ki is 8192.
	Batch Count `yaml:"batch" min:"1" max:"1000000000000" unit:"tokens" default:"8Ki" key:"unit and reference models"`

	// Highest learning rate.
	LR float64 `yaml:"lr" above:"0" default:"1e-3" key:"unit and reference models"`

	// Share of the steps over which the rate rises linearly from 0.
	Warmup Fraction `yaml:"warmup" default:"0%" key:"unit and reference models"`

	// How the rate falls after the warm-up.
	Schedule string `yaml:"schedule" enum:"constant|cosine|linear" default:"constant" key:"unit and reference models"`

	// Rate at the end of a cosine or linear schedule.
	FinalLR float64 `yaml:"final_lr" min:"0" default:"1e-4" key:"unit and reference models"`

	// Whether training goes on with the seed model's optimizer state (the moments of AdamW).
	OptimizerState string `yaml:"optimizer_state" enum:"keep|reset" default:"keep" key:"unit and reference models"`

	// How the batches of a reference model are drawn from its units. A model of one unit reads it
	// one epoch after another. The realised shares are in shares.parquet.
	//   - equal: the same exact quota of each unit. Short units repeat.
	//   - proportional: by size.
	//   - repeat: by size, after short units are repeated as whole copies, as many as fit into the
	//     largest unit (the authors' --upsample).
	//   - replacement: the same quota of each unit, sampled with replacement (the authors'
	//     proportions).
	Sampling string `yaml:"sampling" enum:"equal|proportional|repeat|replacement" default:"equal" key:"reference models"`

	// Data order, and initial weights if there is no seed model.
	Seed int64 `yaml:"seed" default:"1" key:"unit and reference models"`

	// Other text that is mixed into the training of every unit, component and reference model.
	Replay *Replay `yaml:"replay"`

	// Number of models of each unit and each component. They differ in seed: seed, seed + 1, and so
	// on. The r-th models are merged with each other, and a proxy's score is the mean over r.
	Replicates int `yaml:"replicates" min:"1" max:"1000" default:"1" example:"3" key:"unit models added"`

	// Operands of the products in linear layers. Evaluation is always in fp32.
	//   - fp32: float32.
	//   - bf16: rounded to bf16, with sums in float32. It is made for AMD processors since Zen 4,
	//     and slightly slower than fp32 on Intel's.
	Precision string `yaml:"precision" enum:"fp32|bf16" default:"fp32" key:"unit and reference models"`
}

// Replay is text of another corpus, such as the seed model's, that a training goes on seeing beside
// its own. Every batch has its quota of both, so that every model sees the same share.
type Replay struct {
	// Corpus to take the text from, whole. What is tokenized, decontaminated and packed for a seed
	// model on the same corpus is used here, too. If a partition set divides the corpus, the
	// documents held out of it are held out here.
	Of string `yaml:"of" need:"yes" example:"seed" key:"unit and reference models"`

	// Share of the tokens, exactly, as 50%, 0.5 or 1/2; below 1. 0%: none. The tokens count: a
	// model is trained for as long as without replay, on less text of its own.
	Share string `yaml:"share" need:"yes" example:"50%" key:"unit and reference models"`
}

// Mixture is one set of mixtures: combinations drawn from sets of partitions, or a list.
type Mixture struct {
	// Number of components that are chosen for each mixture (k), besides those of fix.
	Choose int `yaml:"choose" min:"1" max:"100000" example:"2" key:"references and proxies added"`

	// Partition sets to choose from, all together. It may be left out if the study has one set.
	From []string `yaml:"from" example:"areas" key:"references and proxies added"`

	// In place of choose and from: a mixture has one component of each of these partition sets.
	Cross []string `yaml:"cross" example:"[fields, topics]" key:"references and proxies added"`

	// Components that every mixture has besides the chosen ones, from any partition set. They
	// are written as in list, with SET/ before the name if two sets have it.
	Fix []string `yaml:"fix" example:"[Technology]" key:"references and proxies added"`

	// Whether a component is a whole partition or one base unit.
	Of string `yaml:"of" enum:"partitions|units" default:"partitions" key:"references and proxies added"`

	// Which partitions may be chosen, by their numbers of units.
	Where Where `yaml:"where" key:"references and proxies added"`

	// Whether a mixture may have a component more than once. Its model then trains on the component
	// as often.
	Repeat bool `yaml:"repeat" key:"references and proxies added"`

	// Number of mixtures to sample without replacement; absent: all mixtures, of which there may be
	// 100,000 at most.
	Sample int `yaml:"sample" min:"1" max:"100000" example:"12" key:"references and proxies added"`

	// Another seed samples other mixtures; only with sample.
	Seed int64 `yaml:"seed" default:"1" key:"references and proxies added"`

	// Mixtures by name, in place of choose and sample. A partition is written as in the data or as
	// in tables. A unit is written by its range (Biology,2005-2007) or number (Biology/3). The only
	// unit of a partition may also be written by the partition's name. A mixture may also be names
	// with shares, which must sum to exactly 1: {crypto: 70%, net: 0.3}, or thirds as 1/3.
	List []Listed `yaml:"list" names:"partition" example:"[[crypto, net], {go: 70%, math: 30%}]" key:"references and proxies added"`

	// In place of choose and from, mixtures that differ in the shares of their components.
	// Components are all that from, of and where allow. The proxies merge, macro, merged and
	// weighted, and the reference is trained, with these shares; see docs/howto/mix-by-shares.md.
	Shares *Shares `yaml:"shares"`

	// Training length of each reference model of these mixtures; 0: train.tokens_per_unit for each
	// unit of the mixture, or, of shares on a lattice or sampled, for each unit of all components,
	// so that references have one length.
	Tokens Count `yaml:"tokens" min:"0" max:"1000000000000" unit:"tokens" default:"0" example:"2M" key:"references"`
}

// Shares says which shares the mixtures of a set give to their components: on a lattice, or
// sampled. They are exact and sum to exactly 1.
type Shares struct {
	// All mixtures whose shares are multiples of this share, which must divide 1 into a whole
	// number of steps: 1/4, 25% or 0.05. With sample, some of them.
	Lattice string `yaml:"lattice" example:"1/4" key:"references and proxies added"`

	// A distribution from which shares are sampled. What is drawn is rounded to multiples of
	// 1/10,000 that sum to exactly 1 (largest remainder).
	Dirichlet *Dirichlet `yaml:"dirichlet"`

	// Number of mixtures to sample, each another one. A dirichlet needs it; a lattice without it is
	// taken whole, of which there may be 100,000 mixtures at most.
	Sample int `yaml:"sample" min:"1" max:"100000" example:"60" key:"references and proxies added"`

	// Another seed samples other mixtures. The order of components in the study makes no
	// difference.
	Seed int64 `yaml:"seed" default:"1" key:"references and proxies added"`

	// Largest share of a component: one share for all, or shares by name. Mixtures beyond a cap are
	// not among those of a lattice, and not drawn from a dirichlet.
	Caps ForEach `yaml:"caps" names:"partition" example:"{crypto: 50%}" key:"references and proxies added"`
}

// Dirichlet is a distribution over shares. Its concentrations are strength times around, as in
// RegMix (Liu et al. 2024, arXiv:2407.01492).
type Dirichlet struct {
	// The mean of the distribution. Given shares must sum to 1; a component without one has share 0
	// in every mixture.
	//   - equal: the same share of each component.
	//   - tokens: in proportion to a component's units times their set's unit.tokens.
	Around ForEach `yaml:"around" enum:"equal|tokens" names:"partition" default:"equal" example:"tokens" key:"references and proxies added"`

	// How closely shares lie around the mean: near 0, most mixtures are almost one component alone.
	// Of two numbers, each mixture has a strength of its own between them, and its logarithm is
	// uniform.
	Strength []string `yaml:"strength" need:"yes" example:"[0.5, 5]" key:"references and proxies added"`
}

// Where selects partitions by their numbers of units.
type Where struct {
	// Exactly this many.
	Units int `yaml:"units" min:"1" unit:"units" example:"1" key:"references and proxies added"`

	// At least this many.
	MinUnits int `yaml:"min_units" min:"1" unit:"units" example:"2" key:"references and proxies added"`

	// At most this many.
	MaxUnits int `yaml:"max_units" min:"1" unit:"units" example:"5" key:"references and proxies added"`
}

// Holds reports whether a partition of n units is selected.
func (w Where) Holds(n int) bool {
	return (w.Units == 0 || n == w.Units) && n >= w.MinUnits && (w.MaxUnits == 0 || n <= w.MaxUnits)
}

// Reference says for which mixtures a model is really trained, and how where that is not as the
// study's other models: another architecture makes a study across scales, whose proxies are of the
// study's model and are joined with references of another by mixture.
type Reference struct {
	// Mixture sets for which a model is trained on the mixture itself (SEQ).
	Seq []string `yaml:"seq" default:"[]" example:"pairs" key:"references added"`

	// Number of reference models of each mixture. They differ in train.seed: seed, seed + 1, and so
	// on. Scores of seq are means over them, and the noise in correlations.parquet is that of such
	// a mean. The scores of each model are there as seq@1, seq@2, ...
	Replicates int `yaml:"replicates" min:"1" max:"1000" default:"1" example:"3" key:"references added"`

	// Another architecture for reference models, such as a larger one; absent: the study's.
	Model *Model `yaml:"model"`

	// Common start of the reference models where they have a model of their own; absent: as the
	// study's.
	SeedModel *SeedModel `yaml:"seed_model"`

	// How reference models are trained where they have a model of their own; absent: as the
	// study's. Without replay here, train.replay holds; share: 0% is none.
	Train *Train `yaml:"train"`
}

// Weights says what the proxy weighted is.
type Weights struct {
	// What is averaged.
	//   - models: the model of each component, as for merged.
	//   - units: the mean of the unit models of each component, as for macro.
	Of string `yaml:"of" enum:"models|units" default:"models" key:"evaluations of the proxy weighted"`

	// Weight of a component that components does not name.
	//   - units: its number of units.
	//   - equal: 1.
	By string `yaml:"by" enum:"units|equal" default:"units" key:"evaluations of the proxy weighted"`

	// Weights of components by name, with SET/ before the name if two partition sets have it. A
	// weight is a whole number, a decimal or a fraction above 0. Only the ratios of weights count.
	Given map[string]string `yaml:"components" names:"partition" example:"{crypto: 2, net: 1/3}" key:"evaluations of the proxy weighted"`
}

// Eval is what models are evaluated on.
type Eval struct {
	// Which text of a mixture's own partitions models are evaluated on.
	//   - mixture: the held-out test documents of each partition of the mixture, macro-averaged.
	//   - none: no text.
	InDomain string `yaml:"in_domain" enum:"mixture|none" default:"mixture" key:"evaluations"`

	// Evaluation sets that do not depend on the mixture, by a name of your choice. Tables and flags
	// use these names, which are not allowed: in-domain, out-of-domain, average, mean, all, none,
	// reference, seq and the proxies.
	OutOfDomain map[string]EvalSet `yaml:"out_of_domain" names:"name" whole:"yes"`

	// Most tokens per domain. A document that does not fit is skipped; 0: no bound.
	Tokens Count `yaml:"tokens" min:"0" unit:"tokens" default:"0" example:"50k" key:"evaluations"`

	// Most documents per domain, chosen by a hash of their identity.
	Documents Count `yaml:"documents" min:"1" unit:"documents" default:"1000" key:"evaluations"`
}

// EvalSet is a corpus to evaluate on.
type EvalSet struct {
	// What the set is, for the report.
	About string `yaml:"about" key:"nothing"`
	Corpus
}

// Correlate says how proxies are compared with references.
type Correlate struct {
	// Bootstrap resamples for each interval.
	Resamples int `yaml:"resamples" min:"1" max:"1000000" default:"2000" key:"correlations"`

	// Coverage of the intervals.
	Level Fraction `yaml:"level" above:"0" below:"1" default:"95%" key:"correlations"`

	// Seed of the bootstrap.
	Seed int64 `yaml:"seed" default:"1" key:"correlations"`
}

// Cost is used by plans only.
type Cost struct {
	// Price of training, for the plan; 0: unknown.
	HoursPerBillionTokens float64 `yaml:"hours_per_billion_tokens" min:"0" unit:"hours" default:"0" example:"5" key:"nothing"`

	// Price of training reference.model; 0: hours_per_billion_tokens times the ratio of the models'
	// parameters.
	ReferenceHours float64 `yaml:"reference_hours_per_billion_tokens" min:"0" unit:"hours" default:"0" example:"50" key:"nothing"`
}
