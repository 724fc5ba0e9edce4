package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/runner"
)

// printAccount prints the plan by kind of step, and what it costs: the modular way, which trains the units, beside the naive one.
func printAccount(w io.Writer, p *study.Compiled) {
	acc := p.State.Account()
	printKinds(w, acc)
	if acc.Partial != "" {
		tell(w, "The plan goes as far as the split: %s.\n`ablate run` splits it and goes on; declare partitions.*.units to plan without data.\n", acc.Partial)
		return
	}
	if acc.Assumed != "" {
		tell(w, "The corpus must be split again. This plan assumes that %s.\n\n", acc.Assumed)
	}
	if len(acc.Missing) > 0 {
		tell(w, "The data is not at hand: %s not set. This plan counts the units that the study declares; a run needs the data.\n\n", variables(acc.Missing))
	}
	s := p.Plan.Summary
	tell(w, "%s possible mixtures, %s\n%d base units\n%s\n", bigGrouped(s.MixturesPossible), chosen(s), s.BaseUnits, coverage(acc.Summary.Coverage, s.Units.Hours > 0))
	t := newTable(table.Row{"", "models", "tokens", "hours", "disk"}, 1)
	priced := s.Units.Hours > 0
	row := func(what, precision string, models, tokens *big.Int, hours float64, bytes *big.Int) {
		t.AppendRow(table.Row{what + precision, bigGrouped(models), billions(tokens), hoursCell(hours, priced), diskCell(bytes)})
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
		{"unit models: proxies for every mixture", trained, s.Units},
		{"models of whole components, for some proxies", trained, s.Partitions},
		{"models of the mixtures selected at the study's scale, for small_seq", trained, s.Small},
		{"reference models of the mixtures selected", trained, s.References},
		{"  of them other models already", "", s.Shared},
	} {
		if r.Models > 0 {
			row(r.what, r.precision, whole(int64(r.Models)), whole(r.Tokens), r.Hours, whole(r.Bytes))
		}
	}
	t.AppendSeparator()
	row("naive: a model for every mixture", "", s.MixturesPossible, s.TokensReferenceOf, s.HoursReferenceOf, s.BytesReferenceOf)
	row("modular: a model for every unit", "", whole(int64(s.Units.Models)), whole(s.Units.Tokens), s.Units.Hours, whole(s.Units.Bytes))
	t.AppendRow(table.Row{"naive to modular", "", ratio(acc.Summary.Ratio), "", ""})
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
	tell(w, "%s disk for all steps, the raw data besides", diskCell(whole(acc.Summary.Bytes)))
	if acc.Summary.BytesRaw > 0 {
		tell(w, ": %s", runner.Count(acc.Summary.BytesRaw, "B"))
	}
	fmt.Fprintln(w)
	if priced {
		tell(w, "%s hours for what is not in the cache yet\n", hoursCell(acc.Summary.Hours.Remaining, true))
	}
}

