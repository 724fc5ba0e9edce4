package entries

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
)

// Collection is what a collection of a cache's garbage removed, or would remove.
type Collection struct {
	*cache.Freed
	Rules cache.Rules // that kept entries which no study needs
}

// Collect removes what none of the studies needs: files, shipped studies, or names of studies that
// were run on the cache; without any, what no study needs that was run on it. What a run under way
// uses stays.
func Collect(ctx context.Context, s *study.Session, c *cache.Cache, studies []string, rules cache.Rules) (*Collection, error) {
	keep, err := Needed(s, c, studies)
	if err != nil {
		return nil, err
	}
	freed, err := c.GC(ctx, keep, rules)
	if err != nil {
		return nil, err
	}
	return &Collection{freed, rules}, nil
}

// Needed are the keys that studies need: those named, or every one that was run.
func Needed(s *study.Session, c *cache.Cache, studies []string) (map[cache.Key]bool, error) {
	roots, err := c.Roots()
	if err != nil {
		return nil, err
	}
	keep := map[cache.Key]bool{}
	hold := func(study string) {
		for _, r := range roots {
			if study == "" || study == r.Study {
				for _, k := range r.Keys {
					keep[k] = true
				}
			}
		}
	}
	var names []string
	for _, r := range roots {
		names = append(names, r.Study)
	}
	if len(studies) == 0 {
		hold("")
	}
	for _, name := range studies {
		if slices.Contains(names, name) { // a study that was run; what it needs is known without its file
			hold(name)
			continue
		}
		p, err := s.Plan(c, name, study.Planning{})
		if err != nil {
			if len(names) > 0 {
				slices.Sort(names)
				err = fault.Usagef("%w (and no study of that name was run on this cache; there are %q)", err, slices.Compact(names))
			}
			return nil, err
		}
		hold(p.Study.Name)
		for i, status := range p.State.Status {
			if status != pipeline.Waits {
				keep[p.State.Keys[i]] = true
			}
		}
	}
	if len(roots) == 0 && len(studies) == 0 {
		return nil, fault.Usage(errors.New("the cache has no record of a run of a study, so that every entry would be removed; name the studies to keep"))
	}
	return keep, nil
}

// Choice says which entries are to be removed.
type Choice struct {
	What  []string // keys, or their first 6 digits or more; steps, with * for any text between slashes
	Study string   // only what this study made; "": of any
	Yes   bool     // remove them; otherwise they are only looked up
	Force bool     // remove also what other entries were made from, and what a run under way uses
}

// Removal is what was to be removed, and what became of it.
type Removal struct {
	Entries    []cache.Item
	Dependants []cache.Item // entries that were made from these
	Bytes      int64        // that were freed, or would be
	Removed    int          // entries; 0: nothing was done
	Damaged    []error      // entries that could not be read, and so not looked at
}

// Remove removes entries that a person names. Where an error says that they stay, the removal says
// what they are.
func Remove(ctx context.Context, c *cache.Cache, choice Choice) (*Removal, error) {
	r := &Removal{}
	if err := r.find(c, choice); err != nil {
		return r, err
	}
	keys := make([]cache.Key, len(r.Entries))
	for i, it := range r.Entries {
		keys[i] = it.Key
	}
	var err error
	if r.Dependants, err = c.Dependants(keys); err != nil {
		return r, err
	}
	freed, err := c.Remove(ctx, keys, choice.Force, true)
	if err != nil {
		return r, err
	}
	r.Bytes = freed.Before - freed.After()
	switch {
	case freed.Kept.Roots > 0 && !choice.Force:
		return r, &StaysError{fmt.Sprintf("%d of these are used by a run under way (study %s); nothing was removed (--force removes the entries, and the run makes them again)",
			freed.Kept.Roots, cache.Printable(freed.Live[0].Study))}
	case !choice.Yes:
		return r, nil
	case len(r.Dependants) > 0 && !choice.Force:
		return r, &StaysError{fmt.Sprintf("%d entries were made from these; nothing was removed (--force removes only the entries that you named)", len(r.Dependants))}
	}
	if freed, err = c.Remove(ctx, keys, choice.Force, false); err != nil {
		return r, err
	}
	r.Bytes, r.Removed = freed.Before-freed.After(), len(freed.Removed)
	return r, nil
}

// StaysError says why entries stay that were to be removed.
type StaysError struct{ why string }

func (e *StaysError) Error() string { return e.why }

// find looks up what the choice names.
func (r *Removal) find(c *cache.Cache, choice Choice) error {
	found := make([]bool, len(choice.What))
	for it, err := range c.Items() {
		if err != nil {
			r.Damaged = append(r.Damaged, err)
			continue
		}
		if choice.Study != "" && it.Study != choice.Study {
			continue
		}
		any := false
		for i, what := range choice.What {
			step, err := path.Match(what, it.Step)
			if err != nil {
				return fault.Usagef("%s: %w", what, err)
			}
			if step || len(what) >= 6 && strings.HasPrefix(it.Key.String(), what) {
				found[i], any = true, true
			}
		}
		if any {
			r.Entries = append(r.Entries, it)
		}
	}
	for i, what := range choice.What {
		if !found[i] {
			return fault.Usagef("no entry has a key that begins with %q, or is of a step %q; `ablate cache ls` lists them", what, what)
		}
	}
	return nil
}
