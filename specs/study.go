package specs

import (
	"gopkg.in/yaml.v3"

	"ablate/specs/arch"
)

// This file is the study language: one struct per noun, one field per key. Everything else about a key is a tag beside it, so that the
// decoder, the JSON Schema and REFERENCE.md cannot disagree:
//
//	yaml      the key; in a struct that other rooms use too (package arch), json has it
//	doc       one sentence; the first word is not the key
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
	Version       int                  `yaml:"ablate" min:"1" max:"1" need:"yes" doc:"Version of the study language; this program reads 1." example:"1" key:"nothing"`
	Name          string               `yaml:"study" names:"path" need:"yes" doc:"Name of the study: letters, digits, - _ . and /." example:"go-areas" key:"nothing"`
	About         string               `yaml:"about" doc:"The question the study answers, for the report." example:"Which areas help which text?" key:"nothing"`
	Extends       string               `yaml:"extends" doc:"A study that this one is laid over: a file, or the name of one that comes with the program. Keys given here replace its keys; sections, and corpora, partitions and mixtures of one name, are laid over each other key by key; lists, values, names with plain values, tokenizer and eval.out_of_domain are replaced whole. Relative file names start from this study's folder." example:"paper/base" key:"nothing by itself"`
	Corpora       map[string]Corpus    `yaml:"corpora" names:"name" need:"yes" doc:"Text to train on, by a name of your choice."`
	Tokenizer     Tokenizer            `yaml:"tokenizer" one:"yes" need:"yes" doc:"How text becomes tokens: trained here, or a tokenizer.json."`
	Partitions    map[string]Partition `yaml:"partitions" names:"name" need:"yes" doc:"Sets of partitions: how a corpus divides into partitions and base units."`
	Heldout       Heldout              `yaml:"heldout" doc:"Documents kept out of every unit, for in-domain evaluation."`
	Decontaminate Decontaminate        `yaml:"decontaminate" doc:"Removes training documents that share a long paragraph with evaluation text."`
	Model         Model                `yaml:"model" need:"yes" doc:"The architecture every model of the study shares."`
	Optimizer     Optimizer            `yaml:"optimizer" doc:"AdamW, for every training of the study."`
	SeedModel     *SeedModel           `yaml:"seed_model" doc:"The common start of all unit and reference models; without it they start at random from train.seed."`
	Train         Train                `yaml:"train" need:"yes" doc:"How unit and reference models are trained."`
	Mixtures      map[string]Mixture   `yaml:"mixtures" names:"name" need:"yes" doc:"Sets of mixtures to compare."`
	Proxies       []string             `yaml:"proxies" enum:"mean_ind|ind_id|merged|macro|micro|weighted|mean_merged|merged_id|mean_seq|seq_id|small_seq" default:"[mean_ind, ind_id, merged, macro, micro]" doc:"What stands in for a reference model. One model whose parameters are averages: micro, of all unit models; macro, of the components' means of unit models; merged, of the components' own models, each trained on all of its component; weighted, see weights. Means of scores, which are means of perplexities: mean_ind, of the unit models', every unit weighing the same; mean_merged, of the components' means of unit models; mean_seq, of the components' own models. The same with each model scored on its own partition alone, where eval.in_domain is mixture, every partition weighing the same however many units it has: ind_id, merged_id, seq_id. And small_seq, where reference.model is given: the reference model of the study's own model." key:"evaluations of the proxies added"`
	Weights       Weights              `yaml:"weights" doc:"What the proxy weighted is."`
	Reference     Reference            `yaml:"reference" doc:"For which mixtures a model is really trained."`
	Eval          Eval                 `yaml:"eval" doc:"What every model is evaluated on."`
	Correlate     Correlate            `yaml:"correlate" doc:"How proxies are compared with references."`
	Cost          Cost                 `yaml:"cost" doc:"Prices for the plan."`

	Mini Overlay `yaml:"mini" doc:"The study in miniature: keys that are laid over it, as over one that it extends, with --scale mini. That of a study that is extended is laid over first." key:"nothing by itself"`

	Path string `yaml:"-"` // where the study was read from, for messages
	Dir  string `yaml:"-"` // directory that relative file names start from

	root  *yaml.Node            // the outermost mapping, for positions
	files map[*yaml.Node]string // of its nodes that are of another file than Path
	text  []byte                // of the study as one file
}

