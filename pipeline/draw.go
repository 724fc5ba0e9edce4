package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dominikbraun/graph/draw"
)

// DOT writes the collapsed plan in the language of Graphviz.
func (c *Collapsed) DOT(title string) (string, error) {
	text := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`) // the library writes attributes as they are
	g, err := c.library(c.Edges, func(n Node) map[string]string {
		return map[string]string{"label": text.Replace(n.Label()), "shape": "box"}
	})
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = draw.DOT(g, &b, draw.GraphAttribute("rankdir", "LR"), draw.GraphAttribute("label", text.Replace(title)))
	if err != nil {
		return "", fmt.Errorf("graph in DOT: %w", err)
	}
	return inOrder(b.String()), nil
}

// inOrder sorts the lines that the library writes in the order of a Go map, which is another one
// each time: vertices first, then edges. It also drops the library's empty lines.
func inOrder(dot string) string {
	const statement, edge = "\t\"", "\" -> \""
	lines := slices.DeleteFunc(strings.Split(dot, "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	first := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, statement) })
	if first < 0 {
		return strings.Join(lines, "\n") + "\n"
	}
	isEdge := func(l string) int {
		key, _, _ := strings.Cut(strings.TrimPrefix(l, statement), " [")
		if strings.Contains(key, edge) {
			return 1
		}
		return 0
	}
	body := lines[first : len(lines)-1] // the last line closes the graph
	slices.SortFunc(body, func(a, b string) int { return cmp.Or(cmp.Compare(isEdge(a), isEdge(b)), cmp.Compare(a, b)) })
	return strings.Join(lines, "\n") + "\n"
}

// Mermaid writes the collapsed plan in the language of Mermaid.
func (c *Collapsed) Mermaid() string {
	text := strings.NewReplacer(`"`, "#quot;", "\n", "<br/>")
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for n, node := range c.Nodes {
		fmt.Fprintf(&b, "  %s[\"%s\"]\n", c.key(n), text.Replace(node.Label()))
	}
	for _, e := range c.Edges {
		fmt.Fprintf(&b, "  %s --> %s\n", c.key(e.From), c.key(e.To))
	}
	return b.String()
}
