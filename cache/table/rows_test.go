package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// measured stands for columns that several row types share.
type measured struct {
	Loss float64 `col:"loss" unit:"nats" doc:"sum over the document"`
}

type everyType struct {
	ID string `col:"id" doc:"identity of the document"`
	measured
	Tokens int64    `col:"tokens" unit:"tokens"`
	Small  int32    `col:"small"`
	Good   bool     `col:"good"`
	Hashes []uint64 `col:"hashes"`
	Names  []string `col:"names"`
	Ends   []int64  `col:"ends"`
	Memo   string   `col:"-"` // not a column
}

func (everyType) TableVersion() string { return "3" }

// someRows makes n rows with every awkward value in them.
func someRows(n int) []everyType {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	rows := make([]everyType, n)
	floats := []float64{0, math.Copysign(0, -1), 1.5, math.NaN(), math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64, math.MaxFloat64}
	for i := range rows {
		row := everyType{
			ID: fmt.Sprintf("doc-%d", i/3), Tokens: r.Int64() - r.Int64(), Small: int32(r.Uint32()), Good: r.IntN(2) == 1,
		}
		row.Loss = floats[i%len(floats)]
		if i%5 == 1 {
			row.ID = strings.Repeat("ü∂\x00\n,\"", i%40)
		}
		for range i % 4 {
			row.Hashes = append(row.Hashes, math.MaxUint64-uint64(i), r.Uint64())
			row.Ends = append(row.Ends, math.MinInt64+int64(i))
		}
		for range r.IntN(20) - 5 {
			row.Names = append(row.Names, strings.Repeat("n", r.IntN(3)))
		}
		rows[i] = row
	}
	return rows
}

func writeRows[T any](t testing.TB, rows []T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.parquet")
	if err := WriteRows(path, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

var sameRows = cmp.Options{cmp.AllowUnexported(everyType{}, measured{}), cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}

func TestRowsRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7, 8, 9, compressRows - 1, compressRows, 1000, batchRows + 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			want := someRows(n)
			got, err := ReadRows[everyType](writeRows(t, want))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, sameRows); d != "" {
				t.Errorf("rows differ (-want +got):\n%.2000s", d)
			}
			for i := range got {
				if math.Signbit(got[i].Loss) != math.Signbit(want[i].Loss) {
					t.Fatalf("row %d: sign of %v, want %v", i, got[i].Loss, want[i].Loss)
				}
			}
		})
	}
}