// Declared reports whether the study declares the units of all of its partitions, so that it can be planned before any data is read.
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
	Files      []string          `yaml:"files" need:"yes" doc:"File patterns: ** any depth, * ? and [a-z] within a name, ${VAR} from the environment; relative to the study's file. Links are followed. Hidden files and editors' copies (.a, a~, #a#, a.swp) are passed over, and counted, unless a pattern spells out the sign. A file's name, as other keys use it, is its path from the first part with such a sign on." example:"[\"data/*.jsonl.gz\"]" key:"content of the files, not their names; for text files also their names below the pattern's fixed part"`
	Exclude    []string          `yaml:"exclude" doc:"Patterns of files to leave out." example:"[\"**/testdata/**\"]" key:"as files"`
	Format     string            `yaml:"format" enum:"auto|text|jsonl|parquet|tokens" default:"auto" doc:"text: a file is a document; jsonl: a line is a document; parquet: a row is a document; tokens: arrays of ids of the study's tokenizer.json, little-endian, without a header as Dolma writes them or with NumPy's, and beside NAME.npy an index NAME.csv.gz (start,end,id,src,loc), without which an end of text ends a document. auto: what the names say, in capitals or not: jsonl for *.jsonl, *.ndjson, *.jsonlines and *.json, parquet for *.parquet, tokens for *.npy; of other names the content decides, which is text unless it is JSON Lines, Parquet or an array of NumPy. text and jsonl may be compressed with gzip, zstd, xz, bzip2 or lz4, whatever their names." key:"tokens"`
	DType      string            `yaml:"dtype" enum:"uint16|uint32" doc:"Type of the ids of tokens, which must be given: an array without a header does not say." example:"uint16" key:"tokens"`
	Text       string            `yaml:"text" default:"text" doc:"Field that holds the text of a jsonl document, or column of a parquet one: a string, or bytes that are UTF-8." key:"tokens"`
	ID         string            `yaml:"id" default:"id" doc:"Field or column that holds the identity of a document; where absent, a hash of the text. Of tokens it is the index's id." key:"tokens"`
	Metadata   map[string]string `yaml:"metadata" names:"name" doc:"Names for metadata: for jsonl and parquet a field path (metadata.field, authors[0]; of a list the first element; of a parquet column a date is 2000-03-01, a timestamp 2000-03-01T12:00:00, with Z where it is an instant, a decimal 3.50), for text a regular expression with one group over the file's name, whose match is the value; for tokens a column of the index (src, loc, id), an expression over one (src ~ EXPRESSION) or over the array's name (EXPRESSION)." example:"{area: \"^([^/]+)/\"}" key:"tokens"`
	PieceBytes Count             `yaml:"piece_bytes" min:"0" unit:"bytes" default:"0" doc:"A longer document becomes several, cut at blank lines where there are any, each a document of its own for holding out too, with # and its number from 0 behind the document's identity (signs # before digits at the end of an identity, or at the end of that of a document that is cut, are doubled, so that no other document has a piece's); 0: none is cut." example:"8k" key:"tokens"`
	Absent     string            `yaml:"absent" default:"NA" doc:"Value of a metadata name that a document lacks, which a run counts and tells; that no document has one is an error. Of several values the first counts. Where documents have that very value, too, a set of partitions by the name is an error: give a word that none has." key:"tokens"`
	Between    map[string]string `yaml:"between" names:"name" doc:"Ranges of whole numbers, by name of metadata: documents with another value, or none, are left out and counted; that none is left is an error." example:"{year: 1970-2022}" key:"tokens"`
	Bad        Bad               `yaml:"bad" doc:"What becomes of documents that cannot be used as they are: error ends the step, drop leaves them out and counts them."`
}

