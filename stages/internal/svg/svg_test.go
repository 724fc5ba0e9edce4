package svg

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var nan, inf = math.NaN(), math.Inf(1)

type drawer interface{ SVG() ([]byte, error) }

func draw(t *testing.T, d drawer) string {
	t.Helper()
	svg, err := d.SVG()
	if err != nil {
		t.Fatal(err)
	}
	return string(svg)
}

func scatter() Scatter {
	return Scatter{
		Title: "opticks", XLabel: "proxy perplexity", YLabel: "reference perplexity", Diagonal: true,
		Series: []Series{
			{Name: "macro", Fit: true, Points: []Point{{62.1, 58.9, "crypto+net"}, {64.4, 60.2, "go+text"}, {66.0, 62.5, "cmd+net"}, {67.3, 63.1, "cmd+go"}}},
			{Name: "ind_id", Fit: true},
			{Name: "mean_ind", Fit: true, Points: []Point{{63.0, 58.9, "crypto+net"}, {66.1, 60.2, "go+text"}, {65.2, 62.5, "cmd+net"}, {nan, 63.1, "cmd+go"}}},
		},
	}
}

// lines draws n curves; from the ninth on, they end at half of the others' length.
func lines(n int) Lines {
	l := Lines{Title: "Training loss", XLabel: "tokens, millions", YLabel: "loss, nats per token"}
	for i := range n {
		s := Series{Name: fmt.Sprintf("unit/%d", i)}
		steps := 20
		if i >= 8 {
			steps = 10
		}
		for k := range steps {
			s.Points = append(s.Points, Point{X: float64(k), Y: 2 + 0.01*float64(i) + 3*math.Exp(-float64(k)/6)})
		}
		l.Series = append(l.Series, s)
	}
	return l
}

func TestGolden(t *testing.T) {
	for name, d := range map[string]drawer{"scatter": scatter(), "lines": lines(12)} {
		t.Run(name, func(t *testing.T) {
			got := draw(t, d)
			path := filepath.Join("testdata", name+".svg")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v; go test -update writes it", err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("go test -update rewrites it, if this is meant:\n%s", diff)
			}
			if again := draw(t, d); again != got {
				t.Error("drawn again, it differs")
			}
		})
	}
}

// figure is what a test needs to know of an SVG.
type figure struct {
	text   string // all text, a space between elements
	titles []string
	marks  int // points of class p or h
	curves int
}

// read parses strictly and refuses coordinates that are no numbers.
func read(svg string) (figure, error) {
	var f figure
	dec := xml.NewDecoder(strings.NewReader(svg))
	var open []string
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return f, err
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
			class := ""
			for _, a := range e.Attr {
				switch a.Name.Local {
				case "class":
					class = a.Value
				case "d", "x", "y", "viewBox", "width", "height":
					if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
						return f, fmt.Errorf("%s=%q", a.Name.Local, a.Value)
					}
				}
			}
			if e.Name.Local == "path" && (class == "p" || class == "h") {
				f.marks++
			}
			if e.Name.Local == "path" && strings.HasPrefix(class, "c") {
				f.curves++
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			switch {
			case len(open) == 0 || open[len(open)-1] == "style":
			case open[len(open)-1] == "title":
				f.titles = append(f.titles, string(e))
			default:
				f.text += " " + string(e)
			}
		}
	}
}

func mustRead(t *testing.T, svg string) figure {
	t.Helper()
	f, err := read(svg)
	if err != nil {
		t.Fatalf("%v in\n%s", err, svg)
	}
	return f
}

func TestScatterTells(t *testing.T) {
	f := mustRead(t, draw(t, scatter()))
	if want := 7 + 2; f.marks != want { // points, and one mark per legend entry
		t.Errorf("%d marks, want %d", f.marks, want)
	}
	if len(f.titles) != 7 || f.titles[0] != "crypto+net\nmacro: 62.10 → 58.90" {
		t.Errorf("%d titles, the first %q", len(f.titles), f.titles[0])
	}
	// scipy 1.17.1, pearsonr: 0.9795 of macro, 0.5664 of mean_ind's three finite points.
	for _, want := range []string{"opticks", "macro", "r 0.98", "mean_ind", "r 0.57", "proxy perplexity →", "↑ reference perplexity", "1 point without a finite value not drawn"} {
		if !strings.Contains(f.text, want) {
			t.Errorf("figure does not say %q:\n%s", want, f.text)
		}
	}
	if strings.Contains(f.text, "ind_id") {
		t.Error("the series without points is in the legend")
	}
	// Its place stays taken: mean_ind has the third colour.
	if svg := draw(t, scatter()); strings.Contains(svg, `fill="var(--plot-1)"`) || !strings.Contains(svg, `fill="var(--plot-2)"`) {
		t.Error("colours are not by place in the list")
	}
}

