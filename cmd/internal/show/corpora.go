package show

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
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

// CorporaForm is what `ablate corpus --json` prints; CORPUS.md is written from these types.
type CorporaForm struct {
	Study    string        `json:"study" doc:"name of the study"`
	Readings []readingJSON `json:"readings" doc:"what became of the documents of each corpus and evaluation set that was read"`
	Passed   []passedJSON  `json:"passed" doc:"files that patterns would match but for what they are"`
	Sets     []setJSON     `json:"sets" doc:"partition sets, and the seed model's corpus"`
}

type readingJSON struct {
	Name       string        `json:"name" doc:"name of the corpus or evaluation set"`
	EvalSet    bool          `json:"eval_set" doc:"it is an evaluation set"`
	Files      int64         `json:"files" doc:"files read"`
	Read       int64         `json:"read" doc:"documents read: kept and all of dropped; pieces of a document that is cut count each"`
	Kept       int64         `json:"kept" doc:"documents kept"`
	Dropped    []droppedJSON `json:"dropped" doc:"documents left out, by reason"`
	Absent     []absentJSON  `json:"absent" doc:"kept documents without some metadata, by name"`
	Duplicates int64         `json:"duplicates" doc:"kept documents with the identity of one before them: left out of the units of a corpus, unless the study keeps them; scored in an evaluation set"`
}

type droppedJSON struct {
	Reason    string `json:"reason" doc:"why"`
	Documents int64  `json:"documents" doc:"documents"`
}

type absentJSON struct {
	Metadata  string `json:"metadata" doc:"name of the metadata"`
	Documents int64  `json:"documents" doc:"documents that have none"`
	Value     string `json:"value" doc:"what stands for it"`
}

type passedJSON struct {
	Note string `json:"note" doc:"place in the study, why, how many, and one of them"`
}

type setJSON struct {
	Set        string          `json:"partition_set" doc:"name of the partition set, or of the seed model's corpus"`
	Seed       bool            `json:"seed" doc:"it is the seed model's corpus, one unit named all"`
	Corpus     string          `json:"corpus" doc:"name of the corpus"`
	Order      string          `json:"order" doc:"metadata that orders the documents, or id"`
	Key        string          `json:"key" doc:"key of the split in the cache"`
	Partitions []partitionJSON `json:"partitions" doc:"partitions that have units, in order of their names"`
	Units      []unitJSON      `json:"units" doc:"base units, by partition and number"`
	Timeline   []yearJSON      `json:"timeline" doc:"partitions by the values of order; one row a partition where order is id"`
	Elsewhere  []elsewhereJSON `json:"elsewhere" doc:"documents that are neither in units nor held out"`
	Filter     string          `json:"filter" doc:"how evaluation text was looked for: none, exact or bloom"`
	Removed    []removedJSON   `json:"removed" doc:"what decontamination removed, by the evaluation text that made it"`
}

type partitionJSON struct {
	Partition        string `json:"partition" doc:"name"`
	Units            int    `json:"units" doc:"base units"`
	Documents        int64  `json:"documents" doc:"in units, after decontamination"`
	Tokens           int64  `json:"tokens" doc:"their tokens, EOS included"`
	Smallest         int64  `json:"smallest_unit" doc:"tokens of the smallest unit"`
	Largest          int64  `json:"largest_unit" doc:"tokens of the largest"`
	Test             int64  `json:"test" doc:"documents held out to evaluate on"`
	Validation       int64  `json:"validation" doc:"documents held out for validation"`
	Unused           int64  `json:"unused" doc:"documents beyond the declared units"`
	RemovedDocuments int64  `json:"removed_documents" doc:"documents removed by decontamination"`
	RemovedTokens    int64  `json:"removed_tokens" doc:"their tokens, EOS included"`
}

type unitJSON struct {
	Partition        string `json:"partition" doc:"its partition"`
	Unit             int64  `json:"unit" doc:"its number from 0"`
	Name             string `json:"unit_name" doc:"its name: by range where numbers order it, else by number"`
	First            string `json:"order_first" doc:"order value of its first document"`
	Last             string `json:"order_last" doc:"order value of its last document"`
	Documents        int64  `json:"documents" doc:"after decontamination"`
	Tokens           int64  `json:"tokens" doc:"their tokens, EOS included"`
	RemovedDocuments int64  `json:"removed_documents" doc:"documents removed by decontamination"`
	RemovedTokens    int64  `json:"removed_tokens" doc:"their tokens, EOS included"`
}

type yearJSON struct {
	Partition        string `json:"partition" doc:"name of the partition"`
	Value            string `json:"value" doc:"value of order, such as a year; empty where order is id"`
	Documents        int64  `json:"documents" doc:"in units, after decontamination"`
	Tokens           int64  `json:"tokens" doc:"their tokens, EOS included"`
	FirstUnit        int64  `json:"first_unit" doc:"number of the first unit that has any; -1: none"`
	LastUnit         int64  `json:"last_unit" doc:"number of the last"`
	Test             int64  `json:"test" doc:"documents held out to evaluate on"`
	Validation       int64  `json:"validation" doc:"documents held out for validation"`
	Unused           int64  `json:"unused" doc:"documents beyond the declared units"`
	RemovedDocuments int64  `json:"removed_documents" doc:"documents removed by decontamination"`
	RemovedTokens    int64  `json:"removed_tokens" doc:"their tokens, EOS included"`
}

