package show

import (
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/planning"
	"ablate/cmd/internal/study/timing"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/specs/words"
	"ablate/stages/kind"
)

// Plan prints a plan by kind of step, and what it costs: the modular way, which trains the units,
// beside the naive one.
func Plan(w io.Writer, p *study.Compiled) {
	acc := p.State.Estimate()
	kinds(w, acc)
	if acc.Partial != "" {
		Printf(w, "The plan ends with the split: %s.\n`ablate run` splits the corpus and continues. To plan without data, declare partitions.*.units.\n", acc.Partial)
		return
	}
	if acc.Assumed != "" {
		Printf(w, "The corpus must be split again. This plan assumes that %s.\n\n", acc.Assumed)
	}
	if len(acc.Missing) > 0 {
		Printf(w, "The data is not available, because %s not set. This plan counts the units that the study declares. A run needs the data.\n\n", variables(acc.Missing))
	}
	s := p.Plan.Summary
	Printf(w, "%s possible mixtures, %s\n%d base units\n%s\n", BigWhole(s.MixturesPossible), chosen(s), s.BaseUnits, coverage(acc.Summary.Coverage, s.Units.Hours > 0))
	t := NewTable(Row{"", "models", "tokens", "hours", "disk"}, 1)
	priced := s.Units.Hours > 0
	row := func(what, precision string, models, tokens *big.Int, hours float64, bytes *big.Int) {
		t.AppendRow(Row{what + precision, BigWhole(models), BigTokens(tokens), hoursCell(hours, priced), BigBytes(bytes)})
	}
	whole := func(n int64) *big.Int { return big.NewInt(n) }
	trained, seed := inPrecision(p.Study, false), ""
	if p.Study.SeedModel != nil {
		seed = inPrecision(p.Study, true)
	}
	for _, r := range []struct {
		what, precision string
		pipeline.Total
	}{
		{"seed model", seed, s.Seed},
		{"unit models, which give proxies for every mixture", trained, s.Units},
		{"models of whole components, for some proxies", trained, s.Partitions},
		{"models of the mixtures selected at the study's scale, for small_seq", trained, s.Small},
		{"reference models of the mixtures selected", trained, s.References},
		{"  of which are other models, too", "", s.Shared},
	} {
		if r.Models > 0 {
			row(r.what, r.precision, whole(int64(r.Models)), whole(r.Tokens), r.Hours, whole(r.Bytes))
		}
	}
	t.AppendSeparator()
	row("naive: a model for every mixture", "", s.MixturesPossible, s.TokensReferenceOf, s.HoursReferenceOf, s.BytesReferenceOf)
	row("modular: a model for every unit", "", whole(int64(s.Units.Models)), whole(s.Units.Tokens), s.Units.Hours, whole(s.Units.Bytes))
	t.AppendRow(Row{"naive to modular", "", Ratio(acc.Summary.Ratio), "", ""})
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
	Printf(w, "%s disk for all steps, the raw data besides", BigBytes(whole(acc.Summary.Bytes)))
	if acc.Summary.BytesRaw > 0 {
		Printf(w, ": %s", words.Bytes(acc.Summary.BytesRaw))
	}
	fmt.Fprintln(w)
	if priced {
		Printf(w, "%s hours for the steps that are not in the cache yet\n", hoursCell(acc.Summary.Hours.Remaining, true))
	}
}

// kinds prints how many steps there are of each kind, and what of them is done.
func kinds(w io.Writer, acc pipeline.Estimate) {
	type row struct {
		hit, run, waits int
		tokens, left    int64
		disk            int64
	}
	byKind := map[string]*row{}
	var names []string
	var all row
	for _, s := range acc.Steps {
		r := byKind[s.Kind]
		if r == nil {
			r = &row{}
			byKind[s.Kind] = r
			names = append(names, s.Kind)
		}
		for _, r := range []*row{r, &all} {
			switch s.Status {
			case "hit":
				r.hit++
			case "run":
				r.run++
			default:
				r.waits++
			}
			r.tokens += s.Cost.Tokens
			r.disk += s.Cost.Disk
			if s.Status != "hit" {
				r.left += s.Cost.Tokens
			}
		}
	}
	t := NewTable(Row{"kind", "hit", "run", "waits", "tokens to train", "still to train", "disk"}, 1)
	list := func(name string, r *row) {
		t.AppendRow(Row{name, r.hit, r.run, r.waits, Tokens(r.tokens), Tokens(r.left), BigBytes(big.NewInt(r.disk))})
	}
	for _, k := range names {
		list(k, byKind[k])
	}
	t.AppendSeparator()
	list("all", &all)
	Printf(w, "study %s\n\n%s\n\n", acc.Study, t.Render(w))
}

