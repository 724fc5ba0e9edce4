package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"ablate/stages"
)

// TestOriginOfEverything holds that every parameter and raw file of every step is traced to a key
// of the study.
func TestOriginOfEverything(t *testing.T) {
	s := parsed(t, "{against: [heldout, eval]}", "{against: [heldout, eval], filter: bloom}")
	p := compiled(t, s)
	state := newShelf().run(t, p)
	for i := range p.Steps {
		step := state.Step(i)
		for _, in := range state.KeyInputs[i] {
			path := state.Origin(s, i, in.Label)
			made := strings.HasPrefix(in.Label, "kind")
			for _, x := range step.Inputs {
				made = made || x.File == nil && in.Label == "input "+x.Role
			}
			switch {
			case made && path != nil:
				t.Errorf("%s: %s is traced to %v, but no study says it", step.ID, in.Label, path)
			case !made && path == nil:
				t.Errorf("%s: %s is traced to no key of the study", step.ID, in.Label)
			case path != nil && s.At(path[:1]...).Line == 1 && path[0] != "ablate" && strings.Contains(study, "\n"+path[0]+":"):
				t.Errorf("%s: %s is traced to %v, which the study does not know", step.ID, in.Label, path)
			}
		}
	}
}

func TestOrigin(t *testing.T) {
	s := parsed(t)
	p := compiled(t, s)
	state, err := p.Resolve(stages.Kinds(), newShelf().lookup)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ step, label, want string }{
		{"tokenizer", "param vocab", "tokenizer.train.vocab"},
		{"tokenizer", "param read.text", "corpora.seed.text"},
		{"tokenizer", "input file.0", "corpora.seed.files"},
		{"tokenize/parts/a.jsonl", "param read.metadata.year", "corpora.parts.metadata.year"},
		{"tokenize/parts/a.jsonl", "param min_tokens", "decontaminate.min_tokens"},
		{"tokenize/parts/a.jsonl", "input file.0", "corpora.parts.files"},
		{"tokenize/parts/a.jsonl", "input tokenizer", ""},
		{"tokenize/eval/far", "param read.piece_bytes", "eval.out_of_domain.far.piece_bytes"},
		{"tokenize/eval/far", "input file.0", "eval.out_of_domain.far.files"},
		{"split/parts", "param unit_tokens", "partitions.parts.unit.tokens"},
		{"split/parts", "param declared.alpha", "partitions.parts.units.alpha"},
		{"split/parts", "param against[1]", "decontaminate.against"},
		{"split/parts", "param test", "heldout.test"},
		{"seed", "param tokens", "seed_model.tokens"},
		{"seed", "param optimizer.lr", "seed_model.lr"},
		{"unit/parts/alpha/0", "param tokens", "train.tokens_per_unit"},
		{"unit/parts/alpha/0", "param optimizer.lr", "train.lr"},
		{"unit/parts/alpha/0", "param optimizer.beta1", "optimizer.beta1"},
		{"unit/parts/alpha/0", "param model.d_model", "model.d_model"},
		{"unit/parts/alpha/0", "input start", ""},
		{"unit/parts/alpha/0", "kind version", ""},
		{"correlate", "param scores[3].mixture", "mixtures"},
		{"correlate", "param resamples", "correlate.resamples"},
	} {
		i, err := p.Find(c.step)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(state.Origin(s, i, c.label), "."); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.step, c.label, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	shelf := newShelf()
	old := shelf.run(t, compiled(t, parsed(t)))
	total := len(old.Plan.Steps)
	words := func(c Comparison) string {
		var lines []string
		for _, x := range c.Changes {
			line := x.Kind + " " + x.ID
			switch {
			case x.Added:
				line += " added"
			case x.Gone:
				line += " removed"
			case x.Through != "":
				line += " through " + x.Through
			}
			for _, d := range x.Differs {
				line += fmt.Sprintf(" [%s: %.12s -> %.12s]", d.InWords(), d.Old, d.New)
			}
			lines = append(lines, line)
		}
		return strings.Join(lines, "\n")
	}
	if c := ComparePlans(old, old); c.Same != total || len(c.Changes) > 0 {
		t.Errorf("a plan differs from itself: %d of %d are the same, %s", c.Same, total, words(c))
	}
	for _, run := range []bool{false, true} { // with the steps waiting, and with every key known
		t.Run(fmt.Sprint("run=", run), func(t *testing.T) {
			resolve := func(replace ...string) *State {
				p := compiled(t, parsed(t, replace...))
				if run {
					return shelf.run(t, p)
				}
				s, err := p.Resolve(stages.Kinds(), shelf.lookup)
				if err != nil {
					t.Fatal(err)
				}
				return s
			}
			now := resolve("train: {tokens_per_unit: 2000", "train: {lr: 2e-3, tokens_per_unit: 2000")
			c := ComparePlans(old, now)
			text := words(c)
			for _, want := range []string{
				"train unit/parts/alpha/0 [param optimizer.lr: 0.001 -> 0.002]", "train seq/pairs/alpha+beta [param optimizer.lr: 0.001 -> 0.002]",
				"eval eval/unit/parts/alpha/0/far through unit/parts/alpha/0",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("want %q in\n%s", want, text)
				}
			}
			for _, same := range []string{"seed", "split/parts", "tokenizer"} {
				if strings.Contains(text, " "+same+" ") {
					t.Errorf("%s is not the same in\n%s", same, text)
				}
			}
			if c.Same+len(c.Changes) != total {
				t.Errorf("%d same and %d changed of %d", c.Same, len(c.Changes), total)
			}
			now = resolve("pairs: {choose: 2}", "pairs: {list: [[alpha, beta]]}")
			text = words(ComparePlans(old, now))
			if !strings.Contains(text, "train seq/pairs/alpha+gamma removed") || !strings.Contains(text, "correlate correlate [param scores") {
				t.Errorf("fewer mixtures:\n%s", text)
			}
			text = words(ComparePlans(now, old))
			if !strings.Contains(text, "train seq/pairs/alpha+gamma added") {
				t.Errorf("more mixtures:\n%s", text)
			}
		})
	}
	src := sources()
	src.Corpora["parts"][1] = file("b.jsonl", "other text")
	p, err := Compile(parsed(t), src, nil)
	if err != nil {
		t.Fatal(err)
	}
	now, err := p.Resolve(stages.Kinds(), shelf.lookup)
	if err != nil {
		t.Fatal(err)
	}
	text := words(ComparePlans(old, now))
	if !strings.HasPrefix(text, "tokenize tokenize/parts/b.jsonl [content of b.jsonl: ") || !strings.Contains(text, "split split/parts through tokenize/parts/b.jsonl") {
		t.Errorf("another file:\n%s", text)
	}
}
