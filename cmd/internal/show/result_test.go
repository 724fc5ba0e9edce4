package show

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ablate/cmd/internal/study"
)

// The table of results on a terminal of 100 columns.
func TestCorrelationsOnATerminal(t *testing.T) {
	c, err := study.ReadTable([]byte(`mixture_set,eval_set,proxy,n,pearson,pearson_low,pearson_high,spearman,kendall,chosen,chosen_place,regret
pairs,in-domain,mean_ind,12,0.94,0.831,0.98,0.929,0.857,"` + longName + `",1,0
pairs,in-domain,merged,12,0.96,0.85,0.99,0.95,0.86,"` + longName + `",1,0
pairs,in-domain,macro,12,0.96,0.85,0.99,0.95,0.86,"` + longName + `",1,0
pairs,in-domain,micro,12,0.96,0.85,0.99,0.95,0.86,"` + longName + `",1,0
pairs,far,merged,12,-0.2,-0.7,0.4,-0.1,-0.1,"` + wideName + `",4,1.25e+40
pairs,far,macro,12,-0.2,-0.7,0.4,-0.1,-0.2,"` + wideName + `",4,1.25e+40
pairs,far,micro,12,NaN,NaN,NaN,NaN,NaN,,0,NaN
`))
	if err != nil {
		t.Fatal(err)
	}
	warned := warned{weak: map[[3]string][]string{{"pairs", "far", "merged"}: {"zero", "chance"}, {"pairs", "far", "macro"}: {"zero"}}}
	shown := func(width int) string {
		w := &screen{wide: width}
		if err := correlations(w, c, warned, 0.95); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for line := range strings.SplitSeq(w.String(), "\n") {
			lines = append(lines, strings.TrimRight(line, " "))
		}
		return strings.Join(lines, "\n")
	}
	want := `proxy                   n pearson  95% interval spearman kendall chooses rank   regret weak for
── in-domain
mean_ind               12   0.940  0.83 to 0.98    0.929   0.857 m1         1     0.00
merged = macro = micro 12   0.960  0.85 to 0.99    0.950   0.860 m1         1     0.00
── far
merged                 12  -0.200 -0.70 to 0.40   -0.100  -0.100 m2         4 1.25e+40 zero, chance
macro                  12  -0.200 -0.70 to 0.40   -0.100  -0.200 m2         4 1.25e+40 zero
micro                  12       -             -        -       - -          -        -

 m1  ComputationalBiology,2007-2010+MaterialsScience,2018-2019+NonlinearScience,1993-2003
 m2  材料科学与工程,二〇一八至二〇一九
`
	if diff := cmp.Diff(want, shown(100)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, shown(100))
	}
	if got := shown(0); strings.Count(got, "0.960") != 3 || strings.Count(got, longName) != 4 || strings.Count(got, "\n") != 10 {
		t.Errorf("in a pipe each proxy has its line, with the name in full:\n%s", got)
	}
}
