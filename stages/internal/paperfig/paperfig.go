// Package paperfig draws the figures that a study leaves in files, in the layouts of the paper's,
// with gonum/plot: what costs how much over the number of partitions (Figure 2), scatters of
// reference over proxy scores in panels (Figures 3 to 11), and correlations by evaluation set
// (Tables 3 and 4 as a picture). It is the only importer of that library.
//
// The page's own figures are drawn by package svg, whose colours, marks, ticks and fits are used
// here too, so that a proxy looks alike everywhere. Here there is no pointer and no dark ground:
// these are for papers and slides.
//
// Same input, same bytes: the font is compiled in (Liberation Sans, of the widths of Arial), texts
// of an SVG name it and what may stand in for it, and nothing depends on the machine's fonts or the
// time. The library and the rasterizer leave room for fused multiply-adds, which change single
// pixels of a PNG; programs built by make have none there.
package paperfig

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// dotsPerInch of a PNG: twice a screen's, and enough for print at the size of the SVG.
const dotsPerInch = 192

// Figure is something that can be drawn.
type Figure interface {
	size() (width, height vg.Length)
	draw(c draw.Canvas)
	// words says what is to be seen, for those who cannot see it.
	words() string
}

// SVG draws f as a scalable drawing with its words as its title.
func SVG(f Figure) ([]byte, error) {
	c := vgsvg.New(f.size())
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("figure: %w", err)
	}
	var title bytes.Buffer
	if err := xml.EscapeText(&title, []byte(f.words())); err != nil {
		return nil, fmt.Errorf("figure: %w", err)
	}
	// A reader without the font takes one of the same widths; the library names only its own.
	s := strings.ReplaceAll(b.String(), "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arimo,Arial,Helvetica,sans-serif;")
	head, rest, ok := strings.Cut(s, ">\n<g ")
	if !ok {
		return nil, fmt.Errorf("figure: no drawing begins in %.80q", s)
	}
	return []byte(head + " role=\"img\">\n<title>" + title.String() + "</title>\n<g " + rest), nil
}

// PNG draws f as a picture on white ground.
func PNG(f Figure) ([]byte, error) {
	w, h := f.size()
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dotsPerInch))}
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("figure: %w", err)
	}
	return b.Bytes(), nil
}
