package pipeline

import (
	"math/big"
	"slices"

	"ablate/specs"
	"ablate/stages/kind"
)

// withReplay is a text with the study's replay mixed in: what the text's own sources had of the
// whole, they have of what replay leaves, and replay is one more source.
func (c *compiler) withReplay(own text, t specs.Train) text {
	replay := replayed(t)
	if replay.Sign() == 0 {
		return own
	}
	sources, names := own.sources, own.names
	if sources == nil {
		all := kind.Source{Share: "1", Units: len(own.units)}
		if all.Units > 1 {
			all.Sampling = t.Sampling
		}
		sources, names = []kind.Source{all}, []string{own.name}
	}
	out, left := text{name: own.name, units: slices.Clone(own.units), names: append(slices.Clip(names), t.Replay.Of)}, new(big.Rat).Sub(big.NewRat(1, 1), replay)
	for _, s := range sources {
		s.Share = new(big.Rat).Mul(fraction(s.Share), left).RatString()
		out.sources = append(out.sources, s)
	}
	out.sources = append(out.sources, kind.Source{Share: replay.RatString(), Units: 1})
	step, ok := c.replays[t.Replay.Of]
	if !ok {
		step = c.replayText(t.Replay.Of)
		c.replays[t.Replay.Of] = step
	}
	out.units = append(out.units, Input{Role: kind.Role("unit", len(out.units)), Step: step, Output: kind.UnitOutput("all", 0)})
	return out
}

// replayed is the share of replay in a training.
func replayed(t specs.Train) *big.Rat {
	if t.Replay == nil {
		return new(big.Rat)
	}
	share, err := specs.Share(t.Replay.Share)
	if err != nil {
		panic("internal error: " + err.Error()) // it was checked
	}
	return share
}

// replayText is the step that packs the corpus to replay: the seed model's, unless a set of
// partitions divides the corpus, of which the documents that it holds out are left out.
func (c *compiler) replayText(corpus string) int {
	divided := false
	for _, p := range c.study.Partitions {
		divided = divided || p.Corpus == corpus
	}
	if !divided {
		return c.pack(corpus)
	}
	h := c.study.Heldout
	return c.whole("replay/"+corpus, corpus, kind.HoldOut{Validation: float64(h.Validation), Test: float64(h.Test), Seed: h.Seed})
}
