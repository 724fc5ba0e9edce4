// Package svg draws the two figures of a report, scatter plots of scores and curves of losses, as
// standalone SVG.
//
// Why not gonum/plot: every point must carry the name of its mixture under the pointer (<title>),
// colours must follow the reader's light or dark page through CSS variables, marks must stay apart
// without colour, and the same input must give the same bytes whatever a library's version. A page
// may also inline the SVG: all its rules are scoped to the class "ablate-plot", it has no ids, no
// scripts and no references outside itself, and a page that sets the variables named in style.go on
// .ablate-plot itself recolours it.
//
// Words: a series is one proxy (Scatter) or one model (Lines); a point is one mixture, or one
// moment of a training run.
//
// What it does not promise: exact text widths. SVG cannot measure text, so widths are estimated
// from the proportions of common sans-serif faces, generously; a very wide font can still touch its
// neighbour. Axes are linear and never start at zero by force.
package svg

import (
	"math"
)

// Point is one mark; Label is what the pointer shows over it.
type Point struct {
	X, Y  float64
	Label string
}

// Series is a named list of points. Points with a coordinate that is not finite (or beyond 1e200,
// where arithmetic on axes overflows) are not drawn; the figure says how many. A series without
// points is left out but keeps its place among the colours and shapes, and its room in the legend
// of a Scatter, so that several figures of the same list of series look alike.
type Series struct {
	Name   string
	Points []Point
	Fit    bool   // Scatter: draw the least-squares line and give r in the legend
	Group  string // Lines: series of one group share a colour and a dash; empty: the series stands alone
}

// Scatter is a figure of points, one marker shape and colour per series.
type Scatter struct {
	Title, XLabel, YLabel string
	Series                []Series
	Diagonal              bool // draw the line on which y = x
}

// Lines is a figure of curves, each named at its end while there is room, and always under the
// pointer. Up to about thirty read well; curves of very different length or height, such as those
// of seed, unit and reference models, read better in figures of their own.
type Lines struct {
	Title, XLabel, YLabel string
	Series                []Series
}

const beyond = 1e200

func drawable(p Point) bool {
	return math.Abs(p.X) <= beyond && math.Abs(p.Y) <= beyond // false for NaN
}

// bounds is the range of the drawable points on both axes, and how many there are and are not.
type bounds struct {
	x0, x1, y0, y1 float64
	drawn, left    int
}

func boundsOf(series []Series) bounds {
	b := bounds{x0: math.Inf(1), x1: math.Inf(-1), y0: math.Inf(1), y1: math.Inf(-1)}
	for _, s := range series {
		for _, p := range s.Points {
			if !drawable(p) {
				b.left++
				continue
			}
			b.drawn++
			b.x0, b.x1 = min(b.x0, p.X), max(b.x1, p.X)
			b.y0, b.y1 = min(b.y0, p.Y), max(b.y1, p.Y)
		}
	}
	return b
}
