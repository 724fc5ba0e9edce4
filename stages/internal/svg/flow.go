package svg

import (
	"fmt"
	"slices"
	"strings"

	"ablate/stages/internal/elementary"
)

// Flow is a graph of work, from left to right: nodes in columns, each to the right of all that it
// takes from.
type Flow struct {
	About string // one sentence for those who cannot see it
	Nodes []FlowNode
	Edges []FlowEdge
}

// FlowNode is a box: a name with a count beside it, and lines below. Share, 0 to 1, is drawn as a
// bar.
type FlowNode struct {
	Name, Count string
	Lines       []string
	Share       float64
	Label       string // what the pointer shows
}

// FlowEdge says that To takes from From, so many times; more is thicker.
type FlowEdge struct {
	From, To int
	Times    int
	Label    string
}

const (
	flowWidth, flowGap   = 132, 34 // of a box, and to the next column
	flowHeight, flowLine = 78, 14
	flowBetween          = 18 // boxes of a column
	flowThrough          = 12 // height that an edge takes of a column it passes
)

const flowStyle = `.ablate-plot .b{fill:var(--plot-ground);stroke:var(--plot-axis);stroke-width:1}
.ablate-plot .w{fill:none;stroke:var(--plot-axis);stroke-opacity:.55}
.ablate-plot .u{fill:var(--plot-grid)}
.ablate-plot .v{fill:var(--plot-0)}
.ablate-plot .z{font-size:12.5px;font-weight:650;fill:var(--plot-ink)}
.ablate-plot g:hover>.b{stroke:var(--plot-ink);stroke-width:1.5}
.ablate-plot .w:hover{stroke:var(--plot-0);stroke-opacity:1}
`

// place is a box, or where an edge passes through a column.
type flowPlace struct {
	node int // -1: an edge passes
	y, h float64
	from []int // places of the column before that lead here
	pull float64
}

// SVG draws the figure. It fails where an edge does not lead from a node to another, or edges go
// round.
func (f Flow) SVG() ([]byte, error) {
	column, err := f.columns()
	if err != nil {
		return nil, err
	}
	columns, at, passes := f.places(column)
	var height float64
	for _, c := range columns {
		height = max(height, total(c))
	}
	for _, c := range columns {
		y := 8 + float64((height-total(c))/2)
		for _, p := range c {
			p.y = y + float64(p.h/2)
			y += p.h + flowBetween
		}
	}
	c := &canvas{width: 16 + float64(float64(len(columns))*(flowWidth+flowGap)) - flowGap, height: height + 16, style: flowStyle}
	if len(columns) == 0 {
		c.width = 16
	}
	left := func(column int) float64 { return 8 + float64(float64(column)*(flowWidth+flowGap)) }
	for _, e := range f.Edges {
		var d strings.Builder
		x, y := left(column[e.From])+flowWidth, at[e.From].y
		fmt.Fprintf(&d, "M%s %s", px(x), px(y))
		to := func(nx, ny float64) {
			half := float64((nx - x) / 2)
			fmt.Fprintf(&d, "C%s %s %s %s %s %s", px(x+half), px(y), px(nx-half), px(ny), px(nx), px(ny))
			x, y = nx, ny
		}
		for k := column[e.From] + 1; k < column[e.To]; k++ {
			p := passes[[2]int{e.From, k}]
			to(left(k), p.y)
			x = left(k) + flowWidth
			fmt.Fprintf(&d, "H%s", px(x))
		}
		to(left(column[e.To]), at[e.To].y)
		width := min(6, 1+float64(0.6*elementary.Log2(float64(max(1, e.Times)))))
		fmt.Fprintf(c, "<path class=\"w\" stroke-width=\"%s\" d=\"%s\"><title>%s</title></path>\n", px(width), d.String(), escape(e.Label))
	}
	for i, n := range f.Nodes {
		c.box(n, left(column[i]), at[i].y-flowHeight/2)
	}
	return c.finish("", f.About), nil
}

func total(column []*flowPlace) float64 {
	h := -float64(flowBetween)
	for _, p := range column {
		h += p.h + flowBetween
	}
	return h
}

