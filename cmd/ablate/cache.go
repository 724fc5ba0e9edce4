package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/specs/words"
)

type storeCommand struct {
	Ls     cacheLs     `cmd:"" help:"List the entries: when made, size, cost to make again, study and step."`
	Du     cacheDu     `cmd:"" help:"Say how much room the cache takes, by kind of step and by study."`
	Gc     cacheGc     `cmd:"" help:"Remove what no study needs. What a run under way uses stays."`
	Rm     cacheRm     `cmd:"" help:"Remove entries, after showing them and what was made from them."`
	Verify cacheVerify `cmd:"" help:"Read everything in the cache, or with --remote URL everything there, and check every digest."`
	Push   cachePush   `cmd:"" help:"Copy entries to a directory or bucket that other machines read; what is there is not sent again."`
	Pull   cachePull   `cmd:"" help:"Copy entries from a directory or bucket into the cache; what is here is not fetched again."`
}

// withCache opens the cache, to look only where it cannot be written, and calls f.
func (a *app) withCache(f func(*cache.Cache) error) error {
	c, err := a.ReadCache(a.ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(c), c.Close())
}

type cacheLs struct {
	Study string `help:"Only what this study made, or needs since its last run." placeholder:"NAME"`
	Kind  string `help:"Only steps of this kind." placeholder:"KIND"`
	Loose bool   `help:"Only what no study needs since its last run: what gc would look at."`
	Sort  string `enum:"age,size,cost,study,kind" default:"age" help:"age (oldest first), size or cost (largest first), study or kind."`
	JSON  bool   `help:"Print a line of JSON for each entry."`
}

// listed is an entry as `cache ls --json` prints it.
type listed struct {
	Key    cache.Key `json:"key"`
	Kind   string    `json:"kind"`
	Study  string    `json:"study"` // that made it
	Step   string    `json:"step"`
	Bytes  int64     `json:"bytes"`
	Made   time.Time `json:"made"`
	Cost   float64   `json:"cost_seconds"` // to make again from its inputs
	Needed []string  `json:"needed_by"`    // studies that looked it up in their last run
}

func (cmd cacheLs) Run(a *app) error {
	return a.withCache(func(c *cache.Cache) error {
		holders, err := holders(c)
		if err != nil {
			return err
		}
		var rows []listed
		for it, err := range c.Items() {
			if err != nil {
				fmt.Fprintln(a.stderr, "warning:", err)
				continue
			}
			needed := holders[it.Key]
			if needed == nil {
				needed = []string{}
			}
			if cmd.Study != "" && it.Study != cmd.Study && !slices.Contains(needed, cmd.Study) || cmd.Kind != "" && it.Kind != cmd.Kind || cmd.Loose && len(needed) > 0 {
				continue
			}
			rows = append(rows, listed{it.Key, it.Kind, it.Study, it.Step, it.Size, it.Made.UTC(), it.Cost.Seconds(), needed})
		}
		slices.SortStableFunc(rows, func(x, y listed) int {
			by := map[string]int{"size": cmp.Compare(y.Bytes, x.Bytes), "cost": cmp.Compare(y.Cost, x.Cost),
				"study": strings.Compare(x.Study, y.Study), "kind": strings.Compare(x.Kind, y.Kind)}[cmd.Sort]
			return cmp.Or(by, x.Made.Compare(y.Made), strings.Compare(x.Step, y.Step))
		})
		enc := json.NewEncoder(a.stdout)
		for _, r := range rows {
			if cmd.JSON {
				if err := enc.Encode(r); err != nil {
					return err
				}
				continue
			}
			loose := ""
			if len(r.Needed) == 0 {
				loose = "  (no study needs it)"
			}
			show.Printf(a.stdout, "%s  %s  %-9s  %8s  %8s  %s %s%s\n", r.Made.Format(time.DateTime), r.Key.Short(), cache.Printable(r.Kind),
				words.Bytes(r.Bytes), show.Seconds(r.Cost), cache.Printable(r.Study), cache.Printable(r.Step), loose)
		}
		return nil
	})
}

