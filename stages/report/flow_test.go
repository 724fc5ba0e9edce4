package report

import (
	"strings"
	"testing"
)

func TestReportFlow(t *testing.T) {
	b := &builder{in: Input{
		Steps: []Steps{{"split", "units", 1, 1, 0, 4_100_000, 1}, {"train", "unit models", 12, 3, 2_400_000, 9_000_000, 3}, {"eval", "", 30, 0, 0, 1000, 0}},
		Flow:  []Flow{{0, 1, 12}, {1, 2, 30}},
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
	b.in.Flow = []Flow{{0, 1, 1}, {1, 0, 1}}
	if err := b.flow(); err == nil {
		t.Error("a graph that goes round is drawn")
	}
}

func TestRisenWarning(t *testing.T) {
	got := risenWarning([]string{"unit model a from 1 to 2", "b", "c", "d"}, 9)
	for _, want := range []string{"4 of 9 models ended at a higher training loss", "unit model a from 1 to 2, b, c, and 1 more."} {
		if !strings.Contains(got, want) {
			t.Errorf("warning %q lacks %q", got, want)
		}
	}
}