func TestOddInput(t *testing.T) {
	one := []Point{{1, 1, "a"}}
	for _, c := range []struct {
		name   string
		points []Point
		marks  int // with that of the legend
		text   string
	}{
		{"no points", nil, 0, "no scores to draw"},
		{"one point", one, 2, "r –"},
		{"two points", []Point{{1, 1, ""}, {2, 2, ""}}, 3, "r –"},
		{"identical points", []Point{{5, 5, "a"}, {5, 5, "b"}, {5, 5, "c"}}, 4, "r –"},
		{"identical at zero", []Point{{0, 0, "a"}, {0, 0, "b"}, {0, 0, "c"}}, 4, "r –"},
		{"one x", []Point{{5, 1, "a"}, {5, 2, "b"}, {5, 3, "c"}}, 4, "r –"},
		{"one y", []Point{{1, 5, "a"}, {2, 5, "b"}, {3, 5, "c"}}, 4, "r –"},
		{"only NaN", []Point{{nan, nan, "a"}}, 1, "no scores to draw"},
		{"NaN and infinities", []Point{{nan, 1, "a"}, {1, inf, "b"}, {math.Inf(-1), 1, "c"}, {1, 1, "d"}}, 2, "3 points without a finite value"},
		{"overflowed perplexity", []Point{{1e30, 1e30, "a"}, {12, 11, "b"}, {13, 12, "c"}}, 4, "r 1.00"},
		{"beyond arithmetic", []Point{{1e308, -1e308, "a"}, {1, 1, "b"}}, 2, "1 point without a finite value"},
		{"tiny", []Point{{1e-300, 1e-300, "a"}, {2e-300, 2e-300, "b"}, {4e-300, 3e-300, "c"}}, 4, "r "},
		{"one ulp apart", []Point{{1, 1, "a"}, {math.Nextafter(1, 2), 1, "b"}}, 3, "r –"},
		{"negative", []Point{{-3, -1, "a"}, {-2, -2, "b"}, {-1, -3, "c"}}, 4, "r −1.00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			series := []Series{{Name: "macro", Points: c.points, Fit: true}}
			f := mustRead(t, draw(t, Scatter{Series: series, Diagonal: true}))
			if f.marks != c.marks {
				t.Errorf("%d marks, want %d", f.marks, c.marks)
			}
			if !strings.Contains(f.text, c.text) {
				t.Errorf("figure does not say %q:\n%s", c.text, f.text)
			}
			mustRead(t, draw(t, Lines{Series: series}))
		})
	}
	mustRead(t, draw(t, Scatter{}))
	if f := mustRead(t, draw(t, Lines{})); !strings.Contains(f.text, "no curve to draw") {
		t.Errorf("figure does not say that there is no curve: %s", f.text)
	}
}

func TestTextIsEscaped(t *testing.T) {
	const evil = "<b>&\"'\x00\xff]]></svg><script>"
	s := []Series{{Name: evil, Group: evil, Fit: true, Points: []Point{{1, 2, evil}, {2, 1, evil}, {3, 3, evil}}}}
	for name, d := range map[string]drawer{
		"scatter": Scatter{Title: evil, XLabel: evil, YLabel: evil, Series: s},
		"lines":   Lines{Title: evil, XLabel: evil, YLabel: evil, Series: s},
	} {
		svg := draw(t, d)
		f := mustRead(t, svg)
		if strings.Contains(svg, "<script") || !strings.Contains(f.titles[0], "<b>&\"'") {
			t.Errorf("%s: first title %q", name, f.titles[0])
		}
	}
}

// Rules must not reach into a page that inlines the figure.
func TestStyleIsScoped(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(style), "\n") {
		if !strings.HasPrefix(line, ".ablate-plot") && !strings.HasPrefix(line, ":where(.ablate-plot){") &&
			!strings.HasPrefix(line, "@media screen and (prefers-color-scheme:dark){:where(.ablate-plot){") {
			t.Errorf("rule outside the figure: %s", line)
		}
	}
	if svg := draw(t, scatter()); strings.Contains(svg, " id=") || strings.Contains(svg, "url(") {
		t.Error("the figure has an id or a reference, which two figures of one page would share")
	}
}

func TestMarkersDiffer(t *testing.T) {
	seen := map[string]int{}
	for kind := range 2 * len(hues) {
		m := marker(kind, 0, 0, "")
		if other, ok := seen[m]; ok {
			t.Errorf("series %d and %d look alike", other, kind)
		}
		seen[m] = kind
	}
	shapes := map[string]bool{}
	for kind := range hues {
		_, d, _ := strings.Cut(marker(kind, 0, 0, ""), ` d="`)
		shapes[d] = true
	}
	if len(shapes) != len(hues) {
		t.Errorf("%d shapes for %d colours", len(shapes), len(hues))
	}
}

// Each colour must have a contrast of 3:1 with its ground, by the formula of WCAG 2.1.
func TestContrast(t *testing.T) {
	for i, h := range hues {
		for ground, colour := range map[string]string{"#fffefb": h.light, "#1a1917": h.dark} {
			a, b := luminance(t, ground), luminance(t, colour)
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 3 {
				t.Errorf("hue %d, %s on %s: %.2f, want 3", i, colour, ground, ratio)
			}
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var rgb [3]int
	if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatalf("colour %q: %v", hex, err)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := float64(rgb[i]) / 255
		if v <= 0.03928 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func FuzzSVG(f *testing.F) {
	f.Add("a", "b", 1.0, 2.0, 3.0, 4.0)
	f.Add("\x00", "<", 1e30, -1e30, 0.0, 5e-324)
	f.Add("é", "\xff", nan, inf, 1e200, -1e200)
	f.Fuzz(func(t *testing.T, name, label string, x1, y1, x2, y2 float64) {
		s := []Series{{Name: name, Fit: true, Points: []Point{{x1, y1, label}, {x2, y2, label}, {x1, y2, label}, {y1, x2, label}}}}
		for _, d := range []drawer{Scatter{Title: label, Series: s, Diagonal: true}, Lines{Title: label, Series: s}} {
			svg, err := d.SVG()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := read(string(bytes.ToValidUTF8(svg, []byte("invalid UTF-8 <")))); err != nil {
				t.Error(err)
			}
		}
	})
}
