// Package tables has the formats of what steps leave, but for tokens and checkpoints: the columns
// of every table with their units (schema.go, TABLES.md), the JSON files beside them, how to read
// both, sums over them in words, and how two files of one kind differ.
package tables

// This file is every table that a step leaves behind: one struct a table, one field a column, with
// its unit and meaning. The tags are written into the files.

// v1 makes a row type version 1 of its table.
type v1 struct{}

// TableVersion is the version of the columns.
func (v1) TableVersion() string { return "1" }

// v2 makes a row type version 2 of its table.
type v2 struct{}

// TableVersion is the version of the columns.
func (v2) TableVersion() string { return "2" }

// v3 makes a row type version 3 of its table.
type v3 struct{}

// TableVersion is the version of the columns.
func (v3) TableVersion() string { return "3" }

// DocumentRow is a document of documents.parquet, in the order of tokens.arrow.
type DocumentRow struct {
	v2     `col:"-"`
	ID     string   `col:"id" doc:"identity"`
	Tokens int64    `col:"tokens" unit:"tokens" doc:"length without EOS"`
	Bytes  int64    `col:"bytes" unit:"bytes" doc:"length of the text in UTF-8"`
	Chars  int64    `col:"chars" unit:"characters" doc:"Unicode code points of the text"`
	Words  int64    `col:"words" unit:"words" doc:"pieces of the text between white space"`
	Names  []string `col:"metadata_names" doc:"names of the metadata, sorted"`
	Values []string `col:"metadata_values" doc:"their values, in the order of the names"`
	Absent []string `col:"metadata_absent" doc:"those of the names that the document lacks: the value of these is the corpus's word for that"`
}

// ParagraphRow holds the paragraphs of a document of tokens.arrow, in the same order.
type ParagraphRow struct {
	v1      `col:"-"`
	ID      string   `col:"id" doc:"identity of the document"`
	Hashes  []uint64 `col:"hashes" doc:"two numbers a paragraph, each paragraph of min_tokens tokens or more once: the first 16 bytes of the SHA-256 of the form in which it is compared (lines trimmed and joined by LF, NFC), as two big-endian numbers"`
	Lengths []int64  `col:"lengths" unit:"bytes" doc:"length of each of these paragraphs in the text as it is, every time it occurs in the document counted"`
}

// PlaceRow is where a document of tokens.arrow lies, in the same order.
type PlaceRow struct {
	v2   `col:"-"`
	File int64 `col:"file" doc:"number of the input file.N"`
	Line int64 `col:"line" null:"0" doc:"line of JSONL, row of a table, line of the index of tokens, from 1; null: none of these"`
	Byte int64 `col:"byte" unit:"bytes" doc:"where the line, or the first token, is in the decompressed file"`
}

// DuplicateRow is a document that was left out because another one of the corpus, before it, has
// its identity.
type DuplicateRow struct {
	v1         `col:"-"`
	ID         string `col:"id" doc:"identity of both"`
	Shard      int64  `col:"shard" doc:"number of the input documents.N that the document is in"`
	Row        int64  `col:"row" doc:"its row there, from 0"`
	FirstShard int64  `col:"first_shard" doc:"number of the input that the one before is in"`
	FirstRow   int64  `col:"first_row" doc:"its row"`
}

// LedgerRow is a document that decontamination removed from a unit.
type LedgerRow struct {
	v3        `col:"-"`
	Partition string `col:"partition" doc:"partition of the unit"`
	Unit      int64  `col:"unit" doc:"number of the unit in its partition, from 0"`
	Name      string `col:"unit_name" doc:"name of the unit, as in sizes.parquet"`
	Document  string `col:"document" doc:"identity of the removed document"`
	Tokens    int64  `col:"tokens" unit:"tokens" doc:"what the unit lost, EOS included"`
	EvalSet   string `col:"eval_set" doc:"where the evaluation text is from: heldout test, heldout validation, heldout.N test or validation, of the N-th other corpus, or against.N, the N-th paragraph table; tables/ledger.parquet beside the report has the names"`
	EvalID    string `col:"eval_document" null:"" doc:"identity of the first evaluation document that holds the paragraph; null for a false positive"`
	Paragraph string `col:"paragraph" doc:"the document's first paragraph that is evaluated on: the first 16 bytes of the SHA-256 of the form in which it is compared, hexadecimal"`

	FalsePositive bool `col:"false_positive" doc:"a Bloom filter took the paragraph for one of the set's, but no evaluation document holds it"`
}

