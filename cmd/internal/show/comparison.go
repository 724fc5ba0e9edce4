package show

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"runtime"
	"strings"

	"ablate/cmd/internal/study/reporting"
	"ablate/cmd/internal/study/running"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/specs/words"
	"ablate/stages/kind"
)

// Comparison prints the tables of several studies.
func Comparison(w io.Writer, x *running.Comparison) {
	Printf(w, "%s\n\n%s\n%s\n\n", settings(x).Render(w), agreement(x, false).Render(w), Rendered(footing(x)))
	for _, s := range x.Studies {
		fmt.Fprintf(w, "report: %s\n", filepath.Join(s.Out, reporting.PageFile))
	}
}

// settings is the table of sizes, two lines for a miniature: itself, and the study at its own size.
func settings(x *running.Comparison) *Table {
	t := NewTable(Row{"study", "", "parameters", "of references", "seed tokens", "units", "tokens each", "mixtures", "of possible", "sets out of domain"}, 2)
	for i, s := range x.Studies {
		if i > 0 && x.Mini() {
			t.AppendSeparator()
		}
		if s.Own == nil {
			t.AppendRow(settingsRow(s.Study.Name, "", s.Study, s.Plan))
			continue
		}
		t.AppendRow(settingsRow(s.Own.Name, "here", s.Study, s.Plan))
		t.AppendRow(settingsRow("", "own size", s.Own, s.OwnPlan))
	}
	return t
}

// settingsRow is a line of the table of sizes. Without a plan it has what the study says.
func settingsRow(name, scale string, s *specs.Study, p *pipeline.Plan) Row {
	row := Row{name, scale, "", "", BigTokens(big.NewInt(int64(s.SeedModel.Tokens))), "", BigTokens(big.NewInt(int64(s.Train.TokensPerUnit))), "", "", len(s.Eval.OutOfDomain)}
	if p == nil {
		return row
	}
	for _, m := range p.Models {
		n := p.Steps[m.Step].Cost.Parameters
		switch m.Role {
		case kind.RoleUnit:
			row[2] = words.Count(n, "")
		case kind.RoleReference:
			row[3] = words.Count(n, "")
		}
	}
	sum := p.Summary
	row[5], row[7], row[8] = sum.BaseUnits, Whole(sum.MixturesSelected), BigWhole(sum.MixturesPossible)
	return row
}

// agreement is the table of correlations. With full, each line says by itself what it is of.
func agreement(x *running.Comparison, full bool) *Table {
	t := NewTable(Row{"study", "evaluated", "proxy", "n", "pearson", Percent(x.Level) + " interval", "paper", "where it stands", "weak for"}, 3)
	t.Words, t.Sections = []int{7, 8}, true
	for i, s := range x.Studies {
		if i > 0 {
			t.AppendSeparator()
		}
		name, last := s.OwnName(), ""
		groups := map[string]bool{}
		for _, r := range s.Rows {
			groups[r.Group] = true
		}
		for _, r := range s.Rows {
			set := r.Set
			if len(groups) > 1 {
				set = r.Group + ": " + set
			}
			label := set
			if set == last && !full {
				label = ""
			}
			last = set
			t.AppendRow(Row{name, label, r.Proxy, r.N, Fixed(r.Pearson, 3), Interval(r.PearsonLow, r.PearsonHigh), Fixed(r.Published, 3), r.Source, strings.Join(r.Weak, ", ")})
			if !full {
				name = ""
			}
		}
		if len(s.Rows) == 0 {
			t.AppendRow(Row{name, "no reference models"})
		}
	}
	return t
}

// weakness says what the words in the last column of the table of correlations mean, of those that
// are in it.
func weakness(x *running.Comparison) string {
	var found []string
	for _, s := range x.Studies {
		for _, r := range s.Rows {
			found = append(found, r.Weak...)
		}
	}
	return Weaknesses(found)
}

// footing is what must be known to read the tables.
func footing(x *running.Comparison) string {
	var lines []string
	if w := weakness(x); w != "" {
		lines = append(lines, w+". Each study's warnings.csv says more.")
	}
	if x.Mini() {
		lines = append(lines, "These studies are miniatures: they have other text, smaller models, fewer tokens and fewer mixtures than the paper's. Their correlations stand beside the paper's for orientation and cannot be compared with them.")
	}
	if len(x.Studies) > 1 {
		lines = append(lines, fmt.Sprintf("%d models, asked for %d times: %d trainings and %s tokens are shared.", x.Models, x.Asked, x.Asked-x.Models, BigTokens(big.NewInt(x.Saved))))
	}
	return strings.Join(lines, "\n")
}

// ComparisonPage is a comparison as a page of Markdown, which lies in dir. The same cache gives the
// same bytes.
func ComparisonPage(x *running.Comparison, dir string) []byte {
	var b bytes.Buffer
	title := "Studies compared"
	if x.Mini() {
		title = "Studies in miniature"
	}
	fmt.Fprintf(&b, "# %s\n\n%s\n\n## Correlations\n\nPearson's r between the perplexities of reference models and of proxies.\n\n%s\n\n## Sizes\n\n%s\n", title,
		strings.ReplaceAll(footing(x), "\n", "\n\n"), agreement(x, true).RenderMarkdown(), settings(x).RenderMarkdown())
	differences(&b, x)
	fmt.Fprintf(&b, "\n## Provenance\n\n%s, %s, %s/%s. Each report's provenance.json names the digest of every artifact behind these numbers; `ablate audit` derives them again.\n\n",
		x.Program, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	t := NewTable(Row{"study", "key of the comparison", "report"}, 3)
	for _, s := range x.Studies {
		path := filepath.Join(s.Out, "report.html")
		if rel, err := filepath.Rel(dir, path); err == nil {
			path = rel
		}
		path = filepath.ToSlash(path)
		t.AppendRow(Row{s.Study.Name, s.State.Keys[s.Plan.Result].String(), "[" + path + "](" + path + ")"})
	}
	fmt.Fprintf(&b, "%s\n", t.RenderMarkdown())
	return b.Bytes()
}

// differences lists every value in which a miniature differs from its study: those of all studies
// once, then each study's own.
func differences(b *bytes.Buffer, x *running.Comparison) {
	if !x.Mini() {
		return
	}
	list := func(title string, changes []specs.Change) {
		if len(changes) == 0 {
			return
		}
		t := NewTable(Row{"key", "at its own size", "here"}, 3)
		for _, c := range changes {
			t.AppendRow(Row{c.Path, code(c.Old), code(c.New)})
		}
		fmt.Fprintf(b, "\n### %s\n\n%s\n", title, t.RenderMarkdown())
	}
	fmt.Fprint(b, "\n## What differs\n")
	everywhere, own := x.Differences()
	list("In every study", everywhere)
	for i, s := range x.Studies {
		list("In "+s.OwnName(), own[i])
	}
}

// code is a value of a study in a cell of Markdown.
func code(value string) string {
	if value == "" {
		return ""
	}
	return "`" + value + "`"
}
