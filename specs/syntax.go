package specs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
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
	if i := invalidUTF8(data); i >= 0 {
		return nil, at(i, "not UTF-8 text: byte 0x%02x", data[i])
	}
	// One byte at a time: where the parser gives up, the count of bytes is where it stood. yaml.v3 tells a line at most, and often that
	// of the beginning of a list rather than of the mistake in it.
	in := &slowReader{data: data}
	decoder := yaml.NewDecoder(in)
	var doc, next yaml.Node
	err := decodeNode(decoder, &doc)
	if errors.Is(err, io.EOF) {
		return nil, at(0, "the study is empty; it begins with \"ablate: 1\"")
	}
	if err == nil {
		if err = decodeNode(decoder, &next); err == nil {
			return nil, Errors{{Position{name, next.Line, next.Column}, "a second document; a file holds one study"}}
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, syntaxError(name, data, in.offset, err)
	}
	root := target(doc.Content[0])
	if root.Kind != yaml.MappingNode {
		return nil, Errors{{Position{name, root.Line, root.Column}, fmt.Sprintf("want keys with values (ablate: 1), found %s", describe(root))}}
	}
	return root, nil
}

// decodeNode turns a panic of the library into an error; it is known to recover its own only.
func decodeNode(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: cannot be read (%v)", p)
		}
	}()
	return d.Decode(n)
}

type slowReader struct {
	data   []byte
	offset int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.offset == len(r.data) {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0] = r.data[r.offset]
	r.offset++
	return 1, nil
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntaxError puts a position to an error of the YAML library, which had read the given number of bytes.
func syntaxError(name string, data []byte, read int, err error) Errors {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
	}
	_ = strconv.Itoa
	line, column := lineColumn(data, read)
	return Errors{{Position{name, line, column}, "not YAML: " + message}}
}

// lineColumn turns an offset in bytes into a line and a column in characters, both from 1.
func lineColumn(data []byte, offset int) (line, column int) {
	head := data[:min(offset, len(data))]
	return 1 + bytes.Count(head, []byte("\n")), 1 + utf8.RuneCount(head[bytes.LastIndexByte(head, '\n')+1:])
}

// invalidUTF8 is the offset of the first byte that is not part of a character, or -1.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
