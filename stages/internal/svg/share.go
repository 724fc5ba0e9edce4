package svg

// shapes are the marks of the series: corners of a polygon as x, y, x, y, ... in radii about the
// middle, y downward; nil is a circle. They have about equal area.
var shapes = [...][]float64{
	nil, // circle
	{-.88, -.88, .88, -.88, .88, .88, -.88, .88}, // square
	{0, -1.2, 1.12, .84, -1.12, .84},             // triangle
	{0, -1.28, 1.28, 0, 0, 1.28, -1.28, 0},       // diamond
	{-.4, -1.2, .4, -1.2, .4, -.4, 1.2, -.4, 1.2, .4, .4, .4, .4, 1.2, -.4, 1.2, -.4, .4, -1.2, .4, -1.2, -.4, -.4, -.4}, // plus
	{0, 1.2, 1.12, -.84, -1.12, -.84}, // triangle, point down
	{-1.13, -.57, -.57, -1.13, 0, -.57, .57, -1.13, 1.13, -.57, .57, 0, 1.13, .57, .57, 1.13, 0, .57, -.57, 1.13, -1.13, .57, -.57, 0}, // cross
	{-1, -1.1, 1, -1.1, -1, 1.1, 1, 1.1}, // hourglass
}

// Look is how the i-th series is drawn, on light ground, by this package and by whoever draws the
// same series elsewhere.
type Look struct {
	Colour string    // #rrggbb
	Shape  []float64 // corners in radii, x, y, x, y, ..., y downward; nil: a circle
	Hollow bool      // only the outline, of every second round through the shapes
	Dash   string    // lengths of dashes and gaps, in pixels, separated by spaces; empty: a solid line
}

// LookOf returns the look of series i.
func LookOf(i int) Look {
	return Look{hues[i%len(hues)].light, shapes[i%len(shapes)], i/len(hues)%2 == 1, dashes[i%len(dashes)]}
}

// Tick is a mark of an axis.
type Tick struct {
	Value float64
	Text  string
}

// Ticks returns the range of an axis that shows lo..hi with some room about it, and about want
// ticks.
func Ticks(lo, hi float64, want int) (from, to float64, ticks []Tick) {
	a := newAxis(lo, hi, 0, 1, want)
	for _, v := range a.ticks {
		ticks = append(ticks, Tick{v, a.text(v)})
	}
	return a.lo, a.hi, ticks
}

// Drawable reports whether a point can be drawn: see Series.
func Drawable(p Point) bool { return drawable(p) }

// Number writes v with a true minus sign, and commas between thousands from five digits on.
func Number(v float64, decimals int) string { return number(v, decimals) }
