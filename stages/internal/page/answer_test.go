package page

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnswer(t *testing.T) {
	choose := func(set, chosen string, rank int, reference float64) Choice {
		return Choice{Set: set, Proxy: "macro", Candidates: 66, Chosen: chosen, References: 12, Rank: rank, ChosenReference: reference, Best: "best", BestReference: 40}
	}
	unchecked := func(set, chosen string, references int) Choice {
		return Choice{Set: set, Candidates: 66, Chosen: chosen, References: references, ChosenReference: nan, BestReference: nan}
	}
	for _, c := range []struct {
		name    string
		choices []Choice
		want    answer
	}{
		{"nothing", nil, answer{Headline: "No mixture could be chosen", Deck: "No mixture has a proxy score on any eval set."}},
		{"one set", []Choice{choose("tour", "crypto+net", 1, 40)}, answer{
			Headline: "Train on crypto + net",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on tour.",
			Check:    "Models trained on the whole mixtures agree every time.",
		}},
		{"all sets agree", []Choice{choose("tour", "crypto+net", 1, 40), choose("spec", "crypto+net", 2, 41)}, answer{
			Headline: "Train on crypto + net",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on both eval sets.",
			Check: "Models trained on the whole mixtures agree on 1 of 2 eval sets. The costliest miss is on spec: the choice ranks 2nd of 12 " +
				"and its perplexity is 2.5% above the best.",
		}},
		{"most sets agree", []Choice{choose("a", "x", 1, 40), choose("b", "crypto+net", 3, 44), choose("c", "crypto+net", 11, 48)}, answer{
			Headline: "Train on crypto + net, mostly",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on 2 of 3 eval sets. The others want something else:",
			Check: "Models trained on the whole mixtures agree on 1 of 3 eval sets. The costliest miss is on c: the choice ranks 11th of 12 " +
				"and its perplexity is 20% above the best.",
			Picks: []pick{{"crypto+net", []string{"b", "c"}}, {"x", []string{"a"}}},
		}},
		{"sets disagree", []Choice{choose("a", "x", 1, 40), choose("b", "y", 1, 40)}, answer{
			Headline: "It depends on what the model will read",
			Deck:     "Of 66 candidate mixtures, none has the lowest predicted perplexity on most of the 2 eval sets. By what is to be read:",
			Check:    "Models trained on the whole mixtures agree every time.",
			Picks:    []pick{{"x", []string{"a"}}, {"y", []string{"b"}}},
		}},
		{"no reference at all", []Choice{unchecked("a", "x", 0)}, answer{
			Headline: "Train on x",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on a.",
			Check:    "No reference model was trained, so nothing here checks this choice: it rests on the proxy alone.",
		}},
		{"the chosen has no reference", []Choice{unchecked("a", "x", 12)}, answer{
			Headline: "Train on x",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on a.",
			Check:    "No reference model was trained on a chosen mixture, so nothing here checks the choice itself.",
		}},
		{"some chosen have none", []Choice{unchecked("a", "x", 12), choose("b", "x", 1, 40)}, answer{
			Headline: "Train on x",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on both eval sets.",
			Check:    "Models trained on the whole mixtures agree on the one eval set where that could be checked. On 1 eval set the chosen mixture has no reference model.",
		}},
		{"a set without a choice", []Choice{{Set: "a"}, choose("b", "x", 1, 40)}, answer{
			Headline: "Train on x",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on b.",
			Check:    "Models trained on the whole mixtures agree every time.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Data{Choices: c.choices}.answer()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRemark(t *testing.T) {
	sure, doubtful, none := Interval{0.9, 0.8, 0.95}, Interval{0.4, -0.2, 0.8}, Interval{0.9, nan, nan}
	for _, c := range []struct {
		name string
		in   Correlation
		want string
	}{
		{"strong", Correlation{N: 12, Pearson: sure, Spearman: sure, Kendall: sure}, ""},
		{"negative and strong", Correlation{N: 12, Pearson: Interval{-0.9, -0.95, -0.8}, Spearman: sure, Kendall: sure}, ""},
		{"few", Correlation{N: 9, Pearson: sure, Spearman: sure, Kendall: sure}, "Only 9 mixtures."},
		{"ten are not few", Correlation{N: 10, Pearson: sure, Spearman: sure, Kendall: sure}, ""},
		{"crossing zero", Correlation{N: 12, Pearson: doubtful, Spearman: doubtful, Kendall: doubtful}, "The intervals include zero: this may be chance."},
		{"touching zero", Correlation{N: 12, Pearson: Interval{0.5, 0, 0.8}, Spearman: sure, Kendall: sure}, "The interval of Pearson includes zero: this may be chance."},
		{"one crossing", Correlation{N: 12, Pearson: sure, Spearman: sure, Kendall: doubtful}, "The interval of Kendall includes zero: this may be chance."},
		{"two crossing", Correlation{N: 12, Pearson: sure, Spearman: doubtful, Kendall: doubtful}, "The intervals of Spearman and Kendall include zero: this may be chance."},
		{"few and crossing", Correlation{N: 7, Pearson: doubtful, Spearman: doubtful, Kendall: doubtful}, "Only 7 mixtures; the intervals include zero: this may be chance."},
		{"no interval", Correlation{N: 3, Pearson: none, Spearman: none, Kendall: none}, "Only 3 mixtures; too few for an interval."},
		{"nothing", Correlation{N: 2, Pearson: Interval{nan, nan, nan}}, "Not defined: it takes three mixtures or more, whose scores differ."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.in.remark(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTrusted(t *testing.T) {
	for _, c := range []struct{ name, svg, want string }{
		{"plain", `<svg viewBox="0 0 1 1"><g><path d="M0 0"/><text>a &lt; b</text></g></svg>`, ""},
		{"style", "<svg><style>.a{fill:red}</style></svg>", ""},
		{"label with a bracket", `<svg aria-label="url(x)"/>`, ""},
		{"script", "<svg><script/></svg>", `element "script" is not allowed`},
		{"foreign object", "<svg><foreignObject/></svg>", `element "foreignObject" is not allowed`},
		{"handler", `<svg onload="x()"/>`, `attribute "onload" of "svg" is not allowed`},
		{"handler in capitals", `<svg OnLoad="x()"/>`, `attribute "OnLoad" of "svg" is not allowed`},
		{"link", `<svg><path xlink:href="x"/></svg>`, `attribute "href" of "path" is not allowed`},
		{"paint from elsewhere", `<svg><path fill="URL(http://x)"/></svg>`, `attribute "fill" of "path" is not allowed`},
		{"import", "<svg><style>@import 'x'</style></svg>", "style refers outside the drawing"},
		{"style that ends itself", "<svg><style>&lt;/style></style></svg>", "style refers outside the drawing"},
		{"element in a title", "<svg><title><g/></title></svg>", `element "g" inside "title"`},
		{"comment", "<svg><!-- x --></svg>", "comments, declarations and instructions are not allowed"},
		{"prolog", "<?xml version=\"1.0\"?><svg/>", "comments, declarations and instructions are not allowed"},
		{"two roots", "<svg/><svg/>", "2 drawings and 0 unclosed elements, want 1 and 0"},
		{"empty", "", "0 drawings and 0 unclosed elements, want 1 and 0"},
		{"text before", "x<svg/>", "text outside the drawing"},
		{"crossed", "<svg><g></svg></g>", "</svg> closes nothing"},
		{"another root", "<g/>", `root is "g", want "svg"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if _, err := trusted([]byte(c.svg)); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
		})
	}
}

// The page says the direction of its metric, and marks the best of a column.
func TestMetricOfWhichMoreIsBetter(t *testing.T) {
	d := Data{Study: "s", Metric: "accuracy", HigherIsBetter: true,
		Choices: []Choice{{Set: "tour", Proxy: "macro", Chosen: "a", ChosenProxy: 0.9, Candidates: 2}},
		Scores:  []ScoreTable{{Set: "tour", Columns: []string{"macro"}, Reference: -1, Rows: []ScoreRow{{"a", []float64{0.9}}, {"b", []float64{0.5}}}}},
	}
	if got := d.answer().Deck; !strings.Contains(got, "the highest predicted accuracy") {
		t.Errorf("deck %q", got)
	}
	s, err := scoresOf(d.Scores[0], d.HigherIsBetter)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := s.Rows[0].Cells[0], s.Rows[1].Cells[0]; !a.Best || a.Tint != 100 || b.Best || b.Tint != 0 {
		t.Errorf("cells %+v and %+v", a, b)
	}
	var html strings.Builder
	if err := Render(&html, d); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"the mixture with the highest proxy score", "Higher accuracy is better.", "bold is the highest"} {
		if !strings.Contains(html.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
