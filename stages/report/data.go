package report

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"strings"

	"ablate/cache/table"
	"ablate/specs/ident"
	"ablate/stages/internal/page"
	"ablate/stages/internal/svg"
	"ablate/stages/tables"
)

// corpora adds up what the steps that read a corpus counted.
func (b *builder) corpora() error {
	for _, c := range b.in.Corpora {
		r := page.Corpus{Name: c.Name, EvalSet: c.EvalSet}
		dropped, places := map[string]int64{}, map[string][]string{}
		for i, path := range c.Counts {
			n, err := tables.ReadCounts(path)
			if err != nil {
				return fmt.Errorf("corpus %s: %w", c.Name, err)
			}
			r.Files, r.Read, r.Kept, r.Bytes, r.Tokens = r.Files+n.Files, r.Read+n.Read, r.Kept+n.Kept, r.Bytes+n.Bytes, r.Tokens+n.Tokens
			for reason, documents := range n.Dropped {
				dropped[reason] += documents
			}
			for _, p := range n.Places {
				if len(places[p.Reason]) < tables.MaxPlaces && i < len(c.Files) && p.File < int64(len(c.Files[i])) {
					places[p.Reason] = append(places[p.Reason], tables.PlaceInWords(c.Files[i][p.File], p))
				}
			}
		}
		for _, reason := range slices.Sorted(maps.Keys(dropped)) {
			r.Dropped = append(r.Dropped, page.Dropped{Reason: reason, Documents: dropped[reason], Places: places[reason]})
		}
		if r.Kept+r.AllDropped() != r.Read {
			return fmt.Errorf("corpus %s: %d documents read, but %d kept and %d dropped", c.Name, r.Read, r.Kept, r.AllDropped())
		}
		b.d.Corpora = append(b.d.Corpora, r)
	}
	return nil
}

// left says in words what is neither trained on nor held out.
var left = map[string]string{
	tables.PartUnused:    "beyond the declared units",
	tables.PartSmall:     "partitions of less than half a unit",
	tables.PartExcluded:  "partitions that the study leaves out",
	tables.PartDuplicate: "an earlier document has the same identity",
}

// partitions reads the table of sizes of each partition set. A partition has units; all other
// documents are accounted for beside it.
func (b *builder) partitions() error {
	for _, split := range b.in.Splits {
		rows, err := table.ReadRows[tables.SizeRow](split.Sizes)
		if err != nil {
			return err
		}
		at := map[string]int{} // partition -> index
		for _, r := range rows {
			if r.Part != tables.PartUnit {
				continue
			}
			i, ok := at[r.Partition]
			if !ok {
				i = len(b.d.Partitions)
				at[r.Partition] = i
				b.d.Partitions = append(b.d.Partitions, page.Partition{Name: r.Partition, Corpus: split.Corpus})
			}
			p := &b.d.Partitions[i]
			p.Units++
			p.Documents += int(r.Documents)
			p.Tokens += r.Tokens
			p.RemovedDocuments += int(r.RemovedDocuments)
			p.RemovedTokens += r.RemovedTokens
		}
		out := map[string]*page.Left{}
		for _, r := range rows {
			switch r.Part {
			case tables.PartUnit:
			case tables.PartTest, tables.PartValidation:
				if i, ok := at[r.Partition]; ok {
					b.d.Partitions[i].HeldOut += int(r.Documents)
				}
			default:
				if out[r.Part] == nil {
					out[r.Part] = &page.Left{Corpus: split.Corpus, Why: left[r.Part]}
				}
				l := out[r.Part]
				if r.Part == tables.PartDuplicate {
					if l.Places, err = split.duplicates(); err != nil {
						return err
					}
				}
				l.Documents += int(r.Documents)
				l.Tokens += r.Tokens
				if r.Partition != "" {
					l.Partitions = append(l.Partitions, r.Partition)
				}
			}
		}
		for _, part := range []string{tables.PartUnused, tables.PartSmall, tables.PartExcluded, tables.PartDuplicate} {
			if l := out[part]; l != nil {
				b.d.Left = append(b.d.Left, *l)
			}
		}
	}
	return nil
}

// curves reads the loss curves: one figure for each role.
func (b *builder) curves() error {
	roles := []struct{ role, title, caption string }{
		{"seed", "Seed model", "Training loss of the common start."},
		{"unit", "Unit models", "Training loss of the model of each base unit, from the seed model on."},
		{"partition", "Partition models", "Training loss of the model of each partition of several units."},
		{"small", "Models of the mixtures at the proxies’ size", "Training loss of the model of each mixture, of the size that the unit models have."},
		{"reference", "Reference models", "Training loss of the model of each mixture."},
	}
	series := map[string][]svg.Series{}
	var risen []string
	for _, m := range b.in.Models {
		rows, err := table.ReadRows[tables.CurveRow](m.Curve)
		if err != nil {
			return fmt.Errorf("model %s: %w", m.Name, err)
		}
		if first, last, yes := tables.Rose(rows); yes {
			risen = append(risen, fmt.Sprintf("%s model %s from %.3g to %.3g", m.Role, ident.Unescape(m.Name), first, last))
		}
		s := svg.Series{Name: ident.Unescape(m.Name)}
		for _, r := range tables.Smooth(rows) {
			s.Points = append(s.Points, svg.Point{X: float64(r.Tokens), Y: r.Loss})
		}
		series[m.Role] = append(series[m.Role], s)
		final := math.NaN()
		if n := len(s.Points); n > 0 {
			final = s.Points[n-1].Y
		}
		b.d.Models = append(b.d.Models, page.Model{
			Name: m.Name, Kind: m.Role, Tokens: m.Tokens, FinalLoss: final, Key: m.Key, Checkpoint: m.Checkpoint,
		})
	}
	if len(risen) > 0 {
		b.d.Warnings = append(b.d.Warnings, risenWarning(risen, len(b.in.Models)))
	}
	for _, r := range roles {
		if len(series[r.role]) == 0 {
			continue
		}
		drawing, err := svg.Lines{Title: r.title, XLabel: "tokens", YLabel: "loss (nats per token)", Series: series[r.role]}.SVG()
		if err != nil {
			return err
		}
		b.d.Curves = append(b.d.Curves, page.Figure{Title: r.title, Caption: r.caption, SVG: drawing})
	}
	return nil
}

func (b *builder) mixtures() {
	for _, m := range b.in.Mixtures {
		units := 0
		for _, n := range m.Units {
			units += n
		}
		r := page.Mixture{Name: m.Name, Partitions: m.Partitions, Units: units, Tokens: m.Tokens, Reference: m.Reference}
		for i, p := range m.Partitions {
			r.Shares = append(r.Shares, page.Share{Partition: p, Share: float64(m.Units[i]) / float64(units)})
		}
		b.d.Mixtures = append(b.d.Mixtures, r)
	}
}

// risenWarning is a sentence about trainings of which rose is true.
func risenWarning(risen []string, models int) string {
	const named = 3
	count, more := len(risen), ""
	if n := len(risen) - named; n > 0 {
		more = fmt.Sprintf(", and %d more", n)
		risen = risen[:named]
	}
	return fmt.Sprintf("%d of %d models ended at a higher training loss than they began with: %s%s. "+
		"Either their trainings diverged because the learning rate is too high, or the trainings are too short to judge. The section The models shows the curves.",
		count, models, strings.Join(risen, ", "), more)
}