// StudyLedgerRow is a document that decontamination removed from a unit, with the names that the
// study has for the text that it is in: the ledgers of all splits of a study, beside its report.
// Those that splits leave have no names of evaluation sets, because a result does not depend on
// names.
type StudyLedgerRow struct {
	v1        `col:"-"`
	Set       string `col:"partition_set" null:"" doc:"partition set; null: the corpus of the seed model"`
	Partition string `col:"partition" doc:"partition of the unit"`
	Unit      int64  `col:"unit" doc:"number of the unit in its partition, from 0"`
	Name      string `col:"unit_name" doc:"name of the unit"`
	Document  string `col:"document" doc:"identity of the removed document"`
	Tokens    int64  `col:"tokens" unit:"tokens" doc:"what the unit lost, EOS included"`
	EvalSet   string `col:"eval_set" null:"" doc:"evaluation set that the paragraph is in; null: it is in held-out text"`
	Corpus    string `col:"held_out_corpus" null:"" doc:"corpus that the text with the paragraph is held out of; null: it is an evaluation set"`
	HeldOut   string `col:"held_out_part" null:"" doc:"test or validation; null: it is an evaluation set"`
	EvalID    string `col:"eval_document" null:"" doc:"identity of the first evaluation document that holds the paragraph; null for a false positive"`
	Paragraph string `col:"paragraph" doc:"the document's first paragraph that is evaluated on: the first 16 bytes of the SHA-256 of the form in which it is compared, hexadecimal"`

	FalsePositive bool `col:"false_positive" doc:"a Bloom filter took the paragraph for one of the set's, but no evaluation document holds it"`
}

// Parts of SizeRow.
const (
	PartUnit       = "unit"       // a base unit
	PartTest       = "test"       // held out to evaluate on
	PartValidation = "validation" // held out for validation
	PartUnused     = "unused"     // beyond the declared units
	PartSmall      = "small"      // a partition dropped because it is less than half a unit
	PartExcluded   = "excluded"   // a partition that the study leaves out
	PartDuplicate  = "duplicate"  // documents whose identity came before
)

// SizeRow is how much text a part of a corpus has. Together the rows account for every document of
// the inputs once.
type SizeRow struct {
	v3               `col:"-"`
	Partition        string `col:"partition" null:"" doc:"name of the partition; null for duplicates"`
	Part             string `col:"part" doc:"unit, test, validation, unused, small, excluded or duplicate"`
	Unit             int64  `col:"unit" null:"-1" doc:"number of the unit from 0; null for other parts"`
	Name             string `col:"unit_name" null:"" doc:"name of the unit: its partition and the range of the values that order it, if those are numbers, else its number; null for other parts"`
	First            string `col:"order_first" null:"" doc:"order value of the unit's first document before decontamination; null where identities order it, and for other parts"`
	Last             string `col:"order_last" null:"" doc:"order value of its last document"`
	Documents        int64  `col:"documents" unit:"documents" doc:"documents left after decontamination"`
	Tokens           int64  `col:"tokens" unit:"tokens" doc:"their tokens; EOS after each document included, except in test and validation, which have none"`
	RemovedDocuments int64  `col:"removed_documents" unit:"documents" doc:"documents removed by decontamination"`
	RemovedTokens    int64  `col:"removed_tokens" unit:"tokens" doc:"their tokens, EOS included"`
}

// TimelineRow is what a partition has of one value of the metadata that order it, such as a year.
type TimelineRow struct {
	v2               `col:"-"`
	Partition        string `col:"partition" doc:"name of the partition"`
	Value            string `col:"value" null:"" doc:"value of the order's metadata; null where identities order the partition"`
	Documents        int64  `col:"documents" unit:"documents" doc:"documents in units, after decontamination"`
	Tokens           int64  `col:"tokens" unit:"tokens" doc:"their tokens, EOS included"`
	FirstUnit        int64  `col:"first_unit" null:"-1" doc:"first unit that holds any, or held before decontamination; null: none"`
	LastUnit         int64  `col:"last_unit" null:"-1" doc:"last such unit"`
	Test             int64  `col:"test" unit:"documents" doc:"documents held out to evaluate on"`
	Validation       int64  `col:"validation" unit:"documents" doc:"documents held out for validation"`
	RemovedDocuments int64  `col:"removed_documents" unit:"documents" doc:"documents removed by decontamination"`
	RemovedTokens    int64  `col:"removed_tokens" unit:"tokens" doc:"their tokens, EOS included"`
	Unused           int64  `col:"unused" unit:"documents" doc:"documents beyond the declared units"`
}

