package pipeline

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache"
	"ablate/stages"
	"ablate/stages/kind"
)

// shelf is a cache in memory. Running a step on it leaves outputs whose content depends on the
// step's key, or on what content says.
type shelf struct {
	entries map[cache.Key]*cache.Entry
	ran     []string
	content func(s *Step, output string) string // another content for an output; empty: from the key
}

func newShelf() *shelf { return &shelf{entries: map[cache.Key]*cache.Entry{}} }

func (sh *shelf) lookup(k cache.Key) (*cache.Entry, error) {
	if e := sh.entries[k]; e != nil {
		return e, nil
	}
	return nil, &cache.Miss{What: "entry " + k.Short(), Reason: cache.Absent}
}

// run carries out a plan in order and returns its final state.
func (sh *shelf) run(t *testing.T, p *Plan) *State {
	t.Helper()
	s, err := p.Resolve(stages.Kinds(), sh.lookup)
	if err != nil {
		t.Fatal(err)
	}
	sh.ran = nil
	for ready := s.Ready(); len(ready) > 0; {
		i := ready[0]
		next, err := s.Done(i, sh.make(p, s, i))
		if err != nil {
			t.Fatal(err)
		}
		sh.ran = append(sh.ran, p.Steps[i].ID)
		ready = append(ready[1:], next...)
	}
	if _, run, waits := s.Count(); run+waits > 0 {
		t.Fatalf("%d steps run and %d wait after everything ran", run, waits)
	}
	return s
}

func (sh *shelf) make(p *Plan, s *State, i int) *cache.Entry {
	step := p.Steps[i]
	e := &cache.Entry{Key: s.Keys[i], Kind: step.Kind, KeyInputs: s.KeyInputs[i]}
	e.Provenance.Step, e.Provenance.Study = step.ID, p.Study
	names := map[string]bool{}
	for _, c := range p.Steps {
		for _, in := range c.Inputs {
			if in.File == nil && in.Step == i {
				names[in.Output] = true
			}
		}
	}
	for _, name := range sortedKeys(names) {
		text := s.Keys[i].String() + name
		if sh.content != nil {
			if other := sh.content(step, name); other != "" {
				text = other
			}
		}
		e.Outputs = append(e.Outputs, cache.Output{Name: name, Digest: cache.DigestOf([]byte(text)), Size: int64(len(text))})
	}
	sh.entries[e.Key] = e
	return e
}

func TestSecondRunIsAllHits(t *testing.T) {
	sh := newShelf()
	p := compiled(t, parsed(t))
	sh.run(t, p)
	if len(sh.ran) != len(p.Steps) {
		t.Fatalf("the first run ran %d of %d steps", len(sh.ran), len(p.Steps))
	}
	sh.run(t, compiled(t, parsed(t, "study: small", "study: other\nabout: words")))
	if len(sh.ran) != 0 {
		t.Errorf("the second run ran %v", sh.ran)
	}
}

// TestEarlyCutOff changes a raw file in a way that leaves some units as they were.
func TestEarlyCutOff(t *testing.T) {
	sh := newShelf()
	// Unit files hold their partition's text alone: the key of the split does not show in them.
	sh.content = func(s *Step, output string) string {
		if s.ID == "split/parts" && output != kind.UnitOutput("beta", 0) {
			return "text of " + output
		}
		return ""
	}
	sh.run(t, compiled(t, parsed(t)))
	src := sources()
	src.Corpora["parts"][1] = file("b.jsonl", "beta text, longer")
	p, err := Compile(parsed(t), src, nil)
	if err != nil {
		t.Fatal(err)
	}
	before, err := p.Resolve(stages.Kinds(), sh.lookup)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]Status{"tokenize/parts/a.jsonl": Hit, "tokenize/parts/b.jsonl": Run, "split/parts": Waits, "unit/parts/alpha/0": Waits, "seed": Hit} {
		i, _ := p.Find(id)
		if before.Status[i] != want {
			t.Errorf("before the run %s is %s, want %s", id, before.Status[i], want)
		}
	}
	sh.run(t, p)
	var trained []string
	for _, id := range sh.ran {
		if strings.HasPrefix(id, "unit/") || strings.HasPrefix(id, "part/") || strings.HasPrefix(id, "seq/") || id == "seed" {
			trained = append(trained, id)
		}
	}
	if diff := cmp.Diff([]string{"unit/parts/beta/0", "seq/pairs/alpha+beta", "seq/pairs/beta+gamma"}, trained); diff != "" {
		t.Errorf("trained after beta's text changed (-want +got):\n%s", diff)
	}
}

