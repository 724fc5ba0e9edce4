package show

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/planning"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/stages/kind"
)

func TestExplanation(t *testing.T) {
	differs := []pipeline.Difference{{Label: "param optimizer.lr", Old: "0.003", New: "0.004", At: "study.yaml:16:3"}, {Label: "param note", New: "a\x1b"}}
	x := pipeline.Explanation{ID: "unit/a", Status: pipeline.Waits, Because: []pipeline.Reason{
		{Step: "unit/a", Note: "its key is known once seed is done"},
		{Step: "seed", Nearest: "step seed of study small", Differs: differs},
	}}
	want(t, `unit/a: waits
  its key is known once seed is done
  seed:
    nearest in the cache: step seed of study small
    param optimizer.lr: 0.003 -> 0.004   (study.yaml:16:3)
    param note: (absent) -> a\x1b
`, printed(t, func(w *bytes.Buffer) error { Explanation(w, x); return nil }))
	x = pipeline.Explanation{ID: "seed", Status: pipeline.Run, Key: cache.Key{0xab}, Because: []pipeline.Reason{{Step: "seed", Note: "never seen", Differs: differs[:1]}}}
	want(t, `seed: run, key ab000000
  never seen
    param optimizer.lr = 0.004   (study.yaml:16:3)
`, printed(t, func(w *bytes.Buffer) error { Explanation(w, x); return nil }))
	if got := Because(x.Because[0]); got != "never seen" {
		t.Errorf("because %q", got)
	}
	x.Because[0].Nearest = "step seed of study small"
	if got := Because(x.Because[0]); got != "param optimizer.lr: 0.003 -> 0.004   (study.yaml:16:3)" {
		t.Errorf("because %q", got)
	}
}

func TestSteps(t *testing.T) {
	plan := &pipeline.Plan{Steps: []*pipeline.Step{
		{ID: "tokenize/a", Kind: kind.Tokenize, Cost: pipeline.Cost{Bytes: 30_000}},
		{ID: "unit/a", Kind: kind.Train, Cost: pipeline.Cost{Tokens: 4_000}, Inputs: []pipeline.Input{{Role: "tokens", Step: 0}}},
	}}
	p := &study.Compiled{Study: &specs.Study{}, Plan: plan}
	p.Study.Train.Precision = "bf16"
	p.State = &pipeline.State{Plan: plan, Status: []pipeline.Status{pipeline.Run, pipeline.Waits}, Keys: []cache.Key{{0xab, 0xcd}, {}}}
	want(t, `run   abcd0000 tokenize/a  30 kB
waits -------- unit/a  4k tokens in bf16  waits on tokenize/a

`, printed(t, func(w *bytes.Buffer) error { Steps(w, p); return nil }))
}

func TestGraph(t *testing.T) {
	g := &pipeline.Collapsed{
		Nodes: []pipeline.Node{{Name: "seed", Steps: []int{0}, Note: "1 run"}, {Name: `say "hi"`, Steps: []int{1}}},
		Edges: []pipeline.Edge{{From: 0, To: 1, Times: 1}},
	}
	for format, want := range map[string]string{"dot": `label="say \"hi\""`, "mermaid": "say #quot;hi#quot;"} {
		if got := printed(t, func(w *bytes.Buffer) error { return Graph(w, format, g, "small") }); !strings.Contains(got, want) {
			t.Errorf("%s lacks %s:\n%s", format, want, got)
		}
	}
}

func TestEfficiency(t *testing.T) {
	seconds := func(v float64) *float64 { return &v }
	e := &planning.Efficiency{
		Study: "small", Measured: []planning.Measured{{What: "unit models", Steps: 4, Done: 4, Tokens: 8192, Seconds: 2}}, Possible: "3",
		Modular: planning.Way{Models: "4", Tokens: "8192", Train: seconds(2), Eval: seconds(0.5), Seconds: seconds(2.5)},
		Naive:   planning.Way{Models: "3", Tokens: "24576", Train: seconds(6), Eval: seconds(0.5), Seconds: seconds(6.5)},
		Next:    []planning.Next{{Set: "parts", Units: 1, Mixtures: "2", Modular: planning.Way{Models: "1", Tokens: "2048"}, Naive: planning.Way{Models: "2", Tokens: "16384"}}},
	}
	const tables = `study small: elapsed time of its steps when they ran; steps that ran at once shared the machine

              in the cache  tokens  time  tokens/s 
───────────────────────────────────────────────────
 unit models        4 of 4   8.19k   2 s      4.1k 

 every one of 3 possible mixtures                                models  tokens  training  evaluating  together 
────────────────────────────────────────────────────────────────────────────────────────────────────────────────
 modular: a model for every unit, averages of them                    4   8.19k       2 s       0.5 s     2.5 s 
 naive: a model for every mixture                                     3   24.6k       6 s       0.5 s     6.5 s 
────────────────────────────────────────────────────────────────────────────────────────────────────────────────
 one more partition of parts (1 unit, 2 more mixtures), modular       1   2.05k         -           -         - 
   naive                                                              2   16.4k         -           -         - 

`
	want(t, tables+"no step was measured yet; run `ablate run s.yaml`, then this command again. `ablate plan s.yaml` shows what a run costs\n"+
		"neither sum includes the seed model, from which both ways start\n", printed(t, func(w *bytes.Buffer) error { return Efficiency(w, e, "s.yaml") }))
	e.Saving, e.BreakEven, e.Covered = seconds(2.6), seconds(1.2), "1"
	e.Left.Units, e.Left.Tokens = 1, 2048
	want(t, tables+`the naive way takes 2.6 times as long; training units is cheaper from 2 mixtures on
1 of 3 possible mixtures need no training any more
1 unit model is still to train: 2.05k tokens
neither sum includes the seed model, from which both ways start
`, printed(t, func(w *bytes.Buffer) error { return Efficiency(w, e, "s.yaml") }))
}

func TestCoverage(t *testing.T) {
	c := pipeline.Coverage{Components: 3, UnitModels: pipeline.Total{Models: 4, Hours: 2}, NeedsNothing: "1234", Remaining: json.Number("5000"), MoreUnits: pipeline.Total{Models: 7, Hours: 5000}}
	want(t, `the selected mixtures have 3 components (4 unit models: 2 hours), whose models are enough for 1,234 other mixtures
all 5,000 other mixtures take a further 7 unit models: 5,000 hours
`, string(coverage(c, true)))
	c.MoreUnits.Models = 0
	want(t, "the selected mixtures have 3 components (4 unit models), whose models are enough for 1,234 other mixtures\n", string(coverage(c, false)))
	if got := chosen(pipeline.Summary{MixturesPossible: big.NewInt(12), MixturesSelected: 12}); got != "all selected" {
		t.Error(got)
	}
	if got := chosen(pipeline.Summary{MixturesPossible: big.NewInt(341376), MixturesSelected: 1200}); got != "1,200 sampled" {
		t.Error(got)
	}
}
