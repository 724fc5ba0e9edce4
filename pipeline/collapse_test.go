package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dominikbraun/graph"
	"github.com/google/go-cmp/cmp"

	"ablate/specs"
)

func collapsed(t testing.TB, p *Plan, collapse func(*Plan) (*Collapsed, error)) *Collapsed {
	t.Helper()
	c, err := collapse(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inLines writes a collapsed plan for people and golden files.
func inLines(c *Collapsed) string {
	var b strings.Builder
	for _, n := range c.Nodes {
		b.WriteString(n.Label() + "\n")
	}
	for _, e := range c.Edges {
		fmt.Fprintf(&b, "%s -> %s, %d times\n", c.Nodes[e.From].Label(), c.Nodes[e.To].Label(), e.Times)
	}
	return b.String()
}

func TestCollapse(t *testing.T) {
	p := compiled(t, parsed(t))
	all := collapsed(t, p, (*Plan).Collapse)
	reduced, err := all.Reduced()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "collapsed.golden", inLines(all)+"\nreduced\n"+inLines(reduced))
	dot, err := reduced.DOT(`a "study"`)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "collapsed.dot", dot)
	golden(t, "collapsed.mermaid", reduced.Mermaid())
	each := collapsed(t, p, (*Plan).EachStep)
	for i, n := range each.Nodes {
		if n.Name != p.Steps[i].ID || len(n.Steps) != 1 || n.Steps[0] != i {
			t.Errorf("node %d of single steps is %+v, want step %s", i, n, p.Steps[i].ID)
		}
	}
	if len(each.Nodes) != len(p.Steps) {
		t.Errorf("%d nodes for %d steps", len(each.Nodes), len(p.Steps))
	}
}

// The library keeps maps, whose order changes from call to call; a plan is always drawn by the same
// bytes.
func TestCollapseIsTheSameEachTime(t *testing.T) {
	p := compiled(t, parsed(t))
	draw := func() string {
		reduced, err := collapsed(t, p, (*Plan).Collapse).Reduced()
		if err != nil {
			t.Fatal(err)
		}
		dot, err := reduced.DOT("study")
		if err != nil {
			t.Fatal(err)
		}
		steps, err := collapsed(t, p, (*Plan).EachStep).DOT("study")
		if err != nil {
			t.Fatal(err)
		}
		return inLines(reduced) + dot + steps
	}
	first := draw()
	for range 20 {
		if diff := cmp.Diff(first, draw()); diff != "" {
			t.Fatalf("-first +later:\n%s", diff)
		}
	}
}

// chain makes a plan of steps in which each takes from the given earlier ones.
func chain(inputs ...[]int) *Plan {
	p := &Plan{index: map[string]int{}}
	for i, from := range inputs {
		s := &Step{ID: string(rune('a' + i))}
		for _, j := range from {
			s.Inputs = append(s.Inputs, Input{Role: "x", Step: j}, Input{Role: "y", Step: j})
		}
		p.Steps = append(p.Steps, s)
		p.index[s.ID] = i
	}
	return p
}

