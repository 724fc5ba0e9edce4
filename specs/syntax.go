package specs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parseYAML reads one document and returns its outermost node, a mapping.
func parseYAML(name string, data []byte) (*yaml.Node, error) {
	at := func(offset int, format string, args ...any) Errors {
		line, column := lineColumn(data, offset)
		return Errors{{Position{name, line, column}, fmt.Sprintf(format, args...)}}
	}
	if len(data) > maxBytes {
		return nil, at(0, "the study is larger than %d bytes", maxBytes)
	}
	if i := firstBadByte(data); i >= 0 {
		return nil, at(i, "byte 0x%02x: not UTF-8, or a control character", data[i])
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	err := decodeNode(decoder, &doc)
	if errors.Is(err, io.EOF) || err == nil && (len(doc.Content) == 0 || isNull(doc.Content[0])) {
		return nil, at(0, "the study is empty; it begins with \"ablate: 1\"")
	}
	if err == nil {
		if err = decodeNode(decoder, &next); err == nil {
			return nil, Errors{{Position{name, next.Line, next.Column}, "a second document begins here; a file holds one study"}}
		}
	}
	if !errors.Is(err, io.EOF) {
		offset, message := locate(data, err)
		return nil, at(offset, "%s", message)
	}
	root := target(doc.Content[0])
	if root.Kind != yaml.MappingNode {
		return nil, Errors{{Position{name, root.Line, root.Column}, fmt.Sprintf("want keys with values (ablate: 1), found %s", describe(root))}}
	}
	return root, nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// decodeNode turns a panic of the library into an error; it is known to recover its own only.
func decodeNode(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: cannot be read (%v)", p)
		}
	}()
	return d.Decode(n)
}

