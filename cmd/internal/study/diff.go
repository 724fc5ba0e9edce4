package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/runner/bundle"
	"ablate/specs"
	"ablate/stages/kind"
)

// side is one of the two that are compared.
type side struct {
	name    string
	p       *Compiled
	results *Table // correlations.csv; nil where there is none
}

// Diff compares two studies or two finished runs: what they ask for, what that changes step by
// step, what came out, and what it costs. A run is named by its output directory or by a bundle.
func (s *Session) Diff(ctx context.Context, a, b string) (d *Difference, err error) {
	var c *cache.Cache // opened for a study only: runs are compared by what they left
	defer func() {
		if c != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	sides := make([]side, 2)
	for i, name := range []string{a, b} {
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			sides[i], err = s.sideOfRun(name, name)
		case bundle.Is(name):
			sides[i], err = s.sideOfBundle(ctx, name)
		default:
			if c == nil {
				if c, err = s.LookupCache(ctx); err != nil {
					return nil, err
				}
			}
			sides[i], err = s.sideOfStudy(name, c)
		}
		if err != nil {
			return nil, err
		}
	}
	return difference(sides[0], sides[1]), nil
}

// sideOfRun reads an output directory; nothing is looked up in a cache, and nothing is believed
// that does not follow from the study.
func (s *Session) sideOfRun(name, dir string) (side, error) {
	x := side{name: name}
	rec, err := ReadRecord(dir)
	if err != nil {
		return x, err
	}
	if len(rec.Lacks) > 0 {
		return x, fault.Usagef("%s: lacks %s; this folder is not the output folder of a finished run, or an older version wrote it (`ablate report STUDY --out %s` writes the missing files)",
			name, strings.Join(rec.Lacks, ", "), dir)
	}
	parsed, err := specs.ParseAlone(filepath.Join(dir, StudyFile), rec.Study, dir)
	if err != nil {
		return x, err
	}
	claims := map[cache.Key]*cache.Entry{}
	for _, c := range rec.Steps {
		claims[c.Key] = &cache.Entry{Key: c.Key, Kind: c.Kind, Outputs: c.Outputs, Provenance: c.Provenance}
	}
	x.p, err = s.PlanRecorded(parsed, *rec.Sources, nil, func(key cache.Key) (*cache.Entry, error) {
		if e := claims[key]; e != nil {
			return e, nil
		}
		return nil, &cache.Miss{What: "entry " + key.Short(), Reason: cache.Absent}
	})
	if err != nil {
		return x, fmt.Errorf("%s: %w", name, err)
	}
	if hit, run, waits := x.p.State.Count(); run+waits > 0 || x.p.Plan.Partial != "" {
		return x, fmt.Errorf("%s: only %d of the steps of its provenance.json follow from its study.yaml and sources.json: another version of ablate made these files, or someone edited them (`ablate audit` says which)", name, hit)
	}
	data, err := cache.ReadFollowed(filepath.Join(dir, kind.OutCorrCSV), MostOutput)
	if err != nil {
		return x, err
	}
	t, err := ReadTable(data)
	x.results = &t
	return x, err
}

