package parquet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An element is what the footer says of a column or a group of columns (SchemaElement of
// parquet.thrift).
type element struct {
	physical, length, repetition, children, converted int64
	scale, precision                                  int64
	name                                              string
	logical                                           logicalType
}

// Values of SchemaElement.repetition_type.
const (
	required = 0
	optional = 1
	repeated = 2
)

// logicalType is the union LogicalType of parquet.thrift: which member it is, and that member's
// fields.
type logicalType struct {
	id               int64 // 0: none
	scale, precision int64
	utc, signed      bool
	unit             int64 // 1 to 3: milli, micro and nanoseconds
	bits             int64
}

// Members of LogicalType.
const (
	logicalString, logicalMap, logicalList, logicalEnum, logicalDecimal, logicalDate, logicalTime, logicalTimestamp = 1, 2, 3, 4, 5, 6, 7, 8
	logicalInteger, logicalUnknown, logicalJSON, logicalBSON, logicalUUID, logicalFloat16                           = 10, 11, 12, 13, 14, 15
	logicalVariant, logicalGeometry, logicalGeography                                                               = 16, 17, 18
)

func readElement(c *compact, depth int) (element, error) {
	e := element{physical: -1, converted: -1}
	err := c.into(depth, map[int64]slot{
		1: &e.physical, 2: &e.length, 3: &e.repetition, 4: &e.name, 5: &e.children, 6: &e.converted, 7: &e.scale, 8: &e.precision,
		10: func(depth int) error {
			return c.fields(depth, func(id int64, kind byte) (bool, error) {
				if kind != compactStruct {
					return false, nil
				}
				l := &e.logical
				l.id = id
				slots := map[int64]slot{}
				switch id {
				case logicalDecimal:
					slots = map[int64]slot{1: &l.scale, 2: &l.precision}
				case logicalTime, logicalTimestamp:
					slots = map[int64]slot{1: &l.utc, 2: func(depth int) error {
						return c.fields(depth, func(id int64, kind byte) (bool, error) { l.unit = id; return false, nil })
					}}
				case logicalInteger:
					slots = map[int64]slot{1: &l.bits, 2: &l.signed}
				}
				return true, c.into(depth+1, slots)
			})
		},
	})
	return e, err
}

// A node is a column, or a group of them.
type node struct {
	element
	below    []*node
	def, rep int // levels of its values: the most an entry of it has
	leaf     int // number of the column; -1 for a group
	typ      valueType
}

// grow makes the tree of the elements, which are in depth-first order.
func (f *File) grow(elements []element) error {
	at := 0
	var take func(def, rep, depth int) (*node, error)
	take = func(def, rep, depth int) (*node, error) {
		if at == len(elements) {
			return nil, fmt.Errorf("the schema has %d elements and wants more", len(elements))
		}
		if depth > deepest {
			return nil, fmt.Errorf("columns within columns more than %d deep", deepest)
		}
		n := &node{element: elements[at], def: def, rep: rep, leaf: -1}
		at++
		if depth > 0 {
			switch n.repetition {
			case optional:
				n.def++
			case repeated:
				n.def++
				n.rep++
			}
		}
		if n.children < 0 || n.children > int64(len(elements)-at) {
			return nil, fmt.Errorf("element %q of the schema has %d children, %d elements follow", n.name, n.children, len(elements)-at)
		}
		for range n.children {
			child, err := take(n.def, n.rep, depth+1)
			if err != nil {
				return nil, err
			}
			n.below = append(n.below, child)
		}
		if n.children == 0 && n.physical >= 0 && depth > 0 {
			n.leaf, n.typ = len(f.leaves), typeOf(n.element)
			f.leaves = append(f.leaves, n)
		}
		return n, nil
	}
	root, err := take(0, 0, 0)
	if err == nil && at < len(elements) {
		err = fmt.Errorf("element %q of the schema is in none", elements[at].name)
	}
	f.root = root
	return err
}

// isMap and isList say what a group stands for. A map is no list here: its keys are not places.
func (n *node) isMap() bool {
	return n.leaf < 0 && (n.logical.id == logicalMap || n.logical.id == 0 && (n.converted == 1 || n.converted == 2))
}

func (n *node) isList() bool {
	return n.leaf < 0 && (n.logical.id == logicalList || n.logical.id == 0 && n.converted == 3) && len(n.below) == 1 && n.below[0].repetition == repeated
}

// repeats is what a list repeats: of its one child the one child, or the child itself in the older
// ways to write a list ("Backward- compatibility rules" in Parquet's LogicalTypes.md).
func (n *node) repeats() *node {
	r := n.below[0]
	if r.leaf >= 0 || len(r.below) != 1 || r.name == "array" || r.name == n.name+"_tuple" || r.below[0].repetition == repeated || r.isMap() || r.isList() {
		return r
	}
	return r.below[0]
}

var errNoColumn = errors.New("no column")

// A target is where a path leads in a schema: to the entries of a leaf column that have these
// places in the lists around them. (What an entry's definition and repetition levels mean is in
// Parquet's own words and in the paper on Dremel, VLDB 2010, section 4.)
type target struct {
	node  *node
	list  bool  // the path ends at a list; the target is its first element
	place []int // in each list on the way, from the outermost
}

// resolve follows a path. Of a list that the path does not index the first element counts, as in
// JSON Lines.
func (f *File) resolve(path []string) (target, error) {
	var t target
	at, again := f.root, false // again: at is the element of a list of itself, not yet entered
	enter := func(n *node) { at, again = n, n.repetition == repeated && n != f.root }
	into := func(place int) bool {
		switch {
		case again:
			again = false
		case at.isList():
			at = at.repeats()
		default:
			return false
		}
		t.place = append(t.place, place)
		return true
	}
	for i, step := range path {
		if digits, ok := strings.CutPrefix(step, "["); ok {
			place, err := strconv.Atoi(strings.TrimSuffix(digits, "]"))
			if err != nil || place < 0 {
				return t, fmt.Errorf("%q is no place in a list", step)
			}
			if !into(place) {
				return t, fmt.Errorf("%s is of type %s and has no element %s", pathName(path[:i]), at.word(again), step)
			}
			continue
		}
		if again || at.isList() {
			return t, fmt.Errorf("%s is of type array: say which element, as in %s[0]", pathName(path[:i]), pathName(path[:i]))
		}
		next := (*node)(nil)
		for _, n := range at.below {
			if n.name != step || at.isMap() {
				continue
			}
			if next != nil {
				return t, fmt.Errorf("the file has two columns of this name")
			}
			next = n
		}
		if next == nil {
			return t, errNoColumn
		}
		enter(next)
	}
	for into(0) {
		t.list = true
	}
	t.node = at
	return t, nil
}

// word is the type of a node in the words that errors use, JSON's where it has one.
func (n *node) word(again bool) string {
	switch {
	case again || n.isList():
		return "array"
	case n.isMap():
		return "map"
	case n.logical.id == logicalVariant:
		return "variant"
	case n.leaf < 0:
		return "object"
	}
	return n.typ.word()
}

// pathName is a path as a study writes it.
func pathName(path []string) string {
	var b strings.Builder
	for i, p := range path {
		if i > 0 && !strings.HasPrefix(p, "[") {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return b.String()
}

// columnNames names what the file has, the first few.
func (f *File) columnNames() string {
	names := f.Columns()
	if len(names) > 20 {
		names = append(names[:20:20], "...")
	}
	return "the file has " + strings.Join(names, ", ")
}

// Columns are the names of the file's columns, of groups with the fields inside them, as a study
// writes paths to them.
func (f *File) Columns() []string {
	var names []string
	var walk func(n *node, path []string)
	walk = func(n *node, path []string) {
		for n.isList() {
			n = n.repeats()
		}
		if n.leaf >= 0 || len(n.below) == 0 || n.isMap() {
			names = append(names, pathName(path))
			return
		}
		for _, below := range n.below {
			walk(below, append(path[:len(path):len(path)], below.name))
		}
	}
	for _, n := range f.root.below {
		walk(n, []string{n.name})
	}
	return names
}