// Bad says what becomes of documents that cannot be used as they are. What is dropped is counted by reason, and the report says where the
// first few lie.
type Bad struct {
	Line      string `yaml:"line" enum:"error|drop" default:"error" doc:"A line of jsonl that is no JSON object, is longer than 256 MiB, or has metadata that is an object." key:"tokens"`
	Text      string `yaml:"text" enum:"error|drop" default:"error" doc:"No string where the text of a document should be; of tokens, an id that the tokenizer does not have, or an end of text inside a document." key:"tokens"`
	UTF8      string `yaml:"utf8" enum:"error|drop" default:"drop" doc:"Bytes that are not UTF-8 in the text, the identity or the metadata." key:"tokens"`
	Surrogate string `yaml:"surrogate" enum:"error|drop" default:"drop" doc:"Half of a surrogate pair there, written as an escape of jsonl." key:"tokens"`
	Empty     string `yaml:"empty" enum:"error|drop" default:"drop" doc:"Text of no bytes." key:"tokens"`
	Duplicate string `yaml:"duplicate" enum:"auto|error|drop|keep" default:"auto" doc:"A document with the identity of one before it, in the same file or another of the corpus. auto: drop, since what is held out goes by the identity, and where a corpus brings none it is a hash of the text, so that this removes exact duplicates, but an error if more than 1% of the documents have another text than the one whose identity they bear; in an evaluation set keep, since every document of it is to be scored." key:"units, evaluation sets"`
	Format    string `yaml:"format" enum:"error|drop" default:"error" doc:"A whole file whose content is of another format than the corpus: an archive, a Parquet file among texts, text in UTF-16, a compression that is not read." key:"tokens"`
	Index     string `yaml:"index" enum:"error|drop" default:"error" doc:"An entry of the index of tokens that overlaps another, goes backwards or beyond the array, and ids that no entry names." key:"tokens"`
}

// Tokenizer is exactly one of Train and File.
type Tokenizer struct {
	Train *TokenizerTrain `yaml:"train" doc:"Train a byte-level BPE on one of the corpora."`
	File  string          `yaml:"file" doc:"A tokenizer.json (byte-level BPE); ${VAR} from the environment; relative to the study's file." example:"tokenizer.json" key:"everything, by content"`
}

// TokenizerTrain says how a byte-level BPE is trained.
type TokenizerTrain struct {
	Vocab        int    `yaml:"vocab" min:"257" max:"1048575" need:"yes" unit:"ids" doc:"Vocabulary size, the 256 bytes and end-of-text included." example:"2048" key:"everything"`
	On           string `yaml:"on" need:"yes" doc:"Corpus to train on." example:"seed" key:"everything"`
	Bytes        Count  `yaml:"bytes" min:"1" unit:"bytes" default:"32M" doc:"Text to read at most; documents are taken by a hash of their identity." key:"everything"`
	MinFrequency int    `yaml:"min_frequency" min:"1" default:"2" doc:"A pair must occur this often to be merged." key:"everything"`
}

// Partition is one set of partitions: a corpus divided by metadata, each part cut into base units.
type Partition struct {
	Corpus string            `yaml:"corpus" need:"yes" doc:"Corpus to divide." example:"go" key:"units"`
	By     []string          `yaml:"by" need:"yes" doc:"Metadata names whose values, joined by a slash, name a document's partition. Of several values, a slash within one is written %2F. Mixtures, models and steps are called by partitions: there a plus sign in a partition's name is written %2B, and so are other signs where the name would read as something else." example:"area" key:"units"`
	Only   []string          `yaml:"only" doc:"Partitions to keep; the others are counted and left out." example:"[crypto, net]" key:"units added"`
	Except []string          `yaml:"except" doc:"Partitions to leave out." example:"[NA]" key:"units added"`
	Order  string            `yaml:"order" default:"id" doc:"Metadata name that orders the documents of a partition (numbers by value); ties by identity. id: by identity alone." example:"year" key:"units"`
	Unit   Unit              `yaml:"unit" need:"yes" doc:"Size of a base unit."`
	Fold   map[string]string `yaml:"fold" names:"partition" doc:"Partitions that are part of another one, by name; other keys and mixtures know only the names folded into. It looks at no size, so that it stays when documents come." example:"{Law: PoliticalScience}" key:"units"`
	Small  string            `yaml:"small" enum:"error|drop|keep|merge" default:"error" doc:"What becomes of a partition with less text than half a unit; merge: all of these become one partition named other; documents may have no partition of that name besides." key:"units added"`
	Units  map[string]int    `yaml:"units" names:"partition" min:"1" max:"1000000" unit:"units" doc:"Declared catalogue: partitions and their unit counts. A study with one can be planned before any data is read; text beyond the declared units stays unused." example:"{crypto: 2, net: 1}" key:"units added"`
}

