package page

// Decision is how well one proxy decides over all out-of-domain eval sets (the paper's appendix
// A.5).
type Decision struct {
	Proxy            string // and its set of mixtures, where there are several
	Sets, Mixtures   int    // eval sets compared, and mixtures to choose from
	Right, Top3      int    // sets on which its choice is the best; on which the best is among its first three
	MedianRank       float64
	WorstRank        int     // of its choices by reference
	PairwiseAccuracy float64 // mean over sets
	RegretShare      float64 // mean over sets of its regret, 1 being that of choosing at random; NaN: unknown
}

// Limit is a claim that the sample of mixtures cannot support. Proxy is empty where it holds of
// all.
type Limit struct{ Set, Proxy, Code, Message string }
