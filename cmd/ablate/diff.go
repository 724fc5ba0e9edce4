package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/runner/bundle"
	"ablate/specs"
	"ablate/specs/words"
	"ablate/stages/kind"
)

type diffCommand struct {
	A    string `arg:"" help:"A study (a YAML file, or the name of a shipped one), or a finished run: its output directory, or a bundle."`
	B    string `arg:"" help:"Another."`
	JSON bool   `help:"Print the differences as JSON."`
}

// side is one of the two that are compared.
type side struct {
	name    string
	p       *study.Compiled
	results [][]string // correlations.csv with its header; nil where there is none
}

// Run compares two studies or two finished runs: what they ask for, what that changes step by step, what came out, and what it costs.
func (cmd diffCommand) Run(a *app) (err error) {
	var c *cache.Cache // opened for a study only: runs are compared by what they left
	defer func() {
		if c != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	sides := make([]side, 2)
	for i, name := range []string{cmd.A, cmd.B} {
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			sides[i], err = sideOfRun(name, name)
		case bundle.Is(name):
			sides[i], err = sideOfBundle(a.ctx, name)
		default:
			if c == nil {
				if c, err = a.LookupCache(a.ctx); err != nil {
					return err
				}
			}
			sides[i], err = a.sideOfStudy(name, c)
		}
		if err != nil {
			return err
		}
	}
	d := compare(sides[0], sides[1])
	if cmd.JSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(d)
	}
	d.print(a.stdout)
	return nil
}

// sideOfRun reads an output directory; nothing is looked up in a cache, and nothing is believed that does not follow from the study.
func sideOfRun(name, dir string) (side, error) {
	s := side{name: name}
	rec, err := study.ReadRecord(dir)
	if err != nil {
		return s, err
	}
	if len(rec.Lacks) > 0 {
		return s, fault.Usagef("%s: lacks %s; it is no output directory of a finished run (`ablate report STUDY --out %s` writes what an older one lacks)",
			name, strings.Join(rec.Lacks, ", "), dir)
	}
	parsed, err := specs.ParseAlone(filepath.Join(dir, study.StudyFile), rec.Study, dir)
	if err != nil {
		return s, err
	}
	claims := map[cache.Key]*cache.Entry{}
	for _, c := range rec.Steps {
		claims[c.Key] = &cache.Entry{Key: c.Key, Kind: c.Kind, Outputs: c.Outputs, Provenance: c.Provenance}
	}
	s.p, err = (&study.Session{Version: version}).PlanRecorded(parsed, *rec.Sources, nil, func(key cache.Key) (*cache.Entry, error) {
		if e := claims[key]; e != nil {
			return e, nil
		}
		return nil, &cache.Miss{What: "entry " + key.Short(), Reason: cache.Absent}
	})
	if err != nil {
		return s, fmt.Errorf("%s: %w", name, err)
	}
	if hit, run, waits := s.p.State.Count(); run+waits > 0 || s.p.Plan.Partial != "" {
		return s, fmt.Errorf("%s: only %d of the steps of its provenance.json follow from its study.yaml and sources.json: they were made by another version of ablate, or edited (`ablate audit` says which)", name, hit)
	}
	data, err := cache.ReadFollowed(filepath.Join(dir, kind.OutCorrCSV), study.MostOutput)
	if err != nil {
		return s, err
	}
	s.results, err = readCSV(data)
	return s, err
}

func sideOfBundle(ctx context.Context, name string) (s side, err error) {
	dir, err := makeTemp("ablate-diff-*")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err = bundle.Unpack(ctx, name, filepath.Join(dir, "bundle")); err != nil {
		return s, err
	}
	return sideOfRun(name, filepath.Join(dir, "bundle", "out"))
}

// sideOfStudy plans a study as `ablate plan` does. Results are there where the cache has them.
func (a *app) sideOfStudy(name string, c *cache.Cache) (side, error) {
	s := side{name: name}
	var err error
	if s.p, err = a.Plan(c, name, study.Planning{Assume: true}); err != nil {
		return s, err
	}
	if i := s.p.Plan.Result; i >= 0 && s.p.State.Status[i] == pipeline.Hit {
		data, err := s.p.ResultOutput(kind.OutCorrCSV)
		if err != nil {
			return s, err
		}
		s.results, err = readCSV(data)
		return s, err
	}
	return s, nil
}