// Unit is the size of a base unit.
type Unit struct {
	Tokens Count  `yaml:"tokens" min:"1" need:"yes" unit:"tokens" doc:"A unit ends with the document that reaches this many tokens; a tail shorter than half of it joins the last unit." example:"100k" key:"units"`
	Cut    string `yaml:"cut" enum:"document|order" default:"document" doc:"order: a unit ends only where the value of order changes, so that it is a stretch of whole years, at the end that is nearest to tokens; a year of many tokens is one large unit. document: behind any document, so that units are about equal and a year may be in several." key:"units"`
}

// Heldout says which documents never enter a unit.
type Heldout struct {
	Validation Fraction `yaml:"validation" default:"0%" doc:"Share of documents kept out for validation, by a hash of their identity." example:"5%" key:"units"`
	Test       Fraction `yaml:"test" default:"5%" doc:"Share of documents kept out to evaluate on, by a hash of their identity." example:"5%" key:"units"`
	Seed       int64    `yaml:"seed" default:"1" doc:"Another seed holds out other documents." key:"units"`
}

// Decontaminate removes training documents that hold evaluation text.
type Decontaminate struct {
	Against        []string `yaml:"against" enum:"heldout|eval" default:"[]" doc:"Text that must not be in units: heldout, what is held out of this and of other sets of partitions; eval, the out-of-domain sets, from which the seed model's corpus is cleaned, too. Empty: nothing is removed." example:"[heldout, eval]" key:"units that lose a document"`
	MinTokens      int      `yaml:"min_tokens" min:"1" unit:"tokens" default:"13" doc:"Shorter paragraphs prove nothing." key:"tokens"`
	Paragraph      string   `yaml:"paragraph" enum:"line|blank" default:"line" doc:"What ends a paragraph: a newline, as in the paper, or a blank line." key:"tokens"`
	Overlap        Fraction `yaml:"overlap" default:"0%" doc:"Share of a document's bytes that shared paragraphs must make up before it is removed, so that a licence header removes nothing; 0%: one paragraph is enough, as in the paper." example:"10%" key:"units that lose a document"`
	Filter         string   `yaml:"filter" enum:"exact|bloom" default:"exact" doc:"How evaluation paragraphs are looked up: exact, a set of their hashes, 50 bytes each, that never errs and names the evaluation document; bloom, a Bloom filter for each set as in the paper, 3 bytes each; what it finds is looked up once more, so that the ledger names the document and tells false positives, which are removed as well." key:"units that lose a document"`
	FalsePositives float64  `yaml:"false_positives" above:"0" below:"1" default:"1e-5" doc:"Chance that the Bloom filters take a clean paragraph for an evaluated one." key:"units that lose a document"`
	Seed           int64    `yaml:"seed" default:"1" doc:"Another seed gives the Bloom filters other false positives." key:"units that lose a document"`
	Common         int      `yaml:"common" min:"0" unit:"documents" default:"0" doc:"A paragraph in more than this many evaluation documents is boilerplate (a licence header) and proves nothing; 0: every paragraph counts." example:"3" key:"units that lose a document"`
}

