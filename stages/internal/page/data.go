// Package page writes the page a study ends in: one self-contained HTML file that answers "which
// mixture should I train on?" first, says how far the answer can be trusted second, and shows every
// number behind it third.
//
// Words are those of the study: mixture, proxy, reference, eval set, unit, partition. The page
// explains each where it first matters.
//
// Data carries plain values; what is not known is NaN (numbers) or empty (names), and shows as a
// dash. Render computes no statistic. It formats, orders nothing (rows keep the caller's order),
// and puts into words what follows from the values: which choices agree, and which correlations are
// weak evidence.
//
// The page fetches nothing, from network or disk; its scripts sort tables and name the mixtures of
// scatters at once, by pointer and by keys, and without them everything is still there. It does not
// promise to be read by machines: scores.parquet and correlations.parquet are for that.
package page

import "ablate/stages/kind"

// Data is all that a page shows. Same value, same bytes.
type Data struct {
	Study   string // name of the study
	About   string // one sentence of its author; may be empty
	Program string // name and version of the program, for the foot

	Level    float64 // coverage of the intervals, 0 to 1; 0: not known
	Training Training

	Choices      []Choice // one per eval set: the answer
	Decisions    []Decision
	Limits       []Limit
	Corpora      []Corpus
	EvalSets     []EvalSet
	Left         []Left
	Partitions   []Partition
	Removed      []Removed
	Filters      []string // a sentence for each corpus: how evaluation text was looked for
	Timelines    []Timeline
	Mixtures     []Mixture
	Correlations []Correlation // in groups of one eval set
	Paper        bool          // the study is one of the paper's that it prints correlations of
	Miniature    bool          // or a miniature of one
	Scores       []ScoreTable
	Scatters     []Figure // one per eval set
	Curves       []Figure // training curves
	Models       []Model
	Steps        []Steps
	Flow         *Figure  // the steps as a graph; nil: not drawn
	Warnings     []string // whole sentences
	Provenance   []Fact
}

// Training is what the study's models cost by kind, and what the way without proxies would cost: a
// reference model of every mixture that the study's sets of mixtures allow. Both counts of all
// mixtures can exceed any integer. Zero: not known, or none.
type Training struct {
	Seed, Units, Partitions, References int64   // tokens trained
	Possible                            float64 // mixtures
	All                                 float64 // tokens to train a reference model of each of them
}

// Choice is the answer for one eval set: the mixture of best proxy score, beside the best one by
// reference.
type Choice struct {
	Set             string
	Metric          kind.Metric // of the scores; without a name: perplexity
	Proxy           string      // the proxy that chose
	Support         Support     // of that proxy
	Candidates      int         // mixtures the proxy scored
	Chosen          string      // mixture
	ChosenProxy     float64     // its proxy score
	ChosenReference float64     // its reference score; NaN: no reference model of it was trained
	References      int         // mixtures with a reference model; 0: nothing to check against
	Best            string      // mixture of best reference score
	BestReference   float64
	Rank            int // place of Chosen among References by reference score, 1 = best; 0: unknown
}

// Support is why a proxy chose, and no other one.
type Support struct {
	Supported  bool    // the lower bound of its correlation with the references is the highest of all proxies', and above zero
	R, Low     float64 // that correlation, Pearson's, and that bound
	References int     // mixtures with a reference that proxies were judged by; 0: too few
	Judged     int     // proxies judged
}

// EvalSet describes what is evaluated on.
type EvalSet struct {
	Name      string
	InDomain  bool
	Documents int
	Tokens    int64
	About     string // one sentence; may be empty
}

// Corpus is what was read of a corpus, or of the files of an eval set: Read = Kept + all of
// Dropped.
type Corpus struct {
	Name       string
	EvalSet    bool
	Files      int64
	Read, Kept int64     // documents
	Dropped    []Dropped // documents
	Bytes      int64     // of the text of those kept
	Tokens     int64
}

