package paperfig

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"ablate/stages/internal/elementary"
	"ablate/stages/internal/svg"
)

// Cost is what training takes over the number of partitions: on a scale of powers of ten, since
// ways that share nothing between mixtures grow as powers of it.
type Cost struct {
	Title, XLabel, YLabel string
	Ways                  []Way
	Here                  float64 // the study's own number of partitions
}

// Way is one way to compare mixtures: tokens over partitions.
type Way struct {
	Name   string
	Value  string // behind the name: what it is at Here
	Points []svg.Point
}

func (f Cost) keys() []key {
	var keys []key
	for i, w := range f.Ways {
		style := dashed(svg.LookOf(i), 1.8, 255)
		keys = append(keys, key{w.Name, w.Value, func(c *draw.Canvas, at vg.Point) {
			c.StrokeLine2(style, at.X-9, at.Y, at.X+9, at.Y)
		}})
	}
	return keys
}

func (f Cost) size() (w, h vg.Length) {
	w = singleWidth + 60 + 2*margin
	return w, singleHeight + 2*margin + headHeight(w, f.Title, f.keys())
}

func (f Cost) draw(c draw.Canvas) {
	body := head(c, f.Title, f.keys())
	p := frame(f.XLabel, f.YLabel)
	x0, x1, y0, y1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, w := range f.Ways {
		for _, v := range w.Points {
			x0, x1, y0, y1 = min(x0, v.X), max(x1, v.X), min(y0, v.Y), max(y1, v.Y)
		}
	}
	if !(x0 <= x1) || y0 <= 0 {
		return
	}
	var xs []svg.Tick
	p.X.Min, p.X.Max, xs = svg.Ticks(x0, x1, 6)
	p.X.Tick.Marker = ticks(whole(xs))
	lo, hi := math.Floor(elementary.Log10(y0)), math.Ceil(elementary.Log10(y1))
	if lo == hi {
		hi++
	}
	p.Y.Min, p.Y.Max, p.Y.Scale = elementary.Pow(10, lo), elementary.Pow(10, hi), gonum.LogScale{}
	p.Y.Tick.Marker = powers(lo, hi)
	grid := plotter.NewGrid()
	grid.Vertical = draw.LineStyle{Color: hair, Width: 0.5}
	grid.Horizontal = grid.Vertical
	p.Add(grid)
	for i, w := range f.Ways {
		var line plotter.XYs
		for _, v := range w.Points {
			line = append(line, plotter.XY{X: v.X, Y: v.Y})
		}
		look := svg.LookOf(i)
		p.Add(&plotter.Line{XYs: line, LineStyle: dashed(look, 1.8, 255)})
		for _, v := range w.Points {
			if v.X == f.Here {
				p.Add(&plotter.Scatter{XYs: plotter.XYs{{X: v.X, Y: v.Y}}, GlyphStyle: mark{look}.style(3.4)})
			}
		}
	}
	p.Draw(body)
}

// whole keeps the ticks at whole numbers: there are no half partitions.
func whole(all []svg.Tick) []svg.Tick {
	var out []svg.Tick
	for _, t := range all {
		if t.Value == math.Trunc(t.Value) {
			out = append(out, svg.Tick{Value: t.Value, Text: svg.Number(t.Value, 0)})
		}
	}
	return out
}

// powers are ticks at powers of ten, at most about eight of them with a text.
func powers(lo, hi float64) ticks {
	every := math.Ceil((hi - lo) / 8)
	var out ticks
	for k := lo; k <= hi; k++ {
		t := svg.Tick{Value: elementary.Pow(10, k)}
		if math.Mod(k-lo, every) == 0 {
			t.Text = power(k)
		}
		out = append(out, t)
	}
	return out
}

// power writes a power of ten: with a word to 10¹⁴.
func power(k float64) string {
	for _, u := range []struct {
		at   float64
		name string
	}{{12, " T"}, {9, " B"}, {6, " M"}, {3, "k"}, {0, ""}} {
		if k >= u.at && k < 15 {
			return strconv.FormatFloat(elementary.Pow(10, k-u.at), 'f', 0, 64) + u.name
		}
	}
	return "10" + superscript.Replace(strconv.FormatFloat(k, 'f', 0, 64))
}

var superscript = strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹", "-", "⁻")

// Count writes a count of tokens for reading, not for adding up: 16.3 T, and 1.0 × 10¹⁵ from there
// on.
func Count(n float64) string {
	if n >= 1e15 {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(n, 'e', 1, 64), "e+")
		return mantissa + " × 10" + superscript.Replace(strings.TrimLeft(exponent, "0"))
	}
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, " T"}, {1e9, " B"}, {1e6, " M"}, {1e3, "k"}} {
		if v := n / u.size; v >= 1 {
			decimals := 0
			if v < 99.95 && v != math.Trunc(v) {
				decimals = 1
			}
			return svg.Number(v, decimals) + u.name
		}
	}
	return svg.Number(n, 0)
}

func (f Cost) words() string {
	var ways []string
	for _, w := range f.Ways {
		ways = append(ways, strings.TrimSpace(w.Name+" "+w.Value))
	}
	return fmt.Sprintf("%s. %s over %s: %s.", f.Title, f.YLabel, f.XLabel, strings.Join(ways, "; "))
}