func (s *Session) sideOfBundle(ctx context.Context, name string) (x side, err error) {
	dir, err := TempDir("ablate-diff-*")
	if err != nil {
		return x, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err = bundle.Unpack(ctx, name, filepath.Join(dir, "bundle")); err != nil {
		return x, err
	}
	return s.sideOfRun(name, filepath.Join(dir, "bundle", "out"))
}

// sideOfStudy plans a study as `ablate plan` does. Results are there where the cache has them.
func (s *Session) sideOfStudy(name string, c *cache.Cache) (x side, err error) {
	x = side{name: name}
	if x.p, err = s.Plan(c, name, Planning{Assume: true}); err != nil {
		return x, err
	}
	if i := x.p.Plan.Result; i >= 0 && x.p.State.Status[i] == pipeline.Hit {
		data, err := x.p.ResultOutput(kind.OutCorrCSV)
		if err != nil {
			return x, err
		}
		t, err := ReadTable(data)
		x.results = &t
		return x, err
	}
	return x, nil
}

// Difference is how two studies or runs differ, as `ablate diff --json` prints.
type Difference struct {
	A       string         `json:"a"`
	B       string         `json:"b"`
	Study   []ChangedValue `json:"study"`
	Steps   int            `json:"steps_same"`
	Changes []ChangedSteps `json:"steps"`
	Results []ChangedScore `json:"results"`
	Costs   []ChangedCost  `json:"cost"`
	Notes   []string       `json:"notes,omitempty"`
}

// ChangedValue is a value of the study.
type ChangedValue struct {
	Key   string `json:"key"`
	Old   string `json:"old"`
	OldAt string `json:"old_at"`
	New   string `json:"new"`
	NewAt string `json:"new_at"`
}

// ChangedSteps are the steps that differ for one reason.
type ChangedSteps struct {
	How     string                `json:"how"` // changed, added or removed
	Kind    string                `json:"kind"`
	Steps   []string              `json:"steps"`
	Differs []pipeline.Difference `json:"differs,omitempty"`
	Through string                `json:"through,omitempty"` // what differs before them, where they themselves are the same
}

// ChangedScore is how well a proxy does in one and the other; absent where one has no such line.
type ChangedScore struct {
	Group   string    `json:"mixture_set"`
	Set     string    `json:"eval_set"`
	Proxy   string    `json:"proxy"`
	Pearson [2]string `json:"pearson"`
	Chooses [2]string `json:"chooses"`
	Regret  [2]string `json:"regret"`
}

// ChangedCost is a line of the account.
type ChangedCost struct {
	What string     `json:"what"`
	Unit string     `json:"unit"`
	Cost [2]float64 `json:"cost"`
}

func difference(a, b side) *Difference {
	d := &Difference{A: a.name, B: b.name, Study: []ChangedValue{}, Results: []ChangedScore{}}
	for _, c := range specs.Diff(a.p.Study, b.p.Study) {
		d.Study = append(d.Study, ChangedValue{c.Path, c.Old, c.OldAt.String(), c.New, c.NewAt.String()})
	}
	for _, s := range []side{a, b} {
		if s.p.Plan.Partial != "" {
			d.Notes = append(d.Notes, fmt.Sprintf("%s is compared only up to the split: %s", s.name, s.p.Plan.Partial))
		} else if s.p.Plan.Assumed != "" {
			d.Notes = append(d.Notes, fmt.Sprintf("%s must be split again; the comparison assumes that %s", s.name, s.p.Plan.Assumed))
		}
	}
	steps := pipeline.ComparePlans(a.p.State, b.p.State)
	d.Steps, d.Changes = steps.Same, grouped(steps.Changes, b.p)
	d.Results = changedResults(a.results, b.results)
	d.Costs = changedCosts(a.p, b.p)
	return d
}

// grouped gathers steps of one kind that differ for the same reason, in the order of the plan.
func grouped(changes []pipeline.Change, now *Compiled) []ChangedSteps {
	out := []ChangedSteps{}
	at := map[string]int{}
	for _, c := range changes {
		g := ChangedSteps{How: "changed", Kind: c.Kind, Differs: c.Differs}
		switch {
		case c.Added:
			g.How = "added"
		case c.Gone:
			g.How = "removed"
		case c.Through != "":
			g.Through = c.Through
			if i, err := now.Plan.Find(c.Through); err == nil {
				g.Through = "what " + now.Plan.Steps[i].Kind + " steps leave"
			}
		}
		label := g.How + " " + g.Kind + " " + g.Through
		for k := range g.Differs {
			v := &g.Differs[k]
			if i, err := now.Plan.Find(c.ID); err == nil {
				if path := now.State.Origin(now.Study, i, v.Label); path != nil {
					v.At = now.Study.At(path...).String()
				}
			}
			label += "\x00" + v.Label + "\x00" + v.Old + "\x00" + v.New
		}
		n, ok := at[label]
		if !ok {
			n = len(out)
			at[label] = n
			out = append(out, g)
		}
		out[n].Steps = append(out[n].Steps, c.ID)
	}
	return out
}

// changedResults pairs the lines of two tables of correlations.
func changedResults(a, b *Table) []ChangedScore {
	out := []ChangedScore{}
	at := map[[3]string]int{}
	for i, t := range []*Table{a, b} {
		if t == nil {
			continue
		}
		for _, r := range t.Rows {
			key := [3]string{t.Text(r, "mixture_set"), t.Text(r, "eval_set"), t.Text(r, "proxy")}
			n, ok := at[key]
			if !ok {
				n = len(out)
				at[key] = n
				out = append(out, ChangedScore{Group: key[0], Set: key[1], Proxy: key[2]})
			}
			out[n].Pearson[i], out[n].Chooses[i], out[n].Regret[i] = t.Text(r, "pearson"), t.Text(r, "chosen"), t.Text(r, "regret")
		}
	}
	return out
}

// ChangedCosts pairs what two plans cost, and what the steps that are there took.
func changedCosts(a, b *Compiled) []ChangedCost {
	lines := []ChangedCost{
		{What: "steps", Unit: "steps"}, {What: "raw files", Unit: "B"}, {What: "seed model", Unit: "tokens"}, {What: "unit models", Unit: "tokens"},
		{What: "partition models", Unit: "tokens"}, {What: "reference models", Unit: "tokens"}, {What: "hours, by the study's price", Unit: "h"},
		{What: "seconds that its steps took", Unit: "s"}, {What: "bytes that its steps left", Unit: "B"},
	}
	for i, p := range []*Compiled{a, b} {
		account := p.State.Estimate()
		sum := account.Summary
		var took, left float64
		for n, status := range p.State.Status {
			if status != pipeline.Hit {
				continue
			}
			took += p.State.Entries[n].Provenance.WallSeconds
			for _, o := range p.State.Entries[n].Outputs {
				left += float64(o.Size)
			}
		}
		hours := sum.Hours.Seed + sum.Hours.Units + sum.Hours.Partitions + sum.Hours.Small + sum.Hours.ReferenceSelected
		for n, v := range []float64{
			float64(sum.Steps.Total), float64(sum.BytesRaw), float64(sum.Tokens.Seed), float64(sum.Tokens.Units), float64(sum.Tokens.Partitions + sum.Tokens.Small),
			float64(sum.Tokens.ReferenceSelected), hours, took, left,
		} {
			lines[n].Cost[i] = v
		}
	}
	return slices.DeleteFunc(lines, func(l ChangedCost) bool { return l.Cost == [2]float64{} })
}
