package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/specs/words"
)

type cacheGc struct {
	Study     []string      `arg:"" optional:"" help:"Studies to keep: files, shipped studies, or names that cache du shows. Default: every study that was run on this cache."`
	DryRun    bool          `short:"n" help:"Remove nothing; say what would go."`
	OlderThan days          `help:"Keep what was made less long ago than this: 30d, 12h." placeholder:"AGE"`
	KeepCost  time.Duration `help:"Keep what took as long as this to make, or longer: 10m." placeholder:"TIME"`
	MaxSize   size          `help:"Keep what fits into this size; what is cheapest to make again for its size goes first." placeholder:"SIZE"`
	JSON      bool          `help:"Print what goes as JSON."`
}

func (cmd cacheGc) Run(a *app) (err error) {
	if cmd.OlderThan < 0 || cmd.KeepCost < 0 {
		return fault.Usagef("--older-than %s --keep-cost %s: want none below 0", time.Duration(cmd.OlderThan), cmd.KeepCost)
	}
	open := a.OpenCache
	if cmd.DryRun {
		open = a.LookupCache
	}
	c, err := open(a.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	keep, err := a.roots(c, cmd.Study)
	if err != nil {
		return err
	}
	freed, err := c.GC(a.ctx, keep, cache.Rules{OlderThan: time.Duration(cmd.OlderThan), KeepCost: cmd.KeepCost, MaxSize: int64(cmd.MaxSize), DryRun: cmd.DryRun})
	if err != nil {
		return err
	}
	return printFreed(a.stdout, freed, cmd.DryRun, int64(cmd.MaxSize), cmd.JSON)
}

// roots are the keys that studies need: those named, or every one that was run.
func (a *app) roots(c *cache.Cache, studies []string) (map[cache.Key]bool, error) {
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
		p, err := a.Plan(c, name, study.Planning{})
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
		return nil, fault.Usage(errors.New("no study was run on this cache since it keeps account of them, so all would go; name the studies to keep"))
	}
	return keep, nil
}

// printFreed shows what a collection removed, or would.
func printFreed(w io.Writer, f *cache.Freed, dry bool, most int64, asJSON bool) error {
	after := f.After()
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		var items []listed
		for _, it := range f.Removed {
			items = append(items, listed{it.Key, it.Kind, it.Study, it.Step, it.Size, it.Made.UTC(), it.Cost.Seconds(), []string{}})
		}
		return enc.Encode(struct {
			DryRun  bool        `json:"dry_run"`
			Before  int64       `json:"bytes_before"`
			After   int64       `json:"bytes_after"`
			Entries cache.Count `json:"entries"`
			Blobs   cache.Count `json:"blobs"`
			Partial cache.Count `json:"partial"`
			Removed []listed    `json:"removed"`
		}{dry, f.Before, after, f.Entries, f.Blobs, f.Partial, items})
	}
	printItems(w, f.Removed)
	went := "removed"
	if dry {
		went = "would remove"
	}
	show.Printf(w, "%s %d entries, %d blobs and %d files of unfinished steps: %d bytes (%s); %d bytes (%s) stay\n", went, f.Entries.Files, f.Blobs.Files, f.Partial.Files,
		f.Before-after, words.Bytes(f.Before-after), after, words.Bytes(after))
	var kept []string
	for _, k := range []struct {
		n   int
		why string
	}{{f.Kept.Roots, "that studies or runs need"}, {f.Kept.Young, "too young"}, {f.Kept.Dear, "too dear"}, {f.Kept.Room, "there is room for"}} {
		if k.n > 0 {
			kept = append(kept, fmt.Sprintf("%d %s", k.n, k.why))
		}
	}
	if len(kept) > 0 {
		show.Printf(w, "entries kept: %s\n", strings.Join(kept, ", "))
	}
	for _, r := range f.Live {
		show.Printf(w, "under way: a run of study %s on %s, begun %s\n", cache.Printable(r.Study), cache.Printable(r.Host), r.Started)
	}
	if most > 0 && after > most {
		show.Printf(w, "still %s more than %s: the rest is needed or kept by a rule; `ablate cache du` shows what each study needs\n", words.Bytes(after-most), words.Bytes(most))
	}
	return nil
}

func printItems(w io.Writer, items []cache.Item) {
	const most = 40
	for i, it := range items {
		if i == most {
			show.Printf(w, "  and %d more\n", len(items)-most)
			return
		}
		show.Printf(w, "  %s  %-9s  %8s  %8s  %s %s\n", it.Key.Short(), cache.Printable(it.Kind), words.Bytes(it.Size), show.Seconds(it.Cost.Seconds()),
			cache.Printable(it.Study), cache.Printable(it.Step))
	}
}

type cacheRm struct {
	What  []string `arg:"" help:"Keys, or their first 6 digits or more; steps as cache ls shows them, with * for any text between slashes."`
	Study string   `help:"Only what this study made." placeholder:"NAME"`
	Yes   bool     `short:"y" help:"Remove them; otherwise they are shown."`
	Force bool     `help:"Remove also what other entries were made from, and what a run under way uses."`
}

func (cmd cacheRm) Run(a *app) (err error) {
	c, err := a.OpenCache(a.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var items []cache.Item
	found := make([]bool, len(cmd.What))
	for it, err := range c.Items() {
		if err != nil {
			fmt.Fprintln(a.stderr, "warning:", err)
			continue
		}
		if cmd.Study != "" && it.Study != cmd.Study {
			continue
		}
		any := false
		for i, what := range cmd.What {
			step, err := path.Match(what, it.Step)
			if err != nil {
				return fault.Usagef("%s: %w", what, err)
			}
			if step || len(what) >= 6 && strings.HasPrefix(it.Key.String(), what) {
				found[i], any = true, true
			}
		}
		if any {
			items = append(items, it)
		}
	}
	for i, what := range cmd.What {
		if !found[i] {
			return fault.Usagef("no entry has a key that begins with %q, or is of a step %q; `ablate cache ls` lists them", what, what)
		}
	}
	keys := make([]cache.Key, len(items))
	for i, it := range items {
		keys[i] = it.Key
	}
	dependants, err := c.Dependants(keys)
	if err != nil {
		return err
	}
	freed, err := c.Remove(a.ctx, keys, cmd.Force, true)
	if err != nil {
		return err
	}
	printItems(a.stdout, items)
	if len(dependants) > 0 {
		show.Printf(a.stdout, "made from these, and whole without them:\n")
		printItems(a.stdout, dependants)
	}
	bytes := freed.Before - freed.After()
	switch {
	case freed.Kept.Roots > 0 && !cmd.Force:
		return fmt.Errorf("%d of these are used by a run under way (study %s); nothing was removed (--force removes them, and the run makes them again)",
			freed.Kept.Roots, cache.Printable(freed.Live[0].Study))
	case !cmd.Yes:
		show.Printf(a.stdout, "%d entries, %d bytes (%s); nothing was removed, --yes removes them\n", len(items), bytes, words.Bytes(bytes))
		return nil
	case len(dependants) > 0 && !cmd.Force:
		return fmt.Errorf("%d entries were made from these; nothing was removed (--force removes these and leaves those)", len(dependants))
	}
	if freed, err = c.Remove(a.ctx, keys, cmd.Force, false); err != nil {
		return err
	}
	bytes = freed.Before - freed.After()
	show.Printf(a.stdout, "removed %d entries, %d bytes (%s)\n", len(freed.Removed), bytes, words.Bytes(bytes))
	return nil
}
