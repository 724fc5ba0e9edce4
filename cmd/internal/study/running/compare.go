package running

import (
	"slices"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/sources"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/stages/correlate"
	"ablate/stages/kind"
)

// Comparison is what a run of several studies ends in: how large each is, and how well its proxies
// predict its references, beside what the paper prints of it. Of miniatures the studies at their
// own size stand beside them.
type Comparison struct {
	Studies []Compared
	Level   float64 // of the intervals
	Ran     int     // steps
	Steps   int
	Program string
	Took    time.Duration

	Models, Asked int   // models, each once, and those of all studies together
	Saved         int64 // tokens that were not trained on again
}

// Compared is one of the studies.
type Compared struct {
	*Finished
	Own     *specs.Study   // of a miniature: the study at its own size; else nil
	OwnPlan *pipeline.Plan // nil: it cannot be planned without its data
	Rows    []correlate.Compared
}

// compare gathers the comparison of studies that were carried out.
func compare(s *study.Session, done []*Finished) (*Comparison, error) {
	x := &Comparison{Level: float64(done[0].Study.Correlate.Level), Program: s.Program()}
	trained := map[cache.Key]bool{}
	for _, f := range done {
		c, err := compared(s, f)
		if err != nil {
			return nil, err
		}
		x.Studies = append(x.Studies, c)
		x.Ran, x.Steps, x.Asked = x.Ran+f.Ran, x.Steps+len(f.Plan.Steps), x.Asked+len(f.Plan.Models)
		for _, m := range f.Plan.Models {
			key := f.State.Keys[m.Step]
			if trained[key] {
				x.Saved += f.Plan.Steps[m.Step].Cost.Tokens
			}
			trained[key] = true
		}
	}
	x.Models = len(trained)
	return x, nil
}

func compared(s *study.Session, f *Finished) (Compared, error) {
	c := Compared{Finished: f}
	var paths [2]string
	for i, name := range []string{kind.OutCorrelations, kind.OutWarnings} {
		var err error
		if paths[i], err = f.Output(f.Plan.Result, name); err != nil {
			return c, err
		}
	}
	var err error
	if s.Scale != "" {
		if c.Own, err = specs.LoadScale(f.Name, ""); err != nil {
			return c, err
		}
		if c.Own.Declared() {
			if c.OwnPlan, err = pipeline.Compile(c.Own, sources.StandIns(c.Own), nil); err != nil {
				return c, err
			}
		}
	}
	c.Rows, err = correlate.Compare(c.OwnName(), paths[0], paths[1])
	return c, err
}

// OwnName is the study's name without a word of its scale.
func (c Compared) OwnName() string {
	if c.Own != nil {
		return c.Own.Name
	}
	return c.Study.Name
}

// Mini reports whether any of the studies is smaller than its own size.
func (x *Comparison) Mini() bool {
	return slices.ContainsFunc(x.Studies, func(c Compared) bool { return c.Own != nil })
}

// Differences are the values in which miniatures differ from their studies: those of all studies
// once, then each study's own. They are without places.
func (x *Comparison) Differences() (everywhere []specs.Change, own [][]specs.Change) {
	count := map[specs.Change]int{}
	for _, c := range x.Studies {
		var changes []specs.Change
		if c.Own != nil {
			for _, d := range specs.Diff(c.Own, c.Study) {
				if d.Path == "study" || usual(d) {
					continue
				}
				d.OldAt, d.NewAt = specs.Position{}, specs.Position{}
				changes = append(changes, d)
				count[d]++
			}
		}
		own = append(own, changes)
	}
	inAll := func(d specs.Change) bool { return count[d] == len(x.Studies) }
	everywhere = slices.DeleteFunc(slices.Clone(own[0]), func(d specs.Change) bool { return !inAll(d) })
	for i := range own {
		own[i] = slices.DeleteFunc(own[i], inAll)
	}
	return everywhere, own
}

// usual reports whether a change only says how an evaluation set is read that one of the studies
// does not have.
func usual(c specs.Change) bool {
	at := strings.Split(c.Path, ".")
	return len(at) > 3 && at[1] == "out_of_domain" && (c.Old == "" || c.New == "") && !slices.Contains([]string{"files", "about"}, at[3])
}
