package papertable

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var nan = math.NaN()

func sample() Table {
	return Table{
		Caption: "Pearson’s r of 100% of R&D_sets.", Label: "pairs_a", Stubs: []string{"mixtures", "eval set"}, Columns: []string{"ind_id", "macro"},
		Rows: []Row{
			{Stubs: []string{"pairs", "in|domain"}, N: 50, Cells: []Cell{{0.9684, 0.968}, {-0.25, nan}}},
			{Stubs: []string{"", "far"}, N: 50, Cells: []Cell{None, {0.95, nan}}},
			{Stubs: []string{"triples", "far"}, N: 7, Cells: []Cell{{nan, 0.5}, {-0.0001, nan}}, Rule: true},
		},
	}
}

func TestTables(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"markdown", sample().Markdown(), `Pearson’s r of 100% of R&D_sets. Brackets hold the published value.

| mixtures | eval set   |   n |            ind_id |  macro |
| -------- | ---------- | --: | ----------------: | -----: |
| pairs    | in\|domain |  50 | **0.968** [0.968] | −0.250 |
|          | far        |  50 |                 – |  0.950 |
| triples  | far        |   7 |         – [0.500] |  0.000 |
`},
		{"latex", sample().LaTeX(), `% needs \usepackage{booktabs}
\begin{table}
\centering
\begin{tabular}{llrrr}
\toprule
mixtures & eval set & n & ind\_id & macro \\
\midrule
pairs & in|domain & 50 & \textbf{0.968} {\scriptsize [0.968]} & $-$0.250 \\
 & far & 50 & -- & 0.950 \\
\midrule
triples & far & 7 & -- {\scriptsize [0.500]} & 0.000 \\
\bottomrule
\end{tabular}
\caption{Pearson’s r of 100\% of R\&D\_sets. Brackets hold the published value.}
\label{tab:pairs-a}
\end{table}
`},
	} {
		if diff := cmp.Diff(c.want, string(c.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestNothingPublished(t *testing.T) {
	table := Table{Caption: "Ours.", Stubs: []string{"eval set"}, Columns: []string{"macro"}, Rows: []Row{{Stubs: []string{"far"}, N: 3, Cells: []Cell{{0.5, nan}}}}}
	if got, want := string(table.Markdown()), "Ours.\n\n| eval set |   n | macro |\n| -------- | --: | ----: |\n| far      |   3 | 0.500 |\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
