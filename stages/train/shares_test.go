package train

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// What each policy of sampling really gave each unit is in the output. The units have 7, 3 and 12
// sequences; 44 are trained on.
func TestRealisedShares(t *testing.T) {
	units := stagetest.Units(t)
	for _, c := range []struct {
		sampling string
		want     []int64 // sequences
	}{
		{kind.SamplingEqual, []int64{15, 15, 14}},
		{kind.SamplingProportional, []int64{14, 6, 24}},
		// Whole copies: 7 floor(12/7) : 3 floor(12/3) : 12, so 7 : 12 : 12.
		{kind.SamplingRepeat, []int64{10, 17, 17}},
		{kind.SamplingReplacement, []int64{15, 15, 14}},
	} {
		p := stagetest.TrainParams()
		p.Tokens, p.Sampling, p.Moments = 44*16, c.sampling, false
		var got []int64
		for i, s := range stagetest.ReadTable[tables.ShareRow](t, stagetest.Run(t, Kind, p, units), kind.OutShares) {
			got = append(got, s.Tokens/16)
			if n := float64(s.Tokens / 16); s.Unit != int64(i) || s.Share != n/44 || s.Epochs != n/[]float64{7, 3, 12}[i] {
				t.Errorf("%s: share %+v of %g sequences", c.sampling, s, n)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: sequences, - want, + got:\n%s", c.sampling, diff)
		}
	}
}
