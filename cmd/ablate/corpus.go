package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/pipeline"
	"ablate/specs/words"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

type corpusCommand struct {
	Study string `arg:"" help:"A YAML file, or the name of a shipped study."`
	Units bool   `help:"Show every unit."`
	JSON  bool   `help:"Print all of it as JSON (cmd/ablate/CORPUS.md says what is in it)." xor:"form"`
	CSV   bool   `help:"Print partitions by year as CSV." xor:"form"`
}

// Run shows what the data is, once the corpus has been split.
func (cmd corpusCommand) Run(a *app) error {
	return a.WithPlan(a.ctx, cmd.Study, study.Planning{Assume: true}, func(p *study.Compiled) error {
		for _, split := range p.Plan.Splits {
			if p.State.Status[split.Step] != pipeline.Hit {
				return fmt.Errorf("the corpus of %s has not been split yet; `ablate run %s --corpus` does it", p.Plan.Steps[split.Step].ID, cmd.Study)
			}
		}
		data := make([]splitData, len(p.Plan.Splits))
		for i, split := range p.Plan.Splits {
			var err error
			if data[i], err = readSplit(p.Cache, p.State.Entries[split.Step]); err != nil {
				return fmt.Errorf("%s: %w", p.Plan.Steps[split.Step].ID, err)
			}
		}
		switch {
		case cmd.JSON:
			enc := json.NewEncoder(a.stdout)
			enc.SetIndent("", "  ")
			list, err := readings(p)
			if err != nil {
				return err
			}
			out := corpusInJSON(p, data)
			out.read(list, p.Sources.Notes)
			return enc.Encode(out)
		case cmd.CSV:
			return corpusInCSV(a.stdout, p, data)
		}
		lines, err := readingLines(p, true)
		if err != nil {
			return err
		}
		tellNotes(a.stdout, p)
		for _, line := range lines {
			show.Printf(a.stdout, "%s\n", line)
		}
		fmt.Fprintln(a.stdout)
		for i, split := range p.Plan.Splits {
			printSplit(a.stdout, p, split, data[i], cmd.Units)
		}
		printChanges(a.stdout, p)
		return nil
	})
}

// printSplit prints a set of partitions: in sum, by unit if asked, by year or whatever else orders it, and what was removed because of what.
func printSplit(w io.Writer, p *study.Compiled, split pipeline.SplitRef, data splitData, units bool) {
	show.Printf(w, "%s\n\n", p.Plan.Steps[split.Step].ID)
	printPartitions(w, data.sizes)
	if units {
		printUnits(w, data.sizes)
	}
	printContamination(w, p.Plan.Steps, p.Plan.Steps[split.Step], data)
	if !split.Seed {
		printTimeline(w, p.Study.Partitions[split.Set].Order, data.timeline, tables.Labels(data.sizes))
	}
}

// splitData is what a split left behind about its documents.
type splitData struct {
	sizes    []tables.SizeRow
	timeline []tables.TimelineRow
	ledger   []tables.LedgerRow
	filter   tables.Filter
}

func readSplit(c *cache.Cache, e *cache.Entry) (d splitData, err error) {
	for _, read := range []struct {
		output string
		from   func(path string) error
	}{
		{kind.OutSizes, func(path string) (err error) { d.sizes, err = tables.Sizes(path); return }},
		{kind.OutTimeline, func(path string) (err error) { d.timeline, err = tables.Timeline(path); return }},
		{kind.OutLedger, func(path string) (err error) { d.ledger, err = tables.Ledger(path); return }},
		{kind.OutFilter, func(path string) (err error) { d.filter, err = tables.ReadFilter(path); return }},
	} {
		path, err := study.OutputPath(c, e, read.output)
		if err != nil {
			return d, err
		}
		if err := read.from(path); err != nil {
			return d, fmt.Errorf("%s: %w", read.output, err)
		}
	}
	return d, nil
}