// difference is what `ablate diff --json` prints.
type difference struct {
	A       string         `json:"a"`
	B       string         `json:"b"`
	Study   []changedValue `json:"study"`
	Steps   int            `json:"steps_same"`
	Changes []changedSteps `json:"steps"`
	Results []changedScore `json:"results"`
	Costs   []changedCost  `json:"cost"`
	Notes   []string       `json:"notes,omitempty"`
}

// changedValue is a value of the study.
type changedValue struct {
	Key   string `json:"key"`
	Old   string `json:"old"`
	OldAt string `json:"old_at"`
	New   string `json:"new"`
	NewAt string `json:"new_at"`
}

// changedSteps are the steps that differ for one reason.
type changedSteps struct {
	How     string                `json:"how"` // changed, added or removed
	Kind    string                `json:"kind"`
	Steps   []string              `json:"steps"`
	Differs []pipeline.Difference `json:"differs,omitempty"`
	Through string                `json:"through,omitempty"` // what differs before them, where they themselves are the same
}

// changedScore is how well a proxy does in one and the other; absent where one has no such line.
type changedScore struct {
	Group   string    `json:"mixture_set"`
	Set     string    `json:"eval_set"`
	Proxy   string    `json:"proxy"`
	Pearson [2]string `json:"pearson"`
	Chooses [2]string `json:"chooses"`
	Regret  [2]string `json:"regret"`
}

// changedCost is a line of the account.
type changedCost struct {
	What string     `json:"what"`
	Unit string     `json:"unit"`
	Cost [2]float64 `json:"cost"`
}

func compare(a, b side) difference {
	d := difference{A: a.name, B: b.name, Study: []changedValue{}, Results: []changedScore{}}
	for _, c := range specs.Diff(a.p.Study, b.p.Study) {
		d.Study = append(d.Study, changedValue{c.Path, c.Old, c.OldAt.String(), c.New, c.NewAt.String()})
	}
	for _, s := range []side{a, b} {
		if s.p.Plan.Partial != "" {
			d.Notes = append(d.Notes, fmt.Sprintf("%s is compared as far as the split: %s", s.name, s.p.Plan.Partial))
		} else if s.p.Plan.Assumed != "" {
			d.Notes = append(d.Notes, fmt.Sprintf("%s must be split again; assumed is that %s", s.name, s.p.Plan.Assumed))
		}
	}
	steps := pipeline.Compare(a.p.State, b.p.State)
	d.Steps, d.Changes = steps.Same, group(steps.Changes, b.p)
	d.Results = results(a.results, b.results)
	d.Costs = costs(a.p, b.p)
	return d
}

