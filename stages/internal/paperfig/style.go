package paperfig

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ablate/stages/internal/svg"
)

// Greys of texts and lines, of the page's warm white but on white paper.
var (
	ink  = hex("#1d1c1a")
	soft = hex("#625f59")
	rule = hex("#a19d94")
	hair = hex("#e7e4dd")
)

const (
	margin   = 10 // points round a figure
	markSize = vg.Length(2.9)
)

// hex reads #rrggbb, which is written in this program.
func hex(s string) color.NRGBA {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil {
		panic(fmt.Sprintf("internal error: colour %q", s))
	}
	return color.NRGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255}
}

func faded(c color.NRGBA, alpha uint8) color.NRGBA {
	c.A = alpha
	return c
}

// letters is a style of text: sans, of a size in points.
func letters(size float64, c color.Color) text.Style {
	f := gonum.DefaultFont
	f.Variant = "Sans"
	f.Size = vg.Length(size)
	return text.Style{Color: c, Font: f, Handler: gonum.DefaultTextHandler, XAlign: draw.XLeft, YAlign: draw.YBottom}
}

func bold(s text.Style) text.Style {
	s.Font.Weight = font.WeightBold
	return s
}

func centred(s text.Style) text.Style {
	s.XAlign = draw.XCenter
	return s
}

func rightward(s text.Style) text.Style {
	s.XAlign = draw.XRight
	return s
}

// clipped shortens s with an ellipsis until it fits.
func clipped(s string, width vg.Length, style text.Style) string {
	if style.Width(s) <= width {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if t := strings.TrimRight(string(runes[:n]), " ") + "…"; style.Width(t) <= width {
			return t
		}
	}
	return "…"
}

// mark draws the mark of a series.
type mark struct {
	look svg.Look
}

// DrawGlyph draws the mark about a point: filled with a thin white border, which parts marks that
// lie on one another, or its outline.
func (m mark) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, at vg.Point) {
	var p vg.Path
	if m.look.Shape == nil {
		p.Move(vg.Point{X: at.X + sty.Radius, Y: at.Y})
		p.Arc(at, sty.Radius, 0, 2*math.Pi)
	}
	for i := 0; i+1 < len(m.look.Shape); i += 2 {
		corner := vg.Point{X: at.X + vg.Length(vg.Length(m.look.Shape[i])*sty.Radius), Y: at.Y - vg.Length(vg.Length(m.look.Shape[i+1])*sty.Radius)}
		if i == 0 {
			p.Move(corner)
		} else {
			p.Line(corner)
		}
	}
	p.Close()
	if m.look.Hollow {
		c.SetColor(color.White)
		c.Fill(p)
		c.SetLineStyle(draw.LineStyle{Color: sty.Color, Width: 1})
	} else {
		c.Fill(p)
		c.SetLineStyle(draw.LineStyle{Color: color.White, Width: 0.5})
	}
	c.Stroke(p)
}

func (m mark) style(radius vg.Length) draw.GlyphStyle {
	return draw.GlyphStyle{Color: hex(m.look.Colour), Radius: radius, Shape: m}
}

// dashed is the line of a series.
func dashed(l svg.Look, width vg.Length, alpha uint8) draw.LineStyle {
	s := draw.LineStyle{Color: faded(hex(l.Colour), alpha), Width: width}
	for _, f := range strings.Fields(l.Dash) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			panic(fmt.Sprintf("internal error: dashes %q", l.Dash))
		}
		s.Dashes = append(s.Dashes, vg.Length(0.75*v))
	}
	return s
}

// ticks are those of package svg, so that axes read the same on the page and in files.
type ticks []svg.Tick

// Ticks gives them all; the library leaves out those beyond the range.
func (t ticks) Ticks(float64, float64) []gonum.Tick {
	var out []gonum.Tick
	for _, k := range t {
		out = append(out, gonum.Tick{Value: k.Value, Label: k.Text})
	}
	return out
}

// frame is an empty plot in our style.
func frame(xLabel, yLabel string) *gonum.Plot {
	p := gonum.New()
	p.BackgroundColor = nil
	p.Title.TextStyle = centred(letters(8.5, ink))
	p.Title.TextStyle.YAlign = draw.YTop
	p.Title.Padding = 4
	for _, a := range []struct {
		axis  *gonum.Axis
		label string
	}{{&p.X, xLabel}, {&p.Y, yLabel}} {
		a.axis.Label.Text = a.label
		style := centred(letters(8, soft))
		a.axis.Label.TextStyle.Font, a.axis.Label.TextStyle.Color, a.axis.Label.Padding = style.Font, soft, 3
		a.axis.Tick.Label.Font, a.axis.Tick.Label.Color = letters(7.5, soft).Font, soft
		a.axis.Tick.LineStyle = draw.LineStyle{Color: rule, Width: 0.5}
		a.axis.Tick.Length = 3
		a.axis.LineStyle = draw.LineStyle{Color: rule, Width: 0.5}
		a.axis.Padding = 0
	}
	return p
}

// key is one entry of a legend; draw sets its sample about a point.
type key struct {
	name, value string
	draw        func(c *draw.Canvas, at vg.Point)
}

const (
	keyRow    = 13
	keySample = 24
	keyGap    = 14
)

// flow breaks keys into rows that fit the width and gives the places of each key.
func flow(keys []key, width vg.Length) (places []vg.Point, height vg.Length) {
	var x, y vg.Length
	for _, k := range keys {
		w := k.width()
		if x > 0 && x+w > width {
			x, y = 0, y+keyRow
		}
		places = append(places, vg.Point{X: x, Y: y})
		x += w + keyGap
	}
	if len(keys) == 0 {
		return nil, 0
	}
	return places, y + keyRow
}

func (k key) width() vg.Length {
	w := keySample + letters(8, ink).Width(k.name)
	if k.value != "" {
		w += 4 + letters(8, soft).Width(k.value)
	}
	return w
}

// head draws title and legend from the top of the canvas and returns the canvas below them.
func head(c draw.Canvas, title string, keys []key) draw.Canvas {
	c = draw.Crop(c, margin, -margin, margin, -margin)
	top := c.Max.Y
	if title != "" {
		style := bold(letters(11, ink))
		c.FillText(style, vg.Point{X: c.Min.X, Y: top - 9}, clipped(title, c.Max.X-c.Min.X, style))
		top -= 16
	}
	places, height := flow(keys, c.Max.X-c.Min.X)
	for i, k := range keys {
		at := vg.Point{X: c.Min.X + places[i].X, Y: top - places[i].Y - keyRow/2}
		k.draw(&c, vg.Point{X: at.X + keySample/2 - 3, Y: at.Y})
		c.FillText(letters(8, ink), vg.Point{X: at.X + keySample, Y: at.Y - 3}, k.name)
		if k.value != "" {
			c.FillText(letters(8, soft), vg.Point{X: at.X + keySample + 4 + letters(8, ink).Width(k.name), Y: at.Y - 3}, k.value)
		}
	}
	top -= height
	if title != "" || len(keys) > 0 {
		top -= 6
	}
	c.Max.Y = top
	return c
}

// headHeight is what head takes of a figure of a width.
func headHeight(width vg.Length, title string, keys []key) vg.Length {
	_, h := flow(keys, width-2*margin)
	if title != "" {
		h += 16
	}
	if title != "" || len(keys) > 0 {
		h += 6
	}
	return h
}