func TestRowsManyGroups(t *testing.T) {
	type row struct {
		N int64    `col:"n"`
		B bool     `col:"b"`
		L []uint64 `col:"l"`
	}
	want := make([]row, 2*groupRows+3)
	for i := range want {
		want[i] = row{N: int64(i), B: i%3 == 0}
		if i%100_000 == 0 {
			want[i].L = []uint64{uint64(i)}
		}
	}
	path := writeRows(t, want)
	got, err := ReadRows[row](path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(want, got) {
		t.Error("rows differ")
	}
	pr, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	if pr.NumRowGroups() != 3 {
		t.Errorf("%d row groups, want 3", pr.NumRowGroups())
	}
}

func TestRowsManyPages(t *testing.T) {
	type row struct {
		ID    string   `col:"id"`
		Names []string `col:"names"`
	}
	want := make([]row, 5000)
	for i := range want {
		// A page of Arrow has 1 MiB; lists cross from one page into the next.
		want[i] = row{ID: strings.Repeat(fmt.Sprintf("%06d", i), 200), Names: []string{want[max(i-1, 0)].ID, "x"}[:i%3%2+i%2]}
	}
	got, err := ReadRows[row](writeRows(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("rows differ (-want +got):\n%.2000s", d)
	}
}

func TestRowsSameBytes(t *testing.T) {
	a, b := writeRows(t, someRows(3000)), writeRows(t, someRows(3000))
	if !bytes.Equal(readFile(t, a), readFile(t, b)) {
		t.Error("same rows, other bytes")
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Arrow's own reader must see the same table: what we write is Parquet, not merely something we can
// read back.
func TestRowsAsArrowReadsThem(t *testing.T) {
	rows := someRows(9000)
	path := writeRows(t, rows)
	pr, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	kv := pr.MetaData().KeyValueMetadata()
	for key, want := range map[string]string{
		keyTable: rowsKind, keyFormat: rowsVersion, keyVersion: "3",
		"loss.unit": "nats", "loss.doc": "sum over the document", "id.doc": "identity of the document", "tokens.unit": "tokens",
	} {
		if got := kv.FindValue(key); got == nil || *got != want {
			t.Errorf("metadata %s: %v, want %q", key, got, want)
		}
	}
	for g := range pr.NumRowGroups() {
		for c := range pr.MetaData().Schema.NumColumns() {
			chunk, err := pr.MetaData().RowGroup(g).ColumnChunk(c)
			if err != nil {
				t.Fatal(err)
			}
			if set, err := chunk.StatsSet(); set || err != nil {
				t.Errorf("column %d has statistics (%v)", c, err)
			}
		}
	}
	fr, err := pqarrow.NewFileReader(pr, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := fr.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Release()
	if got, want := fmt.Sprint(tab.Schema().Fields()), []string{"id", "loss", "tokens", "small", "good", "hashes", "names", "ends"}; len(want) != int(tab.NumCols()) {
		t.Fatalf("columns %v, want %v", got, want)
	}
	tr := array.NewTableReader(tab, 0)
	defer tr.Release()
	at := 0
	for tr.Next() {
		rec := tr.Record()
		for i := range int(rec.NumRows()) {
			want := rows[at]
			got := everyType{
				ID:     rec.Column(0).(*array.String).Value(i),
				Tokens: rec.Column(2).(*array.Int64).Value(i),
				Small:  rec.Column(3).(*array.Int32).Value(i),
				Good:   rec.Column(4).(*array.Boolean).Value(i),
			}
			got.Loss = rec.Column(1).(*array.Float64).Value(i)
			hashes, names, ends := rec.Column(5).(*array.List), rec.Column(6).(*array.List), rec.Column(7).(*array.List)
			for j, end := hashes.ValueOffsets(i); j < end; j++ {
				got.Hashes = append(got.Hashes, hashes.ListValues().(*array.Uint64).Value(int(j)))
			}
			for j, end := names.ValueOffsets(i); j < end; j++ {
				got.Names = append(got.Names, names.ListValues().(*array.String).Value(int(j)))
			}
			for j, end := ends.ValueOffsets(i); j < end; j++ {
				got.Ends = append(got.Ends, ends.ListValues().(*array.Int64).Value(int(j)))
			}
			if d := cmp.Diff(want, got, sameRows); d != "" {
				t.Fatalf("row %d differs (-want +got):\n%s", at, d)
			}
			at++
		}
	}
	if at != len(rows) {
		t.Errorf("%d rows, want %d", at, len(rows))
	}
}

func TestRowsProjection(t *testing.T) {
	type narrow struct {
		Hashes []uint64 `col:"hashes"`
		ID     string   `col:"id"`
		everyVersion
	}
	rows := someRows(500)
	got, err := ReadRows[narrow](writeRows(t, rows))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		if got[i].ID != r.ID || !cmp.Equal(got[i].Hashes, r.Hashes, cmpopts.EquateEmpty()) {
			t.Fatalf("row %d: %v, want %v", i, got[i], r)
		}
	}
}

type everyVersion struct{}

func (everyVersion) TableVersion() string { return "3" }

func TestReadRowsRefuses(t *testing.T) {
	path := writeRows(t, someRows(3))
	type missing struct {
		everyVersion
		X float64 `col:"perplexity"`
	}
	type otherType struct {
		everyVersion
		X int64 `col:"loss"`
	}
	type signed struct {
		everyVersion
		X []int64 `col:"hashes"`
	}
	type flat struct {
		everyVersion
		X uint64 `col:"hashes"`
	}
	type flatString struct {
		everyVersion
		X string `col:"names"`
	}
	type unversioned struct {
		X string `col:"id"`
	}
	check := func(name string, err error, want ...string) {
		t.Run(name, func(t *testing.T) {
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
	_, err := ReadRows[missing](path)
	check("missing column", err, "no column perplexity (float64)", path)
	_, err = ReadRows[otherType](path)
	check("other type", err, "column loss: want int64", "DOUBLE")
	_, err = ReadRows[signed](path)
	check("signed for unsigned", err, "column hashes: want list<int64>")
	_, err = ReadRows[flat](path)
	check("not a column type", err, "field X: type uint64: want string, bool")
	_, err = ReadRows[flatString](path)
	check("flat for list", err, "column names: want string")
	_, err = ReadRows[unversioned](path)
	check("other version", err, `version "3", this program reads ""`, "run the step")
	_, err = ReadRows[everyType](path + ".none")
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v, want %v", err, os.ErrNotExist)
	}
	_, err = ReadRows[everyType](t.TempDir())
	check("directory", err, "read rows")
}

func TestRowTypesRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	type untagged struct{ X int64 }
	type twice struct {
		A int64 `col:"a"`
		B int64 `col:"a"`
	}
	type dotted struct {
		A int64 `col:"a.b"`
	}
	type private struct {
		a int64 `col:"a"`
	}
	type badInt struct {
		A int `col:"a"`
	}
	type nested struct {
		A [][]int64 `col:"a"`
	}
	type badString struct {
		A []string `col:"a"`
	}
	_ = private{a: 1}
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"untagged", "field X has no col tag", WriteRows(path, []untagged{})},
		{"twice", "two columns a", WriteRows(path, []twice{})},
		{"dotted", "dot or comma", WriteRows(path, []dotted{})},
		{"private", "not exported", WriteRows(path, []private{})},
		{"int", "type int: want", WriteRows(path, []badInt{})},
		{"nested", "type [][]int64: want", WriteRows(path, []nested{})},
		{"no struct", "not a struct", WriteRows(path, []int{})},
		{"no columns", "no field", WriteRows(path, []struct{}{})},
		{"invalid UTF-8", `column a: row 1: "\xff" is not valid UTF-8`, WriteRows(path, []badString{{}, {A: []string{"\xff"}}})},
		{"csv", "no col tag", WriteCSV(path, []untagged{})},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
				t.Errorf("error %v, want %q", c.err, c.want)
			}
		})
	}
}