// Model is the architecture; a preset fills what is not given. Its other keys are the fields of arch.Model.
type Model struct {
	Preset string `yaml:"preset" enum:"tiny|small|paper-102m|paper-278m|paper-1b|paper-102m-parallel|paper-278m-parallel|paper-1b-parallel|pythia-14m|pythia-31m|pythia-70m|pythia-160m|pythia-410m|pythia-1b|pythia-1.4b|pythia-2.8b|datadecide-4m|datadecide-20m|datadecide-60m|datadecide-90m|datadecide-150m|datadecide-300m|datadecide-530m|datadecide-750m|datadecide-1b|stories-15m|stories-42m|stories-110m|llama-7b" default:"tiny" doc:"Fills the keys below that are not given; see the tables of presets." key:"nothing by itself"`
	arch.Model
}

// Optimizer is AdamW with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101).
type Optimizer struct {
	Beta1       float64 `yaml:"beta1" min:"0" below:"1" default:"0.9" doc:"Decay of the first moment." key:"all models"`
	Beta2       float64 `yaml:"beta2" min:"0" below:"1" default:"0.95" doc:"Decay of the second moment." key:"all models"`
	Eps         float64 `yaml:"eps" min:"1e-38" default:"1e-8" doc:"Added to the root of the second moment." key:"all models"`
	WeightDecay float64 `yaml:"weight_decay" min:"0" default:"0.1" doc:"Decoupled, on all parameters as in the paper's code." key:"all models"`
	Clip        float64 `yaml:"clip" min:"0" default:"1.0" doc:"Largest norm of the gradient; 0: no clipping." key:"all models"`
}

// SeedModel is the common start.
type SeedModel struct {
	On       string   `yaml:"on" need:"yes" doc:"Corpus to train on." example:"seed" key:"all models"`
	Tokens   Count    `yaml:"tokens" min:"1" max:"1000000000000" need:"yes" unit:"tokens" doc:"Training length." example:"3M" key:"all models"`
	Batch    Count    `yaml:"batch" min:"1" max:"1000000000000" unit:"tokens" default:"8Ki" doc:"Tokens per optimizer step, a multiple of model.context; 8Ki is 8192." key:"all models"`
	LR       float64  `yaml:"lr" above:"0" default:"1e-3" doc:"Highest learning rate." key:"all models"`
	Warmup   Fraction `yaml:"warmup" default:"2%" doc:"Share of the steps over which the rate rises linearly from 0." key:"all models"`
	Schedule string   `yaml:"schedule" enum:"constant|cosine|linear" default:"cosine" doc:"How the rate falls after the warm-up." key:"all models"`
	FinalLR  float64  `yaml:"final_lr" min:"0" default:"1e-4" doc:"Rate at the end of a cosine or linear schedule." key:"all models"`
	Seed     int64    `yaml:"seed" default:"1" doc:"Initial weights and data order." key:"all models"`

	Precision string `yaml:"precision" enum:"fp32|bf16" default:"fp32" doc:"See train.precision." key:"all models"`
}