type elsewhereJSON struct {
	Partition string `json:"partition" doc:"name of the partition; empty for duplicates"`
	Part      string `json:"part" doc:"unused (beyond the declared units), small, excluded or duplicate"`
	Documents int64  `json:"documents" doc:"documents"`
	Tokens    int64  `json:"tokens" doc:"their tokens, EOS included"`
}

type removedJSON struct {
	Because          string `json:"because" doc:"where the evaluation text is from, in words"`
	Documents        int64  `json:"documents" doc:"its documents"`
	Paragraphs       int64  `json:"paragraphs" doc:"its paragraphs that are long enough, of each document"`
	RemovedDocuments int64  `json:"removed_documents" doc:"documents removed because of it"`
	RemovedTokens    int64  `json:"removed_tokens" doc:"their tokens, EOS included"`
	FalsePositives   int64  `json:"false_positives" doc:"of the removed documents: a Bloom filter was wrong about them"`
}

// CorporaJSON prints the data of a study as JSON.
func CorporaJSON(w io.Writer, d *corpora.Data) error { return JSON(w, formOf(d)) }

func formOf(d *corpora.Data) CorporaForm {
	out := CorporaForm{Study: d.Study, Readings: []readingJSON{}, Passed: []passedJSON{}, Sets: []setJSON{}}
	for _, r := range d.Readings {
		out.Readings = append(out.Readings, readingForm(r))
	}
	for _, note := range d.Passed {
		out.Passed = append(out.Passed, passedJSON{note})
	}
	for _, s := range d.Splits {
		out.Sets = append(out.Sets, setForm(s))
	}
	return out
}

func readingForm(r corpora.Reading) readingJSON {
	x := readingJSON{
		Name: r.Name, EvalSet: r.EvalSet, Files: r.Files, Read: r.Read, Kept: r.Kept, Dropped: []droppedJSON{}, Absent: []absentJSON{},
		Duplicates: r.Duplicates + r.Twice,
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Dropped)) {
		x.Dropped = append(x.Dropped, droppedJSON{reason, r.Dropped[reason]})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Absent)) {
		x.Absent = append(x.Absent, absentJSON{name, r.Absent[name], r.StandIn})
	}
	return x
}

func setForm(d corpora.Split) setJSON {
	s := setJSON{
		Set: d.Set, Seed: d.Seed, Corpus: d.Corpus, Order: d.Order, Key: d.Key.String(), Filter: d.Filter.Kind,
		Partitions: []partitionJSON{}, Units: []unitJSON{}, Timeline: []yearJSON{}, Elsewhere: []elsewhereJSON{}, Removed: []removedJSON{},
	}
	for _, b := range tables.Breakdowns(d.Sizes) {
		s.Partitions = append(s.Partitions, partitionJSON{
			b.Partition, b.Units, b.Documents, b.Tokens, b.Smallest, b.Largest, b.Test, b.Validation, b.Unused, b.RemovedDocuments, b.RemovedTokens,
		})
	}
	for _, r := range d.Sizes {
		switch r.Part {
		case tables.PartUnit:
			s.Units = append(s.Units, unitJSON{
				r.Partition, r.Unit, r.Name, r.First, r.Last, r.Documents, r.Tokens, r.RemovedDocuments, r.RemovedTokens,
			})
		case tables.PartTest, tables.PartValidation: // counted by partition
		default:
			s.Elsewhere = append(s.Elsewhere, elsewhereJSON{r.Partition, r.Part, r.Documents, r.Tokens})
		}
	}
	for _, r := range d.Timeline {
		s.Timeline = append(s.Timeline, yearJSON{
			r.Partition, r.Value, r.Documents, r.Tokens, r.FirstUnit, r.LastUnit, r.Test, r.Validation, r.Unused, r.RemovedDocuments, r.RemovedTokens,
		})
	}
	for _, l := range d.Losses {
		s.Removed = append(s.Removed, removedJSON{d.Texts[l.Set], l.Documents, l.Paragraphs, l.RemovedDocuments, l.RemovedTokens, l.FalsePositives})
	}
	return s
}

// CorporaCSV prints the timelines of all sets as one table; its columns are those of the JSON form,
// with the units' names.
func CorporaCSV(w io.Writer, d *corpora.Data) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"partition_set", "partition", "order", "value", "documents", "tokens", "units", "test", "validation", "unused", "removed_documents", "removed_tokens"}}
	n := func(x int64) string { return strconv.FormatInt(x, 10) }
	for _, s := range d.Splits {
		labels := tables.Labels(s.Sizes)
		for _, r := range s.Timeline {
			rows = append(rows, []string{tables.CSVText(s.Set), tables.CSVText(r.Partition), tables.CSVText(s.Order), tables.CSVText(r.Value), n(r.Documents), n(r.Tokens),
				tables.CSVText(r.Units(labels[r.Partition])), n(r.Test), n(r.Validation), n(r.Unused), n(r.RemovedDocuments), n(r.RemovedTokens)})
		}
	}
	return out.WriteAll(rows)
}