func TestColumns(t *testing.T) {
	want := []Column{
		{"id", "string", "", "identity of the document", false},
		{"loss", "float64", "nats", "sum over the document", false},
		{"tokens", "int64", "tokens", "", false},
		{"small", "int32", "", "", false},
		{"good", "bool", "", "", false},
		{"hashes", "list<uint64>", "", "", false},
		{"names", "list<string>", "", "", false},
		{"ends", "list<int64>", "", "", false},
	}
	if d := cmp.Diff(want, Columns[everyType]()); d != "" {
		t.Errorf("columns differ (-want +got):\n%s", d)
	}
}

func TestWriteCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	rows := []everyType{
		{ID: `a "b", c`, measured: measured{1.0 / 3}, Tokens: -7, Small: 3, Good: true,
			Hashes: []uint64{math.MaxUint64, 0}, Names: []string{`x"y`, ""}},
		{measured: measured{math.NaN()}, Ends: []int64{-1}},
	}
	if err := WriteCSV(path, rows); err != nil {
		t.Fatal(err)
	}
	want := `id,loss,tokens,small,good,hashes,names,ends
"a ""b"", c",0.3333333333333333,-7,3,true,"[18446744073709551615,0]","[""x\""y"",""""]",[]
,NaN,0,0,false,[],[],[-1]
`
	if d := cmp.Diff(want, string(readFile(t, path))); d != "" {
		t.Errorf("csv differs (-want +got):\n%s", d)
	}
}

// What 0/0 gives has one sign on amd64 and another on arm64; a file does not show it.
func TestEveryNaNIsWrittenAlike(t *testing.T) {
	dir := t.TempDir()
	var files [][]byte
	for i, v := range []float64{math.NaN(), math.Float64frombits(0xfff8000000000000), math.Float64frombits(0x7ff8000000000000), math.Inf(1) - math.Inf(1)} {
		path := filepath.Join(dir, strconv.Itoa(i))
		if err := WriteRows(path, []measured{{v}}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if files = append(files, b); !bytes.Equal(b, files[0]) {
			t.Errorf("a file with NaN %#x differs from one with %#x", math.Float64bits(v), math.Float64bits(math.NaN()))
		}
	}
}