// group gathers steps of one kind that differ for the same reason, in the order of the plan.
func group(changes []pipeline.Change, now *study.Compiled) []changedSteps {
	out := []changedSteps{}
	at := map[string]int{}
	for _, c := range changes {
		g := changedSteps{How: "changed", Kind: c.Kind, Differs: c.Differs}
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

// results pairs the lines of two tables of correlations.
func results(a, b [][]string) []changedScore {
	out := []changedScore{}
	at := map[[3]string]int{}
	for i, rows := range [][][]string{a, b} {
		if len(rows) == 0 {
			continue
		}
		column := map[string]int{}
		for k, name := range rows[0] {
			column[name] = k
		}
		for _, r := range rows[1:] {
			key := [3]string{r[column["mixture_set"]], r[column["eval_set"]], r[column["proxy"]]}
			n, ok := at[key]
			if !ok {
				n = len(out)
				at[key] = n
				out = append(out, changedScore{Group: key[0], Set: key[1], Proxy: key[2]})
			}
			out[n].Pearson[i], out[n].Chooses[i], out[n].Regret[i] = r[column["pearson"]], r[column["chosen"]], r[column["regret"]]
		}
	}
	return out
}

// costs pairs what two plans cost, and what the steps that are there took.
func costs(a, b *study.Compiled) []changedCost {
	lines := []changedCost{
		{What: "steps", Unit: "steps"}, {What: "raw files", Unit: "B"}, {What: "seed model", Unit: "tokens"}, {What: "unit models", Unit: "tokens"},
		{What: "partition models", Unit: "tokens"}, {What: "reference models", Unit: "tokens"}, {What: "hours, by the study's price", Unit: "h"},
		{What: "seconds that its steps took", Unit: "s"}, {What: "bytes that its steps left", Unit: "B"},
	}
	for i, p := range []*study.Compiled{a, b} {
		account := p.State.Account()
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
	return slices.DeleteFunc(lines, func(l changedCost) bool { return l.Cost == [2]float64{} })
}

func (d difference) print(w io.Writer) {
	show.Printf(w, "A %s\nB %s\n", d.A, d.B)
	for _, n := range d.Notes {
		fmt.Fprintln(w, n)
	}
	fmt.Fprintln(w, "\nstudy")
	for _, v := range d.Study {
		show.Printf(w, "  %s: %s -> %s   (%s -> %s)\n", v.Key, words.OrAbsent(v.Old), words.OrAbsent(v.New), v.OldAt, v.NewAt)
	}
	if len(d.Study) == 0 {
		fmt.Fprintln(w, "  no differences")
	}
	show.Printf(w, "\nsteps\n  %d are the same\n", d.Steps)
	for _, g := range d.Changes {
		show.Printf(w, "  %s: %s\n", g.How, someOf(g.Steps, g.Kind))
		if g.Through != "" {
			show.Printf(w, "    only because %s differs\n", g.Through)
		}
		for _, v := range g.Differs[:min(show.ShownDifferences, len(g.Differs))] {
			show.Printf(w, "    %s\n", show.Changed(v))
		}
		if more := len(g.Differs) - show.ShownDifferences; more > 0 {
			show.Printf(w, "    and %d more ingredients\n", more)
		}
	}
	d.printResults(w)
	fmt.Fprintln(w, "\ncost")
	t := show.NewTable(show.Row{"", "A", "B", "B - A"}, 1)
	for _, c := range d.Costs {
		t.AppendRow(show.Row{c.What, amount(c.Cost[0], c.Unit), amount(c.Cost[1], c.Unit), amount(c.Cost[1]-c.Cost[0], c.Unit)})
	}
	fmt.Fprintln(w, t.Render(w))
}

// printResults shows correlations side by side.
func (d difference) printResults(w io.Writer) {
	if len(d.Results) == 0 {
		fmt.Fprintln(w, "\nresults\n  neither has results in the cache")
		return
	}
	fmt.Fprintln(w, "\nresults")
	t := show.NewTable(show.Row{"mixtures", "eval set", "proxy", "pearson A", "pearson B", "B - A", "chooses A", "chooses B", "regret A", "regret B"}, 3)
	t.Names = []int{6, 7}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return math.NaN()
		}
		return v
	}
	for _, r := range d.Results {
		a, b := number(r.Pearson[0]), number(r.Pearson[1])
		t.AppendRow(show.Row{r.Group, r.Set, r.Proxy, show.Fixed(a, 3), show.Fixed(b, 3), show.Fixed(b-a, 3), dash(r.Chooses[0]), dash(r.Chooses[1]),
			show.Fixed(number(r.Regret[0]), 2), show.Fixed(number(r.Regret[1]), 2)})
	}
	fmt.Fprintln(w, t.Render(w))
}

// someOf names the first of some steps and counts the others.
func someOf(steps []string, kind string) string {
	if len(steps) == 1 {
		return steps[0]
	}
	return fmt.Sprintf("%d %s steps, %s first", len(steps), kind, steps[0])
}

func amount(v float64, unit string) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	switch unit {
	case "h", "s":
		return sign + strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
	case "steps":
		return sign + strconv.FormatFloat(v, 'f', 0, 64)
	}
	return sign + words.Count(int64(v), unit)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
