package pipeline

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// A plan that nobody can hold is refused before it is made, at the key that bounds it. The
// catalogue is known only once the corpus has been split, so that specs could not refuse the study.
func TestPlansAreBounded(t *testing.T) {
	undeclared := []string{", units: {alpha: 2, beta: 1, gamma: 1}", ""}
	wide := map[string]int{}
	for i := range 2000 {
		wide[fmt.Sprint("p", i)] = 3
	}
	for _, tt := range []struct {
		name    string
		found   map[string]int
		replace []string
		want    string
	}{
		{"all of too many", wide, []string{"choose: 2", "choose: 10"}, "mixtures.pairs.choose: this selects 275,898,785,946,005,613,288,829,800 mixtures"},
		{"all pairs of many", wide, nil, "mixtures.pairs.choose: this selects 1,999,000 mixtures"},
		{"a sample of large mixtures", wide, []string{"choose: 2", "choose: 1000, sample: 90000"}, "mixtures.pairs: the plan would have up to"},
		{"units", map[string]int{"alpha": 1_000_000, "beta": 1}, nil, "partitions.parts.units: the plan would have up to 1,000,001 steps"},
		{"replicates", map[string]int{"alpha": 1000, "beta": 1}, []string{"tokens_per_unit: 2000", "tokens_per_unit: 2000, replicates: 1000"}, "mixtures.pairs: the plan would have up to 6,015,004 steps"},
		{"thousands of units are allowed", map[string]int{"alpha": 10_000, "beta": 1}, []string{"choose: 2", "choose: 3, of: units, sample: 5"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(parsed(t, append(undeclared, tt.replace...)...), sources(), Catalogue{"parts": tt.found})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "study.yaml:")):
				t.Errorf("got %v, want study.yaml:line:column and %q", err, tt.want)
			}
		})
	}
}

// What is reckoned beforehand is never less than what the plan then holds.
func TestBoundIsAbove(t *testing.T) {
	for _, replace := range [][]string{
		nil,
		{"pairs: {choose: 2}", "pairs: {choose: 3, of: units}"},
		{"pairs: {choose: 2}", "pairs: {choose: 4, of: units, repeat: true}"},
		{"pairs: {choose: 2}", "pairs: {list: [[alpha], [alpha, beta], [alpha, beta, gamma]]}"},
		{"reference: {seq: pairs}", "reference: {seq: pairs, replicates: 3}\nproxies: [micro, macro, merged, weighted, mean_ind, ind_id, mean_merged, merged_id, mean_seq, seq_id]"},
		{"tokens_per_unit: 2000", "tokens_per_unit: 2000, replicates: 4"},
		{"pairs: {choose: 2}", "pairs: {choose: 2}\n  more: {choose: 1, fix: [alpha]}"},
	} {
		p := compiled(t, parsed(t, replace...))
		steps, inputs := int64(0), int64(0)
		for _, s := range p.Steps {
			switch head, _, _ := strings.Cut(s.ID, "/"); head {
			case "unit", "seq", "eval", "small": // components' own models are a few beside these
				steps++
				inputs += int64(len(s.Inputs))
			}
		}
		if p.atMost.steps.Cmp(big.NewInt(steps)) < 0 || p.atMost.inputs.Cmp(big.NewInt(inputs)) < 0 {
			t.Errorf("%q: at most %s steps with %s inputs were reckoned, %d with %d are there", replace, p.atMost.steps, p.atMost.inputs, steps, inputs)
		}
	}
}
