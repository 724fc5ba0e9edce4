package kind

import (
	"bytes"
	"io"

	"ablate/specs/arch"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

// Read says how raw files become documents.
type Read struct {
	Format   string            `json:"format"` // text, jsonl, parquet or tokens
	Text     string            `json:"text,omitempty"`
	ID       string            `json:"id,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Absent   string            `json:"absent,omitempty"`
	// Between gives names of metadata ranges of whole numbers: documents outside are left out.
	Between map[string]string `json:"between,omitempty"`
	// Bad says by fault (line, text, utf8, surrogate, empty, index, format) what becomes of such
	// documents (drop, error) where that is not the usual.
	Bad map[string]string `json:"bad,omitempty"`
	// PieceBytes cuts a longer document into several; 0: none is cut.
	PieceBytes int64 `json:"piece_bytes,omitempty"`
	// DType is uint16 or uint32 for tokens, else empty.
	DType string `json:"dtype,omitempty"`
	// Names holds the name of each input file below its corpus, in input order, where the result
	// depends on it: for text files (a name is the document's identity and bears its metadata) and
	// for tokens with metadata from the name. Empty for others.
	Names []string `json:"names,omitempty"`
}

// TokenizerParams trains a byte-level BPE. Inputs: file.N. Output: tokenizer.json.
type TokenizerParams struct {
	Vocab        int   `json:"vocab"`
	MinFrequency int   `json:"min_frequency"`
	Bytes        int64 `json:"bytes"` // of text to read at most; documents in the order of a hash of their identity
	Read         Read  `json:"read"`
}

// TokenizeParams turns files into tokens. Inputs: tokenizer, file.N, for tokens index.N where the
// N-th has one. Outputs: tokens.arrow, documents.parquet, paragraphs.parquet, places.parquet,
// counts.json, missing.json.
type TokenizeParams struct {
	Read      Read   `json:"read"`
	Paragraph string `json:"paragraph"`  // line or blank
	MinTokens int    `json:"min_tokens"` // shorter paragraphs are not hashed
	// Duplicate says what becomes of a document whose identity another one of the same step has:
	// drop or error; empty: it is kept.
	Duplicate string `json:"duplicate,omitempty"`
	NonEmpty  bool   `json:"non_empty,omitempty"` // no text is an error: an evaluation set, which nothing else checks before models are trained
}

// SplitParams cuts a corpus into units. Inputs: tokens.N, documents.N, paragraphs.N, missing.N of
// each shard of the corpus, and against.N, the paragraph tables of evaluation sets. Outputs:
// units/<partition>/<i>.arrow (documents end with EOS), test/<partition>.arrow and
// validation/<partition>.arrow (they do not), ledger.parquet, filter.json, sizes.parquet,
// timeline.parquet, duplicates.parquet, catalogue.json. heldout.N are the paragraph tables of other
// corpora that the study holds documents out of.
type SplitParams struct {
	By         []string          `json:"by"`             // empty: one partition named "all"
	Fold       map[string]string `json:"fold,omitempty"` // partition -> the partition it is part of
	Order      string            `json:"order"`
	Only       []string          `json:"only,omitempty"`
	Except     []string          `json:"except,omitempty"`
	Small      string            `json:"small"`
	Declared   map[string]int    `json:"declared,omitempty"`
	Duplicate  string            `json:"duplicate,omitempty"` // what becomes of a document whose identity came before: drop, keep, or error, for which there are inputs places.N; empty: it is left out unless too many differ in their text
	UnitTokens int64             `json:"unit_tokens"`         // 0: one unit of everything
	Cut        string            `json:"cut,omitempty"`       // order: a unit ends only where the value of order changes; empty: behind any document
	Validation float64           `json:"validation"`
	Test       float64           `json:"test"`
	Seed       int64             `json:"seed"`
	Against    []string          `json:"against,omitempty"`   // heldout, eval
	Elsewhere  *HoldOut          `json:"elsewhere,omitempty"` // what is held out of inputs heldout.N; nil: there are none
	Bloom      *Bloom            `json:"bloom,omitempty"`     // nil: an exact set
	Overlap    float64           `json:"overlap"`             // share of a document's text that shared paragraphs must make up; 0: one is enough
	Common     int               `json:"common"`
	EOS        uint32            `json:"eos"`
	Vocab      int               `json:"vocab"`
}

// HoldOut says which documents are held out, by a hash of seed and identity.
type HoldOut struct {
	Validation float64 `json:"validation"`
	Test       float64 `json:"test"`
	Seed       int64   `json:"seed"`
}

// Bloom makes decontamination look paragraphs up in Bloom filters.
type Bloom struct {
	FalsePositives float64 `json:"false_positives"` // chance that a paragraph that is in no evaluation text is taken for one that is
	Seed           int64   `json:"seed"`
}

// Optimizer is AdamW and its schedule.
type Optimizer struct {
	Beta1       float64 `json:"beta1"`
	Beta2       float64 `json:"beta2"`
	Eps         float64 `json:"eps"`
	WeightDecay float64 `json:"weight_decay"`
	Clip        float64 `json:"clip"`
	LR          float64 `json:"lr"`
	Warmup      float64 `json:"warmup"` // share of all steps
	Schedule    string  `json:"schedule"`
	FinalLR     float64 `json:"final_lr"`
}

// A Source is what a training takes one share of its text from: some of its units, which are inputs
// that stand together.
type Source struct {
	Share string `json:"share"` // of the sequences: an exact fraction above 0; those of all sources sum to 1
	Units int    `json:"units"` // how many of the inputs unit.N, behind those of the sources before
	// Sampling is how the source's own sequences are drawn from its units, as in TrainParams;
	// empty: the units are read one after another, each whole, and again from the first when all
	// are read.
	Sampling string `json:"sampling,omitempty"`
}

// MostUnits is how many units one model can be trained on: the order of a training's sequences has
// 16 bits for the unit.
const MostUnits = 1 << 16

// TrainParams trains one model. Inputs: unit.N; start (a checkpoint) and moments (its optimizer
// state) where training goes on from another model. Outputs: model.safetensors,
// optimizer.safetensors where Moments is set, curve.parquet, shares.parquet, and sources.parquet
// where there are Sources.
type TrainParams struct {
	Model     arch.Model `json:"model"`
	Optimizer Optimizer  `json:"optimizer"`
	Tokens    int64      `json:"tokens"` // training length; whole batches, rounded up
	Batch     int64      `json:"batch"`  // tokens per optimizer step
	Sampling  string     `json:"sampling"`
	Seed      int64      `json:"seed"`
	Start     string     `json:"start"`   // random, model (weights of input start), state (weights and moments)
	Moments   bool       `json:"moments"` // leave the optimizer state as an output

	// Precision of the products of linear layers: bf16; empty: float32, as before there was a
	// choice, so that older keys hold.
	Precision string `json:"precision,omitempty"`

	Arithmetic string `json:"arithmetic,omitempty"` // see Arithmetic; empty: Exact

	// Sources give their shares of every stretch of the training; empty: there is one source, with
	// all units and the sampling above. Sampling is empty where there are sources.
	Sources []Source `json:"sources,omitempty"`
}

// MergeParams stores what a recipe makes of checkpoints. Inputs: model.N. Output:
// model.safetensors.
type MergeParams struct {
	Recipe
}

// EvalParams scores one model, or what a recipe makes of several on the fly, on one evaluation set.
// Inputs: model.N, tokens. Output: losses.parquet.
type EvalParams struct {
	Model arch.Model `json:"model"`
	Recipe
	Documents int64  `json:"documents"` // at most, in the order of a hash of their identity
	Tokens    int64  `json:"tokens"`    // at most, all documents together: one that does not fit is passed over; 0: no bound
	EOS       uint32 `json:"eos"`

	Arithmetic string `json:"arithmetic,omitempty"` // see Arithmetic; empty: Exact
}

// EnsembleParams scores the mixture of the probabilities that models give to whole documents.
// Inputs: losses.N, of one evaluation set. Output: losses.parquet.
type EnsembleParams struct {
	Recipe // linear: of probabilities, not of parameters
}

// CorrelateParams compares proxies with references. Inputs: losses.N. Outputs: scores.parquet,
// correlations.parquet, decisions.parquet, warnings.parquet, all as .csv too, and
// figures/<group>-<set>.svg.
type CorrelateParams struct {
	Scores    []Score  `json:"scores"`
	Sets      []string `json:"sets"`      // evaluation sets in display order
	Proxies   []string `json:"proxies"`   // in display order
	Resamples int      `json:"resamples"` // of each interval, and permutations of each p-value at most
	Level     float64  `json:"level"`
	Seed      int64    `json:"seed"`

	// Shares of the mixtures that have some of their own, in the order of their first scores. A set
	// of components is not among them: its shares follow from its units.
	Shares []MixtureShares `json:"shares,omitempty"`
}

// MixtureShares are the shares of a mixture's components.
type MixtureShares struct {
	Group   string `json:"group"` // set of mixtures
	Mixture string `json:"mixture"`
	// Shares are exact fractions above 0, such as 7/10, that sum to 1, by the name that mixtures
	// give the component: crypto, or crypto/3 for a unit.
	Shares map[string]string `json:"shares"`
}

// Score is one number of the result: how well a scorer (seq or a proxy) does for a mixture on an
// evaluation set. It is the mean over domains of the mean over a domain's tables of what its metric
// makes of a table. Out of domain there is one domain with one table for a model and several for a
// mean of scores, of models or of replicates; in-domain one domain per partition of the mixture.
type Score struct {
	Group   string  `json:"group"` // set of mixtures
	Mixture string  `json:"mixture"`
	Scorer  string  `json:"scorer"`
	Set     string  `json:"set"`
	Losses  [][]int `json:"losses"` // domain -> numbers of the losses inputs

	Metric string `json:"metric,omitempty"` // name of one of Metrics; empty: the first, so that older keys hold
}

// InDomain is the evaluation set that changes with the mixture: scores on it compare models on
// different text.
const InDomain = "in-domain"

// Average is the name under which the scores on all other sets are averaged, where there are
// several. No set of a study may have it.
const Average = "out-of-domain"
