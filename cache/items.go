package cache

import (
	"errors"
	"iter"
)

// Items yields every entry as a person decides about it, in the order of keys. A corrupt one yields
// a *[Miss], and stays where it is.
func (c *Cache) Items() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for r, err := range c.records(c.until) {
			it := Item{}
			if err == nil {
				it = r.item()
			}
			if !yield(it, err) || Ended(c.until) != nil {
				return
			}
		}
	}
}

// Dependants finds the entries that were made from outputs of the given ones, or from outputs of
// those, and so on. An entry depends on another when one of its key inputs is a digest of the
// other's outputs and no third entry has that output too. They stay whole without what they were
// made from.
func (c *Cache) Dependants(keys []Key) ([]Item, error) {
	made := map[Digest]map[Key]bool{} // output -> entries that have it
	uses := map[Key][]Digest{}        // entry -> its key inputs that are digests
	for e, err := range c.Entries() {
		var miss *Miss
		if errors.As(err, &miss) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, o := range e.Outputs {
			if made[o.Digest] == nil {
				made[o.Digest] = map[Key]bool{}
			}
			made[o.Digest][e.Key] = true
		}
		for _, in := range e.KeyInputs {
			if d, err := ParseDigest(in.Value); err == nil {
				uses[e.Key] = append(uses[e.Key], d)
			}
		}
	}
	gone := map[Key]bool{}
	for _, k := range keys {
		gone[k] = true
	}
	lost := func(d Digest) bool {
		if len(made[d]) == 0 {
			return false // a raw file, or gone before
		}
		for k := range made[d] {
			if !gone[k] {
				return false
			}
		}
		return true
	}
	for more := true; more; {
		more = false
		for k, digests := range uses {
			for _, d := range digests {
				if !gone[k] && lost(d) {
					gone[k], more = true, true
				}
			}
		}
	}
	for _, k := range keys {
		delete(gone, k)
	}
	var out []Item
	for it, err := range c.Items() {
		if err == nil && gone[it.Key] {
			out = append(out, it)
		}
	}
	return out, nil
}
