package show

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"ablate/cmd/internal/study/mixing"
	"ablate/specs/words"
	"ablate/stages/mix"
)

// Mix prints a proposal beside what it is compared with: predictions first, then shares with passes.
func Mix(w io.Writer, p *mixing.Proposal) {
	Printf(w, "%s: law %s on %s of %s\n\n", p.From, p.Law, words.Counted(p.Runs, "mixture", "mixtures"), words.Counted(len(p.Sources), "source", "sources"))
	header := Row{"metric", "weight", "out of fold"}
	for _, m := range p.Mixtures {
		header = append(header, m.Name)
	}
	t := NewTable(header, 1)
	t.Names = []int{0}
	for i, l := range p.Metrics {
		row := Row{l.Name, digits3(l.Weight), correlation(l.OutOfFold)}
		for _, m := range p.Mixtures {
			row = append(row, Loss(m.Metrics[i].Value))
		}
		t.AppendRow(row)
	}
	t.AppendSeparator()
	for _, line := range []struct {
		name     string
		cell     func(m mix.Mixture) string
		relative bool // to the baseline, for which it says nothing
	}{
		{"goal", func(m mix.Mixture) string { return Loss(m.Goal.Value) }, false},
		{Percent(p.Level) + " interval", func(m mix.Mixture) string { return interval(m.Goal) }, false},
		{"less than " + p.Baseline + " by", func(m mix.Mixture) string { return signed(-m.Against.Value) }, true},
		{Percent(p.Level) + " interval of that", func(m mix.Mixture) string {
			return signed(-m.Against.High) + " to " + signed(-m.Against.Low)
		}, true},
		{"measured", func(m mix.Mixture) string { return known(m.Measured, Loss) }, false},
	} {
		row := Row{line.name, "", ""}
		if line.name == "goal" {
			row[2] = correlation(p.Goal.OutOfFold)
		}
		for _, m := range p.Mixtures {
			if cell := line.cell(m); m.Name == p.Baseline && line.relative {
				row = append(row, "")
			} else {
				row = append(row, cell)
			}
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(w, "%s\n", t.Render(w))
	shares(w, p)
	Printf(w, "\nPredictions are those of laws; intervals are over resamples of the mixtures, and say nothing of whether the law's form is right.\n")
}

// shares prints what each mixture is made of.
func shares(w io.Writer, p *mixing.Proposal) {
	header := Row{"source"}
	if p.Tokens != nil {
		header = append(header, "tokens")
	}
	passes := p.Mixtures[0].Passes != nil
	for _, m := range p.Mixtures {
		if header = append(header, m.Name); passes {
			header = append(header, "passes")
		}
	}
	t := NewTable(header, 1)
	t.Names = []int{0}
	for j, name := range p.Sources {
		row := Row{name}
		if p.Tokens != nil {
			row = append(row, Tokens(int64(p.Tokens[j])))
		}
		for _, m := range p.Mixtures {
			if row = append(row, m.Decimals[j]); passes {
				row = append(row, digits3(m.Passes[j]))
			}
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(w, "\n%s\n", t.Render(w))
	if passes {
		Printf(w, "\nPasses are over the tokens of a source in a training of %s tokens; more than %s are not proposed.\n", Tokens(int64(p.Target)), digits3(p.Most))
	}
}

// MixWarnings prints what keeps a proposal from being trusted.
func MixWarnings(w io.Writer, p *mixing.Proposal) {
	for _, text := range p.Warnings {
		Printf(w, "warning: %s\n", text)
	}
}

// digits3 writes a number with three significant digits.
func digits3(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }

func signed(v float64) string { return fmt.Sprintf("%+.4f", v) }

func interval(b mix.Band) string { return Loss(b.Low) + " to " + Loss(b.High) }

func known(v float64, write func(float64) string) string {
	if math.IsNaN(v) {
		return ""
	}
	return write(v)
}

// mixBand is a prediction in JSON.
type mixBand struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

func bandJSON(b mix.Band) mixBand { return mixBand{defined(b.Value), defined(b.Low), defined(b.High)} }

// mixMixture is a mixture in JSON. Shares are numbers with the decimals that make them sum to
// exactly 1.
type mixMixture struct {
	Name       string                 `json:"name"`
	Shares     map[string]json.Number `json:"shares"`
	Passes     map[string]float64     `json:"passes,omitempty"`
	Goal       mixBand                `json:"goal"`
	Difference mixBand                `json:"goal_less_baseline"`
	Measured   *float64               `json:"measured"`
	Metrics    map[string]mixBand     `json:"metrics"`
}

type mixLaw struct {
	Weight    float64  `json:"weight"`
	OutOfFold *float64 `json:"out_of_fold"`
}

// MixJSON prints a proposal as JSON.
func MixJSON(w io.Writer, p *mixing.Proposal) error {
	out := struct {
		From      string             `json:"from"`
		Law       string             `json:"law"`
		Mixtures  int                `json:"mixtures_fitted"`
		Level     float64            `json:"level"`
		KL        float64            `json:"kl"`
		OutOfFold *float64           `json:"out_of_fold"`
		Metrics   map[string]mixLaw  `json:"metrics"`
		Tokens    map[string]float64 `json:"tokens,omitempty"`
		Target    float64            `json:"target_tokens,omitempty"`
		Baseline  string             `json:"baseline"`
		Compared  []mixMixture       `json:"mixtures"`
		Warnings  []string           `json:"warnings"`
		Notes     []string           `json:"notes,omitempty"`
	}{p.From, p.Law, p.Runs, p.Level, p.KL, defined(p.Goal.OutOfFold), map[string]mixLaw{}, named(p.Sources, p.Tokens), p.Target, p.Baseline, nil, append([]string{}, p.Warnings...), p.Notes}
	for _, l := range p.Metrics {
		out.Metrics[l.Name] = mixLaw{l.Weight, defined(l.OutOfFold)}
	}
	for _, m := range p.Mixtures {
		x := mixMixture{m.Name, numbers(p.Sources, m.Decimals), named(p.Sources, m.Passes), bandJSON(m.Goal), bandJSON(m.Against), defined(m.Measured), map[string]mixBand{}}
		for i, l := range p.Metrics {
			x.Metrics[l.Name] = bandJSON(m.Metrics[i])
		}
		out.Compared = append(out.Compared, x)
	}
	return indented(w, out)
}

func indented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// named gives values their names; nil for none.
func named(names []string, values []float64) map[string]float64 {
	if values == nil {
		return nil
	}
	out := map[string]float64{}
	for i, name := range names {
		out[name] = values[i]
	}
	return out
}

func numbers(names, decimals []string) map[string]json.Number {
	out := map[string]json.Number{}
	for i, name := range names {
		out[name] = json.Number(decimals[i])
	}
	return out
}

// Trainers are the forms in which MixFor writes shares, by name.
func Trainers() []string {
	var out []string
	for _, t := range trainers {
		out = append(out, t.name)
	}
	return out
}

// MixFor writes the proposed shares for a trainer.
func MixFor(w io.Writer, p *mixing.Proposal, trainer string) error {
	for _, t := range trainers {
		if t.name == trainer {
			return t.write(w, mixFile{p.Sources, p.Mixtures[0]})
		}
	}
	return fmt.Errorf("--for %s: want one of %s", trainer, strings.Join(Trainers(), ", "))
}
