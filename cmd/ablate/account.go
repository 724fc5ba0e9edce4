package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"

	"ablate/cmd/internal/show"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/specs/words"
)

// printAccount prints the plan by kind of step, and what it costs: the modular way, which trains the units, beside the naive one.
func printAccount(w io.Writer, p *study.Compiled) {
	acc := p.State.Account()
	printKinds(w, acc)
	if acc.Partial != "" {
		show.Printf(w, "The plan goes as far as the split: %s.\n`ablate run` splits it and goes on; declare partitions.*.units to plan without data.\n", acc.Partial)
		return
	}
	if acc.Assumed != "" {
		show.Printf(w, "The corpus must be split again. This plan assumes that %s.\n\n", acc.Assumed)
	}
	if len(acc.Missing) > 0 {
		show.Printf(w, "The data is not at hand: %s not set. This plan counts the units that the study declares; a run needs the data.\n\n", variables(acc.Missing))
	}
	s := p.Plan.Summary
	show.Printf(w, "%s possible mixtures, %s\n%d base units\n%s\n", show.BigWhole(s.MixturesPossible), chosen(s), s.BaseUnits, coverage(acc.Summary.Coverage, s.Units.Hours > 0))
	t := show.NewTable(show.Row{"", "models", "tokens", "hours", "disk"}, 1)
	priced := s.Units.Hours > 0
	row := func(what, precision string, models, tokens *big.Int, hours float64, bytes *big.Int) {
		t.AppendRow(show.Row{what + precision, show.BigWhole(models), show.BigTokens(tokens), hoursCell(hours, priced), show.BigBytes(bytes)})
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
	t.AppendRow(show.Row{"naive to modular", "", show.Ratio(acc.Summary.Ratio), "", ""})
	fmt.Fprintf(w, "%s\n\n", t.Render(w))
	show.Printf(w, "%s disk for all steps, the raw data besides", show.BigBytes(whole(acc.Summary.Bytes)))
	if acc.Summary.BytesRaw > 0 {
		show.Printf(w, ": %s", words.Bytes(acc.Summary.BytesRaw))
	}
	fmt.Fprintln(w)
	if priced {
		show.Printf(w, "%s hours for what is not in the cache yet\n", hoursCell(acc.Summary.Hours.Remaining, true))
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
	t := show.NewTable(show.Row{"kind", "hit", "run", "waits", "tokens to train", "still to train", "disk"}, 1)
	list := func(name string, r *row) {
		t.AppendRow(show.Row{name, r.hit, r.run, r.waits, show.Tokens(r.tokens), show.Tokens(r.left), show.BigBytes(big.NewInt(r.disk))})
	}
	for _, k := range kinds {
		list(k, byKind[k])
	}
	t.AppendSeparator()
	list("all", &all)
	show.Printf(w, "study %s\n\n%s\n\n", acc.Study, t.Render(w))
}

// chosen says how many of the mixtures the study selects.
func chosen(s pipeline.Summary) string {
	if s.MixturesPossible.IsInt64() && s.MixturesPossible.Int64() == int64(s.MixturesSelected) {
		return "all selected"
	}
	return show.Whole(s.MixturesSelected) + " sampled"
}

// coverage says in words what the selected mixtures' unit models are enough for, where that is not all.
func coverage(c pipeline.Coverage, priced bool) show.Rendered {
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
	return show.Rendered(text)
}

func bigDigits(n json.Number) string { return show.BigWhole(show.Big(n)) }

func bigTokens(n json.Number) string { return show.BigTokens(show.Big(n)) }

// variables writes a list of variables of which something is said to be.
func variables(names []string) string {
	if len(names) == 1 {
		return "variable " + names[0] + " is"
	}
	return "variables " + strings.Join(names, ", ") + " are"
}

func hoursCell(hours float64, priced bool) string {
	if !priced {
		return ""
	}
	return show.Hours(hours)
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
		return show.JSON(a.stdout, struct {
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
	whole := func(n int64) string { return show.BigTokens(big.NewInt(n)) }
	t := show.NewTable(show.Row{"study", "mixtures", "selected", "base units", "models", "tokens", "of them new", "hours", "new hours", "shared with"}, 1)
	t.Words = []int{9}
	for i, s := range shared.Studies {
		sum := plans[i].Plan.Summary
		var from []string
		for _, f := range s.From {
			from = append(from, fmt.Sprintf("%s (%s)", f.Study, whole(f.Tokens)))
		}
		t.AppendRow(show.Row{s.Study, show.BigWhole(sum.MixturesPossible), show.Whole(sum.MixturesSelected), s.BaseUnits, s.All.Models,
			whole(s.All.Tokens), whole(s.New.Tokens), hoursCell(s.All.Hours, priced), hoursCell(s.New.Hours, priced), strings.Join(from, ", ")})
	}
	t.AppendSeparator()
	t.AppendRow(show.Row{"together", "", "", shared.BaseUnits, shared.Joined.Models, whole(shared.Apart.Tokens), whole(shared.Joined.Tokens),
		hoursCell(shared.Apart.Hours, priced), hoursCell(shared.Joined.Hours, priced), ""})
	show.Printf(w, "%s\n\n%d base units\n", t.Render(w), shared.BaseUnits)
	hours := func(h float64) string {
		if !priced {
			return ""
		}
		return ", " + hoursCell(h, true) + " hours"
	}
	for _, u := range shared.Units {
		show.Printf(w, "%d unit models of %s parameters: %s tokens%s, %s of checkpoints\n", u.Models, words.Count(u.Parameters, ""), whole(u.Tokens), hours(u.Hours),
			words.Bytes(u.Bytes))
	}
	show.Printf(w, "saved by sharing: %d trainings, %s tokens%s, %s of checkpoints\n", shared.Saved.Models, whole(shared.Saved.Tokens), hours(shared.Saved.Hours), words.Bytes(shared.Saved.Bytes))
}