// chosen says how many of the mixtures the study selects.
func chosen(s pipeline.Summary) string {
	if s.MixturesPossible.IsInt64() && s.MixturesPossible.Int64() == int64(s.MixturesSelected) {
		return "all selected"
	}
	return Whole(s.MixturesSelected) + " sampled"
}

// coverage says in words what the selected mixtures' unit models are enough for, where that is not
// all.
func coverage(c pipeline.Coverage, priced bool) Rendered {
	if c.Remaining == "0" {
		return ""
	}
	of := func(t pipeline.Total) string {
		if !priced {
			return fmt.Sprintf("%d unit models", t.Models)
		}
		return fmt.Sprintf("%d unit models: %s hours", t.Models, hoursCell(t.Hours, true))
	}
	text := fmt.Sprintf("the selected mixtures have %d components (%s), whose models are enough for %s other mixtures\n", c.Components, of(c.UnitModels), BigWhole(Big(c.NeedsNothing)))
	if c.MoreUnits.Models > 0 {
		text += fmt.Sprintf("all %s other mixtures take a further %s\n", BigWhole(Big(c.Remaining)), of(c.MoreUnits))
	}
	return Rendered(text)
}

// variables writes a list of variables of which something is said to be.
func variables(names []string) string {
	if len(names) == 1 {
		return "variable " + names[0] + " is"
	}
	return "variables " + strings.Join(names, ", ") + " are"
}

// hoursCell is empty where hours have no price.
func hoursCell(hours float64, priced bool) string {
	if !priced {
		return ""
	}
	return Hours(hours)
}

// Together prints what several studies cost, and what they share.
func Together(w io.Writer, t planning.Together) {
	shared := t.Together
	priced := shared.Apart.Hours > 0
	whole := func(n int64) string { return BigTokens(big.NewInt(n)) }
	rows := NewTable(Row{"study", "mixtures", "selected", "base units", "models", "tokens", "of them new", "hours", "new hours", "shared with"}, 1)
	rows.Words = []int{9}
	for i, s := range shared.Studies {
		sum := t.Plans[i].Plan.Summary
		var from []string
		for _, f := range s.From {
			from = append(from, fmt.Sprintf("%s (%s)", f.Study, whole(f.Tokens)))
		}
		rows.AppendRow(Row{s.Study, BigWhole(sum.MixturesPossible), Whole(sum.MixturesSelected), s.BaseUnits, s.All.Models,
			whole(s.All.Tokens), whole(s.New.Tokens), hoursCell(s.All.Hours, priced), hoursCell(s.New.Hours, priced), strings.Join(from, ", ")})
	}
	rows.AppendSeparator()
	rows.AppendRow(Row{"together", "", "", shared.BaseUnits, shared.Joined.Models, whole(shared.Apart.Tokens), whole(shared.Joined.Tokens),
		hoursCell(shared.Apart.Hours, priced), hoursCell(shared.Joined.Hours, priced), ""})
	Printf(w, "%s\n\n%d base units\n", rows.Render(w), shared.BaseUnits)
	hours := func(h float64) string {
		if !priced {
			return ""
		}
		return ", " + hoursCell(h, true) + " hours"
	}
	for _, u := range shared.Units {
		Printf(w, "%d unit models of %s parameters: %s tokens%s, %s of checkpoints\n", u.Models, words.Count(u.Parameters, ""), whole(u.Tokens), hours(u.Hours),
			words.Bytes(u.Bytes))
	}
	Printf(w, "saved by sharing: %d trainings, %s tokens%s, %s of checkpoints\n", shared.Saved.Models, whole(shared.Saved.Tokens), hours(shared.Saved.Hours), words.Bytes(shared.Saved.Bytes))
}

// TogetherJSON prints what several studies cost, and what they share.
func TogetherJSON(w io.Writer, t planning.Together) error {
	return JSON(w, struct {
		Studies  []pipeline.Estimate `json:"studies"`
		Together pipeline.Together   `json:"together"`
	}{t.Accounts(), t.Together})
}

// Steps prints a line for each step of a plan: what is there, what runs, and what waits on what.
func Steps(w io.Writer, p *study.Compiled) {
	s := p.State
	for i, step := range s.Plan.Steps {
		line := fmt.Sprintf("%-5s %s %s", s.Status[i], keyOrDash(s, i), step.ID)
		if step.Cost.Tokens > 0 {
			line += "  " + words.Count(step.Cost.Tokens, "tokens") + inPrecision(p.Study, step.About.Role == kind.RoleSeed)
		}
		if step.Cost.Bytes > 0 {
			line += "  " + words.Bytes(step.Cost.Bytes)
		}
		if s.Status[i] == pipeline.Waits {
			on := s.WaitsOn(i)
			switch {
			case len(on) == 0:
				line += "  waits for missing data"
			default:
				line += "  waits on " + s.Plan.Steps[on[0]].ID
			}
			if len(on) > 1 {
				line += fmt.Sprintf(" and %d more", len(on)-1)
			}
		}
		Printf(w, "%s\n", line)
	}
	fmt.Fprintln(w)
}

