package specs

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"ablate/specs/nearest"
)

// decoder walks YAML nodes and Go types side by side. It never stops at a mistake: each is noted
// with its position, and the path of the value is remembered as bad, so that no later check builds
// on it.
//
// yaml.v3's own decoding is not used, because it reads 1.5 into an int as 1, gives no columns and
// speaks of Go types.
type decoder struct {
	file   string
	errs   Errors
	noted  map[remark]bool
	bad    map[string]bool // paths whose value could not be read
	given  map[string]bool // paths of keys that the file holds
	visits int

	files map[*yaml.Node]string // of the nodes of other files than file; see extended

	full    bool // maxVisits was reported
	merging int  // depth of merge keys at the moment
}

// maxVisits bounds the work on a small file whose aliases multiply ("billion laughs"). A list of a
// million words is not a study that a person writes.
const maxVisits = 1 << 20

var (
	countType    = reflect.TypeFor[Count]()
	fractionType = reflect.TypeFor[Fraction]()
	wordsType    = reflect.TypeFor[[]string]()
	overlayType  = reflect.TypeFor[Overlay]()
)

func newDecoder(file string) *decoder {
	return &decoder{file: file, noted: map[remark]bool{}, bad: map[string]bool{}, given: map[string]bool{}, files: map[*yaml.Node]string{}}
}

func (d *decoder) position(n *yaml.Node) Position {
	file := d.file
	if other := d.files[n]; other != "" {
		file = other
	}
	return Position{File: file, Line: n.Line, Column: n.Column}
}

// join makes one string of a path, for use as a map key; keys and words with a NUL are refused.
func join(path []string) string { return strings.Join(path, "\x00") }

// under returns path with one more step, never sharing memory with its siblings.
func under(path []string, step string) []string { return append(slices.Clip(path), step) }

// remark is a mistake without its path: what stands under an anchor is read once for each alias,
// but is wrong only once.
type remark struct {
	at      *yaml.Node
	message string
}

// note records a mistake at a node, in words about path.
func (d *decoder) note(n *yaml.Node, path []string, format string, args ...any) {
	r := remark{n, fmt.Sprintf(format, args...)}
	if !d.noted[r] {
		d.noted[r] = true
		d.errs = append(d.errs, Error{d.position(n), about(path, "%s", r.message)})
	}
}

// fail is note where the value at path is thereby unusable.
func (d *decoder) fail(n *yaml.Node, path []string, format string, args ...any) {
	d.note(n, path, format, args...)
	d.bad[join(path)] = true
}

// about is a message that begins with the path it speaks of.
func about(path []string, format string, args ...any) string {
	message := fmt.Sprintf(format, args...)
	if len(path) == 0 {
		return message
	}
	steps := make([]string, len(path))
	for i, step := range path {
		steps[i] = clip(step)
		if q := strconv.Quote(steps[i]); len(q) != len(steps[i])+2 || strings.ContainsAny(step, " .:") || step == "" {
			steps[i] = q
		}
	}
	return strings.Join(steps, ".") + ": " + message
}

// target follows an alias to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// value reads node n into v. Mistakes about mappings are reported at the key that holds them.
func (d *decoder) value(key, n *yaml.Node, f field, v reflect.Value, path []string) {
	if d.visits++; d.visits > maxVisits {
		d.tooMany(key, path)
		return
	}
	n = target(n)
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		d.fail(n, path, "tag %s: a study cannot have YAML tags; remove the tag", clip(n.Tag))
		return
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		hint := "; leave the key out for its default"
		if f.need || key == n {
			hint = "" // it has no default
		}
		d.fail(key, path, "has no value%s", hint)
		return
	}
	switch t := v.Type(); {
	case t == overlayType:
		d.overlay(n, v, path)
	case twoForms(t):
		form := 0
		if n.Kind == yaml.MappingNode {
			form, f.enum = 1, nil // the words are of the other form
		}
		d.visits-- // it is the same value
		d.value(key, n, f, v.Field(form), path)
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		d.value(key, n, f, p.Elem(), path)
		v.Set(p)
	case t.Kind() == reflect.Struct:
		if n.Kind != yaml.MappingNode {
			d.wrongType(n, f, t, path)
			return
		}
		d.structure(key, n, f, v, path)
	case t.Kind() == reflect.Map:
		d.mapping(key, n, f, v, path)
	case t.Kind() == reflect.Slice:
		d.list(n, f, v, path)
	default:
		d.scalar(n, f, v, path)
	}
}

