package train

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/kind"
)

func TestQuotas(t *testing.T) {
	for _, c := range []struct {
		name     string
		total    int64
		chunks   []int64
		sampling string
		want     []int64
	}{
		{"equal, divides", 12, []int64{5, 1, 9}, kind.SamplingEqual, []int64{4, 4, 4}},
		{"equal, rest to the first", 11, []int64{5, 1, 9}, kind.SamplingEqual, []int64{4, 4, 3}},
		{"equal, fewer than units", 2, []int64{5, 1, 9}, kind.SamplingEqual, []int64{1, 1, 0}},
		{"proportional, divides", 30, []int64{5, 1, 9}, kind.SamplingProportional, []int64{10, 2, 18}},
		// 10*5/15 = 3.33, 10*1/15 = 0.67, 10*9/15 = 6: the one left goes to the second.
		{"proportional, largest remainder", 10, []int64{5, 1, 9}, kind.SamplingProportional, []int64{3, 1, 6}},
		// 1e15 * 1e9 leaves 64 bits.
		{"proportional, large", 1e15, []int64{1e9, 3e9}, kind.SamplingProportional, []int64{25e13, 75e13}},
		// Whole copies: floor(9/5) = 1, floor(9/1) = 9, floor(9/9) = 1, so 5 : 9 : 9. The floor
		// leaves a unit of a little more than half the largest at half its share.
		{"repeat", 46, []int64{5, 1, 9}, kind.SamplingRepeat, []int64{10, 18, 18}},
		{"replacement, as equal", 11, []int64{5, 1, 9}, kind.SamplingReplacement, []int64{4, 4, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := quotas(c.total, c.chunks, c.sampling)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("- want, + got:\n%s", diff)
			}
		})
	}
	if _, err := quotas(1, []int64{1}, "even"); err == nil {
		t.Error("sampling \"even\": no error")
	}
}

func TestSamplerVisitsEachChunkOncePerEpoch(t *testing.T) {
	chunks := []int64{7, 3, 20}
	s, err := newSampler(5, 60, chunks, kind.SamplingEqual)
	if err != nil {
		t.Fatal(err)
	}
	seen := make([][]int64, len(chunks))
	for range 60 {
		p := s.draw()
		seen[p.unit] = append(seen[p.unit], p.chunk)
	}
	for u, n := range chunks {
		if len(seen[u]) != 20 {
			t.Errorf("unit %d: %d sequences, want its quota 20", u, len(seen[u]))
		}
		for at := int64(0); at < 20; at += n {
			pass := map[int64]int{}
			for _, c := range seen[u][at:min(at+n, 20)] {
				pass[c]++
			}
			for c, k := range pass {
				if k != 1 || c < 0 || c >= n {
					t.Errorf("unit %d: chunk %d of %d comes %d times in the epoch from %d", u, c, n, k, at)
				}
			}
		}
	}
	if cmp.Equal(seen[0][:7], seen[0][7:14]) {
		t.Errorf("two epochs in the same order %v", seen[0][:7])
	}
}

// With replacement a pass over a unit misses 1/e of its chunks on average: of 1000 drawn 1000 times
// about 632 are seen, with a standard deviation of sqrt(1000 (1/e - 2/e^2)) = 9.9. Ten of those are
// allowed.
func TestSamplerWithReplacement(t *testing.T) {
	s, err := newSampler(5, 2000, []int64{1000, 1000}, kind.SamplingReplacement)
	if err != nil {
		t.Fatal(err)
	}
	seen := [2]map[int64]bool{{}, {}}
	for range 2000 {
		p := s.draw()
		if p.chunk < 0 || p.chunk >= 1000 {
			t.Fatalf("chunk %d of 1000", p.chunk)
		}
		seen[p.unit][p.chunk] = true
	}
	if got := s.counts(); !cmp.Equal(got, []int64{1000, 1000}) {
		t.Errorf("%d sequences of the units, want 1000 of each", got)
	}
	for u := range seen {
		if n := len(seen[u]); n < 632-99 || n > 632+99 {
			t.Errorf("unit %d: %d different chunks of 1000 drawn, want about 632", u, n)
		}
	}
	if cmp.Equal(seen[0], seen[1]) {
		t.Error("two units draw the same chunks")
	}
}

func TestSamplerSeek(t *testing.T) {
	for _, sampling := range []string{kind.SamplingEqual, kind.SamplingProportional, kind.SamplingRepeat, kind.SamplingReplacement} {
		t.Run(sampling, func(t *testing.T) { testSamplerSeek(t, sampling) })
	}
}

func testSamplerSeek(t *testing.T, sampling string) {
	chunks := []int64{7, 3, 20}
	whole, err := newSampler(5, 60, chunks, sampling)
	if err != nil {
		t.Fatal(err)
	}
	var want []pick
	for range 60 {
		want = append(want, whole.draw())
	}
	for _, at := range []int64{0, 1, 29, 59, 60} {
		s, err := newSampler(5, 60, chunks, sampling)
		if err != nil {
			t.Fatal(err)
		}
		s.draw() // a place to come from
		s.seek(at)
		var got []pick
		for range 60 - at {
			got = append(got, s.draw())
		}
		for i := range got {
			if got[i] != want[at+int64(i)] {
				t.Fatalf("from %d: sequence %d is %v, want %v", at, i, got[i], want[at+int64(i)])
			}
		}
	}
}

func TestSamplerDependsOnSeedAlone(t *testing.T) {
	draw := func(seed int64) (all []pick) {
		s, err := newSampler(seed, 40, []int64{10, 10}, kind.SamplingEqual)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			all = append(all, s.draw())
		}
		return all
	}
	opt := cmp.AllowUnexported(pick{})
	if diff := cmp.Diff(draw(1), draw(1), opt); diff != "" {
		t.Errorf("same seed:\n%s", diff)
	}
	if cmp.Equal(draw(1), draw(2), opt) {
		t.Error("seeds 1 and 2 give the same order")
	}
}

func TestSamplerRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		chunks []int64
	}{{"no units", nil}, {"a unit without a sequence", []int64{3, 0}}} {
		if _, err := newSampler(1, 10, c.chunks, kind.SamplingEqual); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
}
