// Package correlate is the kind that compares proxies with references: scores from loss tables, correlations with intervals, what each proxy
// decides, and what the sample of mixtures cannot support. Rank orders mixtures by a proxy with the same scores; Compare and Published set
// correlations beside those that the paper prints.
package correlate

import "ablate/stages/kind"

// Kind is the kind correlate.
var Kind = kind.Kind{Name: kind.Correlate, Run: correlate}