// printKinds prints how many steps there are of each kind, and what of them is done.
func printKinds(w io.Writer, acc pipeline.Account) {
	type row struct {
		hit, run, waits int
		tokens, left    int64
		disk            int64
	}
	byKind := map[string]*row{}
	var kinds []string
	var all row
	for _, s := range acc.Steps {
		r := byKind[s.Kind]
		if r == nil {
			r = &row{}
			byKind[s.Kind] = r
			kinds = append(kinds, s.Kind)
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
	t := newTable(table.Row{"kind", "hit", "run", "waits", "tokens to train", "still to train", "disk"}, 1)
	show := func(name string, r *row) {
		t.AppendRow(table.Row{name, r.hit, r.run, r.waits, tokensCell(r.tokens), tokensCell(r.left), diskCell(big.NewInt(r.disk))})
	}
	for _, k := range kinds {
		show(k, byKind[k])
	}
	t.AppendSeparator()
	show("all", &all)
	tell(w, "study %s\n\n%s\n\n", acc.Study, t.Render(w))
}

// chosen says how many of the mixtures the study selects.
func chosen(s pipeline.Summary) string {
	if s.MixturesPossible.IsInt64() && s.MixturesPossible.Int64() == int64(s.MixturesSelected) {
		return "all selected"
	}
	return grouped(strconv.Itoa(s.MixturesSelected)) + " sampled"
}

// coverage says in words what the selected mixtures' unit models are enough for, where that is not all.
func coverage(c pipeline.Coverage, priced bool) rendered {
	if c.Remaining == "0" {
		return ""
	}
	of := func(t pipeline.Total) string {
		if !priced {
			return fmt.Sprintf("%d unit models", t.Models)
		}
		return fmt.Sprintf("%d unit models: %s hours", t.Models, hoursCell(t.Hours, true))
	}
	text := fmt.Sprintf("the selected ones are made of %d components (%s), which are enough for %s others\n", c.Components, of(c.UnitModels), bigDigits(c.NeedsNothing))
	if c.MoreUnits.Models > 0 {
		text += fmt.Sprintf("for all %s others it takes a further %s\n", bigDigits(c.Remaining), of(c.MoreUnits))
	}
	return rendered(text)
}

func bigDigits(n json.Number) string { return bigGrouped(bigNumber(n)) }

func bigTokens(n json.Number) string { return billions(bigNumber(n)) }

// bigNumber reads a whole number that an account writes.
func bigNumber(n json.Number) *big.Int {
	b, ok := new(big.Int).SetString(n.String(), 10)
	if !ok {
		panic("internal error: number " + n.String()) // we wrote it
	}
	return b
}

// variables writes a list of variables of which something is said to be.
func variables(names []string) string {
	if len(names) == 1 {
		return "variable " + names[0] + " is"
	}
	return "variables " + strings.Join(names, ", ") + " are"
}

func tokensCell(n int64) string {
	if n == 0 {
		return ""
	}
	return billions(big.NewInt(n))
}

func diskCell(n *big.Int) string {
	switch {
	case n.Sign() == 0:
		return ""
	case !n.IsInt64():
		return scientific(n.String()) + "B"
	}
	return runner.Count(n.Int64(), "B")
}

func hoursCell(hours float64, priced bool) string {
	switch {
	case !priced:
		return ""
	case hours < 1000:
		return strconv.FormatFloat(hours, 'g', 4, 64)
	case hours > 1e15:
		return strconv.FormatFloat(hours, 'e', 2, 64)
	}
	return grouped(strconv.FormatFloat(math.Round(hours), 'f', 0, 64))
}

func ratio(x float64) string {
	if x < 100 {
		return strconv.FormatFloat(x, 'g', 3, 64) + "x"
	}
	if x > 1e15 {
		return strconv.FormatFloat(x, 'e', 2, 64) + "x"
	}
	return grouped(strconv.FormatFloat(math.Round(x), 'f', 0, 64)) + "x"
}

// billions writes a number of tokens: those of studies at the paper's size in billions, however many, so that they can be compared.
func billions(n *big.Int) string {
	const billion = 1e9
	if n.IsInt64() && n.Int64() < billion {
		return runner.Count(n.Int64(), "")
	}
	b, rest := new(big.Int).QuoRem(n, big.NewInt(billion), new(big.Int))
	if b.Cmp(big.NewInt(1000)) < 0 {
		return strconv.FormatFloat(float64(b.Int64())+float64(rest.Int64())/billion, 'g', 4, 64) + "B"
	}
	if rest.Cmp(big.NewInt(billion/2)) >= 0 {
		b.Add(b, big.NewInt(1))
	}
	return bigGrouped(b) + "B"
}

func bigGrouped(n *big.Int) string {
	if digits := n.String(); len(digits) > 18 {
		return scientific(digits)
	}
	return grouped(n.String())
}

func scientific(digits string) string {
	return fmt.Sprintf("%s.%se%d", digits[:1], digits[1:3], len(digits)-1)
}

// grouped writes a whole number in groups of three digits.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// together prints several studies' accounts, and what they share.
func (cmd planCommand) together(a *app, plans []*study.Compiled) error {
	var list []*pipeline.Plan
	var accounts []pipeline.Account
	for _, p := range plans {
		if p.Plan.Partial != "" {
			return fault.Usagef("study %s: the plan goes only as far as the split: %s; run or declare it before planning it with others", p.Study.Name, p.Plan.Partial)
		}
		list = append(list, p.Plan)
		if cmd.JSON {
			accounts = append(accounts, p.State.Account())
		}
	}
	shared := pipeline.ShareOf(list)
	if cmd.JSON {
		return printJSON(a.stdout, struct {
			Studies  []pipeline.Account `json:"studies"`
			Together pipeline.Together  `json:"together"`
		}{accounts, shared})
	}
	if cmd.Steps {
		for _, p := range plans {
			fmt.Fprintf(a.stdout, "study %s\n", p.Study.Name)
			printSteps(a.stdout, p)
		}
	}
	printTogether(a.stdout, plans, shared)
	return nil
}

func printTogether(w io.Writer, plans []*study.Compiled, shared pipeline.Together) {
	priced := shared.Apart.Hours > 0
	whole := func(n int64) string { return billions(big.NewInt(n)) }
	t := newTable(table.Row{"study", "mixtures", "selected", "base units", "models", "tokens", "of them new", "hours", "new hours", "shared with"}, 1)
	t.words = []int{9}
	for i, s := range shared.Studies {
		sum := plans[i].Plan.Summary
		var from []string
		for _, f := range s.From {
			from = append(from, fmt.Sprintf("%s (%s)", f.Study, whole(f.Tokens)))
		}
		t.AppendRow(table.Row{s.Study, bigGrouped(sum.MixturesPossible), grouped(strconv.Itoa(sum.MixturesSelected)), s.BaseUnits, s.All.Models,
			whole(s.All.Tokens), whole(s.New.Tokens), hoursCell(s.All.Hours, priced), hoursCell(s.New.Hours, priced), strings.Join(from, ", ")})
	}
	t.AppendSeparator()
	t.AppendRow(table.Row{"together", "", "", shared.BaseUnits, shared.Joined.Models, whole(shared.Apart.Tokens), whole(shared.Joined.Tokens),
		hoursCell(shared.Apart.Hours, priced), hoursCell(shared.Joined.Hours, priced), ""})
	tell(w, "%s\n\n%d base units\n", t.Render(w), shared.BaseUnits)
	hours := func(h float64) string {
		if !priced {
			return ""
		}
		return ", " + hoursCell(h, true) + " hours"
	}
	for _, u := range shared.Units {
		tell(w, "%d unit models of %s parameters: %s tokens%s, %s of checkpoints\n", u.Models, runner.Count(u.Parameters, ""), whole(u.Tokens), hours(u.Hours),
			runner.Count(u.Bytes, "B"))
	}
	tell(w, "saved by sharing: %d trainings, %s tokens%s, %s of checkpoints\n", shared.Saved.Models, whole(shared.Saved.Tokens), hours(shared.Saved.Hours), runner.Count(shared.Saved.Bytes, "B"))
}
