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

	"ablate/stages/mix"
)

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
