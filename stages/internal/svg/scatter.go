package svg

import (
	"fmt"
	"math"

	"ablate/stages/internal/stat"
)

const (
	scatterWidth = 380
	scatterBox   = 250 // height of the plotting area
	left         = 52
	right        = 14
)

// SVG draws the figure. It fails on nothing at present; the error is there for inputs that cannot
// be drawn.
func (s Scatter) SVG() ([]byte, error) {
	b := boundsOf(s.Series)
	var keys []key
	for _, series := range s.Series {
		k := key{name: series.Name, value: legendValue(series), absent: len(series.Points) == 0}
		if series.Fit {
			k.widest = "r −0.00"
		}
		keys = append(keys, k)
	}
	c := &canvas{width: scatterWidth}
	c.title(s.Title)
	bottomOfLegend := c.legend(keys, 8, 34, scatterWidth-16, func(i int, x, y float64) {
		if s.Series[i].Fit {
			c.line("f", x-10, y, x+10, y, stroke(i))
		}
		c.WriteString(marker(i, x, y, ""))
	})
	top := bottomOfLegend + 26
	x := newAxis(b.x0, b.x1, left, scatterWidth-right, 5)
	y := newAxis(b.y0, b.y1, top+scatterBox, top, 5)
	c.frame(x, y, s.XLabel, s.YLabel)
	if s.Diagonal && b.drawn > 0 {
		c.diagonal(x, y)
	}
	for i, series := range s.Series {
		if series.Fit {
			c.fit(series, x, y, stroke(i))
		}
	}
	for i, series := range s.Series {
		for _, p := range series.Points {
			if drawable(p) {
				c.WriteString(marker(i, x.at(p.X), y.at(p.Y), pointTitle(series.Name, p)))
			}
		}
	}
	if b.drawn == 0 {
		c.text("m", (x.from+x.to)/2, top+scatterBox/2, "no scores to draw")
	}
	c.height = top + scatterBox + 42
	c.note(b.left)
	return c.finish(s.Title, fmt.Sprintf("Scatter plot of %s over %s, %s", s.YLabel, s.XLabel, count(b.drawn, "point"))), nil
}

func pointTitle(series string, p Point) string {
	t := fmt.Sprintf("%s: %s → %s", series, short(p.X), short(p.Y))
	if p.Label != "" {
		t = p.Label + "\n" + t
	}
	return t
}

// columns returns the drawable coordinates.
func (s Series) columns() (x, y []float64) {
	for _, p := range s.Points {
		if drawable(p) {
			x, y = append(x, p.X), append(y, p.Y)
		}
	}
	return x, y
}

func legendValue(s Series) string {
	if !s.Fit {
		return ""
	}
	x, y := s.columns()
	if r := stat.Pearson(x, y); !math.IsNaN(r) {
		return "r " + number(r, 2)
	}
	return "r –"
}

// diagonal draws the part of y = x inside the frame.
func (c *canvas) diagonal(x, y axis) {
	lo, hi := math.Max(x.lo, y.lo), math.Min(x.hi, y.hi)
	if lo < hi {
		c.line("d", x.at(lo), y.at(lo), x.at(hi), y.at(hi), "")
	}
}

// fit draws the line that Fit returns.
func (c *canvas) fit(s Series, ax, ay axis, paint string) {
	if from, to, ok := Fit(s.Points, ay.lo, ay.hi); ok {
		c.line("f", ax.at(from.X), ay.at(from.Y), ax.at(to.X), ay.at(to.Y), paint)
	}
}

// Fit returns the ends of the least-squares line of y on x, slope = r sy/sx, from the leftmost to
// the rightmost point as far as y is in lo..hi; no farther, since nothing is known there. It needs
// three points that are not all on one vertical or horizontal line, as r does.
func Fit(points []Point, lo, hi float64) (from, to Point, ok bool) {
	xs, ys := Series{Points: points}.columns()
	if math.IsNaN(stat.Pearson(xs, ys)) {
		return from, to, false
	}
	slope, at, mean := leastSquares(xs, ys)
	if math.IsNaN(slope) || math.IsInf(slope, 0) {
		return from, to, false // upright to within rounding
	}
	x0, x1 := xs[0], xs[0]
	for _, v := range xs {
		x0, x1 = math.Min(x0, v), math.Max(x1, v)
	}
	if slope != 0 { // end where the line leaves the frame above or below
		a, b := at+(lo-mean)/slope, at+(hi-mean)/slope
		x0, x1 = math.Max(x0, math.Min(a, b)), math.Min(x1, math.Max(a, b))
	}
	return Point{X: x0, Y: mean + float64(slope*(x0-at))}, Point{X: x1, Y: mean + float64(slope*(x1-at))}, true
}

// leastSquares returns the slope and the point of means the line goes through.
func leastSquares(x, y []float64) (slope, meanX, meanY float64) {
	for i := range x {
		meanX += x[i] / float64(len(x))
		meanY += y[i] / float64(len(x))
	}
	// Deviations are scaled to 1, so that squares of the tiny and the huge stay finite.
	var mx, my float64
	for i := range x {
		mx, my = math.Max(mx, math.Abs(x[i]-meanX)), math.Max(my, math.Abs(y[i]-meanY))
	}
	var sxy, sxx float64
	for i := range x {
		dx := (x[i] - meanX) / mx
		sxy += float64(dx * ((y[i] - meanY) / my))
		sxx += float64(dx * dx)
	}
	return sxy / sxx * (my / mx), meanX, meanY
}