func TestRevoke(t *testing.T) {
	sh := newShelf()
	p := compiled(t, parsed(t))
	sh.run(t, p)
	// Another learning rate: the units must run, and then the seed model turns out to be lost.
	p = compiled(t, parsed(t, "tokens_per_unit: 2000", "tokens_per_unit: 4000"))
	s, err := p.Resolve(stages.Kinds(), sh.lookup)
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := p.Find("seed")
	unit, _ := p.Find("unit/parts/alpha/0")
	if s.Status[seed] != Hit || s.Status[unit] != Run {
		t.Fatalf("seed is %s and the unit %s, want hit and run", s.Status[seed], s.Status[unit])
	}
	s.Revoke(seed, &cache.Miss{Reason: cache.Corrupt})
	if s.Status[seed] != Run || s.Status[unit] != Waits {
		t.Fatalf("after the seed is lost: seed %s, unit %s; want run and waits", s.Status[seed], s.Status[unit])
	}
	ready, err := s.Done(seed, sh.make(p, s, seed))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, i := range ready {
		ids = append(ids, p.Steps[i].ID)
	}
	if len(ids) != 8 { // 4 units, one partition, 3 references
		t.Errorf("after the seed is there again %v can run, want all 8 trainings", ids)
	}
}

func TestExplain(t *testing.T) {
	sh := newShelf()
	sh.run(t, compiled(t, parsed(t)))
	var entries []*cache.Entry
	for _, e := range sh.entries {
		entries = append(entries, e)
	}
	for _, tt := range []struct {
		name    string
		replace []string
		step    string
		want    string
	}{
		{"hit", nil, "seed", "seed: hit: the result is in the cache"},
		{"parameter", []string{"batch: 256}\ntrain", "batch: 512}\ntrain"}, "seed", `seed: run: param batch 256 -> 512`},
		{"waits", []string{"vocab: 320", "vocab: 384"}, "unit/parts/alpha/0",
			"unit/parts/alpha/0: waits: its key is known once split/parts and 1 more are done; split/parts: its key is known once tokenize/parts/a.jsonl and 2 more are done; " +
				"tokenize/parts/a.jsonl: its key is known once tokenizer is done; tokenizer: param vocab 320 -> 384"},
		{"list made longer", []string{"[heldout, eval]", "[heldout]"}, "split/parts", `split/parts: run: param against ["eval", "heldout"] -> ["heldout"]`},
		{"list gone", []string{"decontaminate: {against: [heldout, eval]}\n", ""}, "split/parts", `split/parts: run: param against ["eval", "heldout"] -> `},
		{"list new", []string{"order: year,", "order: year, except: [gamma],"}, "split/parts", `split/parts: run: param except  -> ["gamma"]`},
		{"new mixture", []string{"tokens_per_unit: 2000", "tokens_per_unit: 3000"}, "seq/pairs/beta+gamma", "seq/pairs/beta+gamma: run: param tokens 4096 -> 6144"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := compiled(t, parsed(t, tt.replace...))
			s, err := p.Resolve(stages.Kinds(), sh.lookup)
			if err != nil {
				t.Fatal(err)
			}
			i, err := p.Find(tt.step)
			if err != nil {
				t.Fatal(err)
			}
			x := s.Explain(i, entries)
			var parts []string
			for n, r := range x.Because {
				line := r.Step
				if n == 0 {
					line += ": " + x.Status.String()
				}
				line += ": "
				if len(r.Differs) > 0 {
					line += fmt.Sprintf("%s %s -> %s", r.Differs[0].Label, r.Differs[0].Old, r.Differs[0].New)
				} else {
					line += r.Note
				}
				parts = append(parts, line)
			}
			if got := strings.Join(parts, "; "); !strings.HasPrefix(got, tt.want) {
				t.Errorf("explanation\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestListsInWords(t *testing.T) {
	ing := func(values any) []cache.KeyInput { return flatten(canonical(map[string]any{"names": values})) }
	long := func(extra ...string) (out []string) {
		for i := range 20 {
			out = append(out, fmt.Sprint(i))
		}
		return append(out, extra...)
	}
	for _, tt := range []struct {
		name     string
		old, now any
		want     string
	}{
		{"short", []int{1, 2}, []int{1, 3, 4}, "param names [1, 2] -> [1, 3, 4]"},
		{"emptied", []int{1}, []int{}, "param names [1] -> []"},
		{"one more of many", long(), long("x"), `param names 20 values -> 21 values, among them "x"`},
		{"many more", long(), long(long("x")[10:]...), `param names 20 values -> 31 values, among them "x"`},
		{"other order", long("a", "b"), long("b", "a"), "param names 22 values -> 22 values"},
		{"no list before", "word", []int{1}, "param names.length  -> 1; param names[0]  -> 1; param names \"word\" -> "},
		{"list of lists", [][]int{{1}, {2}}, [][]int{{1}, {3}}, "param names[1] [2] -> [3]"},
		{"absent", nil, "word", "param names <nil> -> \"word\""},
	} {
		diffs := differ(ing(tt.old), ing(tt.now))
		foldLists(diffs, ing(tt.old), ing(tt.now))
		var got []string
		for _, d := range diffs {
			if d.Label != "" {
				got = append(got, fmt.Sprintf("%s %s -> %s", d.Label, d.Old, d.New))
			}
		}
		if got := strings.Join(got, "; "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestFlatten(t *testing.T) {
	var got []string
	for _, in := range flatten(canonical(map[string]any{
		"b": []any{1, "x\ny", []any{}}, "a": map[string]any{"c": true, "d": 0.1, "e": nil},
	})) {
		got = append(got, in.Label+"="+in.Value)
	}
	want := []string{"param a.c=true", "param a.d=0.1", "param a.e=<nil>", "param b.length=3", "param b[0]=1", `param b[1]="x\ny"`, "param b[2].length=0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A list too long for a key is one line of it, and differs where the list does.
func TestFlattenLongLists(t *testing.T) {
	long := strings.Repeat("x", kind.MostList)
	of := func(scores ...string) []cache.KeyInput {
		return flatten(canonical(map[string]any{"scores": scores, "seed": 1, "name": long}))
	}
	for _, tt := range []struct {
		scores []string
		want   string
	}{
		{[]string{long, "a"}, "param scores.sha256"},
		{[]string{long, "b"}, "param scores.sha256"},
		{[]string{"a"}, "param scores.length"},
	} {
		got := of(tt.scores...)
		if n := 3; len(got) < n || got[0].Label != "param name" || got[1].Label != tt.want || got[len(got)-1].Label != "param seed" {
			t.Errorf("%d key inputs", len(got))
		}
		if tt.want == "param scores.sha256" && got[1].Value != cache.DigestOf(canonical(tt.scores)).String() {
			t.Errorf("scores are %s, want the SHA-256 of their JSON", got[1].Value)
		}
	}
}

// TestKeysAreGolden fails when keys change: every cache in use then misses once. Raise the version
// of the kind, say why in its history and run with -update.
func TestKeysAreGolden(t *testing.T) {
	sh := newShelf()
	p := compiled(t, parsed(t))
	s := sh.run(t, p)
	var b strings.Builder
	for _, id := range []string{"tokenizer", "tokenize/eval/far", "split/parts", "pack/seed", "seed", "unit/parts/alpha/0", "seq/pairs/alpha+beta", "eval/macro/pairs/alpha+beta/far", "correlate"} {
		i, err := p.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", s.Keys[i], id)
	}
	i, _ := p.Find("unit/parts/alpha/0")
	for _, in := range s.KeyInputs[i] {
		fmt.Fprintf(&b, "  %s = %s\n", in.Label, in.Value)
	}
	golden(t, "keys.golden", b.String())
}

func TestAccount(t *testing.T) {
	p := compiled(t, parsed(t, "heldout:", "cost: {hours_per_billion_tokens: 5}\nheldout:", "tokens_per_unit: 2000", "tokens_per_unit: 2048"))
	s, err := p.Resolve(stages.Kinds(), newShelf().lookup)
	if err != nil {
		t.Fatal(err)
	}
	a := s.Estimate()
	if a.Summary.Steps.Hit != 0 || a.Summary.Steps.Run != 1 || a.Summary.Steps.Waits != len(p.Steps)-1 {
		t.Errorf("steps %+v, want 1 to run (the tokenizer) and the others waiting", a.Summary.Steps)
	}
	total := int64(0)
	for _, st := range a.Steps {
		total += st.Cost.Tokens
	}
	if sum := a.Summary.Tokens; sum.Remaining != total || total != sum.Seed+sum.Units+sum.Partitions+sum.ReferenceSelected {
		t.Errorf("tokens %+v do not add up to %d", sum, total)
	}
	if want := int64(len("seed text") + len("alpha text") + len("beta text") + len("far text")); a.Summary.BytesRaw != want {
		t.Errorf("%d bytes of raw files, want %d: each file once", a.Summary.BytesRaw, want)
	}
	if got, want := a.Summary.Hours.Remaining, 5*float64(total)/1e9; math.Abs(got-want) > 1e-12 {
		t.Errorf("%g hours, want %g", got, want)
	}
}
