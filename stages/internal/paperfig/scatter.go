package paperfig

import (
	"fmt"
	"math"
	"strings"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ablate/stages/internal/svg"
)

const (
	panelWidth, panelHeight   = 200, 186 // of each of many
	singleWidth, singleHeight = 330, 270 // of the only one
	panelGap                  = 14
)

// Grid is a figure of scatters under one legend. Panels of a series that has the same place in the
// list look alike.
type Grid struct {
	Title  string
	Names  []Name     // of the series, in their order
	Panels [][]*Panel // rows of equal length; nil: nothing is there
	XLabel string
	YLabel string
}

// Name is a series in the legend; Value stands behind it in grey, and may be empty.
type Name struct{ Name, Value string }

// Panel is one scatter. Series stand in the order of the names; one without points is left out.
type Panel struct {
	Title, Note string
	Series      [][]svg.Point
}

func (g Grid) cell() (w, h vg.Length) {
	if len(g.Panels) == 1 && len(g.Panels[0]) == 1 {
		return singleWidth, singleHeight
	}
	return panelWidth, panelHeight
}

func (g Grid) columns() int {
	if len(g.Panels) == 0 {
		return 0
	}
	return len(g.Panels[0])
}

func (g Grid) size() (w, h vg.Length) {
	cw, ch := g.cell()
	w = max(singleWidth, vg.Length(vg.Length(g.columns())*(cw+panelGap))-panelGap) + 2*margin
	return w, vg.Length(vg.Length(len(g.Panels))*(ch+panelGap)) - panelGap + 2*margin + headHeight(w, g.Title, g.keys())
}

// keys are the entries of the legend: only series that some panel shows.
func (g Grid) keys() []key {
	var keys []key
	for i, n := range g.Names {
		if !g.shows(i) {
			continue
		}
		look := svg.LookOf(i)
		keys = append(keys, key{n.Name, n.Value, func(c *draw.Canvas, at vg.Point) {
			c.StrokeLine2(dashed(look, 1, 180), at.X-9, at.Y, at.X+9, at.Y)
			c.DrawGlyphNoClip(mark{look}.style(markSize), at)
		}})
	}
	return keys
}

func (g Grid) shows(series int) bool {
	for _, row := range g.Panels {
		for _, p := range row {
			if p != nil && series < len(p.Series) && len(p.Series[series]) > 0 {
				return true
			}
		}
	}
	return false
}

func (g Grid) draw(c draw.Canvas) {
	body := head(c, g.Title, g.keys())
	if g.columns() == 0 {
		return
	}
	cells := make([][]*gonum.Plot, len(g.Panels))
	for j, row := range g.Panels {
		for i, p := range row {
			if p == nil {
				cells[j] = append(cells[j], nil)
				continue
			}
			x, y := "", ""
			if j == len(g.Panels)-1 || g.Panels[j+1][i] == nil {
				x = g.XLabel
			}
			if i == 0 {
				y = g.YLabel
			}
			cells[j] = append(cells[j], p.plot(x, y))
		}
	}
	tiles := draw.Tiles{Rows: len(cells), Cols: g.columns(), PadX: panelGap, PadY: panelGap}
	for j, row := range gonum.Align(cells, tiles, body) {
		for i, cell := range row {
			if p := cells[j][i]; p != nil {
				p.Draw(cell)
			}
		}
	}
}

// plot is the panel as the library has it.
func (p Panel) plot(xLabel, yLabel string) *gonum.Plot {
	out := frame(xLabel, yLabel)
	style := letters(8.5, ink)
	out.Title.Text = clipped(p.Title, panelWidth-20, style)
	if p.Note != "" {
		out.Title.Text += "\n" + clipped(p.Note, panelWidth-20, style)
	}
	x0, x1, y0, y1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	drawn := make([]plotter.XYs, len(p.Series))
	for i, s := range p.Series {
		for _, v := range s {
			if svg.Drawable(v) {
				x0, x1, y0, y1 = min(x0, v.X), max(x1, v.X), min(y0, v.Y), max(y1, v.Y)
				drawn[i] = append(drawn[i], plotter.XY{X: v.X, Y: v.Y})
			}
		}
	}
	var xs, ys []svg.Tick
	out.X.Min, out.X.Max, xs = svg.Ticks(x0, x1, 4)
	out.Y.Min, out.Y.Max, ys = svg.Ticks(y0, y1, 4)
	out.X.Tick.Marker, out.Y.Tick.Marker = ticks(xs), ticks(ys)
	grid := plotter.NewGrid()
	grid.Vertical = draw.LineStyle{Color: hair, Width: 0.5}
	grid.Horizontal = grid.Vertical
	out.Add(grid)
	if lo, hi := max(out.X.Min, out.Y.Min), min(out.X.Max, out.Y.Max); lo < hi { // where the proxy is exact
		out.Add(&plotter.Line{XYs: plotter.XYs{{X: lo, Y: lo}, {X: hi, Y: hi}}, LineStyle: draw.LineStyle{Color: rule, Width: 0.7, Dashes: []vg.Length{0.8, 2.2}}})
	}
	for i, s := range p.Series {
		if from, to, ok := svg.Fit(s, out.Y.Min, out.Y.Max); ok {
			out.Add(&plotter.Line{XYs: plotter.XYs{{X: from.X, Y: from.Y}, {X: to.X, Y: to.Y}}, LineStyle: dashed(svg.LookOf(i), 0.8, 170)})
		}
	}
	for i := range p.Series {
		if len(drawn[i]) > 0 {
			out.Add(&plotter.Scatter{XYs: drawn[i], GlyphStyle: mark{svg.LookOf(i)}.style(markSize)})
		}
	}
	return out
}

func (g Grid) words() string {
	var panels []string
	for _, row := range g.Panels {
		for _, p := range row {
			if p != nil {
				panels = append(panels, strings.TrimSuffix(p.Title+": "+p.Note, ": "))
			}
		}
	}
	return fmt.Sprintf("%s. Scatter plots of %s over %s. %s.", g.Title, g.YLabel, g.XLabel, strings.Join(panels, "; "))
}
