package page

import (
	"slices"

	"ablate/stages/kind"
)

// words explains what the page says, general words first and then the proxies that appear in it.
func words(d Data) []Fact {
	redraws := "most resamples"
	if d.Level > 0 {
		redraws = level(d.Level) + " of resamples"
	}
	out := []Fact{
		{"mixture", "partitions or units to train on together: one candidate answer."},
		{"partition", "a part of a corpus by topic, source or time, made of one or more base units."},
		{"unit", "an equal-sized piece of a partition. One model is trained on each unit, starting from a copy of the seed model. Mixtures share these models."},
		{"proxy", "a score that stands in for training on a mixture, from models already trained on its units."},
		{"reference", "a model trained on the whole mixture, the slow way (SEQ). Its scores are what a proxy tries to predict."},
		{"perplexity", "how many equally likely next tokens the model hesitates between, on average. Lower is better. It compares mixtures on one eval set, never one eval set with another. Where a score is of several models or of several domains, it is the mean of their perplexities, which is not the exponential of the loss beside it."},
		{"loss", "the logarithm of one model’s perplexity on one domain, in nats per token, or the mean of such logarithms."},
		{"eval set", "text to evaluate on. In-domain: held out from the mixture’s own partitions. Out-of-domain: anything else."},
		{"r", "Pearson’s correlation: 1 if proxy and reference scores lie on one rising line, 0 if they are unrelated. Spearman’s and Kendall’s ask only whether both put the mixtures in the same order."},
		{"interval", "where the correlation falls in " + redraws + " of the mixtures (percentile bootstrap). It is too narrow when there are few mixtures."},
		{"regret", "what the proxy’s choice costs: its reference score less the best mixture’s."},
		{"pairs in order", "the share of pairs of mixtures of which the proxy names the better one. A coin gets 50%."},
	}
	for _, m := range d.metrics() {
		if m.Name != kind.Perplexity.Name && m.Name != kind.Loss.Name {
			out = append(out, explained(m))
		}
	}
	for _, p := range []Fact{
		{"mean_ind", "proxy: the mean of the scores of the mixture’s unit models, each scored alone. Every unit weighs the same, so that a partition of three units weighs three times as much as one of one."},
		{"ind_id", "proxy: the mean of the scores of the mixture’s unit models, each only on the held-out text of its own partition. Every partition weighs the same, however many units it has."},
		{"merged", "proxy: the score of one model whose parameters are the mean of the partitions’ models."},
		{"macro", "proxy: the score of a merge that is a mean per partition first, then over partitions: every partition weighs the same."},
		{"micro", "proxy: the score of a merge that is one mean over all units: every unit weighs the same."},
		{"weighted", "proxy: the score of a merge with the study’s own weights."},
		{"mixmin", "proxy: the score of a mixture of the probabilities that the mixture’s unit models give to each document; every partition weighs the same. It takes no evaluation beyond those of the unit models."},
		{"mean_merged", "proxy: the mean of the scores of the partitions’ merges, each of the unit models of one partition."},
		{"merged_id", "proxy: the same, but each only on the held-out text of its own partition."},
		{"mean_seq", "proxy: the mean of the scores of the partitions’ models, each trained on one whole partition."},
		{"seq_id", "proxy: the same, but each only on the held-out text of its own partition."},
		{"small_seq", "proxy: the score of a model trained on the whole mixture, of the proxies’ size where the references are of another."},
	} {
		if slices.ContainsFunc(d.Correlations, func(c Correlation) bool { return c.Proxy == p.Name }) ||
			slices.ContainsFunc(d.Choices, func(c Choice) bool { return c.Proxy == p.Name }) {
			out = append(out, p)
		}
	}
	return out
}
