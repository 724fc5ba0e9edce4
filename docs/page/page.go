// Package page reads the Markdown of the documentation as its tests see it: fenced blocks, headings
// with their anchors, and links. It knows the part of Markdown that the pages use, and refuses the
// rest, so that no block of a page escapes the tests.
//
// A fenced block has a language, and may have a title and needs:
//
//	**Needs:** Python with pandas.
//
//	```python title=read.py
//	...
//	```
//
// The title is the name of a file that the reader creates. The paragraph before the block names the
// file, too, because a Git host does not show what stands behind the language. Needs are what a
// machine must have for the block to run, in words that the reader sees.
package page

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Page is one file of Markdown.
type Page struct {
	Blocks   []Block
	Headings []Heading
	Links    []Link
	Prose    []Line // everything outside of fenced blocks, code spans blanked
	Start    string // the page whose end this page starts from, as it is linked; "" for none
}

// Block is a fenced block.
type Block struct {
	Line  int    // of the opening fence, from 1
	Lang  string // console, yaml, ...; "" for none
	Title string // name of the file that the reader creates; "" for none
	Needs string // what the machine must have, in words; "" for nothing
	Text  string // the lines between the fences, each with its line end
}

// Heading is a title of a section.
type Heading struct {
	Line   int
	Level  int // 1 is the page's own title
	Text   string
	Anchor string // as Git hosts make it
}

// Link is a link or an image.
type Link struct {
	Line   int
	Text   string
	Target string
}

// Line is a line of prose.
type Line struct {
	Number int // from 1
	Text   string
}

var (
	headings = regexp.MustCompile(`^(#{1,6}) +(.+?) *$`)
	links    = regexp.MustCompile(`!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+(?:\([^()\s]*\))?)\)`)
	spans    = regexp.MustCompile("``[^`].*?``|`[^`]*`")
	needs    = regexp.MustCompile(`^\*\*Needs:\*\* (.+)\.$`)
	start    = regexp.MustCompile(`^This page starts where \[[^\]]*\]\(([^)]+)\) ends\.`)
	infos    = regexp.MustCompile(`^([a-z]*)(?: title=(\S+))?$`)
	referred = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:`)
)

// Parse reads a page.
func Parse(text string) (*Page, error) {
	p := &Page{}
	lines := strings.Split(text, "\n")
	anchors := map[string]int{}
	need := ""
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "```"):
			block, after, err := fenced(lines, i)
			if err != nil {
				return nil, err
			}
			if block.Needs, need = need, ""; block.Title != "" && !named(lines[:i], block.Title) {
				return nil, fmt.Errorf("line %d: the paragraph before the block does not name `%s`, the file that it is", i+1, block.Title)
			}
			p.Blocks = append(p.Blocks, block)
			i = after
			continue
		case strings.HasPrefix(strings.TrimSpace(line), "```"), strings.HasPrefix(strings.TrimSpace(line), "~~~"):
			return nil, fmt.Errorf("line %d: a fenced block starts at the first column, with ```", i+1)
		case referred.MatchString(line):
			return nil, fmt.Errorf("line %d: a link stands where it is used: [text](target)", i+1)
		}
		if m := headings.FindStringSubmatch(line); m != nil {
			anchor := Anchor(m[2])
			if n := anchors[anchor]; n > 0 {
				anchors[anchor]++
				anchor = fmt.Sprintf("%s-%d", anchor, n)
			} else {
				anchors[anchor] = 1
			}
			p.Headings = append(p.Headings, Heading{Line: i + 1, Level: len(m[1]), Text: m[2], Anchor: anchor})
		}
		if m := needs.FindStringSubmatch(line); m != nil {
			need = m[1]
		} else if strings.TrimSpace(line) != "" {
			if need != "" {
				return nil, fmt.Errorf("line %d: the block that needs %s does not follow", i+1, need)
			}
		}
		if m := start.FindStringSubmatch(line); m != nil {
			p.Start = m[1]
		}
		prose := spans.ReplaceAllStringFunc(line, func(s string) string { return "`" + strings.Repeat(" ", len(s)-2) + "`" })
		for _, m := range links.FindAllStringSubmatchIndex(prose, -1) {
			p.Links = append(p.Links, Link{Line: i + 1, Text: line[m[2]:m[3]], Target: line[m[4]:m[5]]})
			if inner := line[m[2]:m[3]]; strings.HasPrefix(inner, "![") { // an image that is a link
				if in := links.FindStringSubmatch(inner); in != nil {
					p.Links = append(p.Links, Link{Line: i + 1, Text: in[1], Target: in[2]})
				}
			}
		}
		p.Prose = append(p.Prose, Line{Number: i + 1, Text: prose})
	}
	return p, nil
}

// fenced reads the block whose opening fence is line i, and gives the line of its closing fence.
func fenced(lines []string, i int) (Block, int, error) {
	mark := lines[i][:len(lines[i])-len(strings.TrimLeft(lines[i], "`"))]
	info := strings.TrimPrefix(lines[i], mark)
	m := infos.FindStringSubmatch(info)
	if m == nil {
		return Block{}, 0, fmt.Errorf("line %d: %q is no language with, maybe, title=FILE", i+1, info)
	}
	b := Block{Line: i + 1, Lang: m[1], Title: m[2]}
	for n := i + 1; n < len(lines); n++ {
		if lines[n] == mark {
			b.Text = strings.Join(append(lines[i+1:n:n], ""), "\n")
			return b, n, nil
		}
	}
	return Block{}, 0, fmt.Errorf("line %d: the block is not closed", i+1)
}

