package paperfig

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"ablate/stages/internal/svg"
)

var nan = math.NaN()

// sample is a figure of every kind, of names that are hard to set.
func sample() map[string]Figure {
	series := func(shift float64) []svg.Point {
		var out []svg.Point
		for i := range 14 {
			x := 20 + 3*float64(i)
			out = append(out, svg.Point{X: x + shift, Y: 0.9*x + 2*math.Sin(float64(i)*shift)})
		}
		return out
	}
	names := []Name{{"mean_ind", ""}, {"ind_id", ""}, {"merged", ""}, {"macro", "r 0.98 (paper 0.984)"}, {"micro", "r 0.97"}}
	panel := func(title string) *Panel {
		return &Panel{Title: title, Note: "closest: macro, r 0.98; 14 mixtures", Series: [][]svg.Point{series(8), nil, series(1), series(3), series(5)}}
	}
	const long = "a set of mixtures with a very long name indeed, longer than any panel is wide"
	return map[string]Figure{
		"panels": Grid{Title: "Reference over proxy perplexity", XLabel: "proxy perplexity", YLabel: "reference perplexity", Names: names,
			Panels: [][]*Panel{{panel("pairs: in-domain"), panel("triples: in-domain"), panel(long)}, {panel("pairs: out-of-domain"), nil, panel("<&>\"'")}}},
		"single": Grid{Title: long, XLabel: "proxy perplexity", YLabel: "reference perplexity", Names: names, Panels: [][]*Panel{{panel("pairs")}}},
		"empty":  Grid{Title: "nothing", Names: names},
		"odd": Grid{Title: "odd", Names: names, Panels: [][]*Panel{{{Title: "no points"}, {Title: "not a number", Series: [][]svg.Point{{{X: nan, Y: 1}, {X: math.Inf(1), Y: 2}}}},
			{Title: "one point", Series: [][]svg.Point{{{X: 3, Y: 3}}}}, {Title: "overflow", Series: [][]svg.Point{{{X: 1e30, Y: 1e30}, {X: 1, Y: 2}, {X: 4, Y: 5}}}}}}},
		"cost": Cost{Title: "What comparing mixtures of 2 costs", XLabel: "partitions", YLabel: "training tokens", Here: 128, Ways: []Way{
			{"a model for every mixture", "16,256 B", costs(func(n float64) float64 { return n * (n - 1) * 1e9 })},
			{"a model for every unit", "128 B", costs(func(n float64) float64 { return n * 1e9 })}}},
		"no cost": Cost{Title: "nothing"},
		"dots": Dots{Title: "Correlation by evaluation set", XLabel: "Pearson's r", Names: names, Rows: []DotsRow{
			{"in-domain", []Dot{{0.711, 0.5, 0.8, 0.711}, {0.968, 0.93, 0.99, 0.95}, {0.8, 0.7, 0.9, nan}, {nan, nan, nan, nan}, {0.9, nan, nan, 0.97}}},
			{long, []Dot{{-0.2, -0.5, 0.3, nan}, {nan, nan, nan, nan}, {0.961, 0.9, 0.98, 0.961}, {0.98, 0.9, 1, 0.984}, {0.9, 0.8, 0.95, nan}}}}},
		"no dots": Dots{Title: "nothing"},
	}
}

func costs(f func(float64) float64) (out []svg.Point) {
	for n := 2.; n <= 128; n++ {
		out = append(out, svg.Point{X: n, Y: f(n)})
	}
	return out
}

// With FIGURES set to a folder, it leaves what it draws there, to be looked at.
func TestFigures(t *testing.T) {
	for name, f := range sample() {
		t.Run(name, func(t *testing.T) {
			drawing, err := SVG(f)
			if err != nil {
				t.Fatal(err)
			}
			picture, err := PNG(f)
			if err != nil {
				t.Fatal(err)
			}
			if err := wellFormed(drawing); err != nil {
				t.Errorf("svg: %v", err)
			}
			if s := string(drawing); strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
				t.Error("svg holds what is no number")
			}
			img, err := png.Decode(bytes.NewReader(picture))
			if err != nil {
				t.Fatal(err)
			}
			w, h := f.size()
			if got, want := img.Bounds().Dx(), int(w/vg.Inch*dotsPerInch+.5); got != want {
				t.Errorf("the picture is %d wide, want %d for %v by %v points", got, want, w, h)
			}
			again, err := SVG(sample()[name])
			if err != nil {
				t.Fatal(err)
			}
			pictureAgain, err := PNG(sample()[name])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(drawing, again) || !bytes.Equal(picture, pictureAgain) {
				t.Error("the same figure has other bytes")
			}
			if dir := os.Getenv("FIGURES"); dir != "" {
				for ending, data := range map[string][]byte{".svg": drawing, ".png": picture} {
					if err := os.WriteFile(filepath.Join(dir, name+ending), data, 0o666); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

func wellFormed(drawing []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(drawing))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func TestFiguresSay(t *testing.T) {
	for name, want := range map[string][]string{
		"panels": {"pairs: in-domain", "closest: macro, r 0.98", ">macro<", "r 0.98 (paper 0.984)", "proxy perplexity", "&lt;&amp;&gt;", "…"},
		"cost":   {"a model for every mixture", "16,256 B", ">128 B<", ">100 B<", ">10 T<", "<title>What comparing mixtures of 2 costs."},
		"dots":   {"in-domain", "published", ">−1.0<", "Pearson"},
	} {
		drawing, err := SVG(sample()[name])
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(drawing), w) {
				t.Errorf("%s does not say %q", name, w)
			}
		}
		if strings.Contains(string(drawing), "ind_id") && name == "panels" {
			t.Error("a series without points is in the legend")
		}
	}
}

// No two entries of a legend may overlap, nor leave the figure.
func TestLegend(t *testing.T) {
	var keys []key
	for i := range 12 {
		keys = append(keys, key{name: fmt.Sprint("a proxy of a name ", strings.Repeat("x", i)), value: "r 0.99"})
	}
	places, height := flow(keys, 300)
	for i, p := range places {
		if p.X > 0 && p.X+keys[i].width() > 300 || p.Y+keyRow > height {
			t.Errorf("entry %d at %v leaves the figure of 300 by %v", i, p, height)
		}
		if i > 0 && p.Y == places[i-1].Y && p.X < places[i-1].X+keys[i-1].width() {
			t.Errorf("entry %d at %v overlaps the one before, at %v", i, p, places[i-1])
		}
	}
}

func TestPowers(t *testing.T) {
	for k, want := range map[float64]string{0: "1", 1: "10", 3: "1k", 5: "100k", 6: "1 M", 10: "10 B", 12: "1 T", 14: "100 T", 15: "10¹⁵", -2: "10⁻²"} {
		if got := power(k); got != want {
			t.Errorf("10 to the %v is %q, want %q", k, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 999: "999", 1500: "1.5k", 163e9: "163 B", 16.256e12: "16.3 T", 128e9: "128 B", 1.024128e15: "1.0 × 10¹⁵"} {
		if got := Count(n); got != want {
			t.Errorf("%g is %q, want %q", n, got, want)
		}
	}
}
