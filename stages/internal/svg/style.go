package svg

import (
	"fmt"
	"strings"
)

// hues are the series colours on light and on dark ground, after the palette of Okabe and Ito
// (2008), which stays apart for the common colour blindnesses; darkened or lightened until each has
// a contrast of at least 3:1 with its ground (WCAG 2.1, 1.4.11).
var hues = []struct{ light, dark string }{
	{"#0067a5", "#5ab4f0"}, // blue
	{"#c2500a", "#f0914b"}, // vermilion
	{"#00805c", "#3cc79b"}, // green
	{"#a3428a", "#e08fc8"}, // purple
	{"#8a6d00", "#dcb732"}, // ochre
	{"#4d5a66", "#a9b6c2"}, // slate
	{"#b3243b", "#ff8593"}, // crimson
	{"#4b4fb8", "#a3a6ff"}, // indigo
}

// The variables: --plot-ink (title), --plot-text (labels), --plot-grid, --plot-axis, --plot-ground
// (behind marks), --plot-0 ... --plot-7.
var style = func() string {
	ground := func(dark bool) string {
		var b strings.Builder
		if dark {
			b.WriteString("--plot-ink:#f0ece4;--plot-text:#aba79f;--plot-grid:#34332f;--plot-axis:#6f6c66;--plot-ground:#1a1917")
		} else {
			b.WriteString("--plot-ink:#1d1c1a;--plot-text:#625f59;--plot-grid:#e7e4dd;--plot-axis:#a19d94;--plot-ground:#fffefb")
		}
		for i, h := range hues {
			colour := h.light
			if dark {
				colour = h.dark
			}
			fmt.Fprintf(&b, ";--plot-%d:%s", i, colour)
		}
		return b.String()
	}
	var b strings.Builder
	// :where() has no specificity, so that a page's own .ablate-plot rule wins wherever it stands.
	fmt.Fprintf(&b, ":where(.ablate-plot){%s}\n", ground(false))
	fmt.Fprintf(&b, "@media screen and (prefers-color-scheme:dark){:where(.ablate-plot){%s}}\n", ground(true))
	b.WriteString(`.ablate-plot{background:var(--plot-ground);font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
.ablate-plot text{font-size:11px;fill:var(--plot-text)}
.ablate-plot .t{font-size:14px;font-weight:650;fill:var(--plot-ink)}
.ablate-plot .l{fill:var(--plot-ink)}
.ablate-plot .e{text-anchor:end}
.ablate-plot .m{text-anchor:middle}
.ablate-plot .g{stroke:var(--plot-grid);stroke-width:1;fill:none}
.ablate-plot .a{stroke:var(--plot-axis);stroke-width:1;fill:none}
.ablate-plot .d{stroke:var(--plot-text);stroke-width:1;stroke-dasharray:1 3;stroke-linecap:round;fill:none}
.ablate-plot .f{stroke-width:1.2;stroke-opacity:.7;fill:none}
.ablate-plot .c{stroke-width:1.5;fill:none;stroke-linejoin:round}
.ablate-plot .s{stroke-width:1.1;stroke-opacity:.85}
.ablate-plot .n{paint-order:stroke;stroke:var(--plot-ground);stroke-width:3px;stroke-linejoin:round}
.ablate-plot .k{stroke-width:.6;stroke-opacity:.55;fill:none}
.ablate-plot .p{stroke:var(--plot-ground);stroke-width:.8;fill-opacity:.88}
.ablate-plot .h{fill:var(--plot-ground);stroke-width:1.5}
.ablate-plot .p:hover,.ablate-plot .h:hover{stroke:var(--plot-ink);stroke-width:2}
.ablate-plot g:hover>.c{stroke-width:3}
`)
	return b.String()
}()

// dashes tell lines apart without colour, in the order of the series; the first is solid. Long
// ones, since a noisy curve drawn in dots is a cloud.
var dashes = []string{"", "7 2.5", "3 2", "10 2.5 2 2.5", "5 2", "14 3", "8 2 2 2 2 2", "4 3"}

func hue(i int) string { return fmt.Sprintf("var(--plot-%d)", i%len(hues)) }

func dash(i int) string {
	if d := dashes[i%len(dashes)]; d != "" {
		return ` stroke-dasharray="` + d + `"`
	}
	return ""
}

func stroke(i int) string { return fmt.Sprintf(` stroke="%s"%s`, hue(i), dash(i)) }