// columns puts each node one column behind the last of those it takes from.
func (f Flow) columns() ([]int, error) {
	column := make([]int, len(f.Nodes))
	for round := 0; ; round++ {
		moved := false
		for _, e := range f.Edges {
			if e.From < 0 || e.To < 0 || e.From >= len(f.Nodes) || e.To >= len(f.Nodes) || e.From == e.To {
				return nil, fmt.Errorf("plot: edge from %d to %d of %d nodes", e.From, e.To, len(f.Nodes))
			}
			if column[e.To] <= column[e.From] {
				column[e.To], moved = column[e.From]+1, true
			}
		}
		if !moved {
			return column, nil
		}
		if round > len(f.Nodes) {
			return nil, fmt.Errorf("plot: edges of a flow go round")
		}
	}
}

// places lists the places of each column from the top: boxes, and where edges pass on their way to
// later columns, one place for all edges of a node. They are ordered by the mean place of what
// leads to them, so that few edges cross (the barycentre method of Sugiyama, Tagawa and Toda, 1981,
// one sweep).
func (f Flow) places(column []int) (columns [][]*flowPlace, at []*flowPlace, passes map[[2]int]*flowPlace) {
	if len(f.Nodes) == 0 {
		return nil, nil, nil
	}
	columns = make([][]*flowPlace, slices.Max(column)+1)
	passes = map[[2]int]*flowPlace{}
	index := map[*flowPlace]int{} // in its column
	add := func(k int, p *flowPlace) *flowPlace {
		index[p] = len(columns[k])
		columns[k] = append(columns[k], p)
		return p
	}
	at = make([]*flowPlace, len(f.Nodes))
	for k := range columns {
		for i := range f.Nodes {
			if column[i] == k {
				at[i] = add(k, &flowPlace{node: i, h: flowHeight})
			}
		}
		for _, e := range f.Edges {
			if column[e.From] < k && k < column[e.To] && passes[[2]int{e.From, k}] == nil {
				passes[[2]int{e.From, k}] = add(k, &flowPlace{node: -1, h: flowThrough})
			}
		}
		if k == 0 {
			continue
		}
		before := func(e FlowEdge) *flowPlace {
			if column[e.From] == k-1 {
				return at[e.From]
			}
			return passes[[2]int{e.From, k - 1}]
		}
		for _, e := range f.Edges {
			if column[e.To] == k {
				at[e.To].from = append(at[e.To].from, index[before(e)])
			} else if column[e.From] < k && k < column[e.To] {
				p := passes[[2]int{e.From, k}]
				p.from = append(p.from, index[before(e)])
			}
		}
		for _, p := range columns[k] {
			for _, i := range p.from {
				p.pull += float64(i) / float64(len(p.from))
			}
		}
		slices.SortStableFunc(columns[k], func(a, b *flowPlace) int {
			switch {
			case a.pull < b.pull:
				return -1
			case a.pull > b.pull:
				return 1
			}
			return 0
		})
		for i, p := range columns[k] {
			index[p] = i
		}
	}
	return columns, at, passes
}

func (c *canvas) box(n FlowNode, x, y float64) {
	fmt.Fprintf(c, "<g><title>%s</title><rect class=\"b\" x=\"%s\" y=\"%s\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n", escape(n.Label), px(x), px(y), flowWidth, flowHeight)
	c.text("z", x+9, y+17, clip(n.Name, flowWidth-22-textWidth(n.Count, 11), 12.5))
	c.text("e", x+flowWidth-9, y+17, n.Count)
	for i, line := range n.Lines {
		c.text("", x+9, y+17+float64(float64(i+1)*flowLine), clip(line, flowWidth-14, 11))
	}
	fmt.Fprintf(c, "<rect class=\"u\" x=\"%s\" y=\"%s\" width=\"%d\" height=\"3\" rx=\"1.5\"/>\n", px(x+9), px(y+flowHeight-9), flowWidth-18)
	if n.Share > 0 {
		fmt.Fprintf(c, "<rect class=\"v\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"3\" rx=\"1.5\"/>\n", px(x+9), px(y+flowHeight-9), px(max(2, min(1, n.Share)*(flowWidth-18))))
	}
	c.WriteString("</g>\n")
}
