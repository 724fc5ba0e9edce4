package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ablate/stages/correlate"
	"ablate/stages/internal/paperfig"
	"ablate/stages/internal/svg"
	"ablate/stages/kind"
)

// figures draws, each as SVG and PNG:
//
//	figures/cost           what comparing mixtures costs over the number of partitions (the paper's Figure 2)
//	figures/overview       in domain above, out of domain below, a column for each set of mixtures (Figures 3 and 9 to 11)
//	figures/GROUP/average  the mean over all sets out of domain (Figures 4, 5, 6 and 8)
//	figures/GROUP/sets     a panel for each evaluation set (Figure 7)
//	figures/GROUP/correlations  Tables 3 and 4 as a picture
func (l *layouts) figures() ([]LayoutFile, error) {
	var files []LayoutFile
	add := func(name string, f paperfig.Figure) error {
		drawing, err := paperfig.SVG(f)
		if err != nil {
			return err
		}
		png, err := paperfig.PNG(f)
		if err != nil {
			return err
		}
		files = append(files, LayoutFile{kind.FiguresFolder + "/" + name + ".svg", drawing}, LayoutFile{kind.FiguresFolder + "/" + name + ".png", png})
		return nil
	}
	if f, ok := l.cost(); ok {
		if err := add("cost", f); err != nil {
			return nil, err
		}
	}
	if len(l.groups) == 0 {
		return files, nil
	}
	if err := add("overview", l.overview()); err != nil {
		return nil, err
	}
	for _, g := range l.groups {
		folder := kind.Escape(g) + "/"
		for _, m := range l.averages(g) {
			if err := add(folder+kind.Escape(m.metric.On("average")), l.averageFigure(g, m)); err != nil {
				return nil, err
			}
		}
		if err := add(folder+"sets", l.setsFigure(g)); err != nil {
			return nil, err
		}
		if err := add(folder+"correlations", l.dots(g)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// axes names the axes of a figure by the metric of its scores.
func axes(f paperfig.Grid, metric kind.Metric) paperfig.Grid {
	f.XLabel, f.YLabel = "proxy "+metric.Name, "reference "+metric.Name
	return f
}

// names are all proxies of the study, so that each looks alike in every figure.
func (l *layouts) names(value func(proxy string) string) []paperfig.Name {
	var out []paperfig.Name
	for _, p := range l.params.Proxies {
		n := paperfig.Name{Name: p}
		if value != nil {
			n.Value = value(p)
		}
		out = append(out, n)
	}
	return out
}

// panel is one scatter; nil where no mixture has a reference on the set.
func (l *layouts) panel(group string, m measured, title string) *paperfig.Panel {
	set := m.name()
	p := &paperfig.Panel{Title: title, Note: l.note(group, set)}
	any := false
	for _, proxy := range l.params.Proxies {
		var points []svg.Point
		pairs := l.pairs[LayoutPlace{group, set, proxy}]
		for i, m := range pairs.Mixtures {
			points = append(points, svg.Point{X: pairs.Proxies[i], Y: pairs.References[i], Label: m})
			any = true
		}
		p.Series = append(p.Series, points)
	}
	if !any {
		return nil
	}
	return p
}

// note tells which proxy is closest and how many mixtures there are.
func (l *layouts) note(group, set string) string {
	best, n := math.NaN(), 0
	var names []string
	for _, proxy := range l.params.Proxies {
		r := l.rows[LayoutPlace{group, set, proxy}]
		n = max(n, int(r.N))
		switch {
		case r.N == 0 || math.IsNaN(r.Pearson):
		case math.IsNaN(best) || r.Pearson > best:
			best, names = r.Pearson, []string{proxy}
		case r.Pearson == best:
			names = append(names, proxy)
		}
	}
	mixtures := fmt.Sprintf("%d mixtures", n)
	if n == 1 {
		mixtures = "1 mixture"
	}
	if len(names) == 0 {
		return mixtures
	}
	return fmt.Sprintf("closest: %s, r %s; %s", strings.Join(names, " = "), svg.Number(best, 2), mixtures)
}

// setTitle names a set in a figure of a group.
func (l *layouts) setTitle(group string, m measured) string {
	if m.set == kind.Average {
		return m.metric.On(fmt.Sprintf("mean of %d sets out of domain", l.outside(group, m.metric)))
	}
	return m.name()
}

// outside counts the sets out of domain with scores by a metric, their mean aside.
func (l *layouts) outside(group string, metric kind.Metric) int {
	n := 0
	for _, m := range l.sets[group] {
		if m.set != l.in.InDomain && m.set != kind.Average && m.metric.Name == metric.Name {
			n++
		}
	}
	return n
}

// overview has a column for each set of mixtures, and two rows for each metric: in domain above,
// out of domain below.
func (l *layouts) overview() paperfig.Figure {
	f := axes(paperfig.Grid{Title: "Reference over proxy, in and out of domain", Names: l.names(nil)}, l.metric)
	type place struct {
		metric   string
		inDomain bool
	}
	var order []place
	rows := map[place][]*paperfig.Panel{}
	for i, g := range l.groups {
		for _, m := range l.inAndOut(g) {
			at := place{m.metric.Name, m.set == l.in.InDomain}
			if rows[at] == nil {
				order = append(order, at)
				rows[at] = make([]*paperfig.Panel, len(l.groups))
			}
			rows[at][i] = l.panel(g, m, g+": "+l.setTitle(g, m))
		}
	}
	slices.SortStableFunc(order, func(a, b place) int { // in domain above
		switch {
		case a.inDomain == b.inDomain:
			return 0
		case a.inDomain:
			return -1
		}
		return 1
	})
	for _, at := range order {
		if slices.ContainsFunc(rows[at], func(p *paperfig.Panel) bool { return p != nil }) {
			f.Panels = append(f.Panels, rows[at])
		}
	}
	return f
}

func (l *layouts) averageFigure(group string, m measured) paperfig.Figure {
	f := axes(paperfig.Grid{Title: group}, m.metric)
	f.Names = l.names(func(p string) string { return l.value(group, m.name(), p) })
	if p := l.panel(group, m, l.setTitle(group, m)); p != nil {
		f.Panels = [][]*paperfig.Panel{{p}}
	}
	return f
}

// value is what stands behind a proxy in the legend of a figure of one panel.
func (l *layouts) value(group, set, proxy string) string {
	r := l.rows[LayoutPlace{group, set, proxy}]
	if r.N == 0 || math.IsNaN(r.Pearson) {
		return ""
	}
	s := "r " + svg.Number(r.Pearson, 2)
	if !math.IsNaN(r.Published) {
		s += " [" + svg.Number(r.Published, 3) + "]"
	}
	return s
}

const (
	setsAcross = 3
	mostSets   = 48 // panels of one figure; the page and the tables have all
)

func (l *layouts) setsFigure(group string) paperfig.Figure {
	f := paperfig.Grid{Title: group + ": each evaluation set", Names: l.names(nil)}
	f = axes(f, l.metric)
	var panels []*paperfig.Panel
	left := 0
	for _, m := range l.sets[group] {
		if p := l.panel(group, m, l.setTitle(group, m)); p != nil && m.set != kind.Average {
			if len(panels) == mostSets {
				left++
				continue
			}
			panels = append(panels, p)
		}
	}
	if left > 0 {
		f.Title = fmt.Sprintf("%s: the first %d of %d evaluation sets", group, mostSets, mostSets+left)
	}
	across := min(setsAcross, len(panels))
	for len(panels) > 0 {
		row := make([]*paperfig.Panel, across)
		n := copy(row, panels)
		panels = panels[n:]
		f.Panels = append(f.Panels, row)
	}
	return f
}

func (l *layouts) dots(group string) paperfig.Figure {
	f := paperfig.Dots{Title: group + ": correlation on each evaluation set", XLabel: "Pearson's r of proxy and reference", Names: l.names(nil)}
	if correlate.PublishedIn(l.in.Study) {
		f.XLabel += "; rings: as published"
		if correlate.IsMiniature(l.in.Study) {
			f.XLabel += " of the study at its own size"
		}
	}
	for _, m := range l.sets[group] {
		row := paperfig.DotsRow{Label: l.setTitle(group, m)}
		for _, proxy := range l.params.Proxies {
			d := paperfig.Dot{Value: math.NaN(), Low: math.NaN(), High: math.NaN(), Published: math.NaN()}
			if r, ok := l.rows[LayoutPlace{group, m.name(), proxy}]; ok {
				d = paperfig.Dot{Value: r.Pearson, Low: r.PearsonLow, High: r.PearsonHigh, Published: r.Published}
			}
			row.Cells = append(row.Cells, d)
		}
		f.Rows = append(f.Rows, row)
	}
	return f
}

// cost draws the first set of mixtures, and with it those that draw otherwise from components of
// the same number and size: a model for each mixture against one for each unit.
func (l *layouts) cost() (paperfig.Figure, bool) {
	f := paperfig.Cost{Title: "What it costs to compare all mixtures", YLabel: "training tokens"}
	var first LayoutCost
	var all LayoutPoint
	names := map[string]bool{}
	for _, c := range l.in.Costs {
		if len(c.Points) < 2 {
			continue
		}
		last := c.Points[len(c.Points)-1]
		if first.Points != nil && (last.N != all.N || last.Modular != all.Modular || c.Of != first.Of || c.Beside != first.Beside) {
			continue
		}
		name := fmt.Sprintf("a model for each mixture of %d", c.K)
		if c.Repeat {
			name += ", with repetition"
		}
		if names[name] {
			continue
		}
		names[name] = true
		if first.Points == nil || len(c.Points) > len(first.Points) { // the line of the units begins where the first of the others does
			first, all = c, last
		}
		way := paperfig.Way{Name: name, Value: paperfig.Count(last.Naive)}
		for _, p := range c.Points {
			way.Points = append(way.Points, svg.Point{X: float64(p.N), Y: p.Naive})
		}
		f.Ways = append(f.Ways, way)
	}
	if first.Points == nil {
		return f, false
	}
	f.XLabel, f.Here = first.Of, float64(all.N)
	if first.Beside != "" {
		f.XLabel += " crossed with all of " + first.Beside
	}
	each := paperfig.Way{Name: "a model for each of the " + first.Of, Value: paperfig.Count(all.Modular)}
	if first.Of == "partitions" {
		each.Name = "models of the units of each partition"
	}
	for _, p := range first.Points {
		each.Points = append(each.Points, svg.Point{X: float64(p.N), Y: p.Modular})
	}
	f.Ways = append(f.Ways, each)
	return f, true
}
