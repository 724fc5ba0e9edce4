package specs

import (
	"fmt"
	"slices"
	"strings"

	"ablate/specs/arch"
)

// models checks the study's model, and that of the references where it is another.
func (c *checker) models() {
	c.model(c.s.Model, "model")
	if c.s.Reference.Model != nil {
		c.model(*c.s.Reference.Model, "reference", "model")
	}
}

func (c *checker) model(m Model, section ...string) {
	path := func(key string) []string { return under(section, key) }
	origin := func(key string, value any) string { return c.origin(m, section, key, value) }
	for _, x := range m.Contradictions(origin) {
		c.contradiction(x, path)
	}
	// An engine could compute it. RMSNorm is defined without a bias (arXiv:1910.07467), so a study
	// that asks for one is taken to be mistaken.
	if c.ok(path("norm"), path("norm_bias")) && m.Norm == arch.RMSNorm && m.NormBias {
		c.fail(path("norm_bias"), "%s has no bias", origin("norm", m.Norm))
	}
	if c.ok(path("mlp_hidden"), path("d_model")) && !c.given(path("mlp_hidden")...) && m.MLPHidden > arch.MaxWidth {
		c.fail(path("d_model"), "%s makes mlp_hidden %d, in the ratio of preset %s, and at most %d is supported; give mlp_hidden", origin("d_model", m.DModel), m.MLPHidden, m.Preset, arch.MaxWidth)
	}
	vocab := at("tokenizer", "train", "vocab")
	if t := c.s.Tokenizer.Train; t != nil && c.ok(path("vocab"), vocab) && m.Vocab > 0 && m.Vocab < t.Vocab {
		c.fail(path("vocab"), "%d rows are fewer than the %d ids of tokenizer.train.vocab", m.Vocab, t.Vocab)
	}
}

// contradiction notes one at the value that a person would change: the first that the file holds.
// It is left out where one of the values could not be read.
func (c *checker) contradiction(x arch.Contradiction, path func(key string) []string) {
	key := x.Keys[len(x.Keys)-1]
	for i, k := range slices.Backward(x.Keys) {
		if !c.ok(path(k)) {
			return
		}
		if c.given(path(k)...) {
			key = x.Keys[i]
		}
	}
	c.fail(path(key), "%s", x.Text)
}

// origin names a value of the model, and the preset where that gave it: people do not see those
// values in their file.
func (c *checker) origin(m Model, section []string, key string, value any) string {
	if share, ok := value.(Fraction); ok {
		value = percent(share)
	}
	if c.given(under(section, key)...) {
		return fmt.Sprintf("%s %v", key, value)
	}
	return fmt.Sprintf("%s %v (of preset %s)", key, value, m.Preset)
}

// length is what a training's keys say about its steps and rates.
type length struct {
	model     []string // section of the model that is trained
	section   []string
	tokensKey string
	tokens    Count
	batch     Count
	lr, final float64
	schedule  string
}

func (c *checker) training() {
	c.trainings(at("model"), &c.s.Train, c.s.SeedModel)
	r := c.s.Reference
	if r.Model == nil {
		for _, key := range []string{"seed_model", "train"} {
			if here := at("reference", key); c.given(here...) && c.ok(at("reference", "model")) {
				c.fail(here, "has no meaning without reference.model: reference models are trained as the study's other models are")
			}
		}
		return
	}
	if r.SeedModel != nil && c.s.SeedModel == nil && c.ok(at("seed_model")) {
		c.fail(at("reference", "seed_model"), "the study has no seed_model, so its references start from random weights; leave this key out, or add a seed_model")
	}
	c.trainings(at("reference", "model"), r.Train, r.SeedModel)
}

// trainings checks how the model of a section is trained, by the sections beside it; nil where
// there is none.
func (c *checker) trainings(model []string, t *Train, s *SeedModel) {
	beside := func(key string) []string { return under(model[:len(model)-1], key) }
	if t != nil {
		c.replay(under(beside("train"), "replay"), t.Replay)
		c.trainingLength(length{model, beside("train"), "tokens_per_unit", t.TokensPerUnit, t.Batch, t.LR, t.FinalLR, t.Schedule})
	}
	if s != nil {
		known(c, under(beside("seed_model"), "on"), "corpus", s.On, c.s.Corpora, "corpora")
		c.trainingLength(length{model, beside("seed_model"), "tokens", s.Tokens, s.Batch, s.LR, s.FinalLR, s.Schedule})
	}
}

func (c *checker) trainingLength(l length) {
	tokens, batch := under(l.section, l.tokensKey), under(l.section, "batch")
	m := c.s.Model
	if r := c.s.Reference.Model; r != nil && len(l.model) > 1 {
		m = *r
	}
	context := Count(m.Context)
	if c.ok(batch, under(l.model, "context")) && context > 0 && l.batch%context != 0 {
		below := l.batch / context * context
		hint := fmt.Sprint(below + context)
		if below > 0 {
			hint = fmt.Sprintf("%d or %d", below, below+context)
		}
		c.fail(batch, "%s is not a multiple of %s.%s; %s would be", c.orDefault(batch, l.batch), strings.Join(l.model, "."), c.origin(m, l.model, "context", context), hint)
	}
	if c.ok(tokens, batch) && l.tokens < l.batch {
		c.fail(tokens, "%d is less than one batch, %s", l.tokens, c.orDefault(batch, l.batch))
	}
	lr, final, schedule := under(l.section, "lr"), under(l.section, "final_lr"), under(l.section, "schedule")
	if c.ok(lr, final, schedule) && l.schedule != "constant" && l.final > l.lr {
		c.fail(final, "%s is above lr %s, but a %s schedule falls", c.orDefault(final, number(l.final)), c.orDefault(lr, number(l.lr)), l.schedule)
	}
}

// orDefault writes a value, and that it is a default where the file does not hold it.
func (c *checker) orDefault(path []string, value any) string {
	if c.given(path...) {
		return fmt.Sprint(value)
	}
	return fmt.Sprintf("%v (the default)", value)
}