// holders maps each key to the studies that need it since their last run, each once, sorted.
func holders(c *cache.Cache) (map[cache.Key][]string, error) {
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

type cacheDu struct {
	JSON bool `help:"Print the account as JSON."`
}

// studyUsage is what the entries that a study needs take. Alone counts those that no other study needs.
type studyUsage struct {
	Study string      `json:"study"`
	All   cache.Count `json:"all"`
	Alone cache.Count `json:"alone"`
}

func (cmd cacheDu) Run(a *app) error {
	return a.withCache(func(c *cache.Cache) error {
		u, err := c.Usage()
		if err != nil {
			return err
		}
		studies, err := usageByStudy(c)
		if err != nil {
			return err
		}
		if cmd.JSON {
			enc := json.NewEncoder(a.stdout)
			enc.SetIndent("", "  ")
			return enc.Encode(struct {
				Dir     string       `json:"dir"`
				Free    int64        `json:"free_bytes"` // on its file system, -1 when unknown
				Studies []studyUsage `json:"studies"`
				cache.Usage
			}{c.Dir(), c.Free(), studies, u})
		}
		fmt.Fprintln(a.stdout, c.Dir())
		printUsage(a.stdout, u)
		if len(studies) > 0 {
			t := show.NewTable(show.Row{"study", "entries", "bytes of outputs", "needed by it alone"}, 1)
			for _, s := range studies {
				t.AppendRow(show.Row{cache.Printable(s.Study), s.All.Files, words.Bytes(s.All.Bytes), words.Bytes(s.Alone.Bytes)})
			}
			fmt.Fprintf(a.stdout, "\n%s\n", t.Render(a.stdout))
		}
		if free := c.Free(); free >= 0 {
			fmt.Fprintf(a.stdout, "\n%s free on its file system\n", words.Bytes(free))
		}
		return nil
	})
}

// usageByStudy adds up outputs of entries, by the studies that need them; last what none needs, if there is any.
func usageByStudy(c *cache.Cache) ([]studyUsage, error) {
	holders, err := holders(c)
	if err != nil {
		return nil, err
	}
	by := map[string]*studyUsage{}
	add := func(study string, n int64, alone bool) {
		if by[study] == nil {
			by[study] = &studyUsage{Study: study}
		}
		by[study].All.Add(n)
		if alone {
			by[study].Alone.Add(n)
		}
	}
	const none = "(no study needs it)"
	for it, err := range c.Items() {
		if err != nil {
			continue // verify tells
		}
		for _, s := range holders[it.Key] {
			add(s, it.Size, len(holders[it.Key]) == 1)
		}
		if len(holders[it.Key]) == 0 {
			add(none, it.Size, true)
		}
	}
	out := []studyUsage{}
	for _, u := range by {
		out = append(out, *u)
	}
	slices.SortFunc(out, func(x, y studyUsage) int {
		return cmp.Or(cmp.Compare(b2i(x.Study == none), b2i(y.Study == none)), strings.Compare(x.Study, y.Study))
	})
	return out, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func printUsage(w io.Writer, u cache.Usage) {
	t := show.NewTable(show.Row{"", "files", "bytes"}, 1)
	for _, k := range u.Kinds {
		t.AppendRow(show.Row{cache.Printable(k.Kind), k.Blobs.Files, words.Bytes(k.Blobs.Bytes)})
	}
	t.AppendSeparator()
	for _, r := range []struct {
		name string
		n    cache.Count
	}{{"entries", u.Entries}, {"blobs", u.Blobs}, {"blobs that no entry names", u.Orphans}, {"unfinished steps", u.Partial},
		{"quarantine", u.Quarantine}, {"temporary", u.Temporary}} {
		t.AppendRow(show.Row{r.name, r.n.Files, words.Bytes(r.n.Bytes)})
	}
	fmt.Fprintln(w, t.Render(w))
}

// cacheVerify reads the cache or, where --remote names one on the command line, what is there: in the environment it is named for runs.
type cacheVerify struct{}

// errProblems is the answer of a cache that does not verify.
var errProblems = errors.New("the cache holds damaged files or results that differ; what is damaged is made again by the next run that needs it")

// errRemoteProblems is the answer of a remote that does not verify.
var errRemoteProblems = errors.New("the remote holds damaged files; `ablate cache push --check URL`, from a cache that has them, writes them again")

func (cacheVerify) Run(a *app) error {
	if a.remoteNamed {
		return a.verifyRemote()
	}
	return a.withCache(func(c *cache.Cache) error {
		problems, err := c.Verify(a.ctx, nil)
		if err != nil {
			return err
		}
		for _, p := range problems {
			fmt.Fprintln(a.stdout, p)
		}
		if len(problems) > 0 {
			return errProblems
		}
		fmt.Fprintln(a.stdout, "every entry and blob verifies")
		return nil
	})
}

func (a *app) verifyRemote() (err error) {
	r, err := study.OpenRemote(a.Remote)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	found, err := r.Verify(a.ctx, a.copying("reading"))
	if err != nil {
		return err
	}
	for _, p := range found.Problems {
		fmt.Fprintln(a.stdout, p)
	}
	if len(found.Problems) > 0 {
		return errRemoteProblems
	}
	_, err = fmt.Fprintf(a.stdout, "%s: every entry and blob verifies (%d entries, %d blobs, %s)\n", r, found.Entries, found.Blobs, words.Bytes(found.Bytes))
	return err
}
