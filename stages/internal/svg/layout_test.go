package svg

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   []string
	}{
		{11.03, 15.97, []string{"11", "12", "13", "14", "15", "16"}},
		{24.7, 26.74, []string{"25.0", "25.5", "26.0", "26.5"}},
		{0, 1, []string{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
		{-1, 1, []string{"−1.0", "−0.5", "0.0", "0.5", "1.0"}},
		{0, 100000, []string{"0", "20,000", "40,000", "60,000", "80,000", "100,000"}},
		{0, 1e30, []string{"0", "2e+29", "4e+29", "6e+29", "8e+29", "1e+30"}},
		{5, 5, []string{"4.8", "4.9", "5.0", "5.1", "5.2"}},
	} {
		t.Run(fmt.Sprint(c.lo, "-", c.hi), func(t *testing.T) {
			a := newAxis(c.lo, c.hi, 0, 100, 5)
			var got []string
			for _, v := range a.ticks {
				got = append(got, a.text(v))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Over many ranges: a few ticks, all inside, all with texts of their own.
func TestTicksAreFewAndDistinct(t *testing.T) {
	for e := -30.; e < 30; e += 0.37 {
		for _, lo := range []float64{0, 1, -3, 17.3} {
			width := math.Pow(10, e)
			if width < 1e-9*math.Abs(lo) {
				continue // no text of six decimals tells such ticks apart
			}
			a := newAxis(lo, lo+width, 0, 300, 5)
			if n := len(a.ticks); n < 3 || n > 12 {
				t.Errorf("%g + %g: %d ticks", lo, width, n)
			}
			for _, v := range a.ticks {
				if p := a.at(v); p < -1e-6 || p > 300+1e-6 {
					t.Errorf("%g + %g: tick %g at pixel %g", lo, width, v, p)
				}
			}
			texts := map[string]bool{}
			for _, v := range a.ticks {
				texts[a.text(v)] = true
			}
			if len(texts) != len(a.ticks) && width > 1e-3*math.Abs(lo) {
				t.Errorf("%g + %g: %d texts for %d ticks", lo, width, len(texts), len(a.ticks))
			}
		}
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		name     string
		in, want []float64
	}{
		{"far apart stay", []float64{10, 50, 90}, []float64{10, 50, 90}},
		{"two touching move apart evenly", []float64{50, 50}, []float64{45, 55}},
		{"a chain pushes on", []float64{50, 50, 58}, []float64{42 + 2./3, 52 + 2./3, 62 + 2./3}},
		{"the upper edge holds", []float64{0, 0, 0}, []float64{0, 10, 20}},
		{"the lower edge holds", []float64{100, 100}, []float64{90, 100}},
		{"one", []float64{30}, []float64{30}},
		{"none", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := slices.Clone(c.in)
			spread(got, 10, 0, 100)
			for i := range got {
				if math.Abs(got[i]-c.want[i]) > 1e-9 {
					t.Fatalf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestThin(t *testing.T) {
	var points []Point
	for i := range 10_000 {
		points = append(points, Point{X: float64(i), Y: math.Sin(float64(i) / 300)})
	}
	points[4321].Y, points[8765].Y = 9, -9 // a spike must survive
	got := thin(points)
	if len(got) > maxPoints {
		t.Errorf("%d points, want at most %d", len(got), maxPoints)
	}
	for _, i := range []int{0, 4321, 8765, 9999} {
		if !slices.Contains(got, points[i]) {
			t.Errorf("point %d is gone", i)
		}
	}
	if !sort.SliceIsSorted(got, func(i, j int) bool { return got[i].X < got[j].X }) {
		t.Error("points are out of order")
	}
	if short := thin(points[:maxPoints]); len(short) != maxPoints {
		t.Errorf("%d of %d points kept, want all", len(short), maxPoints)
	}
}

func TestManyCurves(t *testing.T) {
	for _, c := range []struct{ curves, named int }{{1, 1}, {30, 30}, {maxNamed, maxNamed}, {128, maxNamed}} {
		svg := draw(t, lines(c.curves))
		f := mustRead(t, svg)
		if f.curves != c.curves || len(f.titles) != c.curves {
			t.Errorf("%d curves, %d titles, want %d", f.curves, len(f.titles), c.curves)
		}
		if named := strings.Count(f.text, "unit/"); named != c.named {
			t.Errorf("%d curves: %d named, want %d", c.curves, named, c.named)
		}
		places := labelPlaces(t, svg)
		for i := range places {
			for j := range i {
				if a, b := places[i], places[j]; a.x == b.x && math.Abs(a.y-b.y) < labelStep-0.02 {
					t.Errorf("%d curves: names at %v and %v overlap", c.curves, a, b)
				}
			}
		}
	}
}

type place struct{ x, y float64 }

func labelPlaces(t *testing.T, svg string) []place {
	t.Helper()
	var out []place
	for _, text := range strings.Split(svg, `<text class="n" `)[1:] {
		var p place
		if _, err := fmt.Sscanf(text, `x="%g" y="%g"`, &p.x, &p.y); err != nil {
			t.Fatalf("%q: %v", text[:30], err)
		}
		out = append(out, p)
	}
	return out
}

func TestGroupsShareAStyle(t *testing.T) {
	l := lines(4)
	l.Series[0].Group, l.Series[2].Group, l.Series[3].Group = "unit", "unit", "reference"
	curves, groups := l.curves()
	var styles []int
	for _, c := range curves {
		styles = append(styles, c.style)
	}
	if diff := cmp.Diff([]int{0, 1, 0, 2}, styles); diff != "" {
		t.Error(diff)
	}
	if len(groups) != 2 || groups[0] != (group{"unit", 0}) || groups[1] != (group{"reference", 2}) {
		t.Errorf("groups %v", groups)
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in    string
		width float64
		want  string
	}{
		{"short", 100, "short"},
		{"a name that is long", 60, "a name t…"},
		{"anything", 1, "…"},
		{"", 0, ""},
	} {
		if got := clip(c.in, c.width, 11); got != c.want {
			t.Errorf("%q in %g: %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

func TestLeastSquares(t *testing.T) {
	slope, x, y := leastSquares([]float64{1, 2, 3, 4}, []float64{6, 5, 7, 10})
	if math.Abs(slope-1.4) > 1e-12 || x != 2.5 || y != 7 {
		t.Errorf("slope %g through (%g, %g), want 1.4 through (2.5, 7)", slope, x, y)
	}
}

// Figures of one list of series stand side by side: their frames must be level, whoever is missing.
func TestFiguresAreOfOneSize(t *testing.T) {
	size := func(s Scatter) string {
		svg := draw(t, s)
		_, after, _ := strings.Cut(svg, "viewBox=")
		return after[:strings.Index(after, " role")]
	}
	full := scatter()
	full.Series = append(full.Series, Series{Name: "merged", Fit: true}, Series{Name: "micro", Fit: true})
	for i := range full.Series {
		full.Series[i].Points = []Point{{62, 58, "a"}, {64, 60, "b"}, {66, 62, "c"}}
	}
	want := size(full)
	for i := range full.Series {
		without := full
		without.Series = append([]Series(nil), full.Series...)
		without.Series[i].Points = nil
		if got := size(without); got != want {
			t.Errorf("without %s the figure is %s, else %s", full.Series[i].Name, got, want)
		}
	}
}
