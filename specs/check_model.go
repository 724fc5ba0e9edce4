package specs

import (
	"fmt"
	"math"
)

func (c *checker) model() {
	m := c.s.Model
	path := func(key string) []string { return at("model", key) }
	if c.ok(path("d_model"), path("heads")) && m.DModel > 0 && m.Heads > 0 {
		width := m.DModel / m.Heads
		key := "heads"
		if !c.given("model", "heads") {
			key = "d_model" // the one that was written
		}
		switch {
		case m.DModel%m.Heads != 0:
			c.fail(path(key), "%s do not divide %s", c.origin("heads", m.Heads), c.origin("d_model", m.DModel))
		case c.ok(path("rotary")) && m.Rotary > 0:
			if c.given("model", "rotary") {
				key = "rotary"
			}
			if turned := float64(m.Rotary) * float64(width); turned < 1 || math.Abs(turned/2-math.Round(turned/2)) > 1e-6 {
				c.fail(path(key), "%s of heads %d wide (%s in %s) makes %s channels to turn, want an even number",
					c.origin("rotary", percent(m.Rotary)), width, c.origin("heads", m.Heads), c.origin("d_model", m.DModel), number(math.Round(turned*1e6)/1e6))
			}
		}
	}
	if c.ok(path("norm"), path("norm_bias")) && m.Norm == "rmsnorm" && m.NormBias {
		c.fail(path("norm_bias"), "%s has no bias", c.origin("norm", m.Norm))
	}
	if c.ok(path("mlp"), path("mlp_hidden")) && m.MLP == "swiglu" && m.MLPHidden%2 != 0 {
		c.fail(path("mlp_hidden"), "%s halves it, found %d, which is odd", c.origin("mlp", m.MLP), m.MLPHidden)
	}
	vocab := at("tokenizer", "train", "vocab")
	if t := c.s.Tokenizer.Train; t != nil && c.ok(path("vocab"), vocab) && m.Vocab > 0 && m.Vocab < t.Vocab {
		c.fail(path("vocab"), "%d rows are fewer than the %d ids of tokenizer.train.vocab", m.Vocab, t.Vocab)
	}
}

// origin names a value of the model, and the preset where that gave it: people do not see those values in their file.
func (c *checker) origin(key string, value any) string {
	if c.given("model", key) {
		return fmt.Sprintf("%s %v", key, value)
	}
	return fmt.Sprintf("%s %v (of preset %s)", key, value, c.s.Model.Preset)
}

// length is what a training's keys say about its steps and rates.
type length struct {
	section   string
	tokensKey string
	tokens    Count
	batch     Count
	lr, final float64
	schedule  string
}

func (c *checker) training() {
	t := c.s.Train
	c.trainingLength(length{"train", "tokens_per_unit", t.TokensPerUnit, t.Batch, t.LR, t.FinalLR, t.Schedule})
	if s := c.s.SeedModel; s != nil {
		known(c, at("seed_model", "on"), "corpus", s.On, c.s.Corpora, "corpora")
		c.trainingLength(length{"seed_model", "tokens", s.Tokens, s.Batch, s.LR, s.FinalLR, s.Schedule})
	}
}

func (c *checker) trainingLength(l length) {
	tokens, batch := at(l.section, l.tokensKey), at(l.section, "batch")
	context := Count(c.s.Model.Context)
	if c.ok(batch, at("model", "context")) && context > 0 && l.batch%context != 0 {
		below := l.batch / context * context
		hint := fmt.Sprint(below + context)
		if below > 0 {
			hint = fmt.Sprintf("%d or %d", below, below+context)
		}
		c.fail(batch, "%s is not a multiple of model.%s; %s would be", c.orDefault(batch, l.batch), c.origin("context", context), hint)
	}
	if c.ok(tokens, batch) && l.tokens < l.batch {
		c.fail(tokens, "%d is less than one batch, %s", l.tokens, c.orDefault(batch, l.batch))
	}
	lr, final, schedule := at(l.section, "lr"), at(l.section, "final_lr"), at(l.section, "schedule")
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
