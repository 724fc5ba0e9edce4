package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"ablate/cmd/internal/study/corpora"
	"ablate/specs/words"
	"ablate/stages/tables"
)

// Corpora prints what the data of a study is, with every unit if asked.
func Corpora(w io.Writer, d *corpora.Data, unitByUnit bool) {
	Notes(w, d.Notes)
	for _, r := range d.Readings {
		Printf(w, "%s\n", Reading(r))
	}
	fmt.Fprintln(w)
	for _, s := range d.Splits {
		split(w, s, unitByUnit)
	}
	Changes(w, d.Changes)
}

// Reading is what became of the documents of a corpus or an evaluation set, in a line.
func Reading(r corpora.Reading) string {
	what := "corpus"
	if r.EvalSet {
		what = "evaluation set"
	}
	text := fmt.Sprintf("%s %s: %s", what, r.Name, r.Words())
	if len(r.Absent) > 0 {
		text += fmt.Sprintf(" (%q stands for them)", r.StandIn)
	}
	if r.Duplicates > 0 {
		text += fmt.Sprintf("; %d kept documents are left out, because an earlier document has the same identity", r.Duplicates)
	}
	return text
}

// split prints a set of partitions: in sum, by unit if asked, by year or whatever else orders it,
// and what was removed because of what.
func split(w io.Writer, s corpora.Split, unitByUnit bool) {
	Printf(w, "%s\n\n", s.Step)
	partitions(w, s.Sizes)
	if unitByUnit {
		units(w, s.Sizes)
	}
	contamination(w, s)
	if !s.Seed {
		timeline(w, s.Order, s.Timeline, tables.Labels(s.Sizes))
	}
}

func partitions(w io.Writer, sizes []tables.SizeRow) {
	t := NewTable(Row{"partition", "units", "documents", "tokens", "smallest unit", "largest unit", "test", "validation", "removed documents", "removed tokens"}, 1)
	var all tables.Breakdown
	parts := tables.Breakdowns(sizes)
	for _, b := range parts {
		t.AppendRow(Row{b.Partition, b.Units, b.Documents, b.Tokens, b.Smallest, b.Largest, b.Test, b.Validation, b.RemovedDocuments, b.RemovedTokens})
		all.Units, all.Documents, all.Tokens = all.Units+b.Units, all.Documents+b.Documents, all.Tokens+b.Tokens
		all.Test, all.Validation = all.Test+b.Test, all.Validation+b.Validation
		all.RemovedDocuments, all.RemovedTokens = all.RemovedDocuments+b.RemovedDocuments, all.RemovedTokens+b.RemovedTokens
	}
	if len(parts) > 1 {
		t.AppendSeparator()
		t.AppendRow(Row{"all", all.Units, all.Documents, all.Tokens, "", "", all.Test, all.Validation, all.RemovedDocuments, all.RemovedTokens})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
	for _, r := range sizes {
		switch r.Part {
		case tables.PartUnit, tables.PartTest, tables.PartValidation:
		default:
			Printf(w, "%s %s: %d documents, %d tokens\n", cmp.Or(r.Partition, "the corpus"), r.Part, r.Documents, r.Tokens)
		}
	}
}

func units(w io.Writer, sizes []tables.SizeRow) {
	t := NewTable(Row{"unit", "number", "documents", "tokens", "removed documents", "removed tokens"}, 1)
	for _, r := range sizes {
		if r.Part == tables.PartUnit {
			t.AppendRow(Row{r.Name, fmt.Sprintf("%s %d", r.Part, r.Unit), r.Documents, r.Tokens, r.RemovedDocuments, r.RemovedTokens})
		}
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
}

// contamination says what was removed because of which text.
func contamination(w io.Writer, s corpora.Split) {
	if len(s.Filter.Sets) == 0 {
		return
	}
	Printf(w, "decontamination: paragraphs %s\n\n", s.Filter.Words(s.Losses))
	t := NewTable(Row{"removed because of", "its documents", "its paragraphs", "removed documents", "removed tokens", "false positives"}, 1)
	if s.Filter.Kind != "bloom" {
		t.Hidden = []int{5}
	}
	for _, l := range s.Losses {
		t.AppendRow(Row{s.Texts[l.Set], l.Documents, l.Paragraphs, l.RemovedDocuments, l.RemovedTokens, l.FalsePositives})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
}

// timeline prints partitions by the values of their order. One without an order has nothing to add
// to the table of partitions.
func timeline(w io.Writer, order string, rows []tables.TimelineRow, labels map[string][]string) {
	if order == "id" {
		return
	}
	const most = 2000 // rows: what orders by name or by the minute is nothing to read
	if len(rows) > most {
		values := map[string]bool{}
		for _, r := range rows {
			values[r.Value] = true
		}
		Printf(w, "%d values of %s give %d rows over all partitions, too many for a table here; --csv prints them\n\n", len(values), order, len(rows))
		return
	}
	t := NewTable(Row{"partition", order, "documents", "tokens", "units", "test", "validation", "removed documents", "removed tokens"}, 2)
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
		t.AppendRow(Row{name, r.Value, r.Documents, r.Tokens, r.Units(labels[r.Partition]), r.Test, r.Validation, r.RemovedDocuments, r.RemovedTokens})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
}

// Catalogue prints the units that are known from splits: a line a partition, as the paper's table
// of base units.
func Catalogue(w io.Writer, splits []corpora.Split) {
	for _, s := range splits {
		t := NewTable(Row{s.Set, "units by " + s.Order, "units", "tokens", "smallest", "largest"}, 2)
		labels := tables.Labels(s.Sizes)
		for _, b := range tables.Breakdowns(s.Sizes) {
			t.AppendRow(Row{b.Partition, strings.Join(labels[b.Partition], " "), b.Units,
				words.Count(b.Tokens, ""), words.Count(b.Smallest, ""), words.Count(b.Largest, "")})
		}
		fmt.Fprintf(w, "%s\n", t.Render(w))
		leftOut(w, s.Sizes)
		fmt.Fprintln(w)
	}
}

// leftOut says in a line for each reason what of a corpus is neither in units nor held out.
func leftOut(w io.Writer, sizes []tables.SizeRow) {
	for _, why := range []struct{ part, words string }{
		{tables.PartSmall, "less than half a unit"}, {tables.PartExcluded, "partitions that the study leaves out"},
		{tables.PartUnused, "beyond the declared units"}, {tables.PartDuplicate, "the identity of an earlier document"},
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
		Printf(w, "left out, %s%s; %d documents, %d tokens\n", why.words, of, documents, tokens)
	}
}

// Changes says which units of each split are others than the last time, so that nobody is surprised
// by what trains again.
func Changes(w io.Writer, list []corpora.Change) {
	for _, d := range list {
		if len(d.Changed)+len(d.Added)+len(d.Gone) == 0 {
			continue
		}
		Printf(w, "Since %s was split on %s, %d units stayed the same, %d changed, %d are new, %d no longer exist.\n",
			d.Set, d.Since, d.Same, len(d.Changed), len(d.Added), len(d.Gone))
		for _, l := range []struct {
			what  string
			names []string
		}{{"changed", d.Changed}, {"new", d.Added}, {"gone", d.Gone}} {
			if n := len(l.names); n > mostChanges {
				l.names = append(slices.Clone(l.names[:mostChanges]), fmt.Sprintf("%d more", n-mostChanges))
			}
			if len(l.names) > 0 {
				Printf(w, "  %s: %s\n", l.what, strings.Join(l.names, "; "))
			}
		}
		fmt.Fprintln(w)
	}
}

// mostChanges is how many names of units a line of changes has.
const mostChanges = 12
