package page

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ablate/stages/kind"
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
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on 2 of 3 eval sets. On the other sets, other mixtures have it:",
			Check: "Models trained on the whole mixtures agree on 1 of 3 eval sets. The costliest miss is on c: the choice ranks 11th of 12 " +
				"and its perplexity is 20% above the best.",
			Picks: []pick{{"crypto+net", []string{"b", "c"}}, {"x", []string{"a"}}},
		}},
		{"sets disagree", []Choice{choose("a", "x", 1, 40), choose("b", "y", 1, 40)}, answer{
			Headline: "It depends on what the model will read",
			Deck:     "Of 66 candidate mixtures, no mixture has the lowest predicted perplexity on most of the 2 eval sets. The choice on each set:",
			Check:    "Models trained on the whole mixtures agree every time.",
			Picks:    []pick{{"x", []string{"a"}}, {"y", []string{"b"}}},
		}},
		{"no reference at all", []Choice{unchecked("a", "x", 0)}, answer{
			Headline: "Train on x",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on a.",
			Check:    "No reference model was trained, so nothing checks this choice: it depends on the proxy alone.",
		}},
		{"the chosen has no reference", []Choice{unchecked("a", "x", 12)}, answer{
			Headline: "Train on x",
			Deck:     "Of 66 candidate mixtures, it has the lowest predicted perplexity on a.",
			Check:    "No reference model was trained on a chosen mixture, so nothing checks the choice itself.",
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
			if diff := cmp.Diff(c.want, Data{Choices: c.choices}.answer(), cmpopts.IgnoreFields(answer{}, "Proxy")); diff != "" {
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
		{"crossing zero", Correlation{N: 12, Pearson: doubtful, Spearman: doubtful, Kendall: doubtful}, "The intervals include zero, so this may be chance."},
		{"touching zero", Correlation{N: 12, Pearson: Interval{0.5, 0, 0.8}, Spearman: sure, Kendall: sure}, "The interval of Pearson includes zero, so this may be chance."},
		{"one crossing", Correlation{N: 12, Pearson: sure, Spearman: sure, Kendall: doubtful}, "The interval of Kendall includes zero, so this may be chance."},
		{"two crossing", Correlation{N: 12, Pearson: sure, Spearman: doubtful, Kendall: doubtful}, "The intervals of Spearman and Kendall include zero, so this may be chance."},
		{"few and crossing", Correlation{N: 7, Pearson: doubtful, Spearman: doubtful, Kendall: doubtful}, "Only 7 mixtures; the intervals include zero, so this may be chance."},
		{"there is no interval", Correlation{N: 3, Pearson: none, Spearman: none, Kendall: none}, "Only 3 mixtures; too few for an interval."},
		{"nothing", Correlation{N: 2, Pearson: Interval{nan, nan, nan}}, "Not defined: a correlation needs at least three mixtures with different scores."},
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

// accuracy is a metric that no study has.
var accuracy = kind.Metric{Name: "accuracy", Plural: "accuracies", HigherIsBetter: true, Formula: "right answers / questions"}

// The page says the direction of each metric, and marks the best of a column.
func TestMetricOfWhichMoreIsBetter(t *testing.T) {
	choices := []Choice{{Set: "arc (accuracy)", Metric: accuracy, Proxy: "macro", Chosen: "a", ChosenProxy: 0.9, ChosenReference: 0.6, Candidates: 2,
		References: 2, Rank: 2, Best: "b", BestReference: 0.8}}
	scores := []ScoreTable{{Set: "arc (accuracy)", Metric: accuracy, Columns: []string{"macro"}, Reference: -1, Rows: []ScoreRow{{"a", []float64{0.9}}, {"b", []float64{0.5}}}}}
	s, err := scoresOf(scores[0])
	if err != nil {
		t.Fatal(err)
	}
	if a, b := s.Rows[0].Cells[0], s.Rows[1].Cells[0]; !a.Best || a.Tint != 100 || b.Best || b.Tint != 0 {
		t.Errorf("cells %+v and %+v", a, b)
	}
	perplexity := Choice{Set: "tour", Proxy: "macro", Chosen: "b", ChosenProxy: 9, ChosenReference: nan, Candidates: 2}
	for _, c := range []struct {
		name    string
		choices []Choice
		want    []string
		not     []string
	}{
		{"alone", choices, []string{
			"it has the highest predicted accuracy on arc (accuracy)", "the choice ranks 2nd of 2 and its accuracy is 25% below the best",
			"the mixture with the highest proxy score", "Higher accuracy is better.", "bold is the highest", "−25%",
			"right answers / questions. Higher is better.",
		}, []string{"lowest predicted", "lowest proxy score", "is the lowest", "Lower perplexity"}},
		{"beside perplexities", append([]Choice{perplexity}, choices...), []string{
			"no mixture has the best predicted score on most of the 2 eval sets", "the mixture with the best proxy score",
			"Lower perplexity and higher accuracy are better.", "bold is the best",
		}, []string{"lowest predicted", "highest predicted", "is the lowest", "is the highest"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var html strings.Builder
			if err := Render(&html, Data{Study: "s", Choices: c.choices, Scores: scores}); err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(html.String(), want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, not := range c.not {
				if strings.Contains(html.String(), not) {
					t.Errorf("the page has %q", not)
				}
			}
		})
	}
}

func TestSupport(t *testing.T) {
	supported := func(set, proxy string, r, low float64) Choice {
		return Choice{Set: set, Proxy: proxy, Chosen: "x", Support: Support{Supported: true, R: r, Low: low, References: 12, Judged: 5}}
	}
	doubtful := Choice{Set: "d", Proxy: "macro", Chosen: "x", Support: Support{R: nan, Low: nan, References: 12, Judged: 5}}
	unjudged := Choice{Set: "u", Proxy: "macro", Chosen: "x", Support: Support{R: nan, Low: nan}}
	const optimistic = " The same references chose among 5 proxies and measured the chosen, so this bound is optimistic: the best of several proxies looks better than it is."
	alone := supported("a", "macro", 0.9, 0.5)
	alone.Support.Judged = 1
	for _, c := range []struct {
		name    string
		choices []Choice
		want    string
	}{
		{"nothing is chosen", []Choice{{Set: "a"}}, ""},
		{"one proxy on every set", []Choice{supported("a", "merged", 0.98, 0.91), supported("b", "merged", 0.95, 0.80)},
			"The predictions are by merged, whose correlation with the references has the highest lower bound (0.80 at the lowest, r 0.95)." + optimistic},
		{"one that could not be chosen", []Choice{alone},
			"The predictions are by macro, whose correlation with the references has the highest lower bound (0.50 at the lowest, r 0.90)."},
		{"a proxy for each set", []Choice{supported("a", "merged", 0.98, 0.91), supported("b", "macro", 0.95, 0.80), supported("c", "merged", 0.98, 0.91)},
			"The predictions are by merged on a and c and macro on b, the proxies whose correlations with the references have the highest lower bounds there (0.80 at the lowest, r 0.95)." + optimistic},
		{"no references", []Choice{unjudged}, "The predictions are by macro, the proxy that ablate uses when too few references judge the proxies."},
		{"no bound above zero", []Choice{doubtful},
			"On d no proxy’s correlation has a lower bound above zero. The prediction there is by macro, which ablate uses in this case, and is hardly better than a guess."},
		{"each in part", []Choice{supported("a", "merged", 0.98, 0.91), doubtful, unjudged},
			"The predictions on a are by merged, whose correlation with the references has the highest lower bound (0.91 at the lowest, r 0.98)." + optimistic +
				" On d no proxy’s correlation has a lower bound above zero. The prediction there is by macro, which ablate uses in this case, and is hardly better than a guess." +
				" On u too few references judge the proxies, so the prediction is by macro."},
	} {
		if got := (Data{Choices: c.choices}).support(); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}
