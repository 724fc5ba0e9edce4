package tables

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ablate/cache/table"
)

// manyLosses is a study of so many scores, each the mean over two domains of three models on a
// table of the given number of documents.
func manyLosses(t testing.TB, scores, documents int) StudyLosses {
	t.Helper()
	rows := make([]LossRow, documents)
	for i := range rows {
		rows[i] = LossRow{ID: fmt.Sprintf("document-%06d", i), Tokens: 100, Bytes: 450, Chars: 440, Words: 80, Nats: 300 + float64(i%97)/7}
	}
	path := filepath.Join(t.TempDir(), "losses.parquet")
	if err := table.WriteRows(path, rows); err != nil {
		t.Fatal(err)
	}
	in := StudyLosses{Of: "of", Table: func(eval int) (string, error) {
		if eval < 0 {
			return "", os.ErrNotExist
		}
		return path, nil
	}}
	for s := range scores {
		score := LossScore{Group: "pairs", Mixture: fmt.Sprint("m", s), Scorer: "mean_ind", Set: "far"}
		for d := range 2 {
			domain := LossDomain{Name: fmt.Sprint("domain ", d)}
			for m := range 3 {
				domain.Models = append(domain.Models, LossModel{Name: fmt.Sprint("model ", m), Eval: m})
			}
			score.Domains = append(score.Domains, domain)
		}
		in.Scores = append(in.Scores, score)
	}
	return in
}

// The table takes the memory of a row group, not that of its rows, and is the same every time.
func TestStudyLossesAreStreamed(t *testing.T) {
	in := manyLosses(t, 24, 1000) // 144,000 rows
	dir := t.TempDir()
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := in.Write(path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := write("one")
	rows, groups, most := 0, 0, 0
	first := StudyLossRow{}
	if err := table.EachRows(path, func(part []StudyLossRow) error {
		if groups == 0 {
			first = part[0]
		}
		rows, groups, most = rows+len(part), groups+1, max(most, len(part))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if rows != 24*2*3*1000 || groups < 2 || most > 1<<17 {
		t.Errorf("%d rows in %d row groups of at most %d", rows, groups, most)
	}
	want := StudyLossRow{Group: "pairs", Mixture: "m0", Scorer: "mean_ind", Set: "far", Domain: "domain 0", Model: "model 0", ID: "document-000000",
		Tokens: 100, Bytes: 450, Chars: 440, Words: 80, Nats: 300}
	if first != want {
		t.Errorf("first row %+v, want %+v", first, want)
	}
	if of, err := LossesOf(path); err != nil || of != "of" {
		t.Errorf("it was made of %q, %v", of, err)
	}
	a, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(write("two"))
	if err != nil || string(a) != string(b) {
		t.Errorf("the second table differs from the first, %v", err)
	}
	if d := (Differ{"losses.parquet": RowsDiffer[StudyLossRow]}).Difference("losses.parquet", path, filepath.Join(dir, "two")); d != "the rows are the same, the file around them differs" {
		t.Error(d)
	}
	small := manyLosses(t, 5, 10)
	path = filepath.Join(dir, "five")
	if err := small.Write(path); err != nil {
		t.Fatal(err)
	}
	small.Scores = small.Scores[:4]
	shorter := filepath.Join(dir, "four")
	if err := small.Write(shorter); err != nil {
		t.Fatal(err)
	}
	if d := (Differ{"losses.parquet": RowsDiffer[StudyLossRow]}).Difference("losses.parquet", path, shorter); d != "240 rows there, 300 made again" {
		t.Error(d)
	}
	in.Scores[3].Domains[1].Models[2].Eval = -1
	if err := in.Write(path); err == nil || !strings.Contains(err.Error(), "losses of the study: file does not exist") {
		t.Errorf("a table that is lost: %v", err)
	}
}

// BenchmarkStudyLosses writes 300,000 rows.
func BenchmarkStudyLosses(b *testing.B) {
	in := manyLosses(b, 50, 1000)
	path := filepath.Join(b.TempDir(), "losses.parquet")
	for b.Loop() {
		if err := in.Write(path); err != nil {
			b.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(3e5*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(m.HeapSys)/1e6, "MB-heap")
	b.ReportMetric(float64(info.Size())/1e6, "MB-file")
}