// Dropped counts the documents that were dropped for one reason, a word or two.
type Dropped struct {
	Reason    string
	Documents int64
	Places    []string // of the first few
}

// Left is what was kept but is neither trained on nor held out, for one reason. Partitions may be
// empty.
type Left struct {
	Corpus, Why string
	Partitions  []string
	Documents   int
	Tokens      int64
	Places      []string // of the first few documents, where that says something
}

// Partition is one row of the corpus table; documents and tokens are those to train on.
type Partition struct {
	Name             string
	Corpus           string
	Units            int
	Documents        int
	Tokens           int64
	HeldOut          int // documents
	RemovedDocuments int // by decontamination
	RemovedTokens    int64
}

// Removed is what decontamination took out of a corpus's units because of one evaluation text.
type Removed struct {
	Corpus, Because  string
	Documents        int64 // of the evaluation text
	Paragraphs       int64 // of it, those long enough to prove anything
	RemovedDocuments int64
	RemovedTokens    int64
}

// Timeline is a set of partitions by the values of the metadata that order their documents, such as
// years.
type Timeline struct {
	Set, Order string
	Rows       []TimelineRow
	Left       int // rows that are not shown
}

// TimelineRow is one partition at one value; documents and tokens are those to train on.
type TimelineRow struct {
	Partition, Value string
	Documents        int64
	Tokens           int64
	Units            string // the unit or units it is in: 2005-2007, or 2005-2007 to 2007-2009
	HeldOut          int64  // documents
	RemovedDocuments int64
	RemovedTokens    int64
}

// Mixture is one candidate.
type Mixture struct {
	Name       string
	Partitions []string
	Units      int
	Tokens     int64   // training tokens of its reference model, trained or not
	Shares     []Share // of tokens; may be empty
	Reference  bool    // a reference model was trained
}

// Share is a partition's part of a mixture, 0 to 1.
type Share struct {
	Partition string
	Share     float64
}

// Interval is a statistic with its bounds; NaN where undefined.
type Interval struct{ Value, Low, High float64 }

// Correlation is how well one proxy predicts the reference on one eval set.
type Correlation struct {
	Average                    bool // both scores are means over several eval sets
	Set, Proxy                 string
	N                          int // mixtures compared
	Pearson, Spearman, Kendall Interval
	Regret                     float64 // reference score of the chosen mixture less the best one's
	Chosen                     string
	Rank                       int // of the chosen, by reference; 0: unknown
	PairwiseAccuracy           float64
	Published                  float64 // Pearson's r that the paper prints; NaN: nothing
}

// ScoreTable is every score on one eval set. Values has one score per column and mixture; NaN: not
// scored.
type ScoreTable struct {
	Set       string
	Metric    kind.Metric // without a name: perplexity
	Columns   []string    // scorers: proxies, and the reference
	Reference int         // index of the reference's column; negative: none
	Rows      []ScoreRow
}

// ScoreRow is one mixture's scores, in the order of the table's columns.
type ScoreRow struct {
	Mixture string
	Values  []float64
}

// Figure is a drawing of package svg. SVG is checked before it is inlined: see trusted.
type Figure struct {
	Title   string
	Caption string
	SVG     []byte
}

// Model is one trained model. Kind is seed, unit, partition or reference. Key and Checkpoint may be
// whole digests: eight digits are shown.
type Model struct {
	Name, Kind      string
	Tokens          int64
	FinalLoss       float64 // nats per token
	Key, Checkpoint string
}

// Steps sums up steps of one kind; Of tells those of one kind apart, in words, and may be empty.
type Steps struct {
	Kind, Of      string
	Count, Found  int     // all; those that were in the cache when the last run that did any of the work began
	Tokens, Bytes int64   // trained on; of the results
	Seconds       float64 // of work, when it was done; NaN: not recorded
}

// Fact is one line of provenance.
type Fact struct{ Name, Value string }