// tooMany says once that the rest of the study is not read.
func (d *decoder) tooMany(n *yaml.Node, path []string) {
	if !d.full {
		d.full = true
		d.fail(n, path, "more than %d values, aliases counted each time", maxVisits)
	}
}

// pair is a key of a mapping and its value.
type pair struct{ key, value *yaml.Node }

// pairs lists a mapping's entries: its own in file order, then those that merge keys (<<) bring and
// that it lacks.
func (d *decoder) pairs(n *yaml.Node, path []string) []pair {
	var own, merged []pair
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content) && d.visits <= maxVisits; i += 2 {
		d.visits++
		k, v := n.Content[i], n.Content[i+1]
		name := target(k)
		switch {
		case k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge":
			merged = append(merged, d.merge(v, path)...)
		case name.Kind != yaml.ScalarNode || name.ShortTag() == "!!null" || name.Value == "" || strings.Contains(name.Value, "\x00"):
			d.fail(k, path, "a key must be a word, found %s", describe(name))
		case seen[name.Value] != nil:
			d.fail(k, under(path, name.Value), "duplicate key; the first is on line %d", seen[name.Value].Line)
		default:
			seen[name.Value] = k
			own = append(own, pair{k, v})
		}
	}
	if d.visits > maxVisits {
		d.tooMany(n, path)
	}
	for _, p := range merged {
		if name := target(p.key).Value; seen[name] == nil {
			seen[name] = p.key
			own = append(own, p)
		}
	}
	return own
}

// merge is the entries of what stands behind <<: a mapping, or a list of mappings of which the
// earlier ones win.
func (d *decoder) merge(n *yaml.Node, path []string) []pair {
	const deepest = 32 // an anchor may merge itself
	if d.merging++; d.merging > deepest {
		d.fail(n, path, "<<: merge keys within merge keys more than %d deep", deepest)
		d.merging--
		return nil
	}
	defer func() { d.merging-- }()
	n = target(n)
	switch n.Kind {
	case yaml.MappingNode:
		return d.pairs(n, path)
	case yaml.SequenceNode:
		var out []pair
		for _, x := range n.Content {
			if x = target(x); x.Kind != yaml.MappingNode {
				d.fail(x, path, "<<: want a mapping, found %s", describe(x))
				continue
			}
			out = append(out, d.merge(x, path)...)
		}
		return out
	}
	d.fail(n, path, "<<: want a mapping or a list of mappings, found %s", describe(n))
	return nil
}

// structure reads a mapping into a struct, refuses keys it does not have, and fills defaults.
func (d *decoder) structure(key, n *yaml.Node, f field, v reflect.Value, path []string) {
	fields := fieldsOf(v.Type())
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	given := map[string]bool{}
	for _, p := range d.pairs(n, path) {
		name := target(p.key).Value
		i := slices.Index(names, name)
		if i < 0 {
			d.unknown(p.key, path, name, names)
			continue
		}
		here := under(path, name)
		given[name], d.given[join(here)] = true, true
		d.value(p.key, p.value, fields[i], v.FieldByIndex(fields[i].index), here)
	}
	for _, x := range fields {
		here := under(path, x.name)
		switch {
		case given[x.name]:
		case x.need:
			if !d.bad[join(here)] { // a misspelt key is reported as that alone
				d.note(key, path, "missing key %q", x.name)
				d.bad[join(here)] = true
			}
			d.absent(x, v.FieldByIndex(x.index))
		default:
			d.absent(x, v.FieldByIndex(x.index))
		}
	}
	if f.one && len(given) != 1 && !d.badBelow(path) {
		d.fail(key, path, "want exactly one of the keys %s, found %d", strings.Join(names, ", "), len(given))
	}
}

