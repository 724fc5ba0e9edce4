package stages

import (
	"slices"
	"strings"
	"testing"

	"ablate/specs/arch"
	"ablate/stages/eval"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/internal/model"
	"ablate/stages/internal/optim"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
	"ablate/stages/train"
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
	units := stagetest.Units(t)
	tokens := stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)
	exact := stagetest.Run(t, train.Kind, stagetest.TrainParams(), units)
	scored := stagetest.Run(t, eval.Kind, stagetest.EvalParams(), stagetest.Roles{"tokens": tokens}.Numbered("model", exact.Path(kind.OutModel)))

	addArithmetic(t, "slow", true)
	p := stagetest.TrainParams()
	p.Arithmetic = "slow"
	other := stagetest.Run(t, train.Kind, p, units)
	if exact.Outputs(t)[kind.OutModel] == other.Outputs(t)[kind.OutModel] {
		t.Error("the other engine's model is the exact one")
	}
	e := stagetest.EvalParams()
	e.Arithmetic = "slow"
	doubled := stagetest.Run(t, eval.Kind, e, stagetest.Roles{"tokens": tokens}.Numbered("model", exact.Path(kind.OutModel)))
	want, got := stagetest.ReadTable[tables.LossRow](t, scored, kind.OutLosses), stagetest.ReadTable[tables.LossRow](t, doubled, kind.OutLosses)
	for i := range want {
		if got[i].Nats != 2*want[i].Nats {
			t.Errorf("document %d: %g nats, want twice %g", i, got[i].Nats, want[i].Nats)
		}
	}
	stagetest.SameOutputs(t, exact, stagetest.Run(t, train.Kind, stagetest.TrainParams(), units))

	for _, c := range []struct {
		kind   kind.Kind
		params any
		want   int64
	}{{train.Kind, p, 1000 + model.Besides}, {eval.Kind, e, 100 + model.Besides}} {
		if n, err := c.kind.Needs(stagetest.NewJob(t, c.params, nil)); err != nil || n.Memory != c.want {
			t.Errorf("%s: needs %+v, %v, want the memory that the other engine says, %d", c.kind.Name, n, err, c.want)
		}
	}
}

// A word that is no arithmetic, and an arithmetic without an engine, are errors that list those
// there are.
func TestArithmeticUnknown(t *testing.T) {
	units, tokens := stagetest.Units(t), stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)
	trained := stagetest.Run(t, train.Kind, stagetest.TrainParams(), units).Path(kind.OutModel)
	p, e := stagetest.TrainParams(), stagetest.EvalParams()
	p.Arithmetic, e.Arithmetic = "bogus", "bogus"
	fails := func(want string) {
		t.Helper()
		stagetest.Fail(t, train.Kind, p, units, want)
		stagetest.Fail(t, eval.Kind, e, stagetest.Roles{"tokens": tokens}.Numbered("model", trained), want)
		for _, c := range []struct {
			kind   kind.Kind
			params any
		}{{train.Kind, p}, {eval.Kind, e}} {
			if _, err := c.kind.Needs(stagetest.NewJob(t, c.params, nil)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("needs of %s: error %v, want %s", c.kind.Name, err, want)
			}
		}
	}
	fails(`unknown arithmetic "bogus"; this program knows ["exact"]`)
	addArithmetic(t, "bogus", false)
	fails(`arithmetic "bogus" has no engine in this program, which has engines for ["exact"]`)
}
