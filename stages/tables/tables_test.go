package tables

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/table"
)

var update = flag.Bool("update", false, "write TABLES.md anew")

// A documented table is a section of TABLES.md.
type documented struct {
	name, of, version string
	columns           []table.Column
}

func documentedTable[T table.Versioned](name, of string) documented {
	var row T
	return documented{name, of, row.TableVersion(), table.Columns[T]()}
}

func documentedTables() []documented {
	return []documented{
		documentedTable[DocumentRow]("documents.parquet", "tokenize"),
		documentedTable[ParagraphRow]("paragraphs.parquet", "tokenize"),
		documentedTable[PlaceRow]("places.parquet", "tokenize"),
		documentedTable[LedgerRow]("ledger.parquet", "split"),
		documentedTable[SizeRow]("sizes.parquet", "split"),
		documentedTable[TimelineRow]("timeline.parquet", "split"),
		documentedTable[DuplicateRow]("duplicates.parquet", "split"),
		documentedTable[CurveRow]("curve.parquet", "train"),
		documentedTable[ShareRow]("shares.parquet", "train"),
		documentedTable[SourceRow]("sources.parquet", "train"),
		documentedTable[BatchRow]("batches.parquet", "no step; `ablate export STUDY MODEL --batches` writes it, and [BATCHES.md](../BATCHES.md) says how to compute it"),
		documentedTable[LossRow]("losses.parquet", "eval"),
		documentedTable[ScoreRow]("scores.parquet", "correlate; scores.csv holds the same"),
		documentedTable[DecisionRow]("decisions.parquet", "correlate; decisions.csv holds the same"),
		documentedTable[WarningRow]("warnings.parquet", "correlate; warnings.csv holds the same"),
		documentedTable[CorrelationRow]("correlations.parquet", "correlate; correlations.csv holds the same"),
		documentedTable[StudyLossRow]("OUT/losses.parquet", "no step; `ablate run --losses` and `ablate report --losses` write it beside the report"),
		documentedTable[StudySourceRow]("tables/sources.parquet", "no step; written beside the report of a study with shares or replay; tables/sources.csv holds the same"),
		documentedTable[StudyLedgerRow]("tables/ledger.parquet", "no step; written beside the report; tables/ledger.csv holds the same"),
		documentedTable[LayoutRow]("tables/overview.parquet, tables/sets/GROUP.parquet", "no step; written beside the report; the .csv files hold the same"),
	}
}

// TestTablesAreDocumented keeps TABLES.md, the columns of every table that a step leaves, as the
// row types say.
func TestTablesAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Tables that steps leave

Written from the row types in schema.go by ` + "`go test ./stages/tables -run Tables -update`" + `. Each file also carries the version of its columns,
their units and their meanings in its own metadata (` + "`ablate.version`, `NAME.unit`, `NAME.doc`" + `).
How a table lies in its file: [cache/ARTIFACTS.md](../../cache/ARTIFACTS.md).

"Or null" says that a value may be missing; the CSV form has an empty cell there. In CSV, text that a spreadsheet would take
for a formula (it begins with =, +, -, @, a tab or a carriage return, and is no number) has an apostrophe before it. No column has a name that DuckDB, PostgreSQL or SQLite wants
in quotes, or that is an attribute of a pandas DataFrame or Series; the one exception is ` + "`size`" + ` of shares.parquet, which will go with the next
change of training, because another name of a column is no reason to train models again.

In a study of which a score has another metric than perplexity, scores, correlations, decisions and warnings have a further column ` + "`metric`" + `, and
scores a column ` + "`value`" + `. Regret and noise are in the unit of that metric. In all other studies these columns are absent.
`)
	for _, d := range documentedTables() {
		fmt.Fprintf(&b, "\n## %s\n\nOf %s, version %s.\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |\n", d.name, d.of, d.version)
		for _, c := range d.columns {
			kind := c.Type
			if c.Nullable {
				kind += " or null"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Name, kind, c.Unit, c.Doc)
		}
	}

	const path = "TABLES.md"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-file +row types; go test ./stages/tables -run Tables -update writes it):\n%s", path, diff)
	}
}

// takenWords are names that no column may have, from testdata/column_words.txt, whose head says how
// it was made.
func takenWords(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("testdata/column_words.txt")
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]string{}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		for _, w := range words[1:] {
			taken[w] += words[0] + " "
		}
	}
	for _, w := range []string{"group", "set", "right", "rank", "size", "name"} {
		if taken[w] == "" {
			t.Fatalf("the list lacks %q", w)
		}
	}
	return taken
}

// A column can be named in SQL without quotes, and is an attribute of a data frame that has no
// other meaning.
func TestColumnNamesDoNotBite(t *testing.T) {
	taken := takenWords(t)
	spared := []string{"shares.parquet size"} // another name would train every model again
	for _, d := range documentedTables() {
		for _, c := range d.columns {
			if at := d.name + " " + c.Name; taken[c.Name] != "" && !slices.Contains(spared, at) {
				t.Errorf("column %s is a word of %s", at, taken[c.Name])
			}
			if c.Name != strings.ToLower(c.Name) || strings.ContainsAny(c.Name, " -") {
				t.Errorf("column %q of %s wants quotes in SQL", c.Name, d.name)
			}
		}
	}
}