// Train is how unit and reference models are trained.
type Train struct {
	TokensPerUnit  Count    `yaml:"tokens_per_unit" min:"1" max:"1000000000000" need:"yes" unit:"tokens" doc:"Training length of a unit model; a reference model gets this for each unit of its mixture." example:"300k" key:"unit and reference models"`
	Batch          Count    `yaml:"batch" min:"1" max:"1000000000000" unit:"tokens" default:"8Ki" doc:"Tokens per optimizer step, a multiple of model.context; 8Ki is 8192." key:"unit and reference models"`
	LR             float64  `yaml:"lr" above:"0" default:"1e-3" doc:"Highest learning rate." key:"unit and reference models"`
	Warmup         Fraction `yaml:"warmup" default:"0%" doc:"Share of the steps over which the rate rises linearly from 0." key:"unit and reference models"`
	Schedule       string   `yaml:"schedule" enum:"constant|cosine|linear" default:"constant" doc:"How the rate falls after the warm-up." key:"unit and reference models"`
	FinalLR        float64  `yaml:"final_lr" min:"0" default:"1e-4" doc:"Rate at the end of a cosine or linear schedule." key:"unit and reference models"`
	OptimizerState string   `yaml:"optimizer_state" enum:"keep|reset" default:"keep" doc:"Whether training goes on with the seed model's AdamW moments." key:"unit and reference models"`
	Sampling       string   `yaml:"sampling" enum:"equal|proportional|repeat|replacement" default:"equal" doc:"Share of each unit in a reference model's batches: equal, exact quotas (short units repeat); proportional, by size; repeat, by size after whole copies of the short units, as many as fit into the largest unit (the authors' --upsample); replacement, equal quotas drawn with replacement (the authors' proportions). A model of one unit reads it pass by pass. The realised shares are in shares.parquet." key:"reference models"`
	Seed           int64    `yaml:"seed" default:"1" doc:"Data order (and initial weights where there is no seed model)." key:"unit and reference models"`
	Replicates     int      `yaml:"replicates" min:"1" max:"1000" default:"1" doc:"Models of each unit and each component, which differ in seed: it, the next, and so on. The r-th of them are merged with each other, and a proxy's score is the mean over r." example:"3" key:"unit models added"`

	Precision string `yaml:"precision" enum:"fp32|bf16" default:"fp32" doc:"Operands of the linear layers' products: bf16 rounds them and sums in float32; made for AMD since Zen 4, and a little slower than fp32 on Intel. Evaluation is always fp32." key:"unit and reference models"`
}

// Mixture is one set of mixtures: combinations drawn from sets of partitions, or a list.
type Mixture struct {
	Choose int        `yaml:"choose" min:"1" max:"100000" doc:"Components that are drawn for each mixture (k, without those of fix)." example:"2" key:"references and proxies added"`
	From   []string   `yaml:"from" doc:"Sets of partitions to draw from, all together; may be left out where the study has one." example:"areas" key:"references and proxies added"`
	Cross  []string   `yaml:"cross" doc:"In place of choose and from: one component of each of these sets of partitions." example:"[fields, topics]" key:"references and proxies added"`
	Fix    []string   `yaml:"fix" doc:"Components, of any set of partitions, that every mixture has besides what is drawn; named as in list, with SET/ before it where two sets have the name." example:"[Technology]" key:"references and proxies added"`
	Of     string     `yaml:"of" enum:"partitions|units" default:"partitions" doc:"Whether a component is a whole partition or one base unit." key:"references and proxies added"`
	Where  Where      `yaml:"where" doc:"Which partitions can be drawn, by their numbers of units." key:"references and proxies added"`
	Repeat bool       `yaml:"repeat" doc:"Whether a component may be in a mixture more than once, which then trains on it as often." key:"references and proxies added"`
	Sample int        `yaml:"sample" min:"1" max:"100000" doc:"How many of the combinations to take, without replacement; absent: all, of which there may be 100,000 at most." example:"12" key:"references and proxies added"`
	Seed   int64      `yaml:"seed" default:"1" doc:"Another seed samples other mixtures; only with sample." key:"references and proxies added"`
	List   [][]string `yaml:"list" doc:"Mixtures by name, in place of choose and sample; units by their range (Biology,2005-2007) or number (Biology/3), the only one of a partition by its name, too. A partition is written as the data have it, or as in tables." example:"[[crypto, net], [go, math]]" key:"references and proxies added"`
	Tokens Count      `yaml:"tokens" min:"0" max:"1000000000000" unit:"tokens" default:"0" doc:"Training length of each reference model of these mixtures; 0: train.tokens_per_unit for each unit of the mixture." example:"2M" key:"references"`
}

// Where selects partitions by their numbers of units.
type Where struct {
	Units    int `yaml:"units" min:"1" unit:"units" doc:"Exactly this many." example:"1" key:"references and proxies added"`
	MinUnits int `yaml:"min_units" min:"1" unit:"units" doc:"At least this many." example:"2" key:"references and proxies added"`
	MaxUnits int `yaml:"max_units" min:"1" unit:"units" doc:"At most this many." example:"5" key:"references and proxies added"`
}

// Holds reports whether a partition of n units is selected.
func (w Where) Holds(n int) bool {
	return (w.Units == 0 || n == w.Units) && n >= w.MinUnits && (w.MaxUnits == 0 || n <= w.MaxUnits)
}

