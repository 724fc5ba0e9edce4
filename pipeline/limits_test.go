package pipeline

import (
	"strings"
	"testing"
)

// What a step would refuse is refused by Compile, at the line of the study.
func TestCompileRefusesWhatStepsWould(t *testing.T) {
	const context = "context: 32"
	file := []string{"tokenizer: {train: {vocab: 320, on: seed}}", "tokenizer: {file: tokenizer.json}"}
	for _, c := range []struct {
		name    string
		replace []string
		change  func(*Sources)
		want    string // "" where the study compiles
	}{
		{"rows as many as ids", append(file, context, context+", vocab: 400"), func(s *Sources) { s.Tokenizer, s.Vocab, s.EOS = &File{Name: "tokenizer.json"}, 400, 399 }, ""},
		{"fewer rows than ids", append(file, context, context+", vocab: 399"), func(s *Sources) { s.Tokenizer, s.Vocab, s.EOS = &File{Name: "tokenizer.json"}, 400, 399 },
			"study.yaml:12:63: model.vocab: 399 rows are fewer than the 400 ids of tokenizer.file"},
		{"a preset's rows grow", append(file, "model: {d_model: 16, layers: 1, heads: 2, "+context, "model: {preset: pythia-14m, d_model: 16, layers: 1, heads: 1, "+context),
			func(s *Sources) { s.Tokenizer, s.Vocab, s.EOS = &File{Name: "tokenizer.json"}, 60000, 59999 }, ""},
		{"fewer rows of references", append(file, "reference: {seq: pairs}", "reference: {seq: pairs, model: {vocab: 10}, train: {tokens_per_unit: 8192}, seed_model: {on: seed, tokens: 8192}}"),
			func(s *Sources) { s.Tokenizer, s.Vocab, s.EOS = &File{Name: "tokenizer.json"}, 400, 399 }, "reference.model.vocab: 10 rows are fewer than the 400 ids of tokenizer.file"},
		{"units of one sequence", nil, sizes(33), ""},
		{"a unit short of its last target", nil, sizes(32),
			"study.yaml:9:64: partitions.parts.unit.tokens: unit beta (32 tokens) has fewer than the 33 tokens that one sequence (model.context) and its last target need"},
		{"a unit short for the references' context", []string{"reference: {seq: pairs}", "reference: {seq: pairs, model: {preset: tiny, context: 64}, train: {tokens_per_unit: 8192}, seed_model: {on: seed, tokens: 8192}}"},
			sizes(33), "unit beta (33 tokens) has fewer than the 65 tokens that one sequence (reference.model.context)"},
		{"units of two partitions", []string{"alpha: 2, beta: 1", "alpha: 65536, beta: 1", "reference: {seq: pairs}", "reference: {seq: pairs}\nproxies: [micro]"}, nil,
			"mixtures.pairs: mixture alpha+beta has 65537 units, and a model is trained on 65536 at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parsed(t, c.replace...)
			src := sources()
			if c.change != nil {
				c.change(&src)
			}
			_, err := Compile(s, src, nil)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// sizes are of units of the test's study that are long, but for one.
func sizes(beta int64) func(*Sources) {
	return func(s *Sources) {
		s.Sizes = UnitSizes{"parts": {"alpha": {5000, 5000}, "beta": {beta}, "gamma": {5000}}}
	}
}
