package tables_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

func TestSizes(t *testing.T) {
	want := []tables.SizeRow{{Partition: "a", Part: tables.PartUnit, Documents: 3, Tokens: 40}, {Partition: "b", Part: tables.PartSmall, Unit: -1, Documents: 1, Tokens: 9}}
	got, err := tables.Sizes(stagetest.WriteRows(t, want...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tables.SizeRow{})); diff != "" {
		t.Errorf("- want, + got:\n%s", diff)
	}
	if _, err := tables.Sizes(filepath.Join(t.TempDir(), kind.OutSizes)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := tables.Sizes(stagetest.WriteRows(t, tables.CurveRow{})); err == nil {
		t.Error("a loss curve passes for a table of sizes")
	}
}
