package main

import (
	"bytes"
	"fmt"
	"math/big"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/output"
	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/sources"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/specs/words"
	"ablate/stages/correlate"
	"ablate/stages/kind"
)

// comparison is what a run of several studies ends in: how large each is, and how well its proxies foretell its references, beside what the
// paper prints of it. Of miniatures the studies at their own size stand beside them.
type comparison struct {
	studies []comparedStudy
	level   float64 // of the intervals
	ran     int     // steps
	steps   int

	models, asked int   // models, each once, and those of all studies together
	saved         int64 // tokens that were not trained on again
}

type comparedStudy struct {
	finished
	own     *specs.Study   // of a miniature: the study at its own size; else nil
	ownPlan *pipeline.Plan // nil: it cannot be planned without its data
	rows    []correlate.Compared
}

// compare prints the table of several studies, and leaves it as Markdown where it was asked for.
func (r runCommand) compare(a *app, done []finished, took time.Duration) error {
	if len(done) == 0 {
		return nil
	}
	x := comparison{level: float64(done[0].Study.Correlate.Level)}
	trained := map[cache.Key]bool{}
	for _, f := range done {
		s, err := compared(a, f)
		if err != nil {
			return err
		}
		x.studies = append(x.studies, s)
		x.ran, x.steps, x.asked = x.ran+f.ran, x.steps+len(f.Plan.Steps), x.asked+len(f.Plan.Models)
		for _, m := range f.Plan.Models {
			key := f.State.Keys[m.Step]
			if trained[key] {
				x.saved += f.Plan.Steps[m.Step].Cost.Tokens
			}
			trained[key] = true
		}
	}
	x.models = len(trained)
	show.Printf(a.stdout, "%s\n\n%s\n%s\n\n", x.settings().Render(a.stdout), x.results(false).Render(a.stdout), show.Rendered(x.footing()))
	for _, s := range x.studies {
		fmt.Fprintf(a.stdout, "report: %s\n", filepath.Join(s.out, "report.html"))
	}
	fmt.Fprintf(a.stderr, "%d steps: %d were in the cache, %d ran; %.2fs\n", x.steps, x.steps-x.ran, x.ran, took.Seconds())
	if r.Table == "" {
		return nil
	}
	if err := output.Write(r.Table, x.markdown(filepath.Dir(r.Table))); err != nil {
		return fault.Place(fmt.Errorf("--table %s: %w", r.Table, err))
	}
	_, err := fmt.Fprintf(a.stdout, "table: %s\n", r.Table)
	return err
}

func compared(a *app, f finished) (comparedStudy, error) {
	s := comparedStudy{finished: f}
	var paths [2]string
	for i, name := range []string{kind.OutCorrelations, kind.OutWarnings} {
		var err error
		if paths[i], err = f.Output(f.Plan.Result, name); err != nil {
			return s, err
		}
	}
	var err error
	if a.Scale != "" {
		if s.own, err = specs.LoadScale(f.name, ""); err != nil {
			return s, err
		}
		if s.own.Declared() {
			if s.ownPlan, err = pipeline.Compile(s.own, sources.StandIns(s.own), nil); err != nil {
				return s, err
			}
		}
	}
	s.rows, err = correlate.Compare(s.ownName(), paths[0], paths[1])
	return s, err
}

// ownName is the study's name without a word of its scale.
func (s comparedStudy) ownName() string {
	if s.own != nil {
		return s.own.Name
	}
	return s.Study.Name
}

// mini reports whether any of the studies is smaller than its own size.
func (x comparison) mini() bool {
	return slices.ContainsFunc(x.studies, func(s comparedStudy) bool { return s.own != nil })
}

// settings is the table of sizes, two lines for a miniature: itself, and the study at its own size.
func (x comparison) settings() *show.Table {
	t := show.NewTable(show.Row{"study", "", "parameters", "of references", "seed tokens", "units", "tokens each", "mixtures", "of possible", "sets out of domain"}, 2)
	for i, s := range x.studies {
		if i > 0 && x.mini() {
			t.AppendSeparator()
		}
		if s.own == nil {
			t.AppendRow(settingsRow(s.Study.Name, "", s.Study, s.Plan))
			continue
		}
		t.AppendRow(settingsRow(s.own.Name, "here", s.Study, s.Plan))
		t.AppendRow(settingsRow("", "own size", s.own, s.ownPlan))
	}
	return t
}

// settingsRow is a line of the table of sizes. Without a plan it has what the study says.
func settingsRow(name, scale string, s *specs.Study, p *pipeline.Plan) show.Row {
	row := show.Row{name, scale, "", "", show.BigTokens(big.NewInt(int64(s.SeedModel.Tokens))), "", show.BigTokens(big.NewInt(int64(s.Train.TokensPerUnit))), "", "", len(s.Eval.OutOfDomain)}
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
	row[5], row[7], row[8] = sum.BaseUnits, show.Whole(sum.MixturesSelected), show.BigWhole(sum.MixturesPossible)
	return row
}

