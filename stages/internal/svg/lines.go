package svg

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

const (
	linesWidth = 760
	linesBox   = 320
	// maxNamed is how many curves are named at their ends: what fits the box at labelStep. Of more,
	// the lowest and highest are named.
	maxNamed   = 40
	labelStep  = 12
	labelWidth = 170 // longer names are cut
	labelGap   = 12  // from the end of a curve to its name
	// maxPoints per curve: beyond two per pixel more only weigh.
	maxPoints = 1200
)

// curve is a series made ready: drawable points in order of x.
type curve struct {
	Series
	points []Point
	style  int
}

// SVG draws the figure. It fails on nothing at present; the error is there for inputs that cannot
// be drawn.
func (l Lines) SVG() ([]byte, error) {
	b := boundsOf(l.Series)
	curves, groups := l.curves()
	c := &canvas{width: linesWidth}
	c.title(l.Title)
	var keys []key
	for _, g := range groups {
		keys = append(keys, key{name: g.name})
	}
	bottomOfLegend := 26.0
	if len(keys) > 0 {
		bottomOfLegend = c.legend(keys, 8, 34, linesWidth-16, func(i int, x, y float64) {
			c.line("c", x-9, y, x+9, y, stroke(groups[i].style))
		})
	}
	top := bottomOfLegend + 26
	named := nameable(curves)
	box := max(linesBox, float64((len(named)+1)*labelStep))
	x := newAxis(b.x0, b.x1, left, linesWidth-right, 7)
	x = x.shrunk(roomForNames(named, x))
	y := newAxis(b.y0, b.y1, top+box, top, 6)
	c.frame(x, y, l.XLabel, l.YLabel)
	for _, v := range curves {
		c.curve(v, x, y, len(curves))
	}
	c.endLabels(named, x, y)
	if b.drawn == 0 {
		c.text("m", (x.from+x.to)/2, top+float64(box/2), "no curve to draw")
	}
	c.height = top + box + 42
	c.note(b.left)
	return c.finish(l.Title, fmt.Sprintf("Line chart of %s over %s, %s", l.YLabel, l.XLabel, count(len(curves), "curve"))), nil
}

type group struct {
	name  string
	style int
}

// curves gives each group, and each series outside one, a style of its own, in order of appearance.
func (l Lines) curves() ([]curve, []group) {
	var curves []curve
	var groups []group
	styles := map[string]int{}
	next := 0
	for _, s := range l.Series {
		style, known := styles[s.Group]
		if s.Group == "" || !known {
			style = next
			next++
		}
		if s.Group != "" && !known {
			styles[s.Group] = style
			groups = append(groups, group{s.Group, style})
		}
		v := curve{Series: s, style: style}
		for _, p := range s.Points {
			if drawable(p) {
				v.points = append(v.points, p)
			}
		}
		if len(v.points) == 0 {
			continue
		}
		sort.SliceStable(v.points, func(i, j int) bool { return v.points[i].X < v.points[j].X })
		v.points = thin(v.points)
		curves = append(curves, v)
	}
	return curves, groups
}

// thin keeps, of equal runs of points, the lowest and the highest in their order, and both ends:
// what the eye sees of a dense curve.
func thin(points []Point) []Point {
	if len(points) <= maxPoints {
		return points
	}
	out := []Point{points[0]}
	inner := points[1 : len(points)-1]
	buckets := maxPoints/2 - 1
	for k := range buckets {
		run := inner[k*len(inner)/buckets : (k+1)*len(inner)/buckets]
		lo, hi := 0, 0
		for i, p := range run {
			if p.Y < run[lo].Y {
				lo = i
			}
			if p.Y > run[hi].Y {
				hi = i
			}
		}
		out = append(out, run[min(lo, hi)])
		if lo != hi {
			out = append(out, run[max(lo, hi)])
		}
	}
	return append(out, points[len(points)-1])
}