func printPartitions(w io.Writer, sizes []tables.SizeRow) {
	t := show.NewTable(show.Row{"partition", "units", "documents", "tokens", "smallest unit", "largest unit", "test", "validation", "removed documents", "removed tokens"}, 1)
	var all tables.Breakdown
	parts := tables.Breakdowns(sizes)
	for _, b := range parts {
		t.AppendRow(show.Row{b.Partition, b.Units, b.Documents, b.Tokens, b.Smallest, b.Largest, b.Test, b.Validation, b.RemovedDocuments, b.RemovedTokens})
		all.Units, all.Documents, all.Tokens = all.Units+b.Units, all.Documents+b.Documents, all.Tokens+b.Tokens
		all.Test, all.Validation = all.Test+b.Test, all.Validation+b.Validation
		all.RemovedDocuments, all.RemovedTokens = all.RemovedDocuments+b.RemovedDocuments, all.RemovedTokens+b.RemovedTokens
	}
	if len(parts) > 1 {
		t.AppendSeparator()
		t.AppendRow(show.Row{"all", all.Units, all.Documents, all.Tokens, "", "", all.Test, all.Validation, all.RemovedDocuments, all.RemovedTokens})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
	for _, r := range sizes {
		switch r.Part {
		case tables.PartUnit, tables.PartTest, tables.PartValidation:
		default:
			show.Printf(w, "%s %s: %d documents, %d tokens\n", cmp.Or(r.Partition, "the corpus"), r.Part, r.Documents, r.Tokens)
		}
	}
}

func printUnits(w io.Writer, sizes []tables.SizeRow) {
	t := show.NewTable(show.Row{"unit", "number", "documents", "tokens", "removed documents", "removed tokens"}, 1)
	for _, r := range sizes {
		if r.Part == tables.PartUnit {
			t.AppendRow(show.Row{r.Name, fmt.Sprintf("%s %d", r.Part, r.Unit), r.Documents, r.Tokens, r.RemovedDocuments, r.RemovedTokens})
		}
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
}

// printContamination says what was removed because of which text.
func printContamination(w io.Writer, steps []*pipeline.Step, split *pipeline.Step, d splitData) {
	if len(d.filter.Sets) == 0 {
		return
	}
	losses := tables.Losses(d.filter, d.ledger)
	show.Printf(w, "decontamination: paragraphs %s\n\n", d.filter.Words(losses))
	t := show.NewTable(show.Row{"removed because of", "its documents", "its paragraphs", "removed documents", "removed tokens", "false positives"}, 1)
	if d.filter.Kind != "bloom" {
		t.Hidden = []int{5}
	}
	for _, l := range losses {
		t.AppendRow(show.Row{evalSetInWords(steps, split, l.Set), l.Documents, l.Paragraphs, l.RemovedDocuments, l.RemovedTokens, l.FalsePositives})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
}

// evalSetInWords replaces a role that the ledger names, such as "against.3" or "heldout test", by what it is in this study.
func evalSetInWords(steps []*pipeline.Step, split *pipeline.Step, set string) string {
	role, part, _ := strings.Cut(set, " ")
	if role == "heldout" {
		return "held out of the same corpus, " + part
	}
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
func printTimeline(w io.Writer, order string, rows []tables.TimelineRow, labels map[string][]string) {
	if order == "id" {
		return
	}
	const most = 2000 // rows: what orders by name or by the minute is nothing to read
	if len(rows) > most {
		values := map[string]bool{}
		for _, r := range rows {
			values[r.Value] = true
		}
		show.Printf(w, "%d values of %s, %d rows with those of all partitions: too many for a table here; --csv prints them\n\n", len(values), order, len(rows))
		return
	}
	t := show.NewTable(show.Row{"partition", order, "documents", "tokens", "units", "test", "validation", "removed documents", "removed tokens"}, 2)
	t.Words, t.Sections = []int{4}, true
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
		t.AppendRow(show.Row{name, r.Value, r.Documents, r.Tokens, r.Units(labels[r.Partition]), r.Test, r.Validation, r.RemovedDocuments, r.RemovedTokens})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
}

// printCatalogue prints the units that are known from a split: a line a partition, as the paper's table of base units.
func printCatalogue(w io.Writer, p *study.Compiled) error {
	for _, split := range p.Plan.Splits {
		if split.Seed || p.State.Status[split.Step] != pipeline.Hit {
			continue
		}
		d, err := readSplit(p.Cache, p.State.Entries[split.Step])
		if err != nil {
			return fmt.Errorf("%s: %w", p.Plan.Steps[split.Step].ID, err)
		}
		t := show.NewTable(show.Row{split.Set, "units by " + p.Study.Partitions[split.Set].Order, "units", "tokens", "smallest", "largest"}, 2)
		labels := tables.Labels(d.sizes)
		for _, b := range tables.Breakdowns(d.sizes) {
			t.AppendRow(show.Row{b.Partition, strings.Join(labels[b.Partition], " "), b.Units,
				words.Count(b.Tokens, ""), words.Count(b.Smallest, ""), words.Count(b.Largest, "")})
		}
		fmt.Fprintf(w, "%s\n", t.Render(w))
		printLeft(w, d.sizes)
		fmt.Fprintln(w)
	}
	return nil
}

// printLeft says in a line for each reason what of a corpus is neither in units nor held out.
func printLeft(w io.Writer, sizes []tables.SizeRow) {
	for _, why := range []struct{ part, words string }{
		{tables.PartSmall, "less than half a unit"}, {tables.PartExcluded, "partitions that the study leaves out"},
		{tables.PartUnused, "more than the declared units take"}, {tables.PartDuplicate, "the identity of a document before"},
	} {
		var names []string
		var documents, tokens int64
		for _, r := range sizes {
			if r.Part != why.part {
				continue
			}
			documents, tokens = documents+r.Documents, tokens+r.Tokens
			if r.Partition != "" {
				names = append(names, r.Partition)
			}
		}
		if documents == 0 {
			continue
		}
		const most = 5
		if n := len(names); n > most {
			names = append(names[:most], fmt.Sprintf("%d more", n-most))
		}
		of := ""
		if len(names) > 0 {
			of = ": " + strings.Join(names, ", ")
		}
		show.Printf(w, "left out, %s%s; %d documents, %d tokens\n", why.words, of, documents, tokens)
	}
}