// Reference says for which mixtures a model is really trained, and how where that is not as the study's other models: another architecture
// makes a study across scales, whose proxies are of the study's model and are joined with references of another by mixture.
type Reference struct {
	Seq        []string   `yaml:"seq" default:"[]" doc:"Sets of mixtures for which a model is trained on the mixture itself (SEQ)." example:"pairs" key:"references added"`
	Replicates int        `yaml:"replicates" min:"1" max:"1000" default:"1" doc:"Reference models of each mixture, which differ in train.seed: it, the next, and so on. Scores of seq are means over them, and the noise in correlations.parquet is that of such a mean; each one's scores are there as seq@1, seq@2, ..." example:"3" key:"references added"`
	Model      *Model     `yaml:"model" doc:"Another architecture for reference models, such as a larger one; absent: the study's."`
	SeedModel  *SeedModel `yaml:"seed_model" doc:"Common start of the reference models where they have a model of their own; absent: as the study's."`
	Train      *Train     `yaml:"train" doc:"How reference models are trained where they have a model of their own; absent: as the study's."`
}

// Weights says what the proxy weighted is.
type Weights struct {
	Of    string            `yaml:"of" enum:"models|units" default:"models" doc:"What is averaged: models, the model of each component, as for merged; units, the mean of the unit models of each component, as for macro." key:"evaluations of the proxy weighted"`
	By    string            `yaml:"by" enum:"units|equal" default:"units" doc:"Weight of a component that components does not name: units, how many it has; equal, 1." key:"evaluations of the proxy weighted"`
	Given map[string]string `yaml:"components" names:"partition" doc:"Weights of components by name, with SET/ before it where two sets of partitions have the name: whole numbers, decimals or fractions above 0, whose ratios count." example:"{crypto: 2, net: 1/3}" key:"evaluations of the proxy weighted"`
}

// Eval is what models are evaluated on.
type Eval struct {
	InDomain    string             `yaml:"in_domain" enum:"mixture|none" default:"mixture" doc:"mixture: on the held-out test documents of each partition of the mixture, macro-averaged." key:"evaluations"`
	OutOfDomain map[string]EvalSet `yaml:"out_of_domain" names:"name" whole:"yes" doc:"Evaluation sets that do not depend on the mixture, by a name of your choice, but for words that tables and flags use: in-domain, out-of-domain, average, mean, all, none, reference, seq and the proxies."`
	Tokens      Count              `yaml:"tokens" min:"0" unit:"tokens" default:"0" doc:"Tokens per domain at most: a document that does not fit is passed over; 0: no bound." example:"50k" key:"evaluations"`
	Documents   Count              `yaml:"documents" min:"1" unit:"documents" default:"1000" doc:"Documents per domain at most, chosen by a hash of their identity." key:"evaluations"`
}

// EvalSet is a corpus to evaluate on.
type EvalSet struct {
	About string `yaml:"about" doc:"What the set is, for the report." key:"nothing"`
	Corpus
}

// Correlate says how proxies are compared with references.
type Correlate struct {
	Resamples int      `yaml:"resamples" min:"1" max:"1000000" default:"2000" doc:"Bootstrap resamples for each interval." key:"correlations"`
	Level     Fraction `yaml:"level" above:"0" below:"1" default:"95%" doc:"Coverage of the intervals." key:"correlations"`
	Seed      int64    `yaml:"seed" default:"1" doc:"Seed of the bootstrap." key:"correlations"`
}

// Cost is used by plans only.
type Cost struct {
	HoursPerBillionTokens float64 `yaml:"hours_per_billion_tokens" min:"0" unit:"hours" default:"0" doc:"Price of training, for the plan; 0: unknown." example:"5" key:"nothing"`
	ReferenceHours        float64 `yaml:"reference_hours_per_billion_tokens" min:"0" unit:"hours" default:"0" doc:"Price of training reference.model; 0: hours_per_billion_tokens times the ratio of the models' parameters." example:"50" key:"nothing"`
}