// curve draws one of n. Many are drawn thinner and without dashes, which would make a thicket; the
// line from its end to its name then tells a curve without colour.
func (c *canvas) curve(v curve, x, y axis, n int) {
	last := v.last()
	title := escape(fmt.Sprintf("%s: %s", v.Name, short(last.Y)))
	if len(v.points) == 1 {
		c.WriteString(marker(v.style, x.at(last.X), y.at(last.Y), v.Name+": "+short(last.Y)))
		return
	}
	var d strings.Builder
	for i, p := range v.points {
		op := "L"
		if i == 0 {
			op = "M"
		}
		d.WriteString(op + px(x.at(p.X)) + " " + px(y.at(p.Y)))
	}
	// The wide invisible path below the curve makes a thin line easy to point at.
	class, paint := "c", stroke(v.style)
	if n > len(hues) {
		class, paint = "c s", fmt.Sprintf(` stroke="%s"`, hue(v.style))
	}
	fmt.Fprintf(c, "<g><title>%s</title><path d=\"%s\" fill=\"none\" stroke=\"transparent\" stroke-width=\"9\"/><path class=\"%s\" d=\"%s\"%s/></g>\n",
		title, d.String(), class, d.String(), paint)
}

// nameable returns the curves to name at their ends, highest end first: all, or the maxNamed/2
// highest and lowest of more.
func nameable(curves []curve) []curve {
	out := append([]curve(nil), curves...)
	sort.SliceStable(out, func(i, j int) bool { return out[i].last().Y > out[j].last().Y })
	if len(out) > maxNamed {
		out = append(out[:maxNamed/2:maxNamed/2], out[len(out)-maxNamed/2:]...)
	}
	return out
}

func (v curve) last() Point { return v.points[len(v.points)-1] }

// roomForNames returns how much narrower than drawn the axis must be for the names behind the
// curves' ends to stay on the canvas.
func roomForNames(named []curve, x axis) float64 {
	var over float64
	for _, v := range named {
		over = max(over, x.at(v.last().X)+labelGap+min(textWidth(v.Name, 11), labelWidth)-x.to)
	}
	return over
}

// endLabels sets names behind the ends of curves. Those that end at about one place form a column,
// in which each name stands as near its curve's end as its neighbours allow, tied to it by a thin
// line.
func (c *canvas) endLabels(named []curve, x, y axis) {
	byEnd := append([]curve(nil), named...)
	sort.SliceStable(byEnd, func(i, j int) bool { return byEnd[i].last().X < byEnd[j].last().X })
	for len(byEnd) > 0 {
		n, end, reach := 0, 0.0, 0.0 // of the column: its curves, where the last of them ends, and its right edge
		for ; n < len(byEnd); n++ {
			v := byEnd[n]
			at := x.at(v.last().X)
			if n > 0 && at > reach+4 {
				break
			}
			end = at
			reach = max(reach, end+labelGap+min(textWidth(v.Name, 11), labelWidth))
		}
		c.column(byEnd[:n], end+labelGap, x, y)
		byEnd = byEnd[n:]
	}
}

func (c *canvas) column(curves []curve, left float64, x, y axis) {
	curves = append([]curve(nil), curves...)
	sort.SliceStable(curves, func(i, j int) bool { return curves[i].last().Y > curves[j].last().Y })
	places := make([]float64, len(curves))
	for i, v := range curves {
		places[i] = y.at(v.last().Y)
	}
	spread(places, labelStep, y.to+4, y.from-6)
	for i, v := range curves {
		c.line("k", x.at(v.last().X)+1, y.at(v.last().Y), left-2, places[i], fmt.Sprintf(` stroke="%s"`, hue(v.style)))
		fmt.Fprintf(c, "<text class=\"n\" x=\"%s\" y=\"%s\" style=\"fill:%s\">%s</text>\n",
			px(left), px(places[i]+3.8), hue(v.style), escape(clip(v.Name, labelWidth, 11)))
	}
}

// spread moves increasing places apart to at least step, within lo..hi where they fit: groups of
// labels that touch are centred on the mean of what they wanted (isotonic regression of place -
// i*step by pooling adjacent violators, which is least squares).
func spread(places []float64, step, lo, hi float64) {
	type block struct {
		sum  float64
		size int
	}
	var blocks []block
	for i, p := range places {
		blocks = append(blocks, block{p - float64(float64(i)*step), 1})
		for n := len(blocks); n > 1 && blocks[n-2].sum/float64(blocks[n-2].size) > blocks[n-1].sum/float64(blocks[n-1].size); n-- {
			blocks[n-2] = block{blocks[n-2].sum + blocks[n-1].sum, blocks[n-2].size + blocks[n-1].size}
			blocks = blocks[:n-1]
		}
	}
	top := hi - float64(float64(len(places)-1)*step) // the most that place - i*step may be
	i := 0
	for _, b := range blocks {
		base := math.Max(lo, math.Min(b.sum/float64(b.size), top))
		for range b.size {
			places[i] = base + float64(float64(i)*step)
			i++
		}
	}
}