// results is the table of correlations. With full, each line says by itself what it is of.
func (x comparison) results(full bool) *show.Table {
	t := show.NewTable(show.Row{"study", "evaluated", "proxy", "n", "pearson", show.Percent(x.level) + " interval", "paper", "where it stands", "weak for"}, 3)
	t.Words, t.Sections = []int{7, 8}, true
	for i, s := range x.studies {
		if i > 0 {
			t.AppendSeparator()
		}
		name, last := s.ownName(), ""
		groups := map[string]bool{}
		for _, r := range s.rows {
			groups[r.Group] = true
		}
		for _, r := range s.rows {
			set := r.Set
			if len(groups) > 1 {
				set = r.Group + ": " + set
			}
			label := set
			if set == last && !full {
				label = ""
			}
			last = set
			t.AppendRow(show.Row{name, label, r.Proxy, r.N, show.Fixed(r.Pearson, 3), show.Interval(r.PearsonLow, r.PearsonHigh), show.Fixed(r.Published, 3), r.Source, strings.Join(r.Weak, ", ")})
			if !full {
				name = ""
			}
		}
		if len(s.rows) == 0 {
			t.AppendRow(show.Row{name, "no reference models"})
		}
	}
	return t
}

// weakness says what the words in the last column of the table of correlations mean, of those that are in it.
func (x comparison) weakness() string {
	var found []string
	for _, s := range x.studies {
		for _, r := range s.rows {
			found = append(found, r.Weak...)
		}
	}
	return show.Weaknesses(found)
}

// footing is what must be known to read the tables.
func (x comparison) footing() string {
	var lines []string
	if w := x.weakness(); w != "" {
		lines = append(lines, w+". Each study's warnings.csv says more.")
	}
	if x.mini() {
		lines = append(lines, "These are miniatures: other text, smaller models, fewer tokens and mixtures than the paper's. The two columns are beside each other to be looked at, not to be held against each other.")
	}
	if len(x.studies) > 1 {
		lines = append(lines, fmt.Sprintf("%d models, asked for %d times: %d trainings and %s tokens are shared.", x.models, x.asked, x.asked-x.models, show.BigTokens(big.NewInt(x.saved))))
	}
	return strings.Join(lines, "\n")
}

// markdown is the comparison as a page of its own, which lies in dir. The same cache gives the same bytes.
func (x comparison) markdown(dir string) []byte {
	var b bytes.Buffer
	title := "Studies compared"
	if x.mini() {
		title = "Studies in miniature"
	}
	fmt.Fprintf(&b, "# %s\n\n%s\n\n## Correlations\n\nPearson's r between the perplexities of reference models and of proxies.\n\n%s\n\n## Sizes\n\n%s\n", title,
		strings.ReplaceAll(x.footing(), "\n", "\n\n"), x.results(true).RenderMarkdown(), x.settings().RenderMarkdown())
	x.differences(&b)
	fmt.Fprintf(&b, "\n## Provenance\n\nablate %s, %s, %s/%s. Each report's provenance.json names the digest of every artifact behind these numbers; `ablate audit` derives them again.\n\n",
		version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	t := show.NewTable(show.Row{"study", "key of the comparison", "report"}, 3)
	for _, s := range x.studies {
		path := filepath.Join(s.out, "report.html")
		if rel, err := filepath.Rel(dir, path); err == nil {
			path = rel
		}
		path = filepath.ToSlash(path)
		t.AppendRow(show.Row{s.Study.Name, s.State.Keys[s.Plan.Result].String(), "[" + path + "](" + path + ")"})
	}
	fmt.Fprintf(&b, "%s\n", t.RenderMarkdown())
	return b.Bytes()
}

// differences lists every value in which a miniature differs from its study: those of all studies once, then each study's own.
func (x comparison) differences(b *bytes.Buffer) {
	if !x.mini() {
		return
	}
	count := map[specs.Change]int{}
	var all [][]specs.Change
	for _, s := range x.studies {
		var changes []specs.Change
		if s.own != nil {
			for _, c := range specs.Diff(s.own, s.Study) {
				if c.Path == "study" || usual(c) {
					continue
				}
				c.OldAt, c.NewAt = specs.Position{}, specs.Position{}
				changes = append(changes, c)
				count[c]++
			}
		}
		all = append(all, changes)
	}
	list := func(title string, changes []specs.Change) {
		if len(changes) == 0 {
			return
		}
		t := show.NewTable(show.Row{"key", "at its own size", "here"}, 3)
		for _, c := range changes {
			t.AppendRow(show.Row{c.Path, code(c.Old), code(c.New)})
		}
		fmt.Fprintf(b, "\n### %s\n\n%s\n", title, t.RenderMarkdown())
	}
	fmt.Fprint(b, "\n## What differs\n")
	inAll := func(c specs.Change) bool { return count[c] == len(x.studies) }
	list("In every study", slices.DeleteFunc(slices.Clone(all[0]), func(c specs.Change) bool { return !inAll(c) }))
	for i, s := range x.studies {
		list("In "+s.ownName(), slices.DeleteFunc(all[i], inAll))
	}
}

// usual reports whether a change only says how an evaluation set is read that one of the studies does not have.
func usual(c specs.Change) bool {
	at := strings.Split(c.Path, ".")
	return len(at) > 3 && at[1] == "out_of_domain" && (c.Old == "" || c.New == "") && !slices.Contains([]string{"files", "about"}, at[3])
}

// code is a value of a study in a cell of Markdown.
func code(value string) string {
	if value == "" {
		return ""
	}
	return "`" + value + "`"
}
