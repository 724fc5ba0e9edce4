package page

import (
	stdbytes "bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// drawn are the only elements a figure may hold.
var drawn = map[string]bool{
	"svg": true, "g": true, "path": true, "line": true, "circle": true, "rect": true, "polyline": true, "polygon": true,
	"text": true, "tspan": true, "title": true, "desc": true, "style": true,
}

// trusted passes an SVG into the page unescaped after making sure that it only draws: well-formed
// XML of the elements above, no handlers, no links, no style that fetches. Mixture names come from
// a study someone else may have written, and the page must be safe to open even if the drawing
// package failed to escape one.
func trusted(svg []byte) (template.HTML, error) {
	dec := xml.NewDecoder(stdbytes.NewReader(svg))
	var open []string
	roots := 0
	for {
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Space != "" || !drawn[t.Name.Local] {
				return "", fmt.Errorf("element %q is not allowed", t.Name.Local)
			}
			if len(open) == 0 {
				roots++
				if t.Name.Local != "svg" {
					return "", fmt.Errorf("root is %q, want \"svg\"", t.Name.Local)
				}
			} else if in := open[len(open)-1]; in == "title" || in == "desc" || in == "style" {
				return "", fmt.Errorf("element %q inside %q", t.Name.Local, in)
			}
			for _, a := range t.Attr {
				name := strings.ToLower(a.Name.Local)
				if strings.HasPrefix(name, "on") || name == "href" || name == "src" || a.Name.Space != "" || fetches(a.Value) && name != "aria-label" {
					return "", fmt.Errorf("attribute %q of %q is not allowed", a.Name.Local, t.Name.Local)
				}
			}
			open = append(open, t.Name.Local)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != t.Name.Local {
				return "", fmt.Errorf("</%s> closes nothing", t.Name.Local)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) == 0 && len(stdbytes.TrimSpace(t)) > 0 {
				return "", errors.New("text outside the drawing")
			}
			if len(open) > 0 && open[len(open)-1] == "style" && (fetches(string(t)) || stdbytes.ContainsAny(t, "<")) {
				return "", errors.New("style refers outside the drawing")
			}
		default:
			return "", errors.New("comments, declarations and instructions are not allowed")
		}
	}
	if roots != 1 || len(open) != 0 {
		return "", fmt.Errorf("%d drawings and %d unclosed elements, want 1 and 0", roots, len(open))
	}
	return template.HTML(svg), nil
}

func fetches(css string) bool {
	css = strings.ToLower(css)
	return strings.Contains(css, "url(") || strings.Contains(css, "@import") || strings.Contains(css, "\\") || strings.Contains(css, "javascript:")
}
