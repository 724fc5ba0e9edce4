package stages

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cache/table"
)

// TestTablesAreDocumented keeps TABLES.md, the columns of every table that a step leaves, as the row types say.
func TestTablesAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Tables that steps leave\n\nWritten from the row types in schema.go by `go test ./stages -run Tables -update`. " +
		"Each file also carries units and meanings in its own metadata.\nHow a table lies in its file: [cache/ARTIFACTS.md](../cache/ARTIFACTS.md).\n")
	write := func(name, of string, columns []table.Column) {
		version := v1{}.TableVersion()
		if name == "sizes.parquet" || name == "ledger.parquet" || name == "correlations.parquet" {
			version = v2{}.TableVersion()
		}
		fmt.Fprintf(&b, "\n## %s\n\nOf %s, version %s.\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |\n", name, of, version)
		for _, c := range columns {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Name, c.Type, c.Unit, c.Doc)
		}
	}
	write("documents.parquet", "tokenize", table.Columns[DocumentRow]())
	write("paragraphs.parquet", "tokenize", table.Columns[ParagraphRow]())
	write("ledger.parquet", "split", table.Columns[LedgerRow]())
	write("sizes.parquet", "split", table.Columns[SizeRow]())
	write("timeline.parquet", "split", table.Columns[TimelineRow]())
	write("curve.parquet", "train", table.Columns[CurveRow]())
	write("shares.parquet", "train", table.Columns[ShareRow]())
	write("losses.parquet", "eval", table.Columns[LossRow]())
	write("scores.parquet", "correlate; scores.csv holds the same", table.Columns[ScoreRow]())
	write("decisions.parquet", "correlate; decisions.csv holds the same", table.Columns[DecisionRow]())
	write("warnings.parquet", "correlate; warnings.csv holds the same", table.Columns[WarningRow]())
	write("correlations.parquet", "correlate; correlations.csv holds the same", table.Columns[CorrelationRow]())
	write("tables/overview.parquet, tables/sets/GROUP.parquet", "no step; written beside the report", table.Columns[LayoutRow]())

	const path = "TABLES.md"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-file +row types; go test ./stages -run Tables -update writes it):\n%s", path, diff)
	}
}
