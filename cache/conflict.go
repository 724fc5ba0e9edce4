package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
)

// keepConflict keeps the file of an entry that was refused because the step had given other bytes
// before. Its name holds a digest of its outputs, so that the same difference is kept once. What
// cannot be kept is told by the *[Conflict] all the same.
func (c *Cache) keepConflict(temp string, e *Entry) {
	outputs, err := json.Marshal(e.Outputs)
	if err != nil {
		return
	}
	c.publish(temp, c.path("conflicts", e.Key.String()+"."+DigestOf(outputs).Short()))
}

// Conflicts yields the results that were refused because another with other bytes had come first.
// Where the first is gone by now, First is nil.
func (c *Cache) Conflicts() iter.Seq2[*Conflict, error] {
	return func(yield func(*Conflict, error) bool) {
		for _, name := range readNames(c.path("conflicts")) {
			second, err := c.conflict(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed since it was listed
			}
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			first, err := c.readEntry(second.Key, false)
			var miss *Miss
			if err != nil && !errors.As(err, &miss) {
				yield(nil, err)
				return
			}
			if !yield(&Conflict{First: first, Second: second}, nil) {
				return
			}
		}
	}
}

func (c *Cache) conflict(name string) (*Entry, error) {
	path := c.path("conflicts", name)
	digits, _, _ := strings.Cut(name, ".")
	key, err := ParseKey(digits)
	var data []byte
	if err == nil {
		data, _, err = readPlain(path, maxEntryBytes)
	}
	var e *Entry
	if err == nil {
		e, err = decode(data, key)
	}
	if err != nil {
		return nil, fmt.Errorf("cache: %s: %w", Printable(c.rel(path)), err)
	}
	return e, nil
}

// removeConflicts forgets what was refused for a key.
func (c *Cache) removeConflicts(key Key, n *Count) error {
	var err error
	for _, name := range readNames(c.path("conflicts")) {
		if strings.HasPrefix(name, key.String()+".") {
			err = errors.Join(err, remove(c.path("conflicts", name), n))
		}
	}
	return err
}

// firstSeen is what Verify says of a conflict.
func (e *Conflict) firstSeen() string {
	if e.First == nil {
		return fmt.Sprintf("step %s (%s) had a different result before, which is lost", Printable(e.Second.Provenance.Step), Printable(e.Second.Kind))
	}
	return fmt.Sprintf("step %s (%s) is not deterministic: %s; made first %s, again %s", Printable(e.Second.Provenance.Step), Printable(e.Second.Kind),
		firstDifference(e.First.Outputs, e.Second.Outputs), Printable(e.First.Provenance.Started), Printable(e.Second.Provenance.Started))
}
