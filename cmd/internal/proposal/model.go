package proposal

import (
	"context"
	"fmt"
	"math"

	"ablate/specs"
	"ablate/specs/arch"
)

// modelChoice is the model and how long it is trained.
type modelChoice struct {
	arch       arch.Model
	speed      float64 // tokens a second of training on this machine
	parameters int64
	seedTokens float64
	seedBatch  int
	unitBatch  int
	evalTokens float64 // of each partition and evaluation set
	minutes    float64 // of the whole study
}

// ladder are the models to choose from, the smallest first: width, layers, heads, context.
var ladder = [][4]int{{32, 1, 2, 64}, {64, 2, 4, 128}, {96, 3, 4, 128}, {128, 4, 4, 128}, {192, 5, 6, 256}, {256, 6, 8, 256}, {384, 8, 8, 256}}

// rung is a model of the ladder. Its other properties are those of the preset tiny.
func rung(i, vocab int) (arch.Model, error) {
	m, ok := specs.Preset("tiny")
	if !ok {
		return m, fmt.Errorf("internal error: there is no preset tiny")
	}
	m.DModel, m.Layers, m.Heads, m.Context = ladder[i][0], ladder[i][1], ladder[i][2], ladder[i][3]
	m.MLPHidden = 4 * m.DModel
	m.Vocab = vocab
	return m, nil
}

// mostEval bounds the tokens of each domain that models are evaluated on.
const mostEval = 20_000

const (
	proxyEvaluations = 5    // of a mixture on each of its sets: as many proxies are averages or parts of them
	evalCost         = 0.35 // of an evaluation to a training, a token: no backward pass
	seedShare        = 0.25 // of the training of units and references
	timeShare        = 0.8  // of the minutes that are asked for: the rest is reading, tokenizing and the report
)

// chooseModel takes the largest model that this machine trains in the time, and that has enough
// text to learn from. Where the smallest takes longer, units become smaller.
func (p *Proposal) chooseModel(context.Context) error {
	data := p.unit
	least := 0.0 // minutes of the smallest study
	speed := 0.0 // FLOPs a second, of the model that was measured last
	for i := len(ladder) - 1; i >= 0; i-- {
		m, err := rung(i, p.tokenizer.Vocab)
		if err != nil {
			return err
		}
		p.resize(data)
		c := modelChoice{arch: m}
		c.parameters, _ = m.Parameters()
		if i > 0 && 2*float64(c.parameters) > p.longestTraining() { // a reference model reads too little for it
			continue
		}
		if speed > 0 && p.train(c, speed/m.FLOPsPerToken()).minutes > 2*p.req.Minutes {
			continue // not worth a measurement
		}
		if c.speed, err = p.req.Speed(m); err != nil {
			return err
		}
		speed = c.speed * m.FLOPsPerToken()
		c = p.train(c, c.speed)
		for c.minutes > p.req.Minutes && p.unit > leastUnit && (i == 0 || p.unit > data/8) {
			p.resize(math.Max(leastUnit, roundDown(p.unit*0.85)))
			c = p.train(c, c.speed)
		}
		least = c.minutes
		if c.minutes <= p.req.Minutes && (i == 0 || 2*float64(c.parameters) <= p.longestTraining()) {
			p.model = c
			p.cutEvaluation()
			return p.holdOut()
		}
	}
	return fmt.Errorf("--minutes %g: the smallest study takes about %s on this machine; allow more, such as --minutes %.0f", p.req.Minutes, duration(least), math.Ceil(1.2*least))
}

// cutEvaluation cuts the documents of evaluation sets that would take much of what is evaluated, or
// all.
func (p *Proposal) cutEvaluation() {
	most := p.model.evalTokens * p.bytesPerToken() / 4
	for _, s := range p.eval {
		if float64(s.longest) > most {
			s.pieces = int64(math.Min(8<<10, math.Max(1<<10, powerOfTwo(most))))
		}
	}
}

// longestTraining is how many tokens a reference model has read in the end, the seed model's
// included.
func (p *Proposal) longestTraining() float64 {
	return p.seedLength() + float64(p.unit*p.unitsPerMixture())
}

// unitsPerMixture is a mean.
func (p *Proposal) unitsPerMixture() float64 {
	if p.unitMixtures {
		return 2
	}
	return 2 * float64(p.units()) / float64(len(p.parts))
}

// trainings is the length of all trainings but the seed model's, in units: of each unit, of each
// partition for the proxy merged, and of the references.
func (p *Proposal) trainings() float64 {
	n := float64(p.units()) + float64(float64(p.sample)*p.unitsPerMixture())
	if !p.unitMixtures {
		n += float64(p.units())
	}
	return n
}

func (p *Proposal) seedLength() float64 {
	return roundDown(math.Max(4*p.unit, seedShare*p.unit*p.trainings()))
}

// train says how long a model is trained and how long the study takes at so many tokens a second.
func (p *Proposal) train(c modelChoice, speed float64) modelChoice {
	c.seedTokens = p.seedLength()
	c.unitBatch = batch(p.unit/12, c.arch.Context)
	c.seedBatch = batch(c.seedTokens/150, c.arch.Context)
	c.evalTokens = math.Min(mostEval, roundDown(math.Max(1000, p.unit/2)))
	sets := 2 + float64(len(p.eval))
	evaluations := float64(p.units()*(1+len(p.eval))) + float64(float64(p.sample*(1+proxyEvaluations))*sets)
	tokens := c.seedTokens + float64(p.unit*p.trainings()) + float64(evalCost*float64(c.evalTokens*evaluations))
	c.minutes = tokens / speed / 60 / timeShare
	return c
}

// batch is the power of two next below so many tokens, at least a sequence and at most 8Ki.
func batch(tokens float64, context int) int {
	b := 4 * context
	for b > context && float64(b) > tokens {
		b /= 2
	}
	for b < 8<<10 && float64(2*b) <= tokens {
		b *= 2
	}
	return b
}