// CurveRow is a step of a training.
type CurveRow struct {
	v1       `col:"-"`
	Step     int64   `col:"step" unit:"steps" doc:"number of the step, from 1"`
	Tokens   int64   `col:"tokens" unit:"tokens" doc:"tokens trained on, this step included"`
	LR       float64 `col:"lr" doc:"learning rate"`
	Loss     float64 `col:"loss" unit:"nats per token" doc:"mean over the batch, before the update"`
	GradNorm float64 `col:"grad_norm" doc:"norm of all gradients before clipping"`
}

// BatchRow is a sequence of a training, in the order in which they are trained on: `ablate export
// STUDY MODEL --batches`.
type BatchRow struct {
	v1       `col:"-"`
	Step     int64    `col:"step" unit:"steps" doc:"number of the optimizer step that the sequence is of, from 1, as in curve.parquet"`
	Sequence int64    `col:"sequence" doc:"number of the sequence in its batch, from 0"`
	Unit     int64    `col:"unit" doc:"number of the input unit.N that it is from, as in shares.parquet"`
	Artifact string   `col:"unit_artifact" doc:"the step and output that the unit is, as provenance.json names it"`
	Chunk    int64    `col:"chunk" doc:"number of the sequence in the unit, from 0: it begins at token chunk * context of the unit"`
	IDs      []string `col:"document_ids" doc:"identities of the documents that the tokens are of, in their order"`
	Starts   []int64  `col:"document_starts" unit:"tokens" doc:"where in each of these documents its part begins, from 0"`
	Lengths  []int64  `col:"document_lengths" unit:"tokens" doc:"how many tokens of each are in the sequence, the EOS behind a document included"`
	Tokens   []int32  `col:"tokens" unit:"token ids" doc:"context + 1 of them: all but the last are inputs, all but the first the targets"`
}

// ShareRow is a unit's part in a training.
type ShareRow struct {
	v1     `col:"-"`
	Unit   int64   `col:"unit" doc:"number of the input unit.N"`
	Digest string  `col:"digest" doc:"SHA-256 of the unit's token file"`
	Size   int64   `col:"size" unit:"tokens" doc:"tokens of the unit, EOS included"`
	Tokens int64   `col:"tokens" unit:"tokens" doc:"tokens trained on"`
	Share  float64 `col:"share" doc:"part of all tokens trained on"`
	Epochs float64 `col:"epochs" doc:"how often each of the unit's whole sequences was seen, on average"`
}

// SourceRow is what a source gave to a training whose sources have shares: a component of a mixture,
// or the text that is mixed in.
type SourceRow struct {
	v1        `col:"-"`
	Source    int64   `col:"source" doc:"number of the source, from 0, in the order of the mixture's name; text that is mixed in comes last"`
	Unit      int64   `col:"unit" doc:"number of the source's first input unit.N"`
	Units     int64   `col:"units" unit:"units" doc:"how many inputs it has"`
	Asked     string  `col:"asked" doc:"share asked for, an exact fraction"`
	Share     float64 `col:"share" doc:"part of all tokens trained on"`
	Tokens    int64   `col:"tokens" unit:"tokens" doc:"tokens trained on"`
	Available int64   `col:"available" unit:"tokens" doc:"tokens of its units, EOS included"`
	Documents int64   `col:"documents" unit:"documents" doc:"documents of which a token was trained on, each once"`
	Passes    float64 `col:"passes" doc:"how often each of its whole sequences was seen, on average"`
}