// hints say what a message of the YAML library mostly means. The keys are how its messages begin.
var hints = []struct{ message, hint string }{
	{"mapping values are not allowed", `a second ": " on a line, or a wrong indentation; quote text that holds ": "`},
	{"block sequence entries are not allowed", "a list with - begins on a line of its own"},
	{"found character that cannot start any token", "text that begins with a sign has to be quoted"},
	{"could not find expected ':'", `a key without ": "`},
	{"did not find expected key", "the indentation does not fit the lines above, or text follows a complete value"},
	{"did not find expected '-' indicator", "the indentation does not fit the list above"},
	{"did not find expected ',' or", "a comma is missing, or a bracket is not closed"},
	{"found unexpected end of stream", "a quote is not closed"},
	{"found unknown escape character", `write \\ for a backslash, or use single quotes`},
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// messageOf splits an error of the YAML library into its line (0: none) and the rest.
func messageOf(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	return line, message
}

// locate finds the place of a syntax error. yaml.v3 gives no column, and a line of which only those
// of its scanner are right: its parser gives the line before the one where the surrounding list or
// mapping began. So the place is found by asking again: the shortest beginning of the file that
// fails with the same message ends where the mistake is.
func locate(data []byte, err error) (offset int, message string) {
	line, message := messageOf(err)
	text := "not YAML: " + message
	for _, h := range hints {
		if strings.HasPrefix(message, h.message) {
			text += ": " + h.hint
		}
	}
	if i := tabIndent(data); i >= 0 && (strings.Contains(message, "tab character") || strings.HasPrefix(message, "found character that cannot start")) {
		return i, "a tab in the indentation; YAML takes spaces there"
	}
	if strings.HasPrefix(message, "did not find expected ',' or") || strings.HasPrefix(message, "found unexpected end of stream") {
		if i, what := unbalanced(data); i >= 0 {
			return i, what
		}
	}
	ends := lineEnds(data)
	if line == 0 || line > len(ends) || ofParser(message) {
		line = 1 + sort.Search(len(ends)-1, func(i int) bool { return failsAlike(data[:ends[i]], message) })
	}
	begin := 0
	if line > 1 {
		begin = ends[line-2]
	}
	row := data[begin:ends[line-1]]
	indent := len(row) - len(bytes.TrimLeft(row, " \t"))
	const most = 1 << 18 // each try reads the file again; in a longer one the line has to do
	if len(data) > most {
		return begin + indent, text
	}
	column := sort.Search(len(row), func(i int) bool { return i >= indent && failsAlike(data[:begin+i+1], message) })
	if column == len(row) {
		return begin + indent, text
	}
	if row[column] == ':' { // the key is what stands wrongly
		for column > indent && !bytes.ContainsRune([]byte(" \t,[]{}\"'"), rune(row[column-1])) {
			column--
		}
	}
	for column > 0 && !utf8.RuneStart(row[column]) {
		column--
	}
	return begin + column, text
}

// ofParser tells the messages of yaml.v3's parser from those of its scanner.
func ofParser(message string) bool {
	for _, begin := range []string{
		"did not find expected <", "did not find expected node", "did not find expected '-'", "did not find expected key", "did not find expected ','",
		"found duplicate %", "found incompatible YAML", "found undefined tag",
	} {
		if strings.HasPrefix(message, begin) {
			return true
		}
	}
	return false
}

// failsAlike reports whether a beginning of the file has the same mistake as the whole.
func failsAlike(head []byte, message string) bool {
	var n yaml.Node
	err := decodeNode(yaml.NewDecoder(bytes.NewReader(head)), &n)
	if err == nil || errors.Is(err, io.EOF) {
		return false
	}
	_, got := messageOf(err)
	return got == message
}

// lineEnds are the offsets behind each line.
func lineEnds(data []byte) []int {
	var ends []int
	for i, b := range data {
		if b == '\n' {
			ends = append(ends, i+1)
		}
	}
	if len(ends) == 0 || ends[len(ends)-1] < len(data) {
		ends = append(ends, len(data))
	}
	return ends
}

// tabIndent is the offset of the first tab before the first letter of a line, or -1.
func tabIndent(data []byte) int {
	begin := 0
	for _, end := range lineEnds(data) {
		row := data[begin:end]
		text := bytes.TrimLeft(row, " \t")
		if i := bytes.IndexByte(row[:len(row)-len(text)], '\t'); i >= 0 && len(bytes.TrimSpace(text)) > 0 && text[0] != '#' {
			return begin + i
		}
		begin = end
	}
	return -1
}

// unbalanced looks for a bracket or quote without its partner, and returns its offset, or -1.
// Brackets count where a value may begin or within other brackets, quotes where a value may begin;
// so "Newton's" and "a [b" are words, as in YAML.
func unbalanced(data []byte) (offset int, message string) {
	partner := map[byte]byte{']': '[', '}': '{'}
	var open []int
	start := true // whether a value may begin here
	for i := 0; i < len(data); i++ {
		b := data[i]
		switch {
		case b == '#' && (i == 0 || unicode.IsSpace(rune(data[i-1]))):
			for i+1 < len(data) && data[i+1] != '\n' {
				i++
			}
		case (b == '"' || b == '\'') && start:
			end := closing(data, i)
			if end < 0 {
				return i, fmt.Sprintf("not YAML: %c is not closed", b)
			}
			i, start = end, false
		case (b == '[' || b == '{') && (start || len(open) > 0):
			open, start = append(open, i), true
		case (b == ']' || b == '}') && len(open) > 0:
			from := open[len(open)-1]
			if data[from] != partner[b] {
				line, column := lineColumn(data, from)
				return i, fmt.Sprintf("not YAML: %c closes nothing; %c of %d:%d is open", b, data[from], line, column)
			}
			open, start = open[:len(open)-1], false
		case b == ' ' || b == '\t' || b == '\r':
		case b == ':' || b == ',' && len(open) > 0 || b == '-' && start || b == '\n':
			start = true
		default:
			start = false
		}
	}
	if len(open) > 0 {
		return open[len(open)-1], fmt.Sprintf("not YAML: %c is not closed", data[open[len(open)-1]])
	}
	return -1, ""
}

// closing is the offset of the quote that ends the quoted text beginning at i, or -1.
func closing(data []byte, i int) int {
	quote := data[i]
	for j := i + 1; j < len(data); j++ {
		switch {
		case data[j] == '\\' && quote == '"':
			j++
		case data[j] == quote && quote == '\'' && j+1 < len(data) && data[j+1] == quote:
			j++
		case data[j] == quote:
			return j
		}
	}
	return -1
}

// lineColumn turns an offset in bytes into a line and a column in characters, both from 1.
func lineColumn(data []byte, offset int) (line, column int) {
	head := data[:min(offset, len(data))]
	return 1 + bytes.Count(head, []byte("\n")), 1 + utf8.RuneCount(head[bytes.LastIndexByte(head, '\n')+1:])
}

// firstBadByte is the offset of the first byte that is not part of a character, or is a control
// character, or -1.
func firstBadByte(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return i
		}
		i += size
	}
	return -1
}
