package table

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// A target is where a path leads in a schema: to the entries of a leaf column that have these places in the lists around them. (What an
// entry's definition and repetition levels mean is in Parquet's own words and in the paper on Dremel, VLDB 2010, section 4.)
type target struct {
	cell  int   // number of the path
	leaf  int   // of a group the first leaf below it
	want  []int // place in each list on the way, from the outermost
	need  int16 // definition level from which on the value is there
	group bool  // it has fields of its own
}

var (
	errPath     = errors.New("the path leads into a value that has no fields")
	errNoColumn = errors.New("no column")
)

// resolve follows a path through a schema. Of a list that the path does not index the first element counts.
func resolve(sc *schema.Schema, path []string) (target, error) {
	var t target
	var at schema.Node = sc.Root()
	repeated := false // at stands for a list of itself
	enter := func(n schema.Node) {
		at, repeated = n, n.RepetitionType() == parquet.Repetitions.Repeated
		if n.RepetitionType() != parquet.Repetitions.Required {
			t.need++
		}
	}
	// into goes from a list to its element.
	into := func(place int) bool {
		if !repeated {
			g, ok := at.(*schema.GroupNode)
			if !ok || !isList(g) {
				return false
			}
			enter(g.Field(0))
			if r, ok := at.(*schema.GroupNode); ok && !isMap(g) && r.NumFields() == 1 && r.Name() != "array" && r.Name() != g.Name()+"_tuple" {
				enter(r.Field(0)) // else the list is written in the old way, of two levels
			}
		}
		repeated = false
		t.want = append(t.want, place)
		return true
	}
	for _, step := range path {
		if digits, ok := strings.CutPrefix(step, "["); ok {
			place, err := strconv.Atoi(strings.TrimSuffix(digits, "]"))
			if err != nil || !into(place) {
				return t, errPath
			}
			continue
		}
		g, ok := at.(*schema.GroupNode)
		if !ok {
			return t, errNoColumn
		}
		if repeated || isList(g) {
			return t, errPath
		}
		i := g.FieldIndexByName(step)
		if i < 0 {
			return t, errNoColumn
		}
		enter(g.Field(i))
	}
	for into(0) {
	}
	for {
		g, ok := at.(*schema.GroupNode)
		if !ok {
			break
		}
		if t.group = true; g.NumFields() == 0 {
			return t, errNoColumn
		}
		at = g.Field(0)
	}
	if t.leaf = sc.ColumnIndexByNode(at); t.leaf < 0 {
		return t, errNoColumn
	}
	return t, nil
}

// isList says whether a group stands for a list, or for a map, which is a list of keys with values.
func isList(g *schema.GroupNode) bool {
	_, list := g.LogicalType().(schema.ListLogicalType)
	return (list || isMap(g)) && g.NumFields() == 1 && g.Field(0).RepetitionType() == parquet.Repetitions.Repeated
}

func isMap(g *schema.GroupNode) bool {
	_, yes := g.LogicalType().(schema.MapLogicalType)
	return yes
}

// targetsOf resolves paths, but for empty ones.
func targetsOf(pr *file.Reader, paths [][]string) ([]target, error) {
	var all []target
	for i, p := range paths {
		if len(p) == 0 {
			continue
		}
		t, err := resolve(pr.MetaData().Schema, p)
		if errors.Is(err, errNoColumn) {
			return nil, fmt.Errorf("%w %s: %s", err, strings.Join(p, "."), columnNames(pr))
		} else if err != nil {
			return nil, fmt.Errorf("column %s: %w", strings.Join(p, "."), err)
		}
		t.cell = i
		all = append(all, t)
	}
	return all, nil
}

func columnNames(pr *file.Reader) string {
	var names []string
	sc := pr.MetaData().Schema
	for i := range min(sc.NumColumns(), 20) {
		names = append(names, sc.Column(i).Path())
	}
	if sc.NumColumns() > len(names) {
		names = append(names, "...")
	}
	return "the file has " + strings.Join(names, ", ")
}