func TestCollapseBy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		plan   *Plan
		groups string // the group of each step
		want   string // "" for an error
	}{
		{"nothing", chain(), "", "\n"},
		{"steps of one group", chain(nil, nil, nil), "xxx", "x (3)\n\n"},
		{"two outputs of one step are taken from once", chain(nil, []int{0}), "xy", "x\ny\nx -> y, 1 times\n\nx -> y\n"},
		{"a shortcut", chain(nil, []int{0}, []int{0, 1}, []int{2}), "abcd",
			"a\nb\nc\nd\na -> b, 1 times\na -> c, 1 times\nb -> c, 1 times\nc -> d, 1 times\n\na -> b\nb -> c\nc -> d\n"},
		{"a later step of a group brings an edge from a later group", chain(nil, nil, []int{1}, nil, []int{0, 3}), "axbya",
			"x\ny\nb\na (2)\nx -> b, 1 times\ny -> a (2), 1 times\n\nx -> b\ny -> a (2)\n"},
		{"groups in a circle", chain(nil, []int{0}, []int{1}), "aba", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := tt.plan.CollapseBy(func(i int) string { return tt.groups[i : i+1] })
			if tt.want == "" {
				if err == nil || !strings.Contains(err.Error(), "cycle") {
					t.Errorf("error %v, want one of a cycle", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.Reduced()
			if err != nil {
				t.Fatal(err)
			}
			got := inLines(c) + "\n"
			for _, e := range r.Edges {
				got += fmt.Sprintf("%s -> %s\n", r.Nodes[e.From].Label(), r.Nodes[e.To].Label())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A label holds what people write, and Graphviz and Mermaid have signs of their own.
func TestDrawnLabels(t *testing.T) {
	c := &Collapsed{Nodes: []Node{{Name: `unit/"a\b"`, Steps: []int{0}, Note: "1 run"}}}
	dot, err := c.DOT("s")
	if err != nil {
		t.Fatal(err)
	}
	if want := `label="unit/\"a\\b\"\n1 run"`; !strings.Contains(dot, want) {
		t.Errorf("%s\nhas no %s", dot, want)
	}
	if got, want := c.Mermaid(), "flowchart LR\n  n0[\"unit/#quot;a\\b#quot;<br/>1 run\"]\n"; got != want {
		t.Errorf("mermaid %q, want %q", got, want)
	}
	if dot, err := (&Collapsed{}).DOT("s"); err != nil || !strings.Contains(dot, "digraph") {
		t.Errorf("an empty plan is drawn as %q, %v", dot, err)
	}
}

func TestReach(t *testing.T) {
	p := compiled(t, parsed(t))
	s := &State{Plan: p, Status: make([]Status, len(p.Steps))}
	for i, step := range p.Steps {
		s.Status[i] = Hit
		switch step.ID {
		case "tokenize/parts/b.jsonl", "seed", "unit/parts/alpha/0":
			s.Status[i] = Run
		}
	}
	for _, tt := range []struct {
		step string
		want Reach
	}{
		{"correlate", Reach{Upstream: []Part{{"tokenize/parts", 1}, {"seed", 1}, {"unit/parts", 1}}}},
		{"unit/parts/beta/0", Reach{
			Upstream:   []Part{{"tokenize/parts", 1}, {"seed", 1}},
			Downstream: []Part{{"eval/unit", 4}, {"eval/macro", 3}, {"eval/micro", 3}, {"eval/merged", 6}, {"correlate", 1}},
		}},
		{"seed", Reach{Downstream: []Part{
			{"unit/parts", 4}, {"part/parts", 1}, {"seq/pairs", 3}, {"eval/unit", 16}, {"eval/macro", 6}, {"eval/micro", 6}, {"eval/merged", 9}, {"eval/seq", 9}, {"correlate", 1}}}},
	} {
		i, err := p.Find(tt.step)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Reach(i)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.step, diff)
		}
		counted := 0
		for _, part := range got.Downstream {
			counted += part.Count
		}
		if want := dependents(p, i); counted != want {
			t.Errorf("%s: %d steps downstream, one by one %d", tt.step, counted, want)
		}
	}
}

// dependents counts the steps that depend on step i, with a search from each.
func dependents(p *Plan, i int) int {
	n := 0
	for j := range p.Steps {
		if j == i {
			continue
		}
		sub, _ := p.Sub(j)
		if _, ok := sub.index[p.Steps[i].ID]; ok {
			n++
		}
	}
	return n
}

// BenchmarkLibrary is what the graph library takes for the whole of a plan. The comment on
// Collapsed has the numbers.
func BenchmarkLibrary(b *testing.B) {
	for _, n := range []int{28, 57} {
		units := make([]string, n)
		for i := range units {
			units[i] = fmt.Sprintf("u%03d: 1", i)
		}
		text := strings.Replace(study, "{alpha: 2, beta: 1, gamma: 1}", "{"+strings.Join(units, ", ")+"}", 1)
		text = strings.Replace(text, "reference: {seq: pairs}\n", "", 1)
		s, err := specs.Parse("study.yaml", []byte(text), ".")
		if err != nil {
			b.Fatal(err)
		}
		p, err := Compile(s, sources(), nil)
		if err != nil {
			b.Fatal(err)
		}
		c := collapsed(b, p, (*Plan).EachStep)
		g, err := c.library(c.Edges, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, op := range []struct {
			name string
			do   func() error
		}{
			{"build", func() error { _, err := c.library(c.Edges, nil); return err }},
			{"sort", func() error {
				_, err := graph.StableTopologicalSort(g, func(a, b string) bool { return a < b })
				return err
			}},
			{"reduce", func() error { _, err := graph.TransitiveReduction(g); return err }},
		} {
			b.Run(fmt.Sprintf("%s/%d", op.name, len(p.Steps)), func(b *testing.B) {
				for b.Loop() {
					if err := op.do(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(c.Edges)), "edges")
			})
		}
	}
}
