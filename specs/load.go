package specs

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"ablate/specs/nearest"
)

//go:embed studies
var shipped embed.FS

// maxBytes is the largest study that is read. A list of ten thousand mixtures takes less than 1
// MiB.
const maxBytes = 4 << 20

// Load reads a study from a file, or from the studies in the program where no file of that name
// exists. Mistakes in the study come as Errors, all at once.
func Load(path string) (*Study, error) { return LoadScale(path, "") }

// LoadScale is Load for a study at another size than its own: MiniScale; "" is its own.
func LoadScale(path, scale string) (*Study, error) {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() {
		data, err := readFile(path)
		if err != nil {
			return nil, fmt.Errorf("read study: %w", err)
		}
		return read(path, data, filepath.Dir(path), scale)
	}
	if data, err := shipped.ReadFile("studies/" + path + ".yaml"); err == nil {
		return read("specs/studies/"+path+".yaml", data, ".", scale)
	}
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("read study %q: it is a directory", path)
	case err == nil: // to open a pipe may take for ever
		return nil, fmt.Errorf("read study %q: it is not a regular file (%s)", path, info.Mode().Type())
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read study: %w", err)
	}
	names := Shipped()
	hint := ""
	if near := nearest.Word(strings.TrimSuffix(path, ".yaml"), names); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return nil, fmt.Errorf("read study %q: no such file, nor one of the shipped studies %s%s", path, strings.Join(names, ", "), hint)
}

// readFile reads as much of a file as Parse needs to refuse it.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}

// Shipped lists the studies in the program, as Load takes them. What others extend is none by
// itself.
func Shipped() []string {
	var names []string
	err := fs.WalkDir(shipped, "studies", func(path string, _ fs.DirEntry, err error) error {
		if name, ok := strings.CutSuffix(path, ".yaml"); ok && !strings.HasSuffix(name, "/base") {
			names = append(names, strings.TrimPrefix(name, "studies/"))
		}
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("internal error: embedded studies: %v", err))
	}
	slices.Sort(names)
	return names
}

// ShippedText is the text of a study in the program.
func ShippedText(name string) ([]byte, error) {
	data, err := shipped.ReadFile("studies/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no shipped study %q: there are %s", name, strings.Join(Shipped(), ", "))
	}
	return data, nil
}

// Parse reads a study from memory. The name is for messages; dir is where relative file names
// start.
func Parse(name string, data []byte, dir string) (*Study, error) { return read(name, data, dir, "") }

// ParseAlone is Parse for a study from a stranger, which must be whole in itself, as Text gives
// one: no other file is opened, and a study that extends another is a mistake.
func ParseAlone(name string, data []byte, dir string) (*Study, error) {
	root, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	if key, _ := child(root, "extends"); key != nil {
		return nil, Errors{{newDecoder(name).position(key), about([]string{"extends"}, "this study must be one file, because ablate reads no other file for it")}}
	}
	return read(name, data, dir, "")
}

func read(name string, data []byte, dir, scale string) (*Study, error) {
	own, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	d := newDecoder(name)
	root, err := d.extended(own, dir, 0)
	if err == nil {
		root, err = d.scaled(root, scale)
	}
	if err != nil {
		return nil, err
	}
	s := &Study{Path: name, Dir: dir, root: root, files: d.files, text: data}
	if _, v := child(root, "ablate"); v != nil && target(v).Kind == yaml.ScalarNode {
		if found, err := parseInt(target(v).Value); err == nil && found != version {
			// Another version has other keys: what else seems wrong may be right there.
			return nil, Errors{s.Errorf([]string{"ablate"}, "this program reads version %d of the study language, found %d", version, found)}
		}
	}
	d.value(root, root, field{typ: reflect.TypeFor[Study](), need: true}, reflect.ValueOf(s).Elem(), nil)
	c := checker{s: s, d: d}
	c.fillModel(&s.Model, "model")
	if r := s.Reference.Model; r != nil {
		c.fillModel(r, "reference", "model")
	}
	c.study()
	if len(d.errs) > 0 {
		for i := range d.errs {
			if scale != "" {
				d.errs[i].Message = "in the miniature: " + d.errs[i].Message
			}
		}
		return nil, d.errs.sorted()
	}
	if root != own {
		if s.text, err = d.oneFile(root, scale); err != nil {
			return nil, err
		}
		s.Extends = "" // all of that is in the study now
	}
	if scale != "" {
		s.Name = miniName(s.Name)
	} else if _, mini := child(own, MiniScale); mini != nil {
		if _, err := read(name, data, dir, MiniScale); err != nil { // it is part of what the file says
			return nil, err
		}
	}
	return s, nil
}

// Text is the study as one file: the one it was read from, byte for byte, unless it extends another
// or is a miniature; then all that it is laid over is in it.
func (s *Study) Text() []byte { return s.text }

// Files lists the files that the study was read from: its own, and those that it extends. Studies
// in the program are named as they are in its source.
func (s *Study) Files() []string {
	files := []string{s.Path}
	for _, f := range s.files {
		files = append(files, f)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// version of the study language.
const version = 1

// At is the position of a value by the keys and list indices that lead to it; of the nearest
// existing part where the file does not hold it. For keys and values below a key, it is the key. A
// study that was not read from YAML has no lines.
func (s *Study) At(path ...string) Position {
	n := s.root
	if n == nil {
		return Position{File: s.Path}
	}
	at := n
	for _, step := range path {
		key, value := child(n, step)
		if value == nil {
			break
		}
		at, n = value, target(value)
		if n.Kind != yaml.ScalarNode && key != nil {
			at = key
		}
	}
	file := s.Path
	if other := s.files[at]; other != "" {
		file = other
	}
	return Position{File: file, Line: at.Line, Column: at.Column}
}

// Holds reports whether the file, or one that it is laid over, holds a value at a path of keys and
// list indices, rather than a default or a preset giving it.
func (s *Study) Holds(path ...string) bool {
	n := s.root
	for _, step := range path {
		if n == nil {
			return false
		}
		_, value := child(n, step)
		if value == nil {
			return false
		}
		n = target(value)
	}
	return n != nil
}

// Errorf is a mistake found after reading, such as a pattern that no file matches, at the position
// of a value.
func (s *Study) Errorf(path []string, format string, args ...any) Error {
	return Error{s.At(path...), about(path, format, args...)}
}

// child finds the entry of a mapping or list; the key is nil in a list.
func child(n *yaml.Node, step string) (key, value *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		quiet := newDecoder("")
		for _, p := range quiet.pairs(n, nil) {
			if target(p.key).Value == step {
				return p.key, p.value
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && 0 <= i && i < len(n.Content) {
			return nil, n.Content[i]
		}
	}
	return nil, nil
}
