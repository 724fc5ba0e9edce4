package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"ablate/specs"
	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/optim"
)

// published are the presets of studies with the numbers of parameters that their authors give: of
// all, and of a part of them.
var published = []struct {
	preset    string
	all, part int64 // 0: not given
	less      int   // embeddings that part leaves out: 1, the input's; 2, the output's too
}{
	// paper/FACTS.md, model; the parallel block saves a norm a layer.
	{"paper-102m", 102_483_456, 0, 0},
	{"paper-278m", 278_398_976, 0, 0},
	{"paper-1b", 1_009_782_784, 0, 0},
	{"paper-102m-parallel", 102_483_456 - 12*2*768, 0, 0},
	{"paper-278m-parallel", 278_398_976 - 24*2*1024, 0, 0},
	{"paper-1b-parallel", 1_009_782_784 - 24*2*2048, 0, 0},
	// Model cards of EleutherAI's pythia-*; those of the two smallest give no numbers, these are of
	// the checkpoints.
	{"pythia-14m", 14_067_712, 1_189_888, 2},
	{"pythia-31m", 30_494_720, 4_739_072, 2},
	{"pythia-70m", 70_426_624, 18_915_328, 2},
	{"pythia-160m", 162_322_944, 85_056_000, 2},
	{"pythia-410m", 405_334_016, 302_311_424, 2},
	{"pythia-1b", 1_011_781_632, 805_736_448, 2},
	{"pythia-1.4b", 1_414_647_808, 1_208_602_624, 2},
	{"pythia-2.8b", 2_775_208_960, 2_517_652_480, 2},
	// DataDecide's code for scaling laws; its published tables round them (arXiv:2504.11393, table
	// 2).
	{"datadecide-4m", 0, 3_744_832, 1},
	{"datadecide-20m", 0, 19_101_888, 1},
	{"datadecide-60m", 0, 57_078_144, 1},
	{"datadecide-90m", 0, 97_946_640, 1},
	{"datadecide-150m", 190_532_352, 151_898_880, 1},
	{"datadecide-300m", 371_491_840, 319_980_544, 1},
	{"datadecide-530m", 597_683_520, 530_074_944, 1},
	{"datadecide-750m", 758_564_352, 681_297_408, 1},
	{"datadecide-1b", 1_279_854_592, 1_176_832_000, 1},
	// llama2.c gives 15M, 42M and 110M; these are added up from its model.py.
	{"stories-15m", 32000*288 + 6*(4*288*288+3*288*768+2*288) + 288, 0, 0},
	{"stories-42m", 32000*512 + 8*(4*512*512+3*512*1376+2*512) + 512, 0, 0},
	{"stories-110m", 32000*768 + 12*(4*768*768+3*768*2048+2*768) + 768, 0, 0},
	{"llama-7b", 6_738_415_616, 0, 0},
	// Ours, with a vocabulary of 2048.
	{"tiny", 98_624 + 2048*64, 98_624, 1},
	{"small", 3_148_032 + 2048*256, 3_148_032, 1},
}

// preset is the model of a study that says no more than the preset's name.
func preset(t *testing.T, name string) arch.Model {
	t.Helper()
	s, err := specs.Parse(name, fmt.Appendf(nil, `
ablate: 1
study: presets
corpora: {c: {files: c.jsonl, metadata: {part: part}}}
tokenizer: {train: {vocab: 2048, on: c}}
partitions: {parts: {corpus: c, by: part, unit: {tokens: 1M}}}
model: {preset: %s}
train: {tokens_per_unit: 1M, batch: 32Ki}
mixtures: {pairs: {choose: 2}}
`, name), ".")
	if err != nil {
		t.Fatal(err)
	}
	return s.Model.WithVocab(2048)
}

func TestParametersOfPresets(t *testing.T) {
	for _, c := range published {
		m := preset(t, c.preset)
		if err := m.Validate(); err != nil {
			t.Errorf("%s: %v", c.preset, err)
		}
		got, embedding := m.Parameters()
		if c.all != 0 && got != c.all {
			t.Errorf("%s: %d parameters, published %d", c.preset, got, c.all)
		}
		if part := got - int64(c.less*m.Vocab*m.DModel); c.part != 0 && part != c.part {
			t.Errorf("%s: %d parameters without %d embeddings, published %d", c.preset, part, c.less, c.part)
		}
		want := int64(m.Vocab * m.DModel)
		if !m.TiedHead {
			want *= 2
		}
		if embedding != want {
			t.Errorf("%s: %d parameters of embedding and head, want %d", c.preset, embedding, want)
		}
	}
}

// scaledDown are the presets with all of their words but sizes that a test can bear; presets that
// differ in size alone are one.
func scaledDown(t *testing.T) map[string]arch.Model {
	all := map[string]arch.Model{}
	var seen []arch.Model
	for _, c := range published {
		cfg := preset(t, c.preset)
		cfg.MLPHidden = (cfg.MLPHidden*16/cfg.DModel + 1) / 2 * 2
		cfg.Vocab, cfg.DModel, cfg.Heads, cfg.Layers, cfg.Context = 13, 16, 2, 2, 8
		if err := cfg.Validate(); err != nil {
			t.Fatalf("%s: %v", c.preset, err)
		}
		if !slices.Contains(seen, cfg) {
			seen, all[c.preset] = append(seen, cfg), cfg
		}
	}
	if len(all) < 7 {
		t.Errorf("%d different presets, want at least one of each family", len(all))
	}
	return all
}

// The losses and the whole gradient of every preset, against the reference in float64; and the
// reference's gradient against difference quotients of its own losses.
func TestPresetsAgainstReference(t *testing.T) {
	for name, cfg := range scaledDown(t) {
		t.Run(name, func(t *testing.T) {
			compare(t, cfg, 2, 5, 0.3)
			differences(t, cfg)
		})
	}
}

// A new model knows nothing, and says so: its mean loss is that of equal probabilities. And it
// learns: 30 steps on one batch leave less than half.
func TestPresetsBegin(t *testing.T) {
	for name, cfg := range scaledDown(t) {
		cfg.Vocab, cfg.DModel, cfg.MLPHidden = 301, 64, 4*cfg.MLPHidden
		e := opened(t, cfg, 1)
		if err := lm.Init(e, 1); err != nil {
			t.Fatal(err)
		}
		inputs, targets := tokens(1, 28, cfg.Vocab)
		for i := range targets {
			targets[i] = max(0, targets[i]) // none is ignored
		}
		var first, last float64
		for step := range 30 {
			loss, err := e.Accumulate(inputs, targets, 4, 7, 1.0/28)
			if err != nil {
				t.Fatal(err)
			}
			if last = loss / 28; step == 0 {
				first = last
			}
			if _, err := e.Step(optim.Step{AdamW: adamw, LR: 0.01, Number: step + 1}); err != nil {
				t.Fatal(err)
			}
		}
		if uniform := math.Log(301); math.Abs(first-uniform) > 0.05 || last > uniform/2 {
			t.Errorf("%s: loss %.3f at first, %.3f after 30 steps, want %.3f within 0.05 and less than half of it", name, first, last, uniform)
		}
	}
}
