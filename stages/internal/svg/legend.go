package svg

import "fmt"

// key is one line of a legend. One that is absent is not drawn, but keeps its room.
type key struct {
	name, value string
	widest      string // value that a key of another figure may have here
	absent      bool
}

// legend sets the keys in columns of equal width, as many as fit, from (x, y) down, and returns its
// lower edge. Its size depends on neither values nor absences, so that figures of one list of
// series are of one size.
func (c *canvas) legend(keys []key, x, y, width float64, swatch func(i int, x, y float64)) float64 {
	const row, swatchWidth, gap = 16, 24, 12
	var widest float64
	for _, k := range keys {
		value := max(textWidth(k.value, 11), textWidth(k.widest, 11))
		widest = max(widest, swatchWidth+textWidth(k.name, 11)+6+value+gap)
	}
	columns := 1
	if widest > 0 {
		columns = max(1, min(int((width+gap)/widest), len(keys)))
	}
	place := 0
	for i, k := range keys {
		if k.absent {
			continue
		}
		kx, ky := x+float64(float64(place%columns)*width/float64(columns)), y+float64(float64(place/columns)*row)
		place++
		room := width/float64(columns) - swatchWidth - gap - textWidth(k.value, 11) - 6
		swatch(i, kx+9, ky)
		fmt.Fprintf(c, "<text class=\"l\" x=\"%s\" y=\"%s\">%s", px(kx+swatchWidth), px(ky+3.8), escape(clip(k.name, room, 11)))
		if k.value != "" {
			fmt.Fprintf(c, " <tspan fill=\"var(--plot-text)\">%s</tspan>", escape(k.value))
		}
		c.WriteString("</text>\n")
	}
	return y + float64(float64((len(keys)+columns-1)/columns)*row) - row/2
}

// note says at the foot how many points could not be drawn.
func (c *canvas) note(left int) {
	if left == 0 {
		return
	}
	c.height += 16
	c.text("", 8, c.height-10, count(left, "point")+" without a finite value not drawn")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(float64(n), 0) + " " + noun + "s"
}
