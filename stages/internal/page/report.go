package page

import (
	stdbytes "bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"ablate/specs/ident"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed sort.js
	sortJS string
	//go:embed points.js
	pointsJS string

	script       = "\n" + sortJS + pointsJS
	scriptDigest = digestOf(script)

	page = template.Must(template.New("page").Funcs(funcs).Parse(pageHTML))
)

// maxRows of a table are shown: a page of a hundred thousand rows opens in no browser. Those left
// out are counted below the table.
const maxRows = 500

// Render writes the page. It fails when w does, or when a figure is not a plain drawing or a score
// row does not fit its table; what was written before the failure is nothing.
func Render(w io.Writer, d Data) error {
	v := view{Data: d, CSS: template.CSS(pageCSS), JS: template.JS(script), ScriptDigest: scriptDigest, Answer: d.answer(), Words: words(d)}
	var err error
	if v.ScatterDrawings, err = drawings(d.Scatters); err != nil {
		return err
	}
	if v.CurveDrawings, err = drawings(d.Curves); err != nil {
		return err
	}
	v.Sets = bySet(d.Correlations)
	v.Matrix = matrixOf(v.Sets)
	if d.Flow != nil {
		drawn, err := drawings([]Figure{*d.Flow})
		if err != nil {
			return err
		}
		v.FlowDrawing = drawn[0].SVG
	}
	for _, t := range d.Scores {
		s, err := scoresOf(t)
		if err != nil {
			return err
		}
		v.ScoreTables = append(v.ScoreTables, s)
	}
	var b stdbytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return fmt.Errorf("report: study %q: %w", d.Study, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// view is Data made ready for the template.
type view struct {
	Data
	CSS                            template.CSS
	JS                             template.JS
	ScriptDigest                   string // of JS, the only script that a browser is to run; as Content Security Policy Level 3, section 2.3.1, writes it
	Answer                         answer
	ScatterDrawings, CurveDrawings []drawing
	FlowDrawing                    template.HTML
	Sets                           []setRows
	Matrix                         matrix
	ScoreTables                    []scores
	Words                          []Fact
}

type drawing struct {
	Title, Caption string
	SVG            template.HTML
}

func drawings(figures []Figure) ([]drawing, error) {
	var out []drawing
	for _, f := range figures {
		svg, err := trusted(f.SVG)
		if err != nil {
			return nil, fmt.Errorf("report: figure %q: %w", f.Title, err)
		}
		out = append(out, drawing{f.Title, f.Caption, svg})
	}
	return out, nil
}

// setRows are the correlations on one eval set.
type setRows struct {
	Set  string
	Rows []Correlation
}

func bySet(rows []Correlation) []setRows {
	var out []setRows
	for _, c := range rows {
		i := slices.IndexFunc(out, func(s setRows) bool { return s.Set == c.Set })
		if i < 0 {
			out = append(out, setRows{Set: c.Set})
			i = len(out) - 1
		}
		out[i].Rows = append(out[i].Rows, c)
	}
	return out
}

// matrix is Pearson's r by eval set and proxy, the form in which the method's results are usually
// given.
type matrix struct {
	Proxies []string
	Rows    []matrixRow
}

type matrixRow struct {
	Set     string
	Average bool // of scores over several eval sets
	Cells   []matrixCell
}

type matrixCell struct {
	Value, Published float64
	Best             bool // highest of its row
	Weak             bool
}

func matrixOf(sets []setRows) matrix {
	var m matrix
	for _, s := range sets {
		for _, c := range s.Rows {
			if !slices.Contains(m.Proxies, c.Proxy) {
				m.Proxies = append(m.Proxies, c.Proxy)
			}
		}
	}
	add := func(row matrixRow) {
		best := math.Inf(-1)
		for _, c := range row.Cells {
			if c.Value > best {
				best = c.Value
			}
		}
		for i := range row.Cells {
			row.Cells[i].Best = row.Cells[i].Value == best
		}
		m.Rows = append(m.Rows, row)
	}
	blank := func() []matrixCell {
		return slices.Repeat([]matrixCell{{Value: math.NaN(), Published: math.NaN()}}, len(m.Proxies))
	}
	for _, s := range sets {
		row := matrixRow{Set: s.Set, Cells: blank()}
		for _, c := range s.Rows {
			row.Average = c.Average
			row.Cells[slices.Index(m.Proxies, c.Proxy)] = matrixCell{Value: c.Pearson.Value, Published: c.Published, Weak: c.remark() != ""}
		}
		add(row)
	}
	return m
}

// scores is a ScoreTable with the place of each value between the lowest and highest of its column.
type scores struct {
	Set     string
	Columns []scoreColumn
	Rows    []scoreCells
	Left    int // rows not shown
}

type scoreColumn struct {
	Name      string
	Reference bool
}

type scoreCells struct {
	Mixture string
	Cells   []scoreCell
}

type scoreCell struct {
	Value float64
	Best  bool // of its column
	Tint  int  // 0 for the worst of the column to 100 for the best: what is good is dark
}

func scoresOf(t ScoreTable) (scores, error) {
	s := scores{Set: t.Set}
	lo, hi := make([]float64, len(t.Columns)), make([]float64, len(t.Columns))
	for j, name := range t.Columns {
		s.Columns = append(s.Columns, scoreColumn{name, j == t.Reference})
		lo[j], hi[j] = math.Inf(1), math.Inf(-1)
	}
	for _, r := range t.Rows {
		if len(r.Values) != len(t.Columns) {
			return s, fmt.Errorf("report: scores on %q: mixture %q has %d values, want %d", t.Set, r.Mixture, len(r.Values), len(t.Columns))
		}
		for j, v := range r.Values {
			if !math.IsNaN(v) {
				lo[j], hi[j] = min(lo[j], v), max(hi[j], v)
			}
		}
	}
	shown := t.Rows[:min(len(t.Rows), maxRows)]
	s.Left = len(t.Rows) - len(shown)
	for _, r := range shown {
		row := scoreCells{Mixture: r.Mixture}
		for j, v := range r.Values {
			c := scoreCell{Value: v}
			if hi[j] > lo[j] && !math.IsNaN(v) {
				best, worst := lo[j], hi[j]
				if t.Metric.HigherIsBetter {
					best, worst = worst, best
				}
				c.Best = v == best
				c.Tint = int(math.Round(100 * (worst - v) / (worst - best)))
			}
			row.Cells = append(row.Cells, c)
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

// MixtureRows are the mixtures that are shown.
func (v view) MixtureRows() []Mixture { return v.Mixtures[:min(len(v.Mixtures), maxRows)] }

// MixturesLeft counts the others.
func (v view) MixturesLeft() int { return max(0, len(v.Mixtures)-maxRows) }

// ModelRows and ModelsLeft do the same for models.
func (v view) ModelRows() []Model { return v.Models[:min(len(v.Models), maxRows)] }

// ModelsLeft counts the models not shown.
func (v view) ModelsLeft() int { return max(0, len(v.Models)-maxRows) }

// LongHeadline asks for smaller type: three lines at most, whatever the partitions are called.
func (v view) LongHeadline() bool { return len([]rune(v.Answer.Headline)) > 44 }

// Checked reports whether there is a reference to hold the choices against.
func (v view) Checked() bool {
	return slices.ContainsFunc(v.Choices, func(c Choice) bool { return c.References > 0 })
}

// Unplaced counts the documents whose places are not told.
func (d Dropped) Unplaced() int64 { return d.Documents - int64(len(d.Places)) }

// Unplaced counts the documents of which no place is told.
func (l Left) Unplaced() int { return l.Documents - len(l.Places) }

// AllDropped counts the documents dropped for any reason.
func (c Corpus) AllDropped() int64 {
	var n int64
	for _, d := range c.Dropped {
		n += d.Documents
	}
	return n
}

// PartitionTotal is the foot of the corpus table.
func (v view) PartitionTotal() Partition {
	var t Partition
	for _, p := range v.Partitions {
		t.Units += p.Units
		t.Documents += p.Documents
		t.Tokens += p.Tokens
		t.HeldOut += p.HeldOut
		t.RemovedDocuments += p.RemovedDocuments
		t.RemovedTokens += p.RemovedTokens
	}
	return t
}

// StepTotal is the foot of the table of steps.
func (v view) StepTotal() Steps {
	var t Steps
	for _, s := range v.Steps {
		t.Count += s.Count
		t.Found += s.Found
		t.Tokens += s.Tokens
		t.Bytes += s.Bytes
		if !math.IsNaN(s.Seconds) {
			t.Seconds += s.Seconds
		}
	}
	return t
}

// Weak counts the correlations that bear a remark.
func (v view) Weak() int {
	n := 0
	for _, c := range v.Correlations {
		if c.remark() != "" {
			n++
		}
	}
	return n
}

var funcs = template.FuncMap{
	"score": score, "r": coefficient, "bound": bound, "percent": percent, "bytes": bytes, "duration": duration, "eight": eight, "level": level,
	"orDash": orDash, "plural": plural, "list": list, "ordinal": ordinal, "spaced": spaced,
	"capital": capital,
	"whole": func(n any) string {
		switch n := n.(type) {
		case int:
			return whole(n)
		case int64:
			return whole(n)
		}
		return dash
	},
	"minus":  func(a, b int) int { return a - b },
	"raw":    func(v float64) string { return strings.Replace(fmt.Sprint(v), "NaN", "", 1) }, // what the sorting script compares
	"known":  func(v float64) bool { return !math.IsNaN(v) },
	"remark": Correlation.remark,
	"loss":   Choice.loss,
	"forest": forest,
	"pieces": pieces,
	"tint":   func(c scoreCell) template.CSS { return template.CSS(fmt.Sprintf("--v:%d%%", c.Tint*34/100)) },
	"some":   some,
	"shown":  ident.Shown,
	"share":  func(s Share) string { return ident.Shown(s.Partition) + " " + percent(s.Share) },
}

// pieces splits a name where a line may break: behind each plus sign and slash.
func pieces(name string) []string {
	var out []string
	for name != "" {
		i := strings.IndexAny(name, "+/")
		if i < 0 {
			return append(out, name)
		}
		out = append(out, name[:i+1])
		name = name[i+1:]
	}
	return out
}

// forest draws an interval on the scale -1 to 1, 96 pixels wide, the form of a forest plot: a line
// for the interval, a dot for the value, a tick at zero.
func forest(i Interval) template.HTML {
	if math.IsNaN(i.Value) {
		return ""
	}
	const width, middle = 96.0, 8.0
	at := func(v float64) string {
		return fmt.Sprintf("%.1f", width/2+float64(max(-1, min(1, v))*(width/2-5)))
	}
	var b strings.Builder
	label := "value " + coefficient(i.Value)
	if !math.IsNaN(i.Low) && !math.IsNaN(i.High) {
		label += ", interval " + coefficient(i.Low) + " to " + coefficient(i.High)
	}
	fmt.Fprintf(&b, `<svg class="forest" viewBox="0 0 %g 16" width="%g" height="16" role="img" aria-label="%s">`, width, width, label)
	fmt.Fprintf(&b, `<path class="scale" d="M5 %gH%g M%s 3V13 M5 6V10 M%g 6V10"/>`, middle, width-5, at(0), width-5)
	if !math.IsNaN(i.Low) && !math.IsNaN(i.High) {
		fmt.Fprintf(&b, `<path class="whisker" d="M%s %gH%s"/>`, at(i.Low), middle, at(i.High))
	}
	fmt.Fprintf(&b, `<circle cx="%s" cy="%g" r="3.6"/></svg>`, at(i.Value), middle)
	return template.HTML(b.String())
}

// digestOf is the source expression that allows a script of exactly this text.
func digestOf(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
