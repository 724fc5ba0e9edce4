// Package entries is what the commands of the cache do: it says what each entry is for and how much
// room it takes, removes what no study needs, and copies entries to and from a remote.
//
// Words. A study needs the entries that its last run looked up, and so an entry is needed by any
// number of studies. An entry that no study needs is loose. The study that made an entry may need
// it no more.
package entries

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"ablate/cache"
)

// Entry is an entry of the cache, and which studies need it.
type Entry struct {
	Key    cache.Key `json:"key"`
	Kind   string    `json:"kind"`
	Study  string    `json:"study"` // that made it
	Step   string    `json:"step"`
	Bytes  int64     `json:"bytes"`
	Made   time.Time `json:"made"`
	Cost   float64   `json:"cost_seconds"` // to make again from its inputs
	Needed []string  `json:"needed_by"`    // studies that looked it up in their last run; never nil
}

func of(it cache.Item, needed []string) Entry {
	if needed == nil {
		needed = []string{}
	}
	return Entry{it.Key, it.Kind, it.Study, it.Step, it.Size, it.Made.UTC(), it.Cost.Seconds(), needed}
}

// Filter says which entries a list has, and in which order.
type Filter struct {
	Study string // what this study made, or needs
	Kind  string // of step
	Loose bool   // what no study needs
	Sort  string // age (oldest first; also ""), size or cost (largest first), study or kind
}

// orders compare entries; those that are alike in what is compared are in the order of their age
// and of their steps.
var orders = map[string]func(x, y Entry) int{
	"":      func(x, y Entry) int { return 0 },
	"age":   func(x, y Entry) int { return 0 },
	"size":  func(x, y Entry) int { return cmp.Compare(y.Bytes, x.Bytes) },
	"cost":  func(x, y Entry) int { return cmp.Compare(y.Cost, x.Cost) },
	"study": func(x, y Entry) int { return strings.Compare(x.Study, y.Study) },
	"kind":  func(x, y Entry) int { return strings.Compare(x.Kind, y.Kind) },
}

// List lists entries of a cache. Those that cannot be read are left out, and damaged says why.
func List(c *cache.Cache, f Filter) (list []Entry, damaged []error, err error) {
	by, ok := orders[f.Sort]
	if !ok {
		return nil, nil, fmt.Errorf("internal error: entries have no order %q", f.Sort)
	}
	needed, err := needed(c)
	if err != nil {
		return nil, nil, err
	}
	for it, err := range c.Items() {
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		e := of(it, needed[it.Key])
		if f.Study != "" && e.Study != f.Study && !slices.Contains(e.Needed, f.Study) || f.Kind != "" && e.Kind != f.Kind || f.Loose && len(e.Needed) > 0 {
			continue
		}
		list = append(list, e)
	}
	slices.SortStableFunc(list, func(x, y Entry) int {
		return cmp.Or(by(x, y), x.Made.Compare(y.Made), strings.Compare(x.Step, y.Step))
	})
	return list, damaged, nil
}

// needed maps each key to the studies that need it since their last run, each once, sorted.
func needed(c *cache.Cache) (map[cache.Key][]string, error) {
	roots, err := c.Roots()
	if err != nil {
		return nil, err
	}
	out := map[cache.Key][]string{}
	for _, r := range roots {
		for _, k := range r.Keys {
			if !slices.Contains(out[k], r.Study) {
				out[k] = append(out[k], r.Study)
				slices.Sort(out[k])
			}
		}
	}
	return out, nil
}

// Usage is how much room a cache takes.
type Usage struct {
	Dir     string       `json:"dir"`
	Free    int64        `json:"free_bytes"` // on its file system, -1 when unknown
	Studies []StudyUsage `json:"studies"`    // by name; last what no study needs, if there is any
	cache.Usage
}

// StudyUsage is what the entries that a study needs take. Alone counts those that no other study
// needs.
type StudyUsage struct {
	Study string      `json:"study"` // or Loose
	All   cache.Count `json:"all"`
	Alone cache.Count `json:"alone"`
}

// Loose stands for a study where no study needs what is counted.
const Loose = "(no study needs it)"

// UsageOf adds up files by the kind of step, and outputs of entries by the studies that need them.
func UsageOf(c *cache.Cache) (Usage, error) {
	u := Usage{Dir: c.Dir(), Free: c.Free()}
	var err error
	if u.Usage, err = c.Usage(); err != nil {
		return u, err
	}
	u.Studies, err = usageByStudy(c)
	return u, err
}

func usageByStudy(c *cache.Cache) ([]StudyUsage, error) {
	needed, err := needed(c)
	if err != nil {
		return nil, err
	}
	by := map[string]*StudyUsage{}
	add := func(study string, n int64, alone bool) {
		if by[study] == nil {
			by[study] = &StudyUsage{Study: study}
		}
		by[study].All.Add(n)
		if alone {
			by[study].Alone.Add(n)
		}
	}
	for it, err := range c.Items() {
		if err != nil {
			continue // a verification tells
		}
		studies := needed[it.Key]
		for _, s := range studies {
			add(s, it.Size, len(studies) == 1)
		}
		if len(studies) == 0 {
			add(Loose, it.Size, true)
		}
	}
	out := []StudyUsage{}
	for _, u := range by {
		if u.Study != Loose {
			out = append(out, *u)
		}
	}
	slices.SortFunc(out, func(x, y StudyUsage) int { return strings.Compare(x.Study, y.Study) })
	if u := by[Loose]; u != nil {
		out = append(out, *u)
	}
	return out, nil
}
