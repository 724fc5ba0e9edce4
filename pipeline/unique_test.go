package pipeline

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ablate/specs"
	"ablate/specs/ident"
	"ablate/stages/kind"
)

// oddNames are names of partitions made of the signs that join names.
func oddNames(r *rand.Rand, n int) map[string]int {
	signs := []string{"x", "y", "z", "+", "/", ",", "@", "#", ":", "%", "%2B", " ", "\n", "é", "0", "1", "2", ",1990-1999", ",2000-2009#2", "/0", "/1", "parts", "others", "far", "test"}
	out := map[string]int{}
	for len(out) < n {
		name := ""
		for range r.IntN(5) {
			name += signs[r.IntN(len(signs))]
		}
		out[name] = 1 + r.IntN(3)
	}
	return out
}

// TestNothingSharesAName plans studies whose partitions have names of every kind and holds that no
// two components, mixtures, models or steps share a name: there is a reference of each mixture,
// made of its own units.
func TestNothingSharesAName(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		fields := 1 + r.IntN(2)
		by, of := "part", []string{"partitions", "units"}[r.IntN(2)]
		if fields == 2 {
			by = "[part, year]"
		}
		s := parsed(t,
			"by: part, order: year", "by: "+by+", order: year",
			", units: {alpha: 2, beta: 1, gamma: 1}}", "}\n  others: {corpus: parts, by: part, order: year, unit: {tokens: 5000}}",
			"{choose: 2}", "{choose: 2, from: [parts, others], of: "+of+"}\n  crossed: {cross: [parts, others], of: "+of+"}",
			"seq: pairs", "seq: [pairs, crossed]")
		found := Catalogue{"parts": {}, "others": oddNames(r, 4)}
		for name, units := range oddNames(r, 4) {
			values := strings.SplitN(name, "/", fields)
			for len(values) < fields {
				values = append(values, "")
			}
			found["parts"][ident.Join(values)] = units
		}
		src := sources()
		if r.IntN(2) == 0 { // units by range, some of one range
			src.Names = UnitNames{}
			for set, parts := range found {
				src.Names[set] = map[string][]string{}
				for name, units := range parts {
					n := 1
					if set == "parts" {
						n = fields
					}
					for u := range units {
						unit := ident.Unit{Number: -1, First: "1990", Last: "1999", Again: u + 1}
						src.Names[set][name] = append(src.Names[set][name], ident.Text(name, n)+unit.Suffix())
					}
				}
			}
		}
		p, err := Compile(s, src, found)
		if err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, found)
		}
		unique(t, p)
	}
}

// unique checks a plan as a person sees it: each name once, and each reference trained on the units
// of its own mixture.
func unique(t *testing.T, p *Plan) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range p.Mixtures {
		if at := m.MixtureSet + "\x00" + m.Name; seen[at] {
			t.Errorf("two mixtures of %s are called %s", m.MixtureSet, m.Name)
		} else {
			seen[at] = true
		}
		r, err := p.recipe("seq/" + m.MixtureSet + "/" + m.Name)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		units := 0
		for _, n := range m.UnitsOf {
			units += n
		}
		ins := 0
		for _, in := range p.Steps[r.models[0]].Inputs {
			if strings.HasPrefix(in.Role, "unit.") {
				ins++
			}
		}
		if ins != units || len(ident.ParseMixture(m.Name)) < 2 {
			t.Errorf("mixture %s of %d units has a model of %d", m.Name, units, ins)
		}
	}
	about, ids := map[string]string{}, map[string]bool{}
	for _, s := range p.Steps {
		if ids[s.ID] || strings.ContainsAny(s.ID, "\n\x00") {
			t.Errorf("step %q", s.ID)
		}
		ids[s.ID] = true
		if s.About.Role == kind.RoleUnit || s.About.Role == kind.RoleReference {
			what := fmt.Sprintf("%q", []string{s.About.Role, s.About.PartitionSet, s.About.Partition, fmt.Sprint(s.About.Unit), s.About.MixtureSet, s.About.Mixture})
			if other, ok := about[what]; ok {
				t.Errorf("steps %s and %s are about %s", other, s.ID, what)
			}
			about[what] = s.ID
		}
	}
}

// Names of units that an older version recorded are understood.
func TestOlderNamesOfUnits(t *testing.T) {
	src := sources()
	src.Names = UnitNames{"parts": {"C++": {"C++,1990-1999"}, "a+b": {"a%2Bb,1990-1999"}, "%": {"%25,1990-1999"}, "": {",1990-1999"}}}
	p, err := Compile(parsed(t, ", units: {alpha: 2, beta: 1, gamma: 1}", "", "{choose: 2}", "{choose: 2, of: units}"), src, Catalogue{"parts": {"C++": 1, "a+b": 1, "%": 1, "": 1}})
	if err != nil {
		t.Fatal(err)
	}
	unique(t, p)
	for _, want := range []string{"C%2B%2B,1990-1999", "a%2Bb,1990-1999", "%25,1990-1999", "%,1990-1999"} {
		if _, err := p.Find("unit/parts/" + want); err != nil {
			t.Error(err)
		}
	}
}

