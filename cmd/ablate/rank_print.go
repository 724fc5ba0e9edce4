package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"slices"

	"ablate/cmd/internal/show"
	"ablate/pipeline"
	"ablate/specs/words"
	"ablate/stages/correlate"
)

// print shows the best mixtures and what the order rests on.
func (k *ranking) print(w io.Writer) error {
	level := show.Percent(float64(k.p.Study.Correlate.Level))
	show.Printf(w, "%s on %s by %s: %d of %s possible mixtures scored\n\n", k.p.Study.Name, k.On, k.Proxy, len(k.ranked), k.allPossible())
	several := len(k.possible) > 1
	expected, trained := false, false
	top := k.ranked[:min(k.Top, len(k.ranked))]
	for _, r := range top {
		expected, trained = expected || !math.IsNaN(r.Expected), trained || !math.IsNaN(r.Reference)
	}
	header := show.Row{"", "mixture", "proxy loss", "perplexity"}
	if expected {
		header = append(header, "expected loss", level+" interval")
	}
	if trained {
		header = append(header, "reference")
	}
	t := show.NewTable(header, 2)
	t.Names = []int{1}
	for i, r := range top {
		name := r.Mixture
		if several {
			name = r.Group + ": " + name
		}
		row := show.Row{i + 1, name, show.Loss(r.Loss), show.Loss(r.Perplexity)}
		if expected {
			interval := show.Loss(r.Low) + " to " + show.Loss(r.High)
			if r.Beyond {
				interval += " *"
			}
			row = append(row, show.Loss(r.Expected), interval)
		}
		if trained {
			row = append(row, show.Loss(r.Reference))
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(w, "%s\n", t.Render(w))
	for _, note := range k.notes() {
		show.Printf(w, "\n%s", note)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// notes say in sentences what the ranking rests on and what weakens it.
func (k *ranking) notes() []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	for _, g := range k.searched {
		add("%s allows %s mixtures: a greedy search scored those it came to, and the best may be another (--most)", g, k.possible[g])
	}
	lines := map[string]correlate.RankLine{}
	for _, l := range k.lines {
		lines[l.Group] = l
	}
	for _, g := range slices.Sorted(maps.Keys(k.possible)) {
		l, ok := lines[g]
		switch {
		case !ok:
			add("%s: no reference models, so the proxy's order is all there is", g)
		case math.IsNaN(l.Slope):
			add("%s: %s too few for a line from proxy to reference", g, words.Counted(l.References, "reference is", "references are"))
		default:
			add("%s: losses are expected by the line through %d references, r %.2f; it misses by %s nats per token, and by %s those it was fitted without",
				g, l.References, l.Pearson, show.Loss(l.SD), show.Loss(l.Left))
			if l.References < 10 {
				add("%s: with fewer than ten references the interval itself is uncertain", g)
			}
			if l.Slope <= 0 {
				add("%s: the references do not rise with the proxy: its order is no evidence", g)
			}
		}
	}
	if k.untrained > 0 {
		add("%s not trained yet and took no part; `ablate run %s` trains them", words.Counted(k.untrained, "reference model is", "reference models are"), k.Study)
	}
	if n := k.alike(); n > 1 {
		add("the references cannot tell the first %d apart: their expected losses lie in the interval of the first", n)
	}
	for _, r := range k.ranked[:min(k.Top, len(k.ranked))] {
		if r.Beyond {
			add("*: the proxy's loss lies outside those of the references; the line is a guess there")
			break
		}
	}
	if k.On == pipeline.InDomain {
		add("in-domain: each mixture is scored on its own partitions' text, so that the order also says which text is easy")
	}
	return notes
}

// alike counts the mixtures whose expected losses lie in the interval of the first.
func (k *ranking) alike() int {
	if len(k.ranked) == 0 || math.IsNaN(k.ranked[0].High) {
		return 0
	}
	n := 0
	for _, r := range k.ranked {
		if r.Expected <= k.ranked[0].High {
			n++
		}
	}
	return n
}

func (k *ranking) allPossible() *big.Int {
	sum := new(big.Int)
	for _, n := range k.possible {
		sum.Add(sum, n)
	}
	return sum
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

func (k *ranking) printJSON(w io.Writer) error {
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
		Study: k.p.Study.Name, Set: k.On, Proxy: k.Proxy, Level: float64(k.p.Study.Correlate.Level),
		Possible: json.Number(k.allPossible().String()), Scored: len(k.ranked), Searched: k.searched, Evaluations: len(k.evaluations), Ran: k.ran,
		Lines: []lineJSON{}, Ranking: []rankedJSON{}, Notes: k.notes(),
	}
	for _, l := range k.lines {
		out.Lines = append(out.Lines, lineJSON{l.Group, l.References, show.Known(l.Intercept), show.Known(l.Slope), show.Known(l.SD), show.Known(l.Left), show.Known(l.Pearson)})
	}
	for i, r := range k.ranked[:min(k.Top, len(k.ranked))] {
		out.Ranking = append(out.Ranking, rankedJSON{
			i + 1, r.Group, r.Mixture, show.Known(r.Loss), show.Known(r.Perplexity), show.Known(r.Expected), show.Known(r.Low), show.Known(r.High), r.Beyond, show.Known(r.Reference),
		})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
