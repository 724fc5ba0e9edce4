package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/stages"
	"ablate/stages/kind"
)

type corpusCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Units bool   `help:"Show every unit."`
}

// Run shows what the data is, once the corpus has been split.
func (cmd corpusCommand) Run(a *app) error {
	return a.withPlan(cmd.Study, func(p *compiled, c *cache.Cache) error {
		for _, split := range p.plan.Splits {
			if p.state.Status[split.Step] != pipeline.Hit {
				return fmt.Errorf("the corpus of %s has not been split yet; `ablate run %s --corpus` does it", p.plan.Steps[split.Step].ID, cmd.Study)
			}
		}
		for _, split := range p.plan.Splits {
			if err := printSplit(a.stdout, p, c, split, cmd.Units); err != nil {
				return fmt.Errorf("%s: %w", p.plan.Steps[split.Step].ID, err)
			}
		}
		return nil
	})
}

// printSplit prints a set of partitions: in sum, by unit if asked, by year or whatever else orders it, and what was removed because of what.
func printSplit(w io.Writer, p *compiled, c *cache.Cache, split pipeline.SplitRef, units bool) error {
	data, err := readSplit(c, p.state.Entries[split.Step])
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n\n", p.plan.Steps[split.Step].ID)
	printPartitions(w, data.sizes)
	if units {
		printUnits(w, data.sizes)
	}
	printContamination(w, p.plan.Steps, p.plan.Steps[split.Step], data)
	if !split.Seed {
		printTimeline(w, p.study.Partitions[split.Set].Order, data.timeline)
	}
	return nil
}

// splitData is what a split left behind about its documents.
type splitData struct {
	sizes    []stages.SizeRow
	timeline []stages.TimelineRow
	ledger   []stages.LedgerRow
	filter   stages.Filter
}

func readSplit(c *cache.Cache, e *cache.Entry) (d splitData, err error) {
	for _, read := range []struct {
		output string
		from   func(path string) error
	}{
		{kind.OutSizes, func(path string) (err error) { d.sizes, err = stages.Sizes(path); return }},
		{kind.OutTimeline, func(path string) (err error) { d.timeline, err = stages.Timeline(path); return }},
		{kind.OutLedger, func(path string) (err error) { d.ledger, err = stages.Ledger(path); return }},
		{kind.OutFilter, func(path string) (err error) { d.filter, err = stages.ReadFilter(path); return }},
	} {
		path, err := outputPath(c, e, read.output)
		if err != nil {
			return d, err
		}
		if err := read.from(path); err != nil {
			return d, fmt.Errorf("%s: %w", read.output, err)
		}
	}
	return d, nil
}

func printPartitions(w io.Writer, sizes []stages.SizeRow) {
	t := newTable(table.Row{"partition", "units", "documents", "tokens", "smallest unit", "largest unit", "test", "validation", "removed documents", "removed tokens"}, 1)
	var all stages.Breakdown
	parts := stages.Breakdowns(sizes)
	for _, b := range parts {
		t.AppendRow(table.Row{b.Partition, b.Units, b.Documents, b.Tokens, b.Smallest, b.Largest, b.Test, b.Validation, b.RemovedDocuments, b.RemovedTokens})
		all.Units, all.Documents, all.Tokens = all.Units+b.Units, all.Documents+b.Documents, all.Tokens+b.Tokens
		all.Test, all.Validation = all.Test+b.Test, all.Validation+b.Validation
		all.RemovedDocuments, all.RemovedTokens = all.RemovedDocuments+b.RemovedDocuments, all.RemovedTokens+b.RemovedTokens
	}
	if len(parts) > 1 {
		t.AppendSeparator()
		t.AppendRow(table.Row{"all", all.Units, all.Documents, all.Tokens, "", "", all.Test, all.Validation, all.RemovedDocuments, all.RemovedTokens})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render())
	for _, r := range sizes {
		switch r.Part {
		case stages.PartUnit, stages.PartTest, stages.PartValidation:
		default:
			fmt.Fprintf(w, "%s %s: %d documents, %d tokens\n", cmp.Or(r.Partition, "the corpus"), r.Part, r.Documents, r.Tokens)
		}
	}
}