// named says whether the last paragraph of lines names a file as code.
func named(lines []string, file string) bool {
	for n := len(lines) - 1; n >= 0; n-- {
		if strings.Contains(lines[n], "`"+file+"`") {
			return true
		}
		if strings.TrimSpace(lines[n]) == "" && n < len(lines)-1 && !needs.MatchString(lines[n+1]) {
			return false
		}
	}
	return false
}

// Anchor is the name by which a link reaches a heading, as Git hosts make it.
func Anchor(heading string) string {
	var b strings.Builder
	for _, m := range links.FindAllStringSubmatch(heading, -1) {
		heading = strings.Replace(heading, m[0], m[1], 1)
	}
	for _, r := range strings.ToLower(heading) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}

// Command is a command of a console block, with what the page shows of its output.
type Command struct {
	Line int    // of its first line, from 1
	Text string // several lines where it is continued
	Want string // each line with its line end
}

// Commands splits a console block: a line that starts with "$ " is a command, a command that ends
// in a backslash goes on in the next line, and the other lines are output.
func (b Block) Commands() ([]Command, error) {
	var list []Command
	more := false
	for n, line := range strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n") {
		switch text, is := strings.CutPrefix(line, "$ "); {
		case more:
			last := &list[len(list)-1]
			last.Text += "\n" + line
			more = strings.HasSuffix(line, `\`)
		case is:
			list = append(list, Command{Line: b.Line + 1 + n, Text: text})
			more = strings.HasSuffix(text, `\`)
		case len(list) == 0:
			return nil, fmt.Errorf("line %d: a console block starts with a dollar sign, a blank and a command", b.Line+1+n)
		default:
			list[len(list)-1].Want += line + "\n"
		}
	}
	return list, nil
}

// Matches says whether a program's output is what a page shows. In the page, a line that is only
// ... stands for any number of lines, and the sign … for any text within a line, which may be none.
// Blanks at the ends of lines do not count.
func Matches(want, got string) bool {
	var b strings.Builder
	b.WriteString(`\A`)
	for line := range strings.Lines(want) {
		line = strings.TrimRight(line, " \n")
		if line == "..." {
			b.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		for i, part := range strings.Split(line, "…") {
			if i > 0 {
				b.WriteString(`[^\n]*?`)
			}
			b.WriteString(regexp.QuoteMeta(part))
		}
		b.WriteString(`[ \t]*\n`)
	}
	b.WriteString(`\z`)
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	return regexp.MustCompile(b.String()).MatchString(got)
}

// volatile is what differs between machines and runs: durations with the blanks that pad them,
// rates, times, digests, and the first digits of keys, which change whenever a kind of step has a
// new version.
var volatile = regexp.MustCompile(`[\d.]+ [kMGT]?B free\b|(about [\d.]+ [a-z]+|less than a second) on this machine [^\n]*|\b[\d.,e+-]+ \((measured|rough|from runs)\)|\b\d+(\.\d+)?( [num]?s|m?s|m\d+s)\b *|\b\d+(\.\d+)? ?[kMG]? ?(tokens|[kMG]?B)/s|\b\d{4}-\d\d-\d\dT[0-9:.]+Z|\b[0-9a-f]{64}\b|\b[0-9a-f]{8}\b`)

// Anew is what a page should show instead of want where a program printed got. What want cuts from
// the start, the end or between two lines stays cut, as far as the lines around a cut can be found
// again; durations, rates, times and keys become the sign for any text.
func Anew(want, got string) string {
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	var lines []string
	for line := range strings.Lines(got) {
		lines = append(lines, masked(strings.TrimRight(line, " \n"))+"\n")
	}
	parts := strings.Split("\n"+want, "\n...\n")
	if len(parts) == 1 {
		return strings.Join(lines, "")
	}
	var b strings.Builder
	for i, part := range parts {
		part = strings.TrimPrefix(part, "\n")
		shown := strings.Split(strings.TrimSuffix(part, "\n"), "\n")
		n := min(len(shown), len(lines))
		if part == "" {
			n = 0
		}
		from := 0
		switch {
		case i == len(parts)-1:
			from = len(lines) - n
		case i > 0 && n > 0:
			for from < len(lines)-n && prefix(lines[from]) != prefix(shown[0]) {
				from++
			}
		}
		if i > 0 {
			b.WriteString("...\n")
		}
		b.WriteString(strings.Join(lines[from:from+n], ""))
		lines = lines[from+n:]
	}
	return b.String()
}

// masked is a line with the sign for any text where it differs between machines and runs.
func masked(line string) string {
	return volatile.ReplaceAllStringFunc(line, func(s string) string {
		if strings.HasSuffix(s, " ") {
			return "… "
		}
		return "…"
	})
}

// prefix is what a line is found again by.
func prefix(line string) string {
	if words := strings.Fields(line); len(words) > 0 {
		return words[0]
	}
	return ""
}
