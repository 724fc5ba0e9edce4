package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dominikbraun/graph"
)

// Collapsed is a plan whose steps are grouped into nodes, so that people can read it: a few dozen
// nodes stand for tens of thousands of steps. The nodes stand in a topological order. The same plan
// always gives the same nodes and edges in the same order.
//
// The graph library sorts, reduces, searches and draws collapsed plans. It does not do so for whole
// plans, because its sort and its reduction take quadratic time. Measured with v0.23.0 on 2 cores
// of an AMD EPYC: 1,983 steps with 7,038 edges are sorted in 0.37 s and reduced in 2.9 s; 8,160
// steps with 29,194 edges are sorted in 8.9 s and reduced in 43 s. BenchmarkLibrary measures this
// again.
type Collapsed struct {
	Nodes []Node
	Edges []Edge // by From, then To; both are numbers of nodes

	of []int // node of each step of the plan
}

// Node is a group of steps.
type Node struct {
	Name  string
	Steps []int // in plan order
	Note  string
}

// Edge says that steps of node To take outputs of steps of node From. Times counts the pairs of
// such steps.
type Edge struct{ From, To, Times int }

// Label is the node's name with the number of its steps, and its note on a second line.
func (n Node) Label() string {
	text := n.Name
	if len(n.Steps) > 1 {
		text = fmt.Sprintf("%s (%d)", n.Name, len(n.Steps))
	}
	if n.Note != "" {
		text += "\n" + n.Note
	}
	return text
}

// Collapse groups the steps that are about things of one sort, such as the unit models of one set
// of partitions.
func (p *Plan) Collapse() (*Collapsed, error) {
	return p.CollapseBy(func(i int) string { return p.Steps[i].family() })
}

// EachStep is the plan with a node for every step.
func (p *Plan) EachStep() (*Collapsed, error) {
	return p.CollapseBy(func(i int) string { return p.Steps[i].ID })
}

// CollapseBy groups the steps to which name gives the same name. It fails where groups take from
// one another in a circle.
func (p *Plan) CollapseBy(name func(step int) string) (*Collapsed, error) {
	c := &Collapsed{of: make([]int, len(p.Steps))}
	index := map[string]int{}
	for i := range p.Steps {
		n, ok := index[name(i)]
		if !ok {
			n = len(c.Nodes)
			index[name(i)] = n
			c.Nodes = append(c.Nodes, Node{Name: name(i)})
		}
		c.of[i] = n
		c.Nodes[n].Steps = append(c.Nodes[n].Steps, i)
	}
	if len(c.Nodes) < len(p.Steps) { // otherwise the order of the plan is a topological one
		if err := c.sort(p); err != nil {
			return nil, err
		}
	}
	c.Edges = c.edges(p)
	return c, nil
}

// sort puts the nodes into a topological order, in which nodes that could change places stand as in
// the plan.
func (c *Collapsed) sort(p *Plan) error {
	g, err := c.library(c.edges(p), nil)
	if err != nil {
		return err
	}
	order, err := graph.StableTopologicalSort(g, func(a, b string) bool { return a < b })
	if err != nil {
		return fmt.Errorf("internal error: order of the collapsed plan: %w", err)
	}
	nodes, place := make([]Node, len(order)), map[int]int{}
	for at, key := range order {
		n, err := g.Vertex(key)
		if err != nil {
			return fmt.Errorf("internal error: order of the collapsed plan: %w", err)
		}
		nodes[at], place[n] = c.Nodes[n], at
	}
	c.Nodes = nodes
	for i, n := range c.of {
		c.of[i] = place[n]
	}
	return nil
}

// edges lists the edges between different nodes.
func (c *Collapsed) edges(p *Plan) []Edge {
	times := map[[2]int]int{}
	var from []int
	for i, s := range p.Steps {
		from = from[:0]
		for _, in := range s.Inputs {
			if in.File == nil && c.of[in.Step] != c.of[i] {
				from = append(from, in.Step)
			}
		}
		slices.Sort(from) // a step may take several outputs of another
		for _, j := range slices.Compact(from) {
			times[[2]int{c.of[j], c.of[i]}]++
		}
	}
	edges := make([]Edge, 0, len(times))
	for e, n := range times {
		edges = append(edges, Edge{e[0], e[1], n})
	}
	slices.SortFunc(edges, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return edges
}

// key names node n in the library's graph. Keys sort as the numbers of the nodes do.
func (c *Collapsed) key(n int) string {
	return fmt.Sprintf("n%0*d", len(fmt.Sprint(len(c.Nodes)-1)), n)
}

// library makes a graph of the library: its vertices are the numbers of the nodes. attributes may
// be nil.
func (c *Collapsed) library(edges []Edge, attributes func(n Node) map[string]string) (graph.Graph[string, int], error) {
	g := graph.New(c.key, graph.Directed())
	var errs []error
	for n, node := range c.Nodes {
		if attributes == nil {
			errs = append(errs, g.AddVertex(n))
		} else {
			errs = append(errs, g.AddVertex(n, graph.VertexAttributes(attributes(node))))
		}
	}
	for _, e := range edges {
		errs = append(errs, g.AddEdge(c.key(e.From), c.key(e.To), graph.EdgeWeight(1))) // to Graphviz, a weight of 0 would mean an edge of any length
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("internal error: collapsed plan: %w", err)
	}
	return g, nil
}

// Reduced is the collapsed plan without the edges that a longer path implies (its transitive
// reduction).
func (c *Collapsed) Reduced() (*Collapsed, error) {
	g, err := c.library(c.Edges, nil)
	if err != nil {
		return nil, err
	}
	r, err := graph.TransitiveReduction(g)
	if err != nil {
		return nil, fmt.Errorf("internal error: reduction of the collapsed plan: %w", err)
	}
	out := &Collapsed{Nodes: c.Nodes, of: c.of}
	for _, e := range c.Edges {
		switch _, err := r.Edge(c.key(e.From), c.key(e.To)); {
		case err == nil:
			out.Edges = append(out.Edges, e)
		case !errors.Is(err, graph.ErrEdgeNotFound):
			return nil, fmt.Errorf("internal error: reduction of the collapsed plan: %w", err)
		}
	}
	return out, nil
}

// Note writes into each node how many of its steps would run or wait, and the first reason among
// them: "3 run, 2 wait: param optimizer.lr: 0.002 -> 0.003". why gives the reason of a step that
// would run, or "" where the step has none of its own.
func (s *State) Note(c *Collapsed, why func(step int) string) {
	for k := range c.Nodes {
		node := &c.Nodes[k]
		run, waits, reason := 0, 0, ""
		for _, i := range node.Steps {
			switch s.Status[i] {
			case Run:
				run++
				if reason == "" {
					reason = why(i)
				}
			case Waits:
				waits++
			}
		}
		var words []string
		if run > 0 {
			words = append(words, fmt.Sprintf("%d run", run))
		}
		if waits > 0 {
			words = append(words, fmt.Sprintf("%d wait", waits))
		}
		node.Note = strings.Join(words, ", ")
		if reason != "" {
			node.Note += ": " + reason
		}
	}
}
