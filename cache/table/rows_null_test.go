package table

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type nullableRow struct {
	Name  string  `col:"mixture" null:""`
	Value float64 `col:"pearson" null:"NaN"`
	Unit  int64   `col:"unit" null:"-1"`
	All   int64   `col:"tokens"`
	Plain float64 `col:"loss"`
	List  []int32 `col:"ids"`
}

func nullable(n int) []nullableRow {
	rows := make([]nullableRow, n)
	for i := range rows {
		rows[i] = nullableRow{Name: strings.Repeat("x", i%3), Value: float64(i), Unit: int64(i%4) - 1, All: -1, Plain: math.NaN()}
		if i%5 == 0 {
			rows[i].Value = math.NaN()
		}
		for range i % 3 {
			rows[i].List = append(rows[i].List, math.MinInt32+int32(i))
		}
	}
	return rows
}

// What stands for null in a row comes back as it was, from a table of any size.
func TestNullsRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 7, compressRows - 1, compressRows, batchRows + 1} {
		want := nullable(n)
		got, err := ReadRows[nullableRow](writeRows(t, want))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, sameRows); d != "" {
			t.Errorf("%d rows (-want +got):\n%.2000s", n, d)
		}
	}
}

// Files without nullable columns keep their format, which programs before there were any read.
func TestFormatOfNullableTables(t *testing.T) {
	type plain struct {
		N int64 `col:"n"`
	}
	for path, want := range map[string]string{writeRows(t, []plain{{1}}): "1", writeRows(t, nullable(1)): "2"} {
		if meta, err := Meta(path); err != nil || meta[keyFormat] != want {
			t.Errorf("format %q, %v, want %q", meta[keyFormat], err, want)
		}
	}
	meta, err := Meta(writeRows(t, nullable(1)))
	want := `{"columns":[{"name":"unit","field_name":"unit","pandas_type":"int64","numpy_type":"Int64","metadata":null}],"index_columns":[]}`
	if err != nil || meta[keyPandas] != want {
		t.Errorf("types for pandas %s, %v, want %s", meta[keyPandas], err, want)
	}
	type required struct {
		Value float64 `col:"pearson"`
	}
	if _, err := ReadRows[required](writeRows(t, nullable(3))); err == nil || !strings.Contains(err.Error(), "its nulls are others") {
		t.Errorf("a nullable column is read as a required one: %v", err)
	}
}

func TestNullTagsRefused(t *testing.T) {
	type number struct {
		N int64 `col:"n" null:"x"`
	}
	type truth struct {
		B bool `col:"b" null:"false"`
	}
	type word struct {
		S string `col:"s" null:"none"`
	}
	path := filepath.Join(t.TempDir(), "rows.parquet")
	for name, err := range map[string]error{
		"number": WriteRows(path, []number{}), "truth": WriteRows(path, []truth{}), "word": WriteRows(path, []word{}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNullsInCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.csv")
	rows := []nullableRow{{Name: "", Value: math.NaN(), Unit: -1, All: -1, Plain: math.NaN()}, {Name: "a", Value: 0.5, Unit: 0, List: []int32{1}}}
	if err := WriteCSV(path, rows); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := "mixture,pearson,unit,tokens,loss,ids\n,,,-1,NaN,[]\na,0.5,0,0,0,[1]\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// A RowWriter leaves what WriteRows leaves where the table is one row group, and more row groups
// where it is larger.
func TestRowWriter(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, rows []nullableRow) string {
		path := filepath.Join(dir, name)
		w, err := CreateRows[nullableRow](path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err := w.Append(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, n := range []int{0, 1, compressRows - 1, compressRows, 5000} {
		want, err := os.ReadFile(writeRows(t, nullable(n)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(write(fmt.Sprint(n), nullable(n)))
		if err != nil || string(got) != string(want) {
			t.Errorf("%d rows: the file differs from that of WriteRows, %v", n, err)
		}
	}

	rows := nullable(2*streamRows + 3)
	path := write("many", rows)
	var groups []int
	at := 0
	if err := EachRows(path, func(part []nullableRow) error {
		groups = append(groups, len(part))
		for i, got := range part {
			want := rows[at+i]
			if got.Name != want.Name || math.Float64bits(got.Value) != math.Float64bits(want.Value) || got.Unit != want.Unit || !slices.Equal(got.List, want.List) {
				t.Fatalf("row %d: %+v, want %+v", at+i, got, want)
			}
		}
		at += len(part)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{streamRows, streamRows, 3}, groups); d != "" {
		t.Errorf("row groups (-want +got):\n%s", d)
	}
	if err := EachRows(path, func([]nullableRow) error { return os.ErrClosed }); err != os.ErrClosed {
		t.Errorf("error of the caller: %v", err)
	}
}

// Rows of long lists end a row group by their bytes.
func TestRowWriterBoundsBytes(t *testing.T) {
	type row struct {
		IDs []int32 `col:"ids"`
	}
	path := filepath.Join(t.TempDir(), "rows.parquet")
	w, err := CreateRows[row](path, map[string]string{"ablate.of": "x"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := w.Append(row{make([]int32, streamBytes/8)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	groups := 0
	if err := EachRows(path, func([]row) error { groups++; return nil }); err != nil || groups != 3 {
		t.Errorf("%d row groups, %v, want 3", groups, err)
	}
	if meta, err := Meta(path); err != nil || meta["ablate.of"] != "x" {
		t.Errorf("metadata %v, %v", meta, err)
	}
}
