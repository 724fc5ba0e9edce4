package paperfig

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ablate/stages/internal/svg"
)

const (
	dotsLine  = 9   // points between the lines of a row's series
	dotsPad   = 9   // between rows
	dotsField = 300 // width of the scale
	dotsLabel = 150 // room of the longest label at most
)

// Dots is a figure of correlations: a row an evaluation set, a dot a proxy, with its interval and,
// hollow and black, what was published.
type Dots struct {
	Title, XLabel string
	Names         []Name
	Rows          []DotsRow
}

// DotsRow is one evaluation set; cells stand in the order of the names.
type DotsRow struct {
	Label string
	Cells []Dot
}

// Dot is a correlation, its interval, and the published one; NaN: not known.
type Dot struct{ Value, Low, High, Published float64 }

func (f Dots) shows(series int) bool {
	for _, r := range f.Rows {
		if d := r.Cells[series]; !math.IsNaN(d.Value) || !math.IsNaN(d.Published) {
			return true
		}
	}
	return false
}

func (f Dots) published() bool {
	for _, r := range f.Rows {
		for _, d := range r.Cells {
			if !math.IsNaN(d.Published) {
				return true
			}
		}
	}
	return false
}

// ring is the mark of a published value.
var ring = draw.GlyphStyle{Color: ink, Radius: 3.6, Shape: mark{svg.Look{Colour: "#1d1c1a", Hollow: true}}}

func (f Dots) keys() []key {
	var keys []key
	for i, n := range f.Names {
		if !f.shows(i) {
			continue
		}
		look := svg.LookOf(i)
		keys = append(keys, key{n.Name, n.Value, func(c *draw.Canvas, at vg.Point) {
			c.StrokeLine2(draw.LineStyle{Color: faded(hex(look.Colour), 120), Width: 1.6}, at.X-8, at.Y, at.X+8, at.Y)
			c.DrawGlyphNoClip(mark{look}.style(markSize), at)
		}})
	}
	if f.published() {
		keys = append(keys, key{"published", "", func(c *draw.Canvas, at vg.Point) { c.DrawGlyphNoClip(ring, at) }})
	}
	return keys
}

// lines are the series that are shown, in order.
func (f Dots) lines() []int {
	var out []int
	for i := range f.Names {
		if f.shows(i) {
			out = append(out, i)
		}
	}
	return out
}

func (f Dots) rowHeight() vg.Length {
	return vg.Length(vg.Length(max(1, len(f.lines())))*dotsLine) + dotsPad
}

func (f Dots) labelRoom() vg.Length {
	var w vg.Length
	for _, r := range f.Rows {
		w = max(w, letters(8.5, ink).Width(r.Label))
	}
	return min(w, dotsLabel) + 12
}

func (f Dots) size() (w, h vg.Length) {
	w = f.labelRoom() + dotsField + 2*margin + 6
	return w, vg.Length(vg.Length(len(f.Rows))*f.rowHeight()) + 34 + 2*margin + headHeight(w, f.Title, f.keys())
}

// least is the lower end of the scale: -1, or 0 where nothing is below it.
func (f Dots) least() float64 {
	for _, r := range f.Rows {
		for _, d := range r.Cells {
			if d.Value < 0 || d.Low < 0 || d.Published < 0 {
				return -1
			}
		}
	}
	return 0
}

func (f Dots) draw(c draw.Canvas) {
	body := head(c, f.Title, f.keys())
	left, right := body.Min.X+f.labelRoom(), body.Max.X-6
	bottom, top := body.Min.Y+34, body.Max.Y
	lo := f.least()
	_, _, all := svg.Ticks(lo, 1, 5)
	at := func(v float64) vg.Length {
		return left + vg.Length(vg.Length((max(lo, min(1, v))-lo)/(1-lo))*(right-left))
	}
	for _, t := range all {
		if t.Value < lo || t.Value > 1 {
			continue
		}
		style := draw.LineStyle{Color: hair, Width: 0.5}
		if t.Value == 0 {
			style = draw.LineStyle{Color: rule, Width: 0.7}
		}
		body.StrokeLine2(style, at(t.Value), bottom, at(t.Value), top)
		body.FillText(centred(letters(7.5, soft)), vg.Point{X: at(t.Value), Y: bottom - 11}, t.Text)
	}
	body.FillText(rightward(letters(8, soft)), vg.Point{X: right, Y: bottom - 26}, f.XLabel)
	lines := f.lines()
	y := top
	for _, r := range f.Rows {
		height := f.rowHeight()
		label := letters(8.5, ink)
		body.FillText(label, vg.Point{X: body.Min.X, Y: y - vg.Length(height/2) - 3}, clipped(r.Label, dotsLabel, label))
		for k, i := range lines {
			d, look := r.Cells[i], svg.LookOf(i)
			line := y - dotsPad/2 - vg.Length((vg.Length(k)+0.5)*dotsLine)
			if !math.IsNaN(d.Low) && !math.IsNaN(d.High) && !math.IsNaN(d.Value) {
				body.StrokeLine2(draw.LineStyle{Color: faded(hex(look.Colour), 120), Width: 1.6}, at(d.Low), line, at(d.High), line)
			}
			if !math.IsNaN(d.Published) {
				body.DrawGlyphNoClip(ring, vg.Point{X: at(d.Published), Y: line})
			}
			if !math.IsNaN(d.Value) {
				body.DrawGlyphNoClip(mark{look}.style(markSize), vg.Point{X: at(d.Value), Y: line})
			}
		}
		y -= height
		body.StrokeLine2(draw.LineStyle{Color: hair, Width: 0.5}, body.Min.X, y, right, y)
	}
}

func (f Dots) words() string {
	return fmt.Sprintf("%s. %s by evaluation set and proxy; correlations.csv has the numbers.", f.Title, f.XLabel)
}