// Partitions x, y+z, x+y and z make six pairs, and each has its own model.
func TestPlusInPartitions(t *testing.T) {
	s := parsed(t, ", units: {alpha: 2, beta: 1, gamma: 1}", ", units: {x: 1, y+z: 1, x+y: 1, z: 1}")
	p := compiled(t, s)
	unique(t, p)
	if got, want := mixtureNames(p), []string{"x+x%2By", "x+y%2Bz", "x+z", "x%2By+y%2Bz", "x%2By+z", "y%2Bz+z"}; !slices.Equal(got, want) {
		t.Errorf("mixtures %q, want %q", got, want)
	}
	// A person may write a partition as documents have it, too.
	for _, list := range []string{"[x, y+z]", "[x, y%2Bz]", "[parts/x, parts/y+z]"} {
		p := compiled(t, parsed(t, ", units: {alpha: 2, beta: 1, gamma: 1}", ", units: {x: 1, y+z: 1, x+y: 1, z: 1}", "choose: 2", "list: ["+list+"]"))
		if got := mixtureNames(p); !slices.Equal(got, []string{"x+y%2Bz"}) {
			t.Errorf("%s: mixtures %q", list, got)
		}
	}
}

// A unit of one set of partitions and a partition of another are told apart by the set, as two
// partitions of one name are.
func TestSetsAreNamedWherePartitionsShareNames(t *testing.T) {
	two := []string{"units: {alpha: 2, beta: 1, gamma: 1}}", "units: {cs: 3}}\n  both: {corpus: parts, by: [part, year], unit: {tokens: 5000}, units: {cs/1: 1, cs/7: 1}}",
		"choose: 2", "choose: 2, from: [parts, both], of: units"}
	got := mixtureNames(compiled(t, parsed(t, two...)))
	want := []string{"both/cs/1+both/cs/7", "both/cs/1+parts/cs/0", "both/cs/1+parts/cs/1"}
	for _, name := range want[:2] {
		if !slices.ContainsFunc(got, func(m string) bool { return strings.HasPrefix(m, name) || strings.Contains(m, "parts/cs/0") }) {
			t.Errorf("mixtures %q, want one that begins %s", got, name)
		}
	}
	seen := map[string]bool{}
	for _, m := range got {
		if seen[m] {
			t.Errorf("two mixtures are called %s", m)
		}
		seen[m] = true
	}
}

// Where two things would still share a name the study is refused at the place where a person can
// choose another.
func TestNameToBeChosen(t *testing.T) {
	for _, c := range []struct {
		name, want string
		replace    []string
	}{
		{"a fold into what reads as a unit", `partitions.parts.fold: partition "cs/1" and unit 1 of partition "cs" would both be called cs/1; fold into another name`,
			[]string{"by: part, order: year", "by: [part, year], order: year, fold: {a/b: cs}", "units: {alpha: 2, beta: 1, gamma: 1}", "units: {cs: 2, cs/1: 1}"}},
		{"a partition that reads as an evaluation", "eval.out_of_domain.x: an evaluation on ",
			[]string{"units: {alpha: 2, beta: 1, gamma: 1}", "units: {x: 1, y: 1, y/test/parts: 1}", "    far: {files: far.jsonl}", "    x: {files: far.jsonl}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := sources()
			src.EvalSets["x"] = src.EvalSets["far"]
			_, err := Compile(parsed(t, c.replace...), src, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if _, ok := err.(specs.Errors); err != nil && !ok {
				t.Errorf("the error is a %T, which names no place", err)
			}
		})
	}
}

// A corpus may be called as the folder of evaluation sets is among steps.
func TestCorpusCalledEval(t *testing.T) {
	s := parsed(t, "  seed: {files", "  eval: {files", "on: seed", "on: eval", "on: seed", "on: eval", "    far: {files: far.jsonl}", "    seed.jsonl: {files: far.jsonl}")
	src := sources()
	src.Corpora["eval"], src.EvalSets["seed.jsonl"] = src.Corpora["seed"], src.EvalSets["far"]
	p, err := Compile(s, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	unique(t, p)
	for id, want := range map[string]About{
		"tokenize/%65val/seed.jsonl": {Role: kind.RoleCorpus, Corpus: "eval"}, "tokenize/eval/seed.jsonl": {Role: kind.RoleEvalSet, EvalSet: "seed.jsonl"},
	} {
		if i, err := p.Find(id); err != nil || p.Steps[i].About != want {
			t.Errorf("step %s: %v", id, err)
		}
	}
}
