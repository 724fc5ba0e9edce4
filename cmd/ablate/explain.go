package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
)

type explainCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Step  string `arg:"" help:"Step, as ablate plan --steps names it; the end of its name is enough."`
	JSON  bool   `help:"Print the explanation as JSON."`
}

func (cmd explainCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Assume: true}, func(p *study.Compiled) error {
		i, err := p.Plan.Find(cmd.Step)
		if err != nil && p.Plan.Partial != "" {
			return fault.Usagef("%w; the plan goes only as far as the split: %s", err, p.Plan.Partial)
		} else if err != nil {
			return fault.Usage(err)
		}
		entries := entriesOf(p.Cache)
		x := p.State.Explain(i, entries)
		for n := range x.Because {
			locate(p, &x.Because[n])
			recall(p, &x.Because[n], entries)
		}
		if cmd.JSON {
			enc := json.NewEncoder(a.stdout)
			enc.SetIndent("", "  ")
			return enc.Encode(x)
		}
		printExplanation(a.stdout, p, x)
		return nil
	})
}

func entriesOf(c *cache.Cache) []*cache.Entry {
	var entries []*cache.Entry
	for e, err := range c.Entries() {
		if err == nil { // a damaged entry explains nothing; lookups report it
			entries = append(entries, e)
		}
	}
	return entries
}

// locate says of each ingredient where the study sets it.
func locate(p *study.Compiled, r *pipeline.Reason) {
	i, err := p.Plan.Find(r.Step)
	if err != nil {
		return
	}
	for k, d := range r.Differs {
		if path := p.State.Origin(p.Study, i, d.Label); path != nil {
			r.Differs[k].At = p.Study.At(path...).String()
		}
	}
}

// because says of a step that would run which ingredient of its own is the first to differ from the nearest cached entry.
func because(p *study.Compiled) func(step int) string {
	entries := entriesOf(p.Cache)
	return func(i int) string {
		r := p.State.Explain(i, entries).Because[0]
		locate(p, &r)
		if r.Nearest == "" || len(r.Differs) == 0 {
			return r.Note
		}
		return changed(r.Differs[0])
	}
}

// recall adds what else is known of a step that the cache cannot give: damaged files that were moved away, and what the last report says.
func recall(p *study.Compiled, r *pipeline.Reason, entries []*cache.Entry) {
	i, err := p.Plan.Find(r.Step)
	if err != nil || p.State.Status[i] != pipeline.Run {
		return
	}
	key := p.State.Keys[i]
	for _, e := range entries {
		if e.Key != key {
			continue
		}
		for _, o := range e.Outputs {
			for _, path := range p.Cache.Quarantined(o.Digest.String()) {
				r.Note = strings.Replace(r.Note, "evicted:", "corrupted:", 1) + fmt.Sprintf("; a damaged %s is kept as %s", o.Name, path)
			}
		}
		return
	}
	note := ""
	rec, err := study.ReadRecord(outDir("", p.Study))
	if err == nil { // else no evidence
		for _, s := range rec.Steps {
			if s.Key == key {
				note = fmt.Sprintf("evicted: %s says that step %s left it on %s in %.3g s, with the same ingredients; this cache has no entry of it",
					filepath.Join(rec.Dir, study.ProvenanceFile), s.ID, s.Provenance.Started, s.Provenance.WallSeconds)
			}
		}
	}
	for _, path := range p.Cache.Quarantined(key.String()) {
		note = "corrupted: its entry was found damaged and is kept as " + path
	}
	if note != "" {
		r.Note, r.Nearest, r.Differs = note, "", nil
	}
}

func printExplanation(w io.Writer, p *study.Compiled, x pipeline.Explanation) {
	fmt.Fprintf(w, "%s: %s", p.Plan.Steps[x.Step].ID, x.Status)
	if x.Status != pipeline.Waits {
		fmt.Fprintf(w, ", key %s", x.Key.Short())
	}
	fmt.Fprintln(w)
	for n, r := range x.Because {
		indent := strings.Repeat("  ", n+1)
		if n > 0 {
			show.Printf(w, "%s%s:\n", indent[2:], r.Step)
		}
		if r.Note != "" {
			show.Printf(w, "%s%s\n", indent, r.Note)
		}
		if r.Nearest == "" { // never seen: all that it is made of
			for _, d := range r.Differs {
				show.Printf(w, "%s  %s\n", indent, ingredient(d))
			}
			continue
		}
		show.Printf(w, "%snearest in the cache: %s\n", indent, r.Nearest)
		if len(r.Differs) == 0 {
			show.Printf(w, "%sthe same ingredients; its outputs are gone\n", indent)
			continue
		}
		for _, d := range r.Differs[:min(shownDifferences, len(r.Differs))] {
			show.Printf(w, "%s%s\n", indent, changed(d))
		}
		if more := len(r.Differs) - shownDifferences; more > 0 {
			show.Printf(w, "%sand %d more ingredients\n", indent, more)
		}
	}
}

// shownDifferences is how many ingredients of a step are shown: what a person changed at once is mostly fewer.
const shownDifferences = 5

// changed says what an ingredient was, is, and where the study says so.
func changed(d pipeline.Difference) string {
	return at(fmt.Sprintf("%s: %s -> %s", d.InWords(), valueOrAbsent(d.Old), valueOrAbsent(d.New)), d)
}

// ingredient says what an ingredient is and where the study says so.
func ingredient(d pipeline.Difference) string {
	return at(fmt.Sprintf("%s = %s", d.InWords(), valueOrAbsent(d.New)), d)
}

func at(text string, d pipeline.Difference) string {
	if d.At != "" {
		text += "   (" + d.At + ")"
	}
	return text
}

func valueOrAbsent(v string) string {
	if v == "" {
		return "(absent)"
	}
	if len(v) == 64 && !strings.ContainsAny(v, "\" ") { // a digest
		return v[:8]
	}
	return v
}
