package show

import (
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strconv"

	"ablate/cmd/internal/study/corpora"
	"ablate/stages/tables"
)

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
