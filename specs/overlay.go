package specs

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"gopkg.in/yaml.v3"
)

// A study may be laid over another one (extends), and may carry a miniature of itself (mini), which
// is laid over it where a person asks for it. Laying over goes key by key: sections, and the
// sections below names of the writer's choice, are laid over one another; all else - a value, a
// list, names with plain values, a section of which exactly one key is given, the evaluation sets -
// replaces what was there.

// Overlay is keys of a study that are not read by themselves, but laid over the study that holds
// them.
type Overlay struct{ node *yaml.Node }

// Given reports whether there is anything to lay over.
func (o Overlay) Given() bool { return o.node != nil }

// MiniScale is the name of the only scale that a study can have besides its own size.
const MiniScale = "mini"

// deepestExtends bounds studies over studies.
const deepestExtends = 8

// extended is the outermost mapping of a study, laid over the study that it extends, if any. Nodes
// of the other file are noted, for positions.
func (d *decoder) extended(root *yaml.Node, dir string, depth int) (*yaml.Node, error) {
	_, v := child(root, "extends")
	if v == nil || target(v).Kind != yaml.ScalarNode {
		return root, nil // none, or of a wrong type, which is reported where it stands
	}
	at := target(v)
	mistake := func(format string, args ...any) error {
		return Errors{{d.position(at), about([]string{"extends"}, format, args...)}}
	}
	if depth == deepestExtends {
		return nil, mistake("%q: more than %d studies over one another, or one over itself", clip(at.Value), deepestExtends)
	}
	name, data, below, err := find(at.Value, dir)
	if err != nil {
		return nil, mistake("%v", err)
	}
	base, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	d.noteFile(base, name)
	if base, err = d.extended(base, below, depth+1); err != nil {
		return nil, err
	}
	return d.lay(base, root, reflect.TypeFor[Study](), nil), nil
}

// find reads the study that another one extends: a file relative to that one's directory, else a
// study in the program.
func find(name, dir string) (path string, data []byte, below string, err error) {
	path = name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if info, e := os.Stat(path); e == nil && info.Mode().IsRegular() {
		data, err = readFile(path)
		return path, data, filepath.Dir(path), err
	}
	if data, err = shipped.ReadFile("studies/" + name + ".yaml"); err == nil {
		return "specs/studies/" + name + ".yaml", data, ".", nil
	}
	return "", nil, "", fmt.Errorf("no file %q, nor a shipped study of that name", clip(name))
}

// noteFile remembers the file that a tree of nodes comes from.
func (d *decoder) noteFile(n *yaml.Node, file string) {
	if d.files[n] != "" {
		return
	}
	d.files[n] = file
	for _, x := range n.Content {
		d.noteFile(x, file)
	}
	if n.Alias != nil {
		d.noteFile(n.Alias, file)
	}
}

// lay lays a value over one of type t. Keys of a mapping that only one side has are kept as they
// are.
func (d *decoder) lay(base, over *yaml.Node, t reflect.Type, path []string) *yaml.Node {
	b, o := target(base), target(over)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || twoForms(t) || b.Kind != yaml.MappingNode || o.Kind != yaml.MappingNode {
		return over
	}
	inner := func(string) reflect.Type { return t.Elem() }
	switch {
	case t == overlayType: // is laid over a study in its turn
		t = reflect.TypeFor[Study]()
		fallthrough
	case t.Kind() == reflect.Struct:
		fields := fieldsOf(t)
		inner = func(name string) reflect.Type {
			i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
			if i < 0 || fields[i].one || fields[i].whole {
				return nil
			}
			return fields[i].typ
		}
	case t.Kind() != reflect.Map || t.Elem().Kind() != reflect.Struct:
		return over
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: o.Line, Column: o.Column}
	d.files[out] = d.files[o]
	below := d.pairs(b, path)
	above := d.pairs(o, path)
	for _, p := range below {
		name := target(p.key).Value
		if i := slices.IndexFunc(above, func(q pair) bool { return target(q.key).Value == name }); i >= 0 {
			q := above[i]
			above = slices.Delete(above, i, i+1)
			out.Content = append(out.Content, q.key, d.lay(p.value, q.value, inner(name), under(path, name)))
			continue
		}
		out.Content = append(out.Content, p.key, p.value)
	}
	for _, p := range above {
		out.Content = append(out.Content, p.key, p.value)
	}
	return out
}

// scaled is the study's outermost mapping at a scale.
func (d *decoder) scaled(root *yaml.Node, scale string) (*yaml.Node, error) {
	if scale == "" {
		return root, nil
	}
	_, mini := child(root, MiniScale)
	if scale != MiniScale || mini == nil {
		has := "the study defines only its full size"
		if mini != nil {
			has = "it has its own size and " + MiniScale
		}
		return nil, fmt.Errorf("study %s: no scale %q; %s", d.file, scale, has)
	}
	if target(mini).Kind != yaml.MappingNode {
		return root, nil // reported where it stands
	}
	return d.lay(root, mini, reflect.TypeFor[Study](), nil), nil
}

// overlay reads keys to lay over the study. What they are is checked where they are laid.
func (d *decoder) overlay(n *yaml.Node, v reflect.Value, path []string) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, field{typ: overlayType}, v.Type(), path)
		return
	}
	for _, p := range d.pairs(n, path) {
		switch name := target(p.key).Value; name {
		case "ablate", "study", "extends", MiniScale:
			d.fail(p.key, under(path, name), "a miniature cannot change this key")
		}
	}
	v.Set(reflect.ValueOf(Overlay{n}))
}

// miniName is the name of a study's miniature, which has its own place for output.
func miniName(study string) string { return study + "." + MiniScale }

// oneFile is the text of a study that is laid over others, as one file without them.
func (d *decoder) oneFile(root *yaml.Node, scale string) ([]byte, error) {
	out := d.flat(root)
	kept := out.Content[:0]
	for i := 0; i+1 < len(out.Content); i += 2 {
		key, value := out.Content[i], out.Content[i+1]
		if key.Value == "extends" || key.Value == MiniScale {
			continue
		}
		if key.Value == "study" && scale != "" {
			value.Value = miniName(value.Value)
		}
		kept = append(kept, key, value)
	}
	out.Content = kept
	return yaml.Marshal(out)
}

// flat is a copy of a tree of nodes without comments, aliases and merge keys.
func (d *decoder) flat(n *yaml.Node) *yaml.Node {
	n = target(n)
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style &^ yaml.TaggedStyle}
	if n.Kind == yaml.MappingNode {
		for _, p := range d.pairs(n, nil) {
			out.Content = append(out.Content, d.flat(p.key), d.flat(p.value))
		}
		return out
	}
	for _, x := range n.Content {
		out.Content = append(out.Content, d.flat(x))
	}
	return out
}
