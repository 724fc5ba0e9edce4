package show

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"ablate/cmd/internal/study/ranking"
	"ablate/specs/ident"
	"ablate/specs/words"
	"ablate/stages/correlate"
	"ablate/stages/kind"
	"ablate/stages/runs"
)

// Ranking prints the first mixtures of a ranking and what the order rests on.
func Ranking(w io.Writer, k *ranking.Ranking, first int) error {
	level := Percent(k.Level)
	Printf(w, "%s on %s by %s: %d of %s possible mixtures scored\n\n", k.Study, k.On, k.Proxy, len(k.Ranked), k.AllPossible())
	several := len(k.Possible) > 1
	expected, trained := false, false
	top := k.Ranked[:min(first, len(k.Ranked))]
	for _, r := range top {
		expected, trained = expected || !math.IsNaN(r.Expected), trained || !math.IsNaN(r.Reference)
	}
	header := Row{"", "mixture", "proxy loss", "perplexity"}
	if expected {
		header = append(header, "expected loss", level+" interval")
	}
	if trained {
		header = append(header, "reference")
	}
	t := NewTable(header, 2)
	t.Names = []int{1}
	for i, r := range top {
		name := ident.Shown(r.Mixture)
		if several {
			name = r.Group + ": " + name
		}
		row := Row{i + 1, name, Loss(r.Loss), Loss(r.Perplexity)}
		if expected {
			interval := Loss(r.Low) + " to " + Loss(r.High)
			if r.Beyond {
				interval += " *"
			}
			row = append(row, Loss(r.Expected), interval)
		}
		if trained {
			row = append(row, Loss(r.Reference))
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(w, "%s\n", t.Render(w))
	for _, note := range rankingNotes(k, first) {
		Printf(w, "\n%s", note)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// rankingNotes say in sentences what the ranking rests on and what weakens it.
func rankingNotes(k *ranking.Ranking, first int) []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	for _, g := range k.Searched {
		add("%s allows %s mixtures: a greedy search chose which to score, and may have missed the best mixture (raise --most to score all)", g, k.Possible[g])
	}
	lines := map[string]correlate.RankLine{}
	for _, l := range k.Lines {
		lines[l.Group] = l
	}
	for _, g := range slices.Sorted(maps.Keys(k.Possible)) {
		l, ok := lines[g]
		switch {
		case !ok:
			add("%s: no reference model was trained, so that nothing but the proxy supports this order", g)
		case math.IsNaN(l.Slope):
			add("%s: %s too few to fit a line from proxy to reference", g, words.Counted(l.References, "reference is", "references are"))
		default:
			add("%s: expected losses follow a line fitted to %d references, r %.2f; its error is %s nats per token, and %s on references left out of the fit",
				g, l.References, l.Pearson, Loss(l.SD), Loss(l.Left))
			if l.References < 10 {
				add("%s: with fewer than ten references the interval itself is uncertain", g)
			}
			if l.Slope <= 0 {
				add("%s: reference scores do not rise with the proxy's: its order is not evidence", g)
			}
		}
	}
	if k.Untrained > 0 {
		add("%s not trained yet and took no part; `ablate run %s` trains them", words.Counted(k.Untrained, "reference model is", "reference models are"), k.Named)
	}
	if n := k.Alike(); n > 1 {
		add("the references cannot separate the first %d mixtures: their expected losses lie in the interval of the first mixture", n)
	}
	for _, r := range k.Ranked[:min(first, len(k.Ranked))] {
		if r.Beyond {
			add("*: the proxy's loss lies outside the range of the references, so the line extrapolates")
			break
		}
	}
	if k.On == kind.InDomain {
		add("in-domain: each mixture is scored on the text of its own partitions, so the order also depends on which text is easy to predict")
	}
	return notes
}

// rankedJSON is one mixture of `ablate rank --json`; what is not known is null.
type rankedJSON struct {
	Place      int      `json:"place"`
	Group      string   `json:"mixture_set"`
	Mixture    string   `json:"mixture"`
	Loss       *float64 `json:"proxy_loss"` // nats per token
	Perplexity *float64 `json:"proxy_perplexity"`
	Expected   *float64 `json:"expected_loss"`
	Low        *float64 `json:"expected_low"`
	High       *float64 `json:"expected_high"`
	Beyond     bool     `json:"beyond_references"`
	Reference  *float64 `json:"reference_loss"`
}

// lineJSON is the line from proxy to reference losses of one set of mixtures.
type lineJSON struct {
	Group      string   `json:"mixture_set"`
	References int      `json:"references"`
	Intercept  *float64 `json:"intercept"`
	Slope      *float64 `json:"slope"`
	SD         *float64 `json:"residual_sd"`
	Left       *float64 `json:"left_out_error"`
	Pearson    *float64 `json:"pearson"`
}

// RankingJSON prints the first mixtures of a ranking as JSON.
func RankingJSON(w io.Writer, k *ranking.Ranking, first int) error {
	out := struct {
		Study       string       `json:"study"`
		Set         string       `json:"eval_set"`
		Proxy       string       `json:"proxy"`
		Level       float64      `json:"level"`
		Possible    json.Number  `json:"mixtures_possible"`
		Scored      int          `json:"mixtures_scored"`
		Searched    []string     `json:"searched,omitempty"`
		Evaluations int          `json:"evaluations"`
		Ran         int          `json:"ran"`
		Lines       []lineJSON   `json:"lines"`
		Ranking     []rankedJSON `json:"ranking"`
		Notes       []string     `json:"notes"`
	}{
		Study: k.Study, Set: k.On, Proxy: k.Proxy, Level: k.Level,
		Possible: json.Number(k.AllPossible().String()), Scored: len(k.Ranked), Searched: k.Searched, Evaluations: k.Evaluations, Ran: k.Ran,
		Lines: []lineJSON{}, Ranking: []rankedJSON{}, Notes: rankingNotes(k, first),
	}
	for _, l := range k.Lines {
		out.Lines = append(out.Lines, lineJSON{l.Group, l.References, Known(l.Intercept), Known(l.Slope), Known(l.SD), Known(l.Left), Known(l.Pearson)})
	}
	for i, r := range k.Ranked[:min(first, len(k.Ranked))] {
		out.Ranking = append(out.Ranking, rankedJSON{
			i + 1, r.Group, r.Mixture, Known(r.Loss), Known(r.Perplexity), Known(r.Expected), Known(r.Low), Known(r.High), r.Beyond, Known(r.Reference),
		})
	}
	return JSON(w, out)
}

// fitMetric is a metric's fit in JSON. A number that is not defined is null.
type fitMetric struct {
	OutOfFold   *float64               `json:"out_of_fold"`
	Spearman    *float64               `json:"spearman"`
	Pearson     *float64               `json:"pearson"`
	Compared    int                    `json:"compared"`
	Predictions map[string]*float64    `json:"predictions"`
	Bands       map[string][2]*float64 `json:"bands,omitempty"`
	Held        map[string]*float64    `json:"out_of_fold_predictions"`
}

// FitJSON prints fits as JSON, with every prediction.
func FitJSON(w io.Writer, r *runs.Result) error {
	metrics := map[string]fitMetric{}
	for name, m := range r.Metrics {
		out := fitMetric{OutOfFold: defined(m.OutOfFold), Spearman: defined(m.Spearman), Pearson: defined(m.Pearson), Compared: m.Compared,
			Predictions: map[string]*float64{}, Held: map[string]*float64{}}
		for run, v := range m.Predictions {
			out.Predictions[run] = defined(v)
		}
		for run, v := range m.Held {
			out.Held[run] = defined(v)
		}
		for run, b := range m.Bands {
			if out.Bands == nil {
				out.Bands = map[string][2]*float64{}
			}
			out.Bands[run] = [2]*float64{defined(b.Low), defined(b.High)}
		}
		metrics[name] = out
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Law     string               `json:"law"`
		Runs    int                  `json:"runs"`
		Sources []string             `json:"sources"`
		Metrics map[string]fitMetric `json:"metrics"`
		Notes   []string             `json:"notes,omitempty"`
	}{r.Law, r.Runs, r.Sources, metrics, r.Notes})
}

// defined is nil for a number that is not defined.
func defined(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Fit prints a table of fits: how well each predicts runs that it was not fitted to, and with truth
// how well it predicts the scores that were compared.
func Fit(w io.Writer, r *runs.Result, predict, truth bool) {
	Printf(w, "%s on %s of %s\n\n", "law "+r.Law, words.Counted(r.Runs, "run", "runs"), words.Counted(len(r.Sources), "source", "sources"))
	header := Row{"metric", "out of fold"}
	if truth {
		header = append(header, "Spearman", "Pearson", "compared")
	}
	t := NewTable(header, 1)
	t.Names = []int{0}
	undefined := false
	for _, name := range slices.Sorted(maps.Keys(r.Metrics)) {
		m := r.Metrics[name]
		undefined = undefined || math.IsNaN(m.OutOfFold)
		row := Row{name, correlation(m.OutOfFold)}
		if truth {
			row = append(row, correlation(m.Spearman), correlation(m.Pearson), m.Compared)
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(w, "%s\n", t.Render(w))
	Printf(w, "\nOut of fold: the Spearman correlation between the scores of runs and predictions by laws that were fitted without these runs.\n")
	if undefined {
		Printf(w, "The value is missing if the law has as many parameters as there are runs, or if all scores or all predictions are equal.\n")
	}
	if predict && !truth {
		Printf(w, "--json prints the predictions, by metric and run.\n")
	}
}

func correlation(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}
