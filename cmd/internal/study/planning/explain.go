package planning

import (
	"fmt"
	"path/filepath"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/reporting"
	"ablate/pipeline"
)

// Explain says of a step why it would run: which key inputs differ from the nearest cached entry,
// and where the study sets them. The end of the step's name is enough.
func Explain(p *study.Compiled, step string) (pipeline.Explanation, error) {
	i, err := p.Plan.Find(step)
	if err != nil && p.Plan.Partial != "" {
		return pipeline.Explanation{}, fault.Usagef("%w; the plan ends with the split: %s", err, p.Plan.Partial)
	} else if err != nil {
		return pipeline.Explanation{}, fault.Usage(err)
	}
	entries := entriesOf(p.Cache)
	x := p.State.Explain(i, entries)
	for n := range x.Because {
		locate(p, &x.Because[n])
		recall(p, &x.Because[n], entries)
	}
	x.Reach, err = p.State.Reach(i)
	return x, err
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

// locate says of each key input where the study sets it.
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

// Reasons gives, of a step that would run, which key inputs of its own differ from the nearest
// cached entry.
func Reasons(p *study.Compiled) func(step int) pipeline.Reason {
	entries := entriesOf(p.Cache)
	return func(i int) pipeline.Reason {
		r := p.State.Explain(i, entries).Because[0]
		locate(p, &r)
		return r
	}
}

// recall adds what else is known of a step that the cache cannot give: damaged files that were
// moved away, and what the last report says.
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
	rec, err := study.ReadRecord(reporting.Dir("", p.Study))
	if err == nil { // else no evidence
		for _, s := range rec.Steps {
			if s.Key == key {
				note = fmt.Sprintf("evicted: %s records that step %s ran on %s in %.3g s with the same key inputs; this cache no longer has the entry",
					filepath.Join(rec.Dir, study.ProvenanceFile), s.ID, s.Provenance.Started, s.Provenance.WallSeconds)
			}
		}
	}
	for _, path := range p.Cache.Quarantined(key.String()) {
		note = "corrupted: the entry was damaged and is kept as " + path
	}
	if note != "" {
		r.Note, r.Nearest, r.Differs = note, "", nil
	}
}
