package correlate

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ablate/stages/tables"
)

func TestBestProxy(t *testing.T) {
	nan := math.NaN()
	row := func(proxy string, n int64, r, low float64) tables.CorrelationRow {
		return tables.CorrelationRow{Proxy: proxy, N: n, Pearson: r, PearsonLow: low}
	}
	for _, c := range []struct {
		name    string
		rows    []tables.CorrelationRow
		proxies string
		want    Answering
	}{
		{"macro is chance, merged excellent", []tables.CorrelationRow{row("macro", 12, 0.1, -0.4), row("micro", 12, 0.5, 0.1), row("merged", 12, 0.98, 0.91)},
			"macro micro merged", Answering{Proxy: "merged", Supported: true, R: 0.98, Low: 0.91, References: 12, Judged: 3}},
		{"the bound counts, not r", []tables.CorrelationRow{row("macro", 12, 0.99, 0.2), row("mean_ind", 12, 0.8, 0.7)},
			"macro mean_ind", Answering{Proxy: "mean_ind", Supported: true, R: 0.8, Low: 0.7, References: 12, Judged: 2}},
		{"of equal bounds the higher r", []tables.CorrelationRow{row("macro", 12, 0.8, 0.7), row("mean_ind", 12, 0.9, 0.7)},
			"macro mean_ind", Answering{Proxy: "mean_ind", Supported: true, R: 0.9, Low: 0.7, References: 12, Judged: 2}},
		{"of equal proxies macro, and they count once", []tables.CorrelationRow{row("merged", 12, 0.9, 0.7), row("micro", 12, 0.9, 0.7), row("macro", 12, 0.9, 0.7)},
			"merged micro macro", Answering{Proxy: "macro", Supported: true, R: 0.9, Low: 0.7, References: 12, Judged: 1}},
		{"one that is not among them", []tables.CorrelationRow{row("macro", 12, 0.5, 0.1), row("small_seq", 12, 0.98, 0.91)},
			"macro micro", Answering{Proxy: "macro", Supported: true, R: 0.5, Low: 0.1, References: 12, Judged: 1}},
		{"no references", nil, "ind_id micro macro", Answering{Proxy: "macro", R: nan, Low: nan}},
		{"three references judge nothing", []tables.CorrelationRow{row("macro", 3, 0.1, 0.1), row("merged", 3, 1, 1)},
			"macro merged", Answering{Proxy: "macro", R: nan, Low: nan}},
		{"no bound above zero", []tables.CorrelationRow{row("macro", 12, -0.3, -0.8), row("merged", 12, 0.4, -0.01)},
			"macro merged", Answering{Proxy: "macro", R: nan, Low: nan, References: 12, Judged: 2}},
		{"there is no interval", []tables.CorrelationRow{row("merged", 5, 0.9, nan), row("micro", 5, nan, nan)}, "merged micro", Answering{Proxy: "micro", R: nan, Low: nan}},
		{"proxies that nobody knows", nil, "zeta alpha", Answering{Proxy: "alpha", R: nan, Low: nan}},
		{"none at all", []tables.CorrelationRow{row("merged", 12, 0.9, 0.8)}, "", Answering{R: nan, Low: nan}},
	} {
		if diff := cmp.Diff(c.want, BestProxy(c.rows, strings.Fields(c.proxies)), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s: - want, + got:\n%s", c.name, diff)
		}
	}
}
