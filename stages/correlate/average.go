package correlate

import (
	"slices"

	"ablate/stages/kind"
	"ablate/stages/tables"
)

// SetsAveraged are the sets that the average is over: all but the in-domain one, which is another text for each mixture. None where there is one
// set, or a set that has the average's name.
func SetsAveraged(sets []string) []string {
	over := slices.DeleteFunc(slices.Clone(sets), func(set string) bool { return set == kind.InDomain })
	if len(over) < 2 || slices.Contains(over, kind.Average) {
		return nil
	}
	return over
}

// Averages are the scores on all sets together, as the paper averages over those of Paloma: the mean of their perplexities, each set counting as
// much. A scorer that has no score on one of the sets has no average.
func Averages(scores []tables.ScoreRow, over []string) []tables.ScoreRow {
	type scorer struct{ group, mixture, name string }
	at, sets := map[scorer]int{}, map[scorer]int{}
	var out []tables.ScoreRow
	for _, s := range scores {
		if !slices.Contains(over, s.Set) {
			continue
		}
		k := scorer{s.Group, s.Mixture, s.Scorer}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, tables.ScoreRow{Group: s.Group, Mixture: s.Mixture, Scorer: s.Scorer, Set: kind.Average})
		}
		sets[k]++
		a, share := &out[i], 1/float64(len(over))
		a.Perplexity += float64(share * s.Perplexity)
		a.Loss += float64(share * s.Loss)
		a.BitsPerByte += float64(share * s.BitsPerByte)
		a.Documents += s.Documents
		a.Tokens += s.Tokens
	}
	return slices.DeleteFunc(out, func(a tables.ScoreRow) bool { return sets[scorer{a.Group, a.Mixture, a.Scorer}] < len(over) })
}
