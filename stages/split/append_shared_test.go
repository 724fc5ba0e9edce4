package split

import (
	"os"
	"path/filepath"
	"testing"

	"ablate/stages/internal/corpus"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// The promise of the split on real text: when a file of later documents comes, every full unit of
// the earlier ones keeps its bytes and its name, held-out sets only grow, and what decontamination
// does because of new held-out text is in the ledger.
func TestLaterDocumentsLeaveFullUnits(t *testing.T) {
	data := stagetest.SharedData(t)
	var early, late []stagetest.Line
	raw, err := os.Open(filepath.Join(data, "study", "arxiv", "arxiv-000.jsonl.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	options := corpus.Options{
		Format: stagetest.ReadDolma.Format, TextField: stagetest.ReadDolma.Text, IDField: stagetest.ReadDolma.ID, Metadata: stagetest.ReadDolma.Metadata, Absent: stagetest.ReadDolma.Absent,
	}
	if _, err := corpus.Read(t.Context(), options, raw.Name(), raw, func(d corpus.Document) error {
		l := stagetest.Line{ID: d.ID, Text: d.Text, Area: d.Meta["field"], Year: d.Meta["year"]}
		if l.Year >= "2018" {
			late = append(late, l)
		} else {
			early = append(early, l)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(early) < 5000 || len(late) < 2000 {
		t.Fatalf("%d documents before 2018 and %d later", len(early), len(late))
	}
	tokenizer := filepath.Join(data, "tokenizers", "gpt-neox-olmo-dolma-v1_5.tokenizer.json")
	first, second := texts.Tokenized(t, tokenizer, early...), texts.Tokenized(t, tokenizer, late...)
	p := stagetest.SplitParams(t, tokenizer)
	p.UnitTokens, p.Validation, p.Test, p.Small, p.Against = 25_000, 0, 0.02, kind.SmallKeep, []string{kind.AgainstHeldout}
	p.Only = []string{"ComputerScience", "Biology", "Statistics", "Engineering", "NA"}
	old, grown := stagetest.Run(t, Kind, p, stagetest.Shards(first)), stagetest.Run(t, Kind, p, stagetest.Shards(first, second))

	names := map[string]string{}
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, grown, kind.OutSizes) {
		if s.Part == tables.PartUnit {
			names[kind.UnitOutput(s.Partition, int(s.Unit))] = s.Name
		}
	}
	before, after := old.Outputs(t), grown.Outputs(t)
	units := stagetest.ReadCatalogue(t, old).Units
	full, more := 0, 0
	for _, s := range stagetest.ReadTable[tables.SizeRow](t, old, kind.OutSizes) {
		name := kind.UnitOutput(s.Partition, int(s.Unit))
		if s.Part != tables.PartUnit || int(s.Unit) == units[s.Partition]-1 {
			continue
		}
		full++
		if before[name] != after[name] {
			t.Errorf("%s (%s) changed", name, s.Name)
		}
		if names[name] != s.Name {
			t.Errorf("%s was called %s and is now %s", name, s.Name, names[name])
		}
	}
	for partition, n := range stagetest.ReadCatalogue(t, grown).Units {
		more += n - units[partition]
	}
	if full < 40 || more < 20 {
		t.Errorf("%d full units before and %d more afterwards, want many of both", full, more)
	}
	t.Logf("%d documents, then %d more: %d full units stay, %d are new", len(early), len(late), full, more)
}