// thousands is what YAML takes for a key in {tokens: 100,000}.
var thousands = regexp.MustCompile(`^[0-9]{3}$`)

// unknown reports a key that is not in the language. Where it is a misspelling, the key that was
// meant is known to be given, but not its value.
func (d *decoder) unknown(k *yaml.Node, path []string, name string, names []string) {
	hint := didYouMean(name, names)
	if thousands.MatchString(name) {
		hint = ": a comma ends a value; write a number without commas, such as 100000, 100_000 or 100k"
	}
	d.note(k, path, "unknown key %q%s", clip(name), hint)
	if near := cmp.Or(truthFor(name, names), nearest.Word(name, names)); near != "" {
		d.bad[join(under(path, near))] = true
	} else {
		d.bad[join(under(path, name))] = true
	}
}

// badBelow reports whether any value at or below path could not be read.
func (d *decoder) badBelow(path []string) bool {
	prefix := join(path)
	for p := range d.bad {
		if p == prefix || prefix == "" || strings.HasPrefix(p, prefix+"\x00") {
			return true
		}
	}
	return false
}

// absent gives a key that the file does not hold its default, and so the keys below it.
func (d *decoder) absent(f field, v reflect.Value) {
	if f.preset != "" {
		setDefault(f, v)
		return
	}
	if v.Kind() == reflect.Struct {
		for _, x := range fieldsOf(v.Type()) {
			d.absent(x, v.FieldByIndex(x.index))
		}
	}
}

// setDefault reads a default tag with the same code as a file.
func setDefault(f field, v reflect.Value) {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: f.preset}
	if strings.HasPrefix(f.preset, "[") {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(f.preset), &doc); err != nil {
			panic(fmt.Sprintf("internal error: default of %s: %v", f.name, err))
		}
		n = doc.Content[0]
	}
	d := newDecoder("default")
	d.value(n, n, f, v, []string{f.name})
	if len(d.errs) > 0 {
		panic("internal error: " + d.errs.Error())
	}
}

// mapping reads names of the writer's choice.
func (d *decoder) mapping(key, n *yaml.Node, f field, v reflect.Value, path []string) {
	if n.Kind != yaml.MappingNode {
		d.wrongType(n, f, v.Type(), path)
		return
	}
	m := reflect.MakeMap(v.Type())
	each := f
	each.enum, each.need, each.one = f.enum, false, false
	for _, p := range d.pairs(n, path) {
		name := target(p.key).Value
		here := under(path, name)
		d.given[join(here)] = true
		if isTruth(target(p.key)) {
			d.fail(p.key, here, "want a name, found %s; quote it to mean the word%s", name, truthHint(name))
			continue
		}
		if err := checkName(f.names, name); err != nil {
			d.fail(p.key, here, "%v", err)
			continue
		}
		x := reflect.New(v.Type().Elem()).Elem()
		d.value(p.key, p.value, each, x, here)
		m.SetMapIndex(reflect.ValueOf(name), x)
	}
	if f.need && m.Len() == 0 && !d.badBelow(path) {
		d.fail(key, path, "is empty; it needs at least one name")
	}
	v.Set(m)
}

// list reads []string, of which one word may stand without brackets, and lists of such lists.
func (d *decoder) list(n *yaml.Node, f field, v reflect.Value, path []string) {
	if n.Kind == yaml.ScalarNode && v.Type() == wordsType {
		n = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{n}, Line: n.Line, Column: n.Column}
	}
	if n.Kind != yaml.SequenceNode {
		d.wrongType(n, f, v.Type(), path)
		return
	}
	each := f
	each.need = v.Type() != wordsType // an empty list within a list means nothing
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, x := range n.Content {
		if d.visits > maxVisits {
			return
		}
		d.value(x, x, each, out.Index(i), under(path, strconv.Itoa(i)))
	}
	if f.need && len(n.Content) == 0 {
		d.fail(n, path, "is empty; it needs at least one entry")
	}
	v.Set(out)
}
