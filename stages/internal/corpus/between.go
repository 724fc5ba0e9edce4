package corpus

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// A bound is a range of whole numbers, both ends in it, that the metadata of a document must lie
// in.
type bound struct {
	name     string
	from, to int64
	reason   string
}

var rangeForm = regexp.MustCompile(`^(-?[0-9]{1,9})-(-?[0-9]{1,9})$`)

// bounds makes ranges ready, in order of names.
func bounds(between, metadata map[string]string) ([]bound, error) {
	var all []bound
	for _, name := range slices.Sorted(maps.Keys(between)) {
		text := between[name]
		if _, ok := metadata[name]; !ok {
			return nil, fmt.Errorf("between: no metadata %q", name)
		}
		m := rangeForm.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("between: %s: range %q: want two whole numbers, such as 1970-2022", name, text)
		}
		b := bound{name: name, reason: name + " outside " + text}
		b.from, _ = strconv.ParseInt(m[1], 10, 64)
		b.to, _ = strconv.ParseInt(m[2], 10, 64)
		if b.from > b.to {
			return nil, fmt.Errorf("between: %s: range %q ends before it begins; write the smaller number first", name, text)
		}
		all = append(all, b)
	}
	return all, nil
}

// outside returns the first bound that d does not keep: its value is another number or none.
func (c *compiled) outside(d *Document) *bound {
	for i := range c.bounds {
		b := &c.bounds[i]
		if n, err := strconv.ParseInt(d.Meta[b.name], 10, 64); err != nil || n < b.from || n > b.to {
			return b
		}
	}
	return nil
}
