package train

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// sourcesOf are sources of one unit each.
func sourcesOf(shares ...string) []kind.Source {
	out := make([]kind.Source, len(shares))
	for i, s := range shares {
		out[i] = kind.Source{Share: s, Units: 1}
	}
	return out
}

// drawn are the next n sequences.
func drawn(o order, n int64) (out []pick) {
	for range n {
		out = append(out, o.draw())
	}
	return out
}

func interleavedOf(t *testing.T, total int64, chunks []int64, sources []kind.Source) *interleaved {
	t.Helper()
	x, err := newInterleaved(7, total, chunks, sources)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// The quotas of batches are the shares, by largest remainder, and what a batch rounds away the next
// ones give back. Of two sources, quotas are the nearest whole numbers.
func TestQuotasOfBatches(t *testing.T) {
	for _, c := range []struct {
		name   string
		shares []string
		batch  int
		want   [][]int64
	}{
		// 5.6 and 2.4, 11.2 and 4.8, 16.8 and 7.2
		{"70 to 30", []string{"7/10", "3/10"}, 8, [][]int64{{6, 2}, {5, 3}, {6, 2}}},
		{"halves of an odd batch", []string{"1/2", "1/2"}, 3, [][]int64{{2, 1}, {1, 2}, {2, 1}}},
		{"thirds", []string{"1/3", "1/3", "1/3"}, 4, [][]int64{{2, 1, 1}, {1, 2, 1}, {1, 1, 2}}},
		{"one", []string{"1"}, 4, [][]int64{{4}, {4}}},
		{"rare", []string{"1/8", "7/8"}, 4, [][]int64{{1, 3}, {0, 4}, {1, 3}, {0, 4}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := interleavedOf(t, 1000, slices.Repeat([]int64{5}, len(c.shares)), sourcesOf(c.shares...))
			var got [][]int64
			for range c.want {
				counts := make([]int64, len(c.shares))
				for _, p := range drawn(x, int64(c.batch)) {
					counts[p.unit]++
				}
				got = append(got, counts)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("- want, + got:\n%s", diff)
			}
		})
	}
}

// After every sequence, each source has given its share to within less than one sequence.
func TestSharesAreKeptAllAlong(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for trial := range 60 {
		k := 1 + trial%12
		parts, all := make([]int64, k), int64(0)
		for i := range parts {
			parts[i] = 1 + int64(rng.IntN(1+trial*trial))
			all += parts[i]
		}
		shares := make([]string, k)
		for i, part := range parts {
			shares[i] = big.NewRat(part, all).RatString()
		}
		x := interleavedOf(t, 1000, slices.Repeat([]int64{5}, k), sourcesOf(shares...))
		counts := make([]int64, k)
		for n := range int64(1000) {
			counts[x.draw().unit]++
			for i, part := range parts {
				if off := counts[i]*all - (n+1)*part; off >= all || off <= -all {
					t.Fatalf("shares %v: after %d sequences source %d gave %d", shares, n+1, i, counts[i])
				}
			}
		}
		if got := x.counts(); !slices.Equal(got, counts) {
			t.Fatalf("shares %v: %v sequences foretold, %v drawn", shares, got, counts)
		}
	}
}

// A training finds any of its sequences by number; those of a longer training begin with those of a
// shorter one.
func TestSeekSources(t *testing.T) {
	chunks := []int64{4, 3, 9, 2}
	sources := []kind.Source{{Share: "3/7", Units: 2}, {Share: "2/7", Units: 1}, {Share: "2/7", Units: 1}}
	all := drawn(interleavedOf(t, 200, chunks, sources), 200)
	for _, at := range []int64{0, 1, 6, 7, 8, 99, 199, 200} {
		x := interleavedOf(t, 500, chunks, sources)
		x.seek(at)
		if got := drawn(x, 200-at); !slices.Equal(all[at:], got) {
			t.Errorf("from %d: %v, want %v", at, got, all[at:])
		}
	}
}

// The units of a source are read whole, one after another, and again when all have been read; each
// in another order in each pass, that of a model of the unit alone if it is the first.
func TestUnitsInTurn(t *testing.T) {
	chunks := []int64{6, 3}
	x := interleavedOf(t, 18, chunks, []kind.Source{{Share: "1", Units: 2}})
	var units []int
	seen := map[string][]int64{}
	for i, p := range drawn(x, 18) {
		units = append(units, p.unit)
		key := fmt.Sprint(i/9, p.unit)
		seen[key] = append(seen[key], p.chunk)
	}
	if want := []int{0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1}; !slices.Equal(units, want) {
		t.Errorf("units %v, want %v", units, want)
	}
	for key, got := range seen {
		if sorted := slices.Sorted(slices.Values(got)); !slices.Equal(sorted, []int64{0, 1, 2, 3, 4, 5}[:len(got)]) {
			t.Errorf("pass and unit %s: chunks %v", key, got)
		}
	}
	if slices.Equal(seen["0 0"], seen["1 0"]) {
		t.Error("two passes have one order")
	}
	alone, err := newSampler(7, 6, chunks[:1], kind.SamplingEqual)
	if err != nil {
		t.Fatal(err)
	}
	var want []int64
	for _, p := range drawn(alone, 6) {
		want = append(want, p.chunk)
	}
	if !slices.Equal(seen["0 0"], want) {
		t.Errorf("the first unit's first pass is %v, a model of it alone reads %v", seen["0 0"], want)
	}
}

// A source may draw from its units as a training without shares does.
func TestSourceWithSampling(t *testing.T) {
	chunks := []int64{6, 3, 4}
	x := interleavedOf(t, 40, chunks, []kind.Source{{Share: "1/2", Units: 2, Sampling: kind.SamplingProportional}, {Share: "1/2", Units: 1}})
	if got, want := x.counts(), []int64{13, 7, 20}; !slices.Equal(got, want) {
		t.Errorf("sequences of units %v, want %v", got, want)
	}
}

func TestRefusedSources(t *testing.T) {
	for name, sources := range map[string][]kind.Source{
		"sum":         sourcesOf("1/2", "1/3"),
		"zero":        sourcesOf("1", "0"),
		"no fraction": sourcesOf("half", "1/2"),
		"units left":  sourcesOf("1"),
		"units short": {{Share: "1/2", Units: 2}, {Share: "1/2", Units: 1}},
		"denominator": sourcesOf("1/1099511627777", "1099511627776/1099511627777"),
	} {
		if _, err := newInterleaved(1, 10, []int64{2, 2}, sources); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What each source gave is in the output: 44 sequences of units of 7, 3 and 12.
func TestSourcesTable(t *testing.T) {
	p := stagetest.TrainParams()
	p.Tokens, p.Sampling, p.Moments = 44*16, "", false
	p.Sources = []kind.Source{{Share: "3/4", Units: 2}, {Share: "1/4", Units: 1}}
	out := stagetest.Run(t, Kind, p, stagetest.Units(t))
	got := stagetest.ReadTable[tables.SourceRow](t, out, kind.OutSources)
	for i := range got {
		got[i].Available, got[i].Documents = 0, min(got[i].Documents, 1)
	}
	want := []tables.SourceRow{
		{Source: 0, Unit: 0, Units: 2, Asked: "3/4", Share: .75, Tokens: 33 * 16, Documents: 1, Passes: 3.3},
		{Source: 1, Unit: 2, Units: 1, Asked: "1/4", Share: .25, Tokens: 11 * 16, Documents: 1, Passes: 11. / 12},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	var sequences []int64
	for _, s := range stagetest.ReadTable[tables.ShareRow](t, out, kind.OutShares) {
		sequences = append(sequences, s.Tokens/16)
	}
	if want := []int64{24, 9, 11}; !slices.Equal(sequences, want) { // 33 are three passes of 7 and 3, and 3 of the first
		t.Errorf("sequences of units %v, want %v", sequences, want)
	}
}

// A model of one unit by shares is the model of the unit, bit for bit.
func TestVertexIsTheUnitsModel(t *testing.T) {
	units := stagetest.Units(t)
	alone := stagetest.TrainParams()
	alone.Tokens = 44 * 16
	shared := alone
	shared.Sampling, shared.Sources = "", sourcesOf("1")
	for role := range units {
		if role != "unit.0" {
			delete(units, role)
		}
	}
	a, b := stagetest.Run(t, Kind, alone, units).Outputs(t), stagetest.Run(t, Kind, shared, units).Outputs(t)
	for _, name := range []string{kind.OutModel, kind.OutOptimizer, kind.OutCurve} {
		if a[name] == "" || a[name] != b[name] {
			t.Errorf("%s differs", name)
		}
	}
}