// StudySourceRow is what a source gave to a training, with the names of both: the tables of all
// trainings of a study whose sources have shares, beside its report.
type StudySourceRow struct {
	v1        `col:"-"`
	Model     string  `col:"model" doc:"the model that is trained, such as seq/named/crypto=0.7+net=0.3"`
	Source    string  `col:"source" doc:"component of the mixture, or corpus that is mixed in"`
	Asked     string  `col:"asked" doc:"share asked for, an exact fraction"`
	Share     float64 `col:"share" doc:"part of all tokens trained on"`
	Tokens    int64   `col:"tokens" unit:"tokens" doc:"tokens trained on"`
	Available int64   `col:"available" unit:"tokens" doc:"tokens of its units, EOS included"`
	Documents int64   `col:"documents" unit:"documents" doc:"documents of which a token was trained on, each once"`
	Passes    float64 `col:"passes" doc:"how often each of its whole sequences was seen, on average"`
}

// LossRow is an evaluated document.
type LossRow struct {
	v1     `col:"-"`
	ID     string  `col:"id" doc:"identity"`
	Tokens int64   `col:"tokens" unit:"tokens" doc:"tokens scored: all of the document's, no EOS"`
	Bytes  int64   `col:"bytes" unit:"bytes" doc:"length of the text in UTF-8"`
	Chars  int64   `col:"chars" unit:"characters" doc:"Unicode code points of the text"`
	Words  int64   `col:"words" unit:"words" doc:"pieces of the text between white space"`
	Nats   float64 `col:"nats" unit:"nats" doc:"sum of the negative log probabilities of the tokens"`
}

// StudyLossRow is an evaluated document of a model behind a score: losses.parquet of the output
// directory, from which each score can be computed again. The score is the mean over its domains of
// the mean over a domain's models of exp(sum of nats / sum of tokens).
type StudyLossRow struct {
	v1      `col:"-"`
	Group   string  `col:"mixture_set" doc:"mixture set"`
	Mixture string  `col:"mixture" doc:"name of the mixture"`
	Scorer  string  `col:"scorer" doc:"seq, the reference, or a proxy, as in scores.parquet"`
	Set     string  `col:"eval_set" doc:"evaluation set; the average out-of-domain has no rows, it is the mean of its sets' scores"`
	Domain  string  `col:"domain" doc:"the evaluation set; in domain the partition whose held-out documents these are"`
	Number  int64   `col:"model_number" doc:"number of the model among those whose mean the scorer takes on the domain, from 0"`
	Model   string  `col:"model" doc:"name of the model: trained, an average of parameters, or a mixture of probabilities"`
	ID      string  `col:"id" doc:"identity of the document"`
	Tokens  int64   `col:"tokens" unit:"tokens" doc:"tokens scored: all of the document's, no EOS"`
	Bytes   int64   `col:"bytes" unit:"bytes" doc:"length of the text in UTF-8"`
	Chars   int64   `col:"chars" unit:"characters" doc:"Unicode code points of the text"`
	Words   int64   `col:"words" unit:"words" doc:"pieces of the text between white space"`
	Nats    float64 `col:"nats" unit:"nats" doc:"sum of the negative log probabilities of the tokens"`
}

// ScoreRow is how well a scorer does for a mixture on an evaluation set. Each measure is the mean
// over domains of the mean over a domain's models.
type ScoreRow struct {
	v2          `col:"-"`
	Group       string  `col:"mixture_set" doc:"mixture set"`
	Mixture     string  `col:"mixture" doc:"name of the mixture"`
	Scorer      string  `col:"scorer" doc:"seq, the reference, or a proxy"`
	Set         string  `col:"eval_set" doc:"evaluation set; out-of-domain: the mean over all but in-domain, each counting as much, where there are several"`
	Perplexity  float64 `col:"perplexity" doc:"exp(nats / tokens) of one model on one domain; of several models or domains the mean of theirs, which is not exp(loss); infinite above a loss of 709.78"`
	Loss        float64 `col:"loss" unit:"nats per token" doc:"nats / tokens, or the mean of several models' or domains'"`
	BitsPerByte float64 `col:"bits_per_byte" unit:"bits per byte" doc:"nats / (bytes ln 2)"`
	Documents   int64   `col:"documents" unit:"documents" doc:"documents evaluated on, all domains together"`
	Tokens      int64   `col:"tokens" unit:"tokens" doc:"their tokens"`

	Metric string  `col:"-"` // of the score, see metric.go
	Value  float64 `col:"-"` // by that metric
}

