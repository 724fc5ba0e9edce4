package svg

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func flow(edges ...[2]int) Flow {
	f := Flow{About: "steps"}
	most := 0
	for _, e := range edges {
		f.Edges = append(f.Edges, FlowEdge{From: e[0], To: e[1], Times: 3, Label: "edge"})
		most = max(most, e[0], e[1])
	}
	for i := range most + 1 {
		f.Nodes = append(f.Nodes, FlowNode{Name: "train", Count: "×12", Lines: []string{strings.Repeat("of a very long kind ", i)}, Share: 2, Label: "<b>"})
	}
	return f
}

func TestFlowColumns(t *testing.T) {
	f := flow([2]int{0, 1}, [2]int{1, 3}, [2]int{0, 2}, [2]int{2, 3}, [2]int{0, 3}, [2]int{3, 4}, [2]int{0, 4})
	column, err := f.columns()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 1, 1, 2, 3} {
		if column[i] != want {
			t.Errorf("node %d is in column %d, want %d", i, column[i], want)
		}
	}
	columns, _, passes := f.places(column)
	if len(passes) != 2 { // all that skips the columns 1 and 2 is one bundle in each
		t.Errorf("%d places to pass, want 2", len(passes))
	}
	n := 0
	for _, c := range columns {
		n += len(c)
	}
	if n != len(f.Nodes)+2 {
		t.Errorf("%d places, want %d", n, len(f.Nodes)+2)
	}
}

// Boxes of a column must not touch.
func TestFlowApart(t *testing.T) {
	f := flow([2]int{0, 1}, [2]int{0, 2}, [2]int{0, 3}, [2]int{1, 4}, [2]int{0, 4})
	svg := draw(t, f)
	mustRead(t, svg)
	if strings.Count(svg, `class="b"`) != 5 || strings.Count(svg, `class="w"`) != 5 {
		t.Errorf("boxes and lines: %d and %d, want 5 and 5", strings.Count(svg, `class="b"`), strings.Count(svg, `class="w"`))
	}
	boxes := map[float64][]float64{} // x -> y
	for _, part := range strings.Split(svg, `<rect class="b" `)[1:] {
		var x, y float64
		if _, err := fmt.Sscanf(part, `x="%g" y="%g"`, &x, &y); err != nil {
			t.Fatal(err)
		}
		for _, other := range boxes[x] {
			if math.Abs(other-y) < flowHeight {
				t.Errorf("boxes at %g, %g and %g overlap", x, y, other)
			}
		}
		boxes[x] = append(boxes[x], y)
	}
	if len(boxes) != 3 {
		t.Errorf("%d columns, want 3", len(boxes))
	}
	if !strings.Contains(svg, "&lt;b&gt;") || !strings.Contains(svg, "…") {
		t.Error("texts are not escaped or not cut")
	}
}

func TestFlowRefuses(t *testing.T) {
	for name, f := range map[string]Flow{
		"round": flow([2]int{0, 1}, [2]int{1, 0}), "self": flow([2]int{0, 0}),
		"none": {Nodes: []FlowNode{{}}, Edges: []FlowEdge{{From: 0, To: 1}}},
	} {
		if _, err := f.SVG(); err == nil {
			t.Errorf("%s: drawn", name)
		}
	}
	mustRead(t, draw(t, Flow{}))
}