// inPrecision says in what a model is trained, where that is not fp32.
func inPrecision(s *specs.Study, seed bool) string {
	word := s.Train.Precision
	if seed {
		word = s.SeedModel.Precision
	}
	if word == "fp32" {
		return ""
	}
	return " in " + word
}

func keyOrDash(s *pipeline.State, i int) string {
	if s.Status[i] == pipeline.Waits {
		return "--------"
	}
	return s.Keys[i].Short()
}

// Graph draws a collapsed plan of a study in the language of dot or of mermaid.
func Graph(w io.Writer, format string, g *pipeline.Collapsed, study string) error {
	text, err := g.Mermaid(), error(nil)
	if format == "dot" {
		text, err = g.DOT(study)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// Efficiency prints what a study took, what the naive way would have, and what the next partition
// will; name is the study as a person called it.
func Efficiency(w io.Writer, e *planning.Efficiency, name string) error {
	Printf(w, "study %s: elapsed time of its steps when they ran; steps that ran at once shared the machine\n\n", e.Study)
	t := NewTable(Row{"", "in the cache", "tokens", "time", "tokens/s"}, 1)
	for _, r := range e.Measured {
		rate := ""
		if r.Tokens > 0 && r.Seconds > 0 {
			rate = words.Count(int64(float64(r.Tokens)/r.Seconds), "")
		}
		t.AppendRow(Row{r.What, fmt.Sprintf("%d of %d", r.Done, r.Steps), Tokens(r.Tokens), Span(&r.Seconds), rate})
	}
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
	ways := NewTable(Row{"every one of " + e.Possible.String() + " possible mixtures", "models", "tokens", "training", "evaluating", "together"}, 1)
	add := func(what string, v planning.Way) {
		ways.AppendRow(Row{what, v.Models, BigTokens(Big(v.Tokens)), Span(v.Train), Span(v.Eval), Span(v.Seconds)})
	}
	add("modular: a model for every unit, averages of them", e.Modular)
	add("naive: a model for every mixture", e.Naive)
	for _, n := range e.Next {
		ways.AppendSeparator()
		what := fmt.Sprintf("one more partition of %s (%s, %s)", n.Set, words.Counted(n.Units, "unit", "units"), n.Mixtures.String()+" more mixtures")
		add(what+", modular", n.Modular)
		add("  naive", n.Naive)
	}
	fmt.Fprintf(w, "%s\n\n", ways.Render(w))
	if e.Mixture.Proxy != nil {
		Printf(w, "one more mixture takes %s with an average of existing models (%s evaluations), and %s with a model of its own\n",
			Span(e.Mixture.Proxy), strconv.FormatFloat(e.Mixture.Evaluations, 'g', 3, 64), Span(e.Mixture.Reference))
	}
	if e.Saving != nil {
		Printf(w, "the naive way takes %.3g times as long; training units is cheaper from %.0f mixtures on\n", *e.Saving, math.Ceil(*e.BreakEven))
	} else {
		Printf(w, "no step was measured yet; run `ablate run %s`, then this command again. `ablate plan %s` shows what a run costs\n", name, name)
	}
	if e.Covered != "" {
		Printf(w, "%s of %s possible mixtures need no training any more\n", e.Covered, e.Possible)
	}
	if e.Left.Units > 0 {
		Printf(w, "%s still to train: %s tokens\n", words.Counted(e.Left.Units, "unit model is", "unit models are"), words.Count(e.Left.Tokens, ""))
	}
	return Printf(w, "neither sum includes the seed model, from which both ways start\n")
}

// PlanJSON prints the plan of a study with how long it takes on this machine, or why nobody knows.
func PlanJSON(w io.Writer, p *study.Compiled, f *timing.Forecast, unknown error) error {
	form := struct {
		pipeline.Estimate
		Time    *timing.Estimate `json:"time,omitempty"`
		Unknown string           `json:"time_unknown,omitempty"`
	}{Estimate: p.State.Estimate()}
	if unknown != nil {
		form.Unknown = unknown.Error()
	} else {
		form.Time = &f.Estimate
	}
	return JSON(w, form)
}
