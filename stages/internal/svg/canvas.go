package svg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// canvas collects the SVG. Coordinates are rounded to a hundredth of a pixel: below what shows, and
// short.
type canvas struct {
	bytes.Buffer
	width, height float64
	style         string // rules of this kind of figure, besides those of all
}

func (c *canvas) finish(title, about string) []byte {
	if title != "" {
		about = title + ". " + about
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" class="ablate-plot" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-label="%s">`,
		px(c.width), px(c.height), px(c.width), px(c.height), escape(about))
	out.WriteString("\n<style>\n" + style + c.style + "</style>\n")
	out.Write(c.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// title sets the figure's name; bold letters are wider than textWidth knows by about a sixth.
func (c *canvas) title(s string) { c.text("t", 8, 20, clip(s, (c.width-16)/1.17, 14)) }

func px(v float64) string {
	s := strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

// escape makes any string safe as XML text or attribute: markup is escaped, and what XML cannot
// hold becomes U+FFFD.
func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder cannot fail
	return b.String()
}

func (c *canvas) text(class string, x, y float64, s string) {
	fmt.Fprintf(c, "<text class=\"%s\" x=\"%s\" y=\"%s\">%s</text>\n", class, px(x), px(y), escape(s))
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64, more string) {
	fmt.Fprintf(c, "<path class=\"%s\" d=\"M%s %sL%s %s\"%s/>\n", class, px(x1), px(y1), px(x2), px(y2), more)
}

// frame draws grid, ticks and axis names. The name of y stands above the axis, level, so that
// nobody turns their head.
func (c *canvas) frame(x, y axis, xLabel, yLabel string) {
	for _, v := range y.ticks {
		c.line("g", x.from, y.at(v), x.to, y.at(v), "")
		c.text("e", x.from-6, y.at(v)+3.8, y.text(v))
	}
	for _, v := range x.ticks {
		c.line("g", x.at(v), y.to, x.at(v), y.from, "")
		c.text("m", x.at(v), y.from+15, x.text(v))
	}
	c.line("a", x.from, y.from, x.to, y.from, "")
	c.text("l", 8, y.to-9, "↑ "+clip(yLabel, x.to-24, 11))
	c.text("l e", x.to, y.from+32, clip(xLabel, x.to-24, 11)+" →")
}

// marker returns one of eight shapes about (x, y), of about equal area; after eight they come back
// hollow.
func marker(kind int, x, y float64, title string) string {
	const r = 4.2
	var d string
	at := func(dx, dy float64) string { return px(x+float64(dx*r)) + " " + px(y+float64(dy*r)) }
	polygon := func(dxy ...float64) string {
		var b strings.Builder
		for i := 0; i < len(dxy); i += 2 {
			if i == 0 {
				b.WriteString("M")
			} else {
				b.WriteString("L")
			}
			b.WriteString(at(dxy[i], dxy[i+1]))
		}
		return b.String() + "Z"
	}
	if corners := shapes[kind%len(hues)]; corners == nil {
		d = "M" + at(-1, 0) + "a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0 -8.4 0Z"
	} else {
		d = polygon(corners...)
	}
	class, paint := "p", fmt.Sprintf(`fill="%s"`, hue(kind))
	if kind/len(hues)%2 == 1 {
		class, paint = "h", fmt.Sprintf(`stroke="%s"`, hue(kind))
	}
	if title != "" {
		return fmt.Sprintf("<path class=\"%s\" %s d=\"%s\"><title>%s</title></path>\n", class, paint, d, escape(title))
	}
	return fmt.Sprintf("<path class=\"%s\" %s d=\"%s\"/>\n", class, paint, d)
}

// textWidth estimates the width of s in pixels: em fractions of common sans-serif faces, rounded
// up.
func textWidth(s string, size float64) float64 {
	var em float64
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljtfrI.,:;'|!()[] ", r):
			em += 0.36
		case strings.ContainsRune("mwMW@%", r):
			em += 0.9
		case unicode.IsUpper(r):
			em += 0.7
		case r >= 0x1100: // wide scripts; symbols and marks are overestimated
			em += 1
		default:
			em += 0.6
		}
	}
	return em * size
}

// clip shortens s with an ellipsis until it fits.
func clip(s string, width, size float64) string {
	if textWidth(s, size) <= width {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if t := strings.TrimRight(string(runes[:n]), " ") + "…"; textWidth(t, size) <= width {
			return t
		}
	}
	return "…"
}
