package paperfig

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ablate/stages/internal/svg"
)

// A drawing is read back: what is where on the sheet, in points from its lower left corner.
var (
	disc  = regexp.MustCompile(`<path d="M([\d.]+),([\d.]+)A2\.9,2\.9 [^"]*" style="fill:#[0-9A-F]{6}" />`)                  // a mark of the first series
	ring0 = regexp.MustCompile(`<path d="M([\d.]+),([\d.]+)A3\.6,3\.6 [^"]*" style="fill:#FFFFFF" />`)                       // what is published
	span  = regexp.MustCompile(`<path d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)" style="[^"]*stroke-width:1\.6" />`)           // an interval
	gridX = regexp.MustCompile(`<path d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)" style="fill:none;stroke:#(?:E7E4DD|A19D94);`) // a line of the grid
	label = regexp.MustCompile(`<text x="([-\d.]+)" y="-([\d.]+)" transform="scale\(1, -1\)"\s+style="[^"]*font-size:7\.5px[^"]*">([^<]*)</text>`)
)

func numbers(t *testing.T, texts []string) []float64 {
	t.Helper()
	var out []float64
	for _, s := range texts {
		v, err := strconv.ParseFloat(strings.Replace(s, "−", "-", 1), 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func drawn(t *testing.T, f Figure) string {
	t.Helper()
	drawing, err := SVG(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(drawing)
}

// axis is where a value of an axis lies, by the lines of the grid and the labels beside them.
func axis(t *testing.T, lines, labels []float64) func(v float64) float64 {
	t.Helper()
	lines = slices.Compact(slices.Sorted(slices.Values(lines)))
	if len(lines) < 2 || len(lines) != len(labels) {
		t.Fatalf("%d lines of the grid at %v, labelled %v", len(lines), lines, labels)
	}
	per := (lines[len(lines)-1] - lines[0]) / (labels[len(labels)-1] - labels[0])
	at := func(v float64) float64 { return lines[0] + (v-labels[0])*per }
	for i, v := range labels {
		if math.Abs(at(v)-lines[i]) > 0.02 {
			t.Errorf("the line at %g is labelled %g, which would lie at %g", lines[i], v, at(v))
		}
	}
	return at
}

// A mark of a scatter lies where the axes have its scores.
func TestMarksLieWhereTheAxesSay(t *testing.T) {
	points := []svg.Point{{X: 1, Y: 10}, {X: 2, Y: 20}, {X: 4, Y: 15}, {X: 3.3, Y: 11.7}}
	drawing := drawn(t, Grid{Title: "t", Names: []Name{{Name: "macro"}}, XLabel: "x", YLabel: "y", Panels: [][]*Panel{{{Title: "p", Series: [][]svg.Point{points}}}}})
	var across, up []float64
	for _, m := range gridX.FindAllStringSubmatch(drawing, -1) {
		v := numbers(t, m[1:])
		if v[0] == v[2] && v[3]-v[1] > 100 && strings.Contains(m[0], "E7E4DD") {
			across = append(across, v[0])
		}
		if v[1] == v[3] && v[2]-v[0] > 100 && strings.Contains(m[0], "E7E4DD") {
			up = append(up, v[1])
		}
	}
	var xs, ys []float64
	for _, m := range label.FindAllStringSubmatch(drawing, -1) {
		v := numbers(t, m[1:])
		if len(xs) < len(across) {
			xs = append(xs, v[2])
		} else {
			ys = append(ys, v[2])
		}
	}
	x, y := axis(t, across, xs), axis(t, up, ys)
	marks := disc.FindAllStringSubmatch(drawing, -1)[1:] // the first is the legend's
	if len(marks) != len(points) {
		t.Fatalf("%d marks, want %d", len(marks), len(points))
	}
	for i, m := range marks {
		v := numbers(t, m[1:])
		if p := points[i]; math.Abs(v[0]-2.9-x(p.X)) > 0.02 || math.Abs(v[1]-y(p.Y)) > 0.02 {
			t.Errorf("the mark of %v lies at %.2f, %.2f, want %.2f, %.2f", p, v[0]-2.9, v[1], x(p.X), y(p.Y))
		}
	}
}

// A correlation, its interval and what is published lie where the axis has them, on the line of
// their evaluation set.
func TestDotsLieWhereTheAxisSays(t *testing.T) {
	rows := []DotsRow{
		{Label: "a", Cells: []Dot{{Value: 0.5, Low: 0.25, High: 0.75, Published: 0.6}}},
		{Label: "b", Cells: []Dot{{Value: -0.3, Low: -0.5, High: 0.1, Published: math.NaN()}}},
	}
	drawing := drawn(t, Dots{Title: "d", XLabel: "r", Names: []Name{{Name: "macro"}}, Rows: rows})
	var lines, labels []float64
	for _, m := range gridX.FindAllStringSubmatch(drawing, -1) {
		if v := numbers(t, m[1:]); v[0] == v[2] {
			lines = append(lines, v[0])
		}
	}
	for _, m := range label.FindAllStringSubmatch(drawing, -1) {
		labels = append(labels, numbers(t, m[3:])...)
	}
	at := axis(t, lines, labels)
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 0.02 {
			t.Errorf("%s lies at %.2f, want %.2f", what, got, want)
		}
	}
	dots, spans := disc.FindAllStringSubmatch(drawing, -1)[1:], span.FindAllStringSubmatch(drawing, -1)[1:]
	rings := ring0.FindAllStringSubmatch(drawing, -1)[1:]
	if len(dots) != 2 || len(spans) != 2 || len(rings) != 1 {
		t.Fatalf("%d dots, %d intervals and %d rings, want 2, 2 and 1", len(dots), len(spans), len(rings))
	}
	var heights []float64
	for i, r := range rows {
		dot, line, c := numbers(t, dots[i][1:]), numbers(t, spans[i][1:]), r.Cells[0]
		near(r.Label, dot[0]-2.9, at(c.Value))
		near(r.Label+"'s lower bound", line[0], at(c.Low))
		near(r.Label+"'s upper bound", line[2], at(c.High))
		near(r.Label+"'s interval", line[1], dot[1])
		heights = append(heights, dot[1])
	}
	ring := numbers(t, rings[0][1:])
	near("what is published", ring[0]-3.6, at(0.6))
	near("what is published of a", ring[1], heights[0])
	if heights[1] >= heights[0] {
		t.Errorf("the second row lies at %g, above the first at %g", heights[1], heights[0])
	}
}

// Costs lie on an axis of powers: ten times the cost is as far up wherever one begins.
func TestCostsLieOnPowers(t *testing.T) {
	points := []svg.Point{{X: 2, Y: 1e9}, {X: 4, Y: 1e10}, {X: 6, Y: 1e11}, {X: 8, Y: 1e13}}
	drawing := drawn(t, Cost{Title: "c", XLabel: "units", YLabel: "tokens", Here: 8, Ways: []Way{{Name: "one", Value: "10 T", Points: points}, {Name: "two", Value: "1 B", Points: []svg.Point{{X: 2, Y: 1e9}, {X: 8, Y: 2e9}}}}})
	line := regexp.MustCompile(`<path d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)L([\d.]+),([\d.]+)L([\d.]+),([\d.]+)"`).FindStringSubmatch(drawing)
	if line == nil {
		t.Fatal("no line through four points")
	}
	v := numbers(t, line[1:])
	decade := v[3] - v[1]
	if decade <= 0 || math.Abs(v[5]-v[3]-decade) > 0.05 || math.Abs(v[7]-v[5]-2*decade) > 0.05 {
		t.Errorf("1e9, 1e10, 1e11 and 1e13 lie at %v, %v, %v and %v", v[1], v[3], v[5], v[7])
	}
	if step := v[2] - v[0]; step <= 0 || math.Abs(v[4]-v[2]-step) > 0.02 || math.Abs(v[6]-v[4]-step) > 0.02 {
		t.Errorf("2, 4, 6 and 8 units lie at %v, %v, %v and %v", v[0], v[2], v[4], v[6])
	}
}
