package stages

import (
	"math"
	"strings"
	"testing"
)

func TestReportAverages(t *testing.T) {
	in := layoutStudy(t)
	b := &reportBuilder{in: ReportInput{Study: in.Study, Scores: in.Scores, Correlations: in.Correlations, Params: in.Params, InDomain: in.InDomain}}
	if err := b.averages(); err != nil {
		t.Fatal(err)
	}
	if len(b.d.Averages) != 1 || len(b.d.Scatters) != 1 || !b.d.Paper {
		t.Fatalf("%d averages and %d scatters, paper %t; want 1, 1, true", len(b.d.Averages), len(b.d.Scatters), b.d.Paper)
	}
	a := b.d.Averages[0]
	if a.Set != "mean of 2 sets out of domain" || a.Proxy != "macro" || math.Abs(a.Pearson-0.9522165814091077) > 1e-12 || a.Published != 0.926 {
		t.Errorf("average %+v", a)
	}
	if got, want := b.d.Scatters[0].Caption, "Closest: macro, r 0.95; 3 mixtures. The paper prints macro 0.926."; got != want {
		t.Errorf("caption %q, want %q", got, want)
	}
}

func TestReportFlow(t *testing.T) {
	b := &reportBuilder{in: ReportInput{
		Steps: []ReportSteps{{"split", "units", 1, 1, 0, 4_100_000, 1}, {"train", "unit models", 12, 3, 2_400_000, 9_000_000, 3}, {"eval", "", 30, 0, 0, 1000, 0}},
		Flow:  []ReportFlow{{0, 1, 12}, {1, 2, 30}},
	}}
	if err := b.flow(); err != nil {
		t.Fatal(err)
	}
	svg := string(b.d.Flow.SVG)
	for _, want := range []string{"×12", "unit models", "9 ran, 3 found", "3.0 s, 2.4 M tokens", "1.0 s, 4.1 MB", "train unit models to eval, taken 30 times"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the graph does not say %q", want)
		}
	}
	if len(b.d.Steps) != 3 {
		t.Errorf("%d rows of steps, want 3", len(b.d.Steps))
	}
	b.in.Flow = []ReportFlow{{0, 1, 1}, {1, 0, 1}}
	if err := b.flow(); err == nil {
		t.Error("a graph that goes round is drawn")
	}
}
