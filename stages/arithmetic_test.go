package stages

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/internal/optim"
	"ablate/stages/kind"
)

// slow is the engine of another arithmetic: its losses are doubled and its rates halved.
type slow struct{ lm.Engine }

func (e slow) Step(o optim.Step) (float64, error) {
	o.LR /= 2
	return e.Engine.Step(o)
}

func (e slow) Losses(inputs, targets []int32, B, T int, out []float32) error {
	err := e.Engine.Losses(inputs, targets, B, T, out)
	for i := range out {
		out[i] *= 2
	}
	return err
}

// addArithmetic makes an arithmetic known for a test and, with an engine, one that this program
// carries out.
func addArithmetic(t *testing.T, name string, engine bool) {
	t.Helper()
	known, list := kind.Arithmetics, engines.List
	t.Cleanup(func() { kind.Arithmetics, engines.List = known, list })
	kind.Arithmetics = append(slices.Clip(known), kind.Arithmetic{Name: name, Equality: kind.SameDevice})
	if engine {
		engines.List = append(slices.Clip(list), engines.Engine{
			Arithmetic: name,
			Open: func(m arch.Model, opt lm.Options) (lm.Engine, error) {
				e, err := cpu.New(m, opt)
				return slow{e}, err
			},
			TrainingMemory: func(arch.Model, int, int, lm.Options) (lm.Memory, error) { return lm.Memory{Parameters: 1000}, nil },
			EvaluationMemory: func(arch.Model, int, int, lm.Options) (lm.Memory, error) {
				return lm.Memory{Parameters: 100}, nil
			},
		})
	}
}

// An engine that is put into the list carries out the trainings and evaluations whose parameters
// name its arithmetic, and no others.
func TestArithmeticOfAnotherEngine(t *testing.T) {
	units := testUnits(t)
	tokens := tokenFile(t, 4, false, evalLengths...)
	exact := runKind(t, kind.Train, trainParams(), units)
	scored := runKind(t, kind.Eval, evalParams(), roles{"tokens": tokens}.numbered("model", exact.path(kind.OutModel)))

	addArithmetic(t, "slow", true)
	p := trainParams()
	p.Arithmetic = "slow"
	other := runKind(t, kind.Train, p, units)
	if exact.outputs(t)[kind.OutModel] == other.outputs(t)[kind.OutModel] {
		t.Error("the other engine's model is the exact one")
	}
	e := evalParams()
	e.Arithmetic = "slow"
	doubled := runKind(t, kind.Eval, e, roles{"tokens": tokens}.numbered("model", exact.path(kind.OutModel)))
	want, got := readTable[LossRow](t, scored, kind.OutLosses), readTable[LossRow](t, doubled, kind.OutLosses)
	for i := range want {
		if got[i].Nats != 2*want[i].Nats {
			t.Errorf("document %d: %g nats, want twice %g", i, got[i].Nats, want[i].Nats)
		}
	}
	sameOutputs(t, exact, runKind(t, kind.Train, trainParams(), units))

	for _, c := range []struct {
		kind   string
		params any
		want   int64
	}{{kind.Train, p, 1000 + besides}, {kind.Eval, e, 100 + besides}} {
		params, err := json.Marshal(c.params)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := Memory(c.kind, params, 1); err != nil || m.Most != c.want {
			t.Errorf("%s: memory %+v, %v, want what the other engine says, %d", c.kind, m, err, c.want)
		}
	}
}

// A word that is no arithmetic, and an arithmetic without an engine, are errors that list those
// there are.
func TestArithmeticUnknown(t *testing.T) {
	units, tokens := testUnits(t), tokenFile(t, 4, false, evalLengths...)
	model := runKind(t, kind.Train, trainParams(), units).path(kind.OutModel)
	p, e := trainParams(), evalParams()
	p.Arithmetic, e.Arithmetic = "bogus", "bogus"
	fails := func(want string) {
		t.Helper()
		failKind(t, kind.Train, p, units, want)
		failKind(t, kind.Eval, e, roles{"tokens": tokens}.numbered("model", model), want)
		for name, params := range map[string]any{kind.Train: p, kind.Eval: e} {
			text, err := json.Marshal(params)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Memory(name, text, 1); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("memory of %s: error %v, want %s", name, err, want)
			}
		}
	}
	fails(`unknown arithmetic "bogus"; this program knows ["exact"]`)
	addArithmetic(t, "bogus", false)
	fails(`arithmetic "bogus" has no engine in this program, which has engines for ["exact"]`)
}
