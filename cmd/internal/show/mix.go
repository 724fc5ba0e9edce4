package show

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"

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

// mixFile is the shares to write, by the names of the sources.
type mixFile struct {
	sources []string
	mixture mix.Mixture
}

// trainers are the forms of files of shares. Each says beside the shares what the trainer makes of
// them, where a comment can stand.
var trainers = []struct {
	name  string
	write func(io.Writer, mixFile) error
}{
	{"olmo-core", olmoCore}, {"megatron", megatron}, {"nanotron", nanotron}, {"torchtitan", torchtitan}, {"levanter", levanter},
	{"olmix", olmix}, {"json", sharesJSON}, {"csv", sharesCSV},
}

// lines writes what each source makes, with the source's passes.
func (m mixFile) lines(w io.Writer, line func(name, share, passes string) string) error {
	var b strings.Builder
	for i, name := range m.sources {
		b.WriteString(line(name, m.mixture.Decimals[i], m.passes(i)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// passes is a comment; empty where they are unknown.
func (m mixFile) passes(i int) string {
	if m.mixture.Passes == nil {
		return ""
	}
	return "  # " + digits3(m.mixture.Passes[i]) + " passes"
}

// quotedYAML is a text as YAML and Python both read it.
func quotedYAML(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("internal error: %q: %v", text, err))
	}
	return string(b)
}

// olmoCore writes a SourceMixtureList of OLMo-core, src/olmo_core/data/source_mixture.py, which
// wants ratios above 0 that sum to 1, and stops where a source has too few tokens unless
// max_repetition_ratio allows as many passes.
func olmoCore(w io.Writer, m mixFile) error {
	if _, err := io.WriteString(w, "# Sources of an OLMo-core SourceMixtureList. Fill in the paths: empty ones are refused.\n"+
		"# A source is repeated max_repetition_ratio times at most, and too few tokens are an error. Sources of share 0 are left out: OLMo-core refuses them.\nsources:\n"); err != nil {
		return err
	}
	return m.each(w, func(i int, name, share string) string {
		if m.mixture.Shares[i] == 0 {
			return ""
		}
		text := fmt.Sprintf("  - source_name: %s\n    target_ratio: %s%s\n", quotedYAML(name), share, m.passes(i))
		if p := m.mixture.Passes; p != nil && p[i] > 1 {
			text += "    max_repetition_ratio: " + strconv.FormatFloat(math.Ceil(p[i]*100)/100, 'f', -1, 64) + "\n"
		}
		return text + "    paths: []\n"
	})
}

func (m mixFile) each(w io.Writer, line func(i int, name, share string) string) error {
	var b strings.Builder
	for i, name := range m.sources {
		b.WriteString(line(i, name, m.mixture.Decimals[i]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// megatron writes a file for --data-args-path: pairs of a weight and a prefix. The file has no
// comments and no quotes, so that a name with white space cannot stand in it.
func megatron(w io.Writer, m mixFile) error {
	for _, name := range m.sources {
		if strings.ContainsFunc(name, unicode.IsSpace) || name == "" {
			return fmt.Errorf("--for megatron: source %q has white space in its name, at which Megatron would part it: write --for json, and the pairs by hand", name)
		}
	}
	return m.each(w, func(i int, name, share string) string {
		if m.mixture.Shares[i] == 0 {
			return "" // a weight of 0 is an error there
		}
		return share + " " + name + "\n"
	})
}

// nanotron writes the data of a stage, whose dataset_folder may be a map from folder to weight.
func nanotron(w io.Writer, m mixFile) error {
	if _, err := io.WriteString(w, "# The dataset of a data stage of nanotron (Nanoset). Put the folder of each source in the place of its name.\n"+
		"# Weights are made to sum to 1, and an exhausted source begins again.\ndataset:\n  dataset_folder:\n"); err != nil {
		return err
	}
	return m.lines(w, func(name, share, passes string) string {
		return "    " + quotedYAML(name) + ": " + share + passes + "\n"
	})
}

// torchtitan writes weights by name in Python, which its configurations are.
func torchtitan(w io.Writer, m mixFile) error {
	if _, err := io.WriteString(w, "# Sampling weights of torchtitan's interleaved sources. Give each source the weight under its name.\n"+
		"# A source is drawn in proportion to its weight; whether an exhausted one begins again is set there (infinite, stopping_strategy).\nweights = {\n"); err != nil {
		return err
	}
	if err := m.lines(w, func(name, share, passes string) string {
		return "    " + quotedYAML(name) + ": " + share + "," + passes + "\n"
	}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "}\n")
	return err
}

// levanter writes train_weights of a mixture, by name.
func levanter(w io.Writer, m mixFile) error {
	if _, err := io.WriteString(w, "# Weights of a mixture of levanter, by the names of its data sets. They are made to sum to 1.\n"+
		"# stop_strategy says what becomes of an exhausted source: restart, the default there, begins it again.\ndata:\n  train_weights:\n"); err != nil {
		return err
	}
	return m.lines(w, func(name, share, passes string) string {
		return "    " + quotedYAML(name) + ": " + share + passes + "\n"
	})
}

// olmix writes ratios.csv with one run.
func olmix(w io.Writer, m mixFile) error {
	return rows(w, append([]string{"run", "name", "index"}, m.sources...), append([]string{m.mixture.Name, m.mixture.Name, "0"}, m.mixture.Decimals...))
}

// sharesJSON writes {name: share}.
func sharesJSON(w io.Writer, m mixFile) error {
	return indented(w, numbers(m.sources, m.mixture.Decimals))
}

// sharesCSV writes a source a row, with its passes where they are known.
func sharesCSV(w io.Writer, m mixFile) error {
	all := [][]string{{"source", "share", "passes"}}
	for i, name := range m.sources {
		passes := ""
		if m.mixture.Passes != nil {
			passes = strconv.FormatFloat(m.mixture.Passes[i], 'g', -1, 64)
		}
		all = append(all, []string{name, m.mixture.Decimals[i], passes})
	}
	return rows(w, all...)
}

func rows(w io.Writer, rows ...[]string) error {
	c := csv.NewWriter(w)
	return c.WriteAll(rows)
}
