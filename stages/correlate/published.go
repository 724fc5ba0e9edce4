package correlate

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"ablate/stages/kind"
)

// published.csv holds the correlations that Na et al. (2024), "Scalable Data Ablation
// Approximations for Language Models through Modular Training and Merging", print: a line for each
// study of theirs that ships with the program, evaluation set and proxy, with the table or figure
// it stands in. Where every partition is one unit, merged, macro and micro are one model, the
// paper's MERGED. Its out-of-domain value is the correlation of scores that are means over the nine
// sets, not a mean of correlations. Table 3 is a picture and is not here.
//
//go:embed published.csv
var publishedCSV string

// publishedKey is where a published value belongs.
type publishedKey struct{ study, set, proxy string }

// PublishedValue is a correlation that the paper prints, and the table or figure it stands in.
type PublishedValue struct {
	Pearson float64
	Source  string
}

var publishedValues = sync.OnceValue(func() map[publishedKey]PublishedValue {
	values, err := readPublished(publishedCSV)
	if err != nil {
		panic("internal error: published.csv: " + err.Error()) // a test reads it
	}
	return values
})

func readPublished(text string) (map[publishedKey]PublishedValue, error) {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	out := map[publishedKey]PublishedValue{}
	for i, l := range lines[1:] {
		v, err := strconv.ParseFloat(l[3], 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		k := publishedKey{l[0], l[1], l[2]}
		if _, twice := out[k]; twice || math.Abs(v) > 1 || l[4] == "" {
			return nil, fmt.Errorf("line %d: %v twice, beyond 1 or without a source", i+2, l)
		}
		out[k] = PublishedValue{v, l[4]}
	}
	return out, nil
}

// miniature ends the name of a study's miniature, as package specs makes it. What is published of
// the study stands beside it, too.
const miniature = ".mini"

// IsMiniature reports whether what is published of the study is of the study at its own size.
func IsMiniature(study string) bool { return strings.HasSuffix(study, miniature) }

// PublishedIn reports whether anything is published of a study.
func PublishedIn(study string) bool {
	study = strings.TrimSuffix(study, miniature)
	for k := range publishedValues() {
		if k.study == study {
			return true
		}
	}
	return false
}

// Published looks a value up; NaN: there is none. The paper's scores are all perplexities, so that
// there is none by another metric.
func Published(metric kind.Metric, study, set, proxy string) PublishedValue {
	v, ok := publishedValues()[publishedKey{strings.TrimSuffix(study, miniature), set, proxy}]
	if !ok || !metric.IsDefault() {
		return PublishedValue{Pearson: math.NaN()}
	}
	return v
}