// CorrelationRow is how well a proxy predicts the reference's score over the mixtures that have
// both. What is not defined (fewer than three mixtures, scores all alike) is NaN here and null in
// the file.
type CorrelationRow struct {
	v3               `col:"-"`
	Group            string  `col:"mixture_set" doc:"mixture set"`
	Set              string  `col:"eval_set" doc:"evaluation set"`
	Proxy            string  `col:"proxy" doc:"name of the proxy"`
	N                int64   `col:"n" unit:"mixtures" doc:"mixtures compared"`
	Pearson          float64 `col:"pearson" null:"NaN" doc:"product-moment correlation"`
	PearsonLow       float64 `col:"pearson_low" null:"NaN" doc:"lower bound of its percentile bootstrap interval"`
	PearsonHigh      float64 `col:"pearson_high" null:"NaN" doc:"upper bound"`
	PearsonBCaLow    float64 `col:"pearson_bca_low" null:"NaN" doc:"lower bound of its bias-corrected and accelerated bootstrap interval"`
	PearsonBCaHigh   float64 `col:"pearson_bca_high" null:"NaN" doc:"upper bound"`
	PearsonP         float64 `col:"pearson_p" null:"NaN" doc:"one-sided permutation p-value: the share of random permutations of the scores with as high a correlation; too small where mixtures share partitions"`
	Spearman         float64 `col:"spearman" null:"NaN" doc:"rank correlation"`
	SpearmanLow      float64 `col:"spearman_low" null:"NaN" doc:"lower bound of its percentile bootstrap interval"`
	SpearmanHigh     float64 `col:"spearman_high" null:"NaN" doc:"upper bound"`
	SpearmanBCaLow   float64 `col:"spearman_bca_low" null:"NaN" doc:"lower bound of its bias-corrected and accelerated bootstrap interval"`
	SpearmanBCaHigh  float64 `col:"spearman_bca_high" null:"NaN" doc:"upper bound"`
	SpearmanP        float64 `col:"spearman_p" null:"NaN" doc:"as pearson_p"`
	Kendall          float64 `col:"kendall" null:"NaN" doc:"tau-b"`
	KendallLow       float64 `col:"kendall_low" null:"NaN" doc:"lower bound of its percentile bootstrap interval"`
	KendallHigh      float64 `col:"kendall_high" null:"NaN" doc:"upper bound"`
	KendallBCaLow    float64 `col:"kendall_bca_low" null:"NaN" doc:"lower bound of its bias-corrected and accelerated bootstrap interval"`
	KendallBCaHigh   float64 `col:"kendall_bca_high" null:"NaN" doc:"upper bound"`
	KendallP         float64 `col:"kendall_p" null:"NaN" doc:"as pearson_p"`
	WithoutLow       float64 `col:"without_low" null:"NaN" doc:"lowest Pearson correlation with one mixture left out"`
	WithoutHigh      float64 `col:"without_high" null:"NaN" doc:"highest"`
	WithoutLowest    string  `col:"without_lowest" null:"" doc:"mixture without which it is lowest"`
	PairwiseAccuracy float64 `col:"pairwise_accuracy" null:"NaN" doc:"share of pairs of mixtures that the proxy orders as the reference does; 0.5 is chance"`
	Chosen           string  `col:"chosen" null:"" doc:"mixture of lowest perplexity by the proxy"`
	Best             string  `col:"best" null:"" doc:"mixture of lowest perplexity by the reference"`
	Rank             int64   `col:"chosen_place" null:"0" doc:"place of the chosen by the reference, 1 is best"`
	Place            int64   `col:"best_place" null:"0" doc:"place of the best by the proxy, 1 is first"`
	Regret           float64 `col:"regret" null:"NaN" unit:"perplexity" doc:"reference perplexity of the chosen less that of the best"`
	RegretBlind      float64 `col:"regret_blind" null:"NaN" unit:"perplexity" doc:"the same for a mixture chosen at random, on average"`
	Top3Share        float64 `col:"top3_share" null:"NaN" doc:"share of the three best by reference that are the proxy's first three; 3/n is chance"`
	Top3Regret       float64 `col:"top3_regret" null:"NaN" unit:"perplexity" doc:"reference perplexity of the best of the proxy's first three less that of the best"`
	Noise            float64 `col:"noise" null:"NaN" unit:"perplexity" doc:"standard deviation over seeds of what proxies are compared with, the mean over R reference models of one mixture: that of one model, pooled over mixtures, by the root of the fewest R; null without replicates, as are the next two"`
	NoiseLeast       float64 `col:"noise_least" null:"NaN" unit:"perplexity" doc:"difference between two such means that noise alone makes in fewer cases than the intervals leave out"`
	Ceiling          float64 `col:"ceiling" null:"NaN" doc:"highest Pearson correlation to be expected of a proxy without error, for the noise of the references"`

	Metric string `col:"-"` // of the scores, see metric.go
}