func printUnits(w io.Writer, sizes []stages.SizeRow) {
	t := newTable(table.Row{"unit", "number", "documents", "tokens", "removed documents", "removed tokens"}, 1)
	for _, r := range sizes {
		if r.Part == stages.PartUnit {
			t.AppendRow(table.Row{r.Name, fmt.Sprintf("%s %d", r.Part, r.Unit), r.Documents, r.Tokens, r.RemovedDocuments, r.RemovedTokens})
		}
	}
	fmt.Fprintf(w, "%s\n\n", t.Render())
}

// printContamination says what was removed because of which text.
func printContamination(w io.Writer, steps []*pipeline.Step, split *pipeline.Step, d splitData) {
	if len(d.filter.Sets) == 0 {
		return
	}
	fmt.Fprintf(w, "decontamination by %s\n\n", filterInWords(d.filter))
	t := newTable(table.Row{"removed because of", "its documents", "its paragraphs", "removed documents", "removed tokens"}, 1)
	for _, l := range stages.Losses(d.filter, d.ledger) {
		t.AppendRow(table.Row{evalSetInWords(steps, split, l.Set), l.Documents, l.Paragraphs, l.RemovedDocuments, l.RemovedTokens})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render())
}

func filterInWords(f stages.Filter) string {
	if f.Kind != "bloom" {
		return "an exact set of paragraphs"
	}
	var bits, hashes uint
	for _, s := range f.Sets {
		bits, hashes = bits+s.Bits, max(hashes, s.Hashes)
	}
	return fmt.Sprintf("Bloom filters of %s in all, %d hashes at most, seed %d, at most %g of clean paragraphs taken for others",
		runner.Count(int64(bits/8), "B"), hashes, f.Seed, f.FalsePositives)
}

// evalSetInWords replaces a role that the ledger names, such as "against.3" or "heldout.0 test", by what it is in this study.
func evalSetInWords(steps []*pipeline.Step, split *pipeline.Step, set string) string {
	role, part, _ := strings.Cut(set, " ")
	i := slices.IndexFunc(split.Inputs, func(in pipeline.Input) bool { return in.Role == role })
	if i < 0 || split.Inputs[i].File != nil {
		return set
	}
	name := strings.TrimPrefix(steps[split.Inputs[i].Step].ID, "tokenize/")
	if part != "" {
		return "held out of " + name + ", " + part
	}
	return name
}

// printTimeline prints partitions by the values of their order. One without an order has nothing to add to the table of partitions.
func printTimeline(w io.Writer, order string, rows []stages.TimelineRow) {
	if order == "id" {
		return
	}
	const most = 2000 // rows: what orders by name or by the minute is nothing to read
	if len(rows) > most {
		fmt.Fprintf(w, "%d values of %s: timeline.parquet in the cache has them\n\n", len(rows), order)
		return
	}
	t := newTable(table.Row{"partition", order, "documents", "tokens", "units", "test", "validation", "removed documents", "removed tokens"}, 2)
	last := ""
	for _, r := range rows {
		name := r.Partition
		switch {
		case name == last:
			name = ""
		case last != "":
			t.AppendSeparator()
		}
		last = r.Partition
		t.AppendRow(table.Row{name, r.Value, r.Documents, r.Tokens, r.Units(), r.Test, r.Validation, r.RemovedDocuments, r.RemovedTokens})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render())
}

// printCatalogue prints the units that are known from a split: a line a partition, as the paper's table of base units.
func printCatalogue(w io.Writer, p *compiled, c *cache.Cache) error {
	for _, split := range p.plan.Splits {
		if split.Seed || p.state.Status[split.Step] != pipeline.Hit {
			continue
		}
		d, err := readSplit(c, p.state.Entries[split.Step])
		if err != nil {
			return fmt.Errorf("%s: %w", p.plan.Steps[split.Step].ID, err)
		}
		t := newTable(table.Row{split.Set, "units by " + p.study.Partitions[split.Set].Order, "units", "tokens", "smallest", "largest"}, 2)
		for _, b := range stages.Breakdowns(d.sizes) {
			var names []string
			for _, r := range d.sizes {
				if r.Part == stages.PartUnit && r.Partition == b.Partition {
					names = append(names, strings.TrimLeft(strings.TrimPrefix(r.Name, b.Partition), ",/"))
				}
			}
			t.AppendRow(table.Row{b.Partition, text.WrapSoft(strings.Join(names, " "), 70), b.Units,
				runner.Count(b.Tokens, ""), runner.Count(b.Smallest, ""), runner.Count(b.Largest, "")})
		}
		fmt.Fprintf(w, "%s\n\n", t.Render())
	}
	return nil
}
