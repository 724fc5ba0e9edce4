package main

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	extension "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// blocks renders what a page of ours has and Markdown does not: the title of a block, the commands
// of a console, and tables that scroll on a narrow screen.
type blocks struct{}

// RegisterFuncs is renderer.NodeRenderer.
func (b blocks) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, b.code)
	r.Register(extension.KindTable, b.table)
}

func (blocks) code(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.FencedCodeBlock)
	lang := string(n.Language(source))
	_, _ = w.WriteString("<figure class=\"code\">") // the writer keeps its first error for the end
	if n.Info != nil {
		if _, title, ok := strings.Cut(string(n.Info.Segment.Value(source)), " title="); ok {
			_, _ = w.WriteString("<figcaption>")
			_, _ = w.Write(util.EscapeHTML([]byte(title)))
			_, _ = w.WriteString("</figcaption>")
		}
	}
	_, _ = w.WriteString("<pre tabindex=\"0\"><code class=\"language-" + lang + "\">")
	more := false
	for i := range n.Lines().Len() {
		segment := n.Lines().At(i)
		line := segment.Value(source)
		command := lang == "console" && (more || bytes.HasPrefix(line, []byte("$ ")))
		more = command && bytes.HasSuffix(line, []byte("\\\n"))
		if command {
			_, _ = w.WriteString("<b>")
			_, _ = w.Write(util.EscapeHTML(bytes.TrimSuffix(line, []byte("\n"))))
			_, _ = w.WriteString("</b>\n")
			continue
		}
		_, _ = w.Write(util.EscapeHTML(line))
	}
	_, _ = w.WriteString("</code></pre></figure>\n")
	return ast.WalkSkipChildren, nil
}

func (blocks) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString("<div class=\"table\"><table>\n")
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}