// DecisionRow is how well a proxy decides over all out-of-domain sets on which its mixtures have
// references: the questions of the paper's appendix A.5. The in-domain set is another text for each
// mixture and takes no part.
type DecisionRow struct {
	v2               `col:"-"`
	Group            string  `col:"mixture_set" doc:"mixture set"`
	Proxy            string  `col:"proxy" doc:"name of the proxy"`
	Sets             int64   `col:"eval_sets" unit:"evaluation sets" doc:"out-of-domain sets compared"`
	Mixtures         int64   `col:"mixtures" unit:"mixtures" doc:"mixtures to choose from, on the set with most"`
	Right            int64   `col:"best_chosen" unit:"evaluation sets" doc:"sets on which the mixture chosen is the best"`
	Top3             int64   `col:"top3" unit:"evaluation sets" doc:"sets on which the best mixture is among the proxy's first three"`
	MedianRank       float64 `col:"median_place" null:"NaN" doc:"median over sets of the place of the chosen by the reference"`
	WorstRank        int64   `col:"worst_place" null:"0" doc:"largest such place"`
	PairwiseAccuracy float64 `col:"pairwise_accuracy" null:"NaN" doc:"mean over sets"`
	RegretShare      float64 `col:"regret_share" null:"NaN" doc:"mean over sets of regret / regret_blind: 0 is always right, 1 is as good as choosing at random"`

	Metric string `col:"-"` // of the scores, see metric.go
}

// Codes of WarningRow.
const (
	WarnOverflow = "overflow" // a perplexity too large to write
	WarnFew      = "few"      // fewer mixtures than an interval can be trusted with
	WarnAlike    = "alike"    // references that hardly differ
	WarnNone     = "none"     // no correlation: too few mixtures or scores all alike
	WarnBounds   = "bounds"   // no interval
	WarnZero     = "zero"     // an interval that includes zero
	WarnChance   = "chance"   // as high a correlation is likely by chance
	WarnOne      = "one"      // a correlation that hangs on one mixture
	WarnNoise    = "noise"    // a regret that seeds alone can make
)

// WarningRow is a claim that the sample of mixtures cannot support.
type WarningRow struct {
	v2      `col:"-"`
	Group   string `col:"mixture_set" doc:"mixture set"`
	Set     string `col:"eval_set" null:"" doc:"evaluation set; null: all of them"`
	Proxy   string `col:"proxy" null:"" doc:"proxy; null: all of them"`
	Code    string `col:"code" doc:"overflow, few, alike, none, bounds, zero, chance, one or noise"`
	Message string `col:"message" doc:"the same in a sentence"`

	Metric string `col:"-"` // of the scores, see metric.go; empty, too, of a warning about all scores
}

// LayoutRow is a cell of the tables that a study leaves beside its report, in the layouts of the
// paper's.
type LayoutRow struct {
	v2          `col:"-"`
	Group       string  `col:"mixture_set" doc:"mixture set"`
	Set         string  `col:"eval_set" doc:"evaluation set, or out-of-domain: perplexities that are means over all sets that do not change with the mixture"`
	Proxy       string  `col:"proxy" doc:"name of the proxy"`
	N           int64   `col:"n" unit:"mixtures" doc:"mixtures compared"`
	Pearson     float64 `col:"pearson" null:"NaN" doc:"product-moment correlation; null: not defined"`
	PearsonLow  float64 `col:"pearson_low" null:"NaN" doc:"lower bound of its percentile bootstrap interval"`
	PearsonHigh float64 `col:"pearson_high" null:"NaN" doc:"upper bound"`
	Published   float64 `col:"published" null:"NaN" doc:"what the paper prints of a study of its own; null: nothing"`
	Source      string  `col:"source" null:"" doc:"the table or figure of the paper it stands in; null: nothing"`
}
