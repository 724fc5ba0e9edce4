package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Page is a page of the site.
type Page struct {
	Name     string // of its file, from the project's directory
	URL      string // from the top of the site
	Title    string
	Body     template.HTML
	Contents []Section // sections below the title, of the second level
	sections []Section // all, the title's first
	groups   []Group   // of the index: its sections with their links
}

// Section is a heading with the text below it, up to the next heading.
type Section struct {
	Title, Anchor string
	text          strings.Builder
}

// Group is a section of the navigation.
type Group struct {
	Title string
	Links []Entry
	Open  bool // it holds the page that is shown
}

// Entry is a link of the navigation.
type Entry struct {
	Title, URL string
	Here       bool // it leads to the page that is shown
}

// crawl reads the index and all pages that links lead to from there. files are the other files that
// are linked: where each is in the site.
func crawl(from string) (pages map[string]*Page, files map[string]string, err error) {
	pages, files = map[string]*Page{}, map[string]string{}
	queue := []string{index}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if pages[name] != nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(name)))
		if err != nil {
			return nil, nil, err
		}
		p, linked, err := render(name, data)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		pages[name] = p
		for _, to := range linked {
			info, err := os.Stat(filepath.Join(from, filepath.FromSlash(to)))
			switch {
			case err != nil:
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			case info.IsDir():
				return nil, nil, fmt.Errorf("%s: the link to %s leads to a directory", name, to)
			case strings.HasSuffix(to, ".md"):
				queue = append(queue, to)
			default:
				files[to] = urlOf(to)
			}
		}
	}
	return pages, files, nil
}

func sorted(pages map[string]*Page) []*Page {
	var list []*Page
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		list = append(list, pages[name])
	}
	return list
}

// render turns Markdown into a page. linked are the files of the project that it links to.
func render(name string, data []byte) (p *Page, linked []string, err error) {
	p = &Page{Name: name, URL: urlOf(name)}
	md := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.TaskList),
		goldmark.WithRendererOptions(html.WithUnsafe(), renderer.WithNodeRenderers(util.Prioritized(blocks{}, 1))))
	doc := md.Parser().Parse(text.NewReader(data), parser.WithContext(parser.NewContext()))
	anchors := map[string]int{}
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			title := words(n, data)
			anchor := anchorOf(title)
			if anchors[anchor]++; anchors[anchor] > 1 {
				anchor += "-" + strconv.Itoa(anchors[anchor]-1)
			}
			n.SetAttributeString("id", []byte(anchor))
			p.sections = append(p.sections, Section{Title: title, Anchor: anchor})
			switch n.Level {
			case 1:
				p.Title = title
			case 2:
				p.Contents = append(p.Contents, Section{Title: title, Anchor: anchor})
				p.groups = append(p.groups, Group{Title: title})
			}
			return ast.WalkSkipChildren, nil
		case *ast.Link:
			to, target, err := resolve(name, string(n.Destination))
			if err != nil {
				return ast.WalkStop, err
			}
			if to != "" {
				linked = append(linked, to)
				n.Destination = []byte(target)
				if g := len(p.groups) - 1; g >= 0 {
					p.groups[g].Links = append(p.groups[g].Links, Entry{Title: words(n, data), URL: urlOf(to)})
				}
			}
		case *ast.Image:
			to, target, err := resolve(name, string(n.Destination))
			if err != nil {
				return ast.WalkStop, err
			}
			if to != "" {
				linked = append(linked, to)
				n.Destination = []byte(target)
			}
		case *ast.FencedCodeBlock:
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				p.note(string(line.Value(data)))
			}
		case *ast.Text:
			p.note(string(n.Segment.Value(data)))
			if n.SoftLineBreak() || n.HardLineBreak() {
				p.note(" ")
			}
		default:
			if n.Type() == ast.TypeBlock {
				p.note(" ")
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return nil, nil, err
	}
	if p.Title == "" {
		return nil, nil, fmt.Errorf("the page has no title")
	}
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, data, doc); err != nil {
		return nil, nil, err
	}
	p.Body = template.HTML(b.String()) // of Markdown of our own
	return p, linked, nil
}

// note adds text to the section under way, for the search.
func (p *Page) note(s string) {
	if len(p.sections) > 0 {
		p.sections[len(p.sections)-1].text.WriteString(s)
	}
}

// words is the text of a node.
func words(n ast.Node, data []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function gives no error
		if t, is := n.(*ast.Text); is && entering {
			b.Write(t.Segment.Value(data))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// anchorOf is the name by which a link reaches a heading, as Git hosts and package page make it.
func anchorOf(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(title))
}

// resolve finds which file of the project a link of a page leads to, and what the link is in the
// site. A link to elsewhere, or within the page, leads to none.
func resolve(page, link string) (file, target string, err error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "" || u.Path == "" {
		return "", "", err
	}
	file = path.Join(path.Dir(page), u.Path)
	target = relative(urlOf(page), urlOf(file))
	if u.Fragment != "" {
		target += "#" + u.Fragment
	}
	return file, target, nil
}

// menu is the navigation.
type menu []Group

// navigation takes the sections of the index that have links.
func navigation(p *Page) menu {
	return slices.DeleteFunc(slices.Clone(p.groups), func(g Group) bool { return len(g.Links) == 0 })
}

// at is the navigation as a page shows it: links start from the page.
func (m menu) at(p *Page) []Group {
	var groups []Group
	for _, g := range m {
		shown := Group{Title: g.Title}
		for _, l := range g.Links {
			here := l.URL == p.URL
			shown.Open = shown.Open || here
			shown.Links = append(shown.Links, Entry{Title: l.Title, URL: relative(p.URL, l.URL), Here: here})
		}
		groups = append(groups, shown)
	}
	return groups
}

// searchIndex is a script that holds every section: where it is, and its words.
func searchIndex(pages map[string]*Page) ([]byte, error) {
	type entry struct {
		Page    string `json:"page"`
		Section string `json:"section"`
		URL     string `json:"url"`
		Text    string `json:"text"`
	}
	var list []entry
	for _, p := range sorted(pages) {
		for i := range p.sections {
			s := &p.sections[i]
			e := entry{Page: p.Title, Section: s.Title, URL: p.URL + "#" + s.Anchor, Text: strings.Join(strings.Fields(s.text.String()), " ")}
			if i == 0 {
				e.URL = p.URL
			}
			list = append(list, e)
		}
	}
	data, err := json.Marshal(list)
	return slices.Concat([]byte("window.ablateIndex = "), data, []byte(";\n")), err
}
