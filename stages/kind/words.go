package kind

// Words of SplitParams.
const (
	SmallError = "error"
	SmallDrop  = "drop"
	SmallKeep  = "keep"
	SmallMerge = "merge"

	AgainstHeldout = "heldout"
	AgainstEval    = "eval"

	CutDocument = "" // as older keys have it
	CutOrder    = "order"

	// AllDocuments is the partition of a corpus that is not divided.
	AllDocuments = "all"
	// OrderByID is the order of documents by identity alone.
	OrderByID = "id"
	// OtherPartition gathers the partitions that are too small where these are merged.
	OtherPartition = "other"
)

// What becomes of a document whose identity another one has: words of TokenizeParams and
// SplitParams.
const (
	DuplicateDrop  = "drop"
	DuplicateKeep  = "keep"
	DuplicateError = "error"
)

// How the sequences of a training divide among its units.
const (
	SamplingEqual        = "equal"
	SamplingProportional = "proportional"
	SamplingRepeat       = "repeat"
	SamplingReplacement  = "replacement"
)

// Words of TrainParams.Start.
const (
	StartRandom = "random" // initial weights from the seed
	StartModel  = "model"  // weights of the input start, moments zero
	StartState  = "state"  // weights of the input start, moments and their age of the input moments
)

// ScorerSeq is the reference, which proxies are compared with. Where a study trains it from several
// seeds it is the mean over them, and each alone is a scorer too: the prefix and its number.
const (
	ScorerSeq       = "seq"
	ScorerReplicate = "seq@"
)
