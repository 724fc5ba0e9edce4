package stages

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"ablate/cache/table"
	"ablate/stages/internal/plot"
	"ablate/stages/kind"
)

// stopped is the error of a step that could not be taken, with the training's curve up to there: a failed training leaves no artifact, and
// what a person asks first is how the loss went. The step itself is the last row; loss and norm are NaN where they were not reached.
func (t *training) stopped(err error, lr, loss, norm float64) error {
	err = fmt.Errorf("step %d of %d: %w", t.step+1, t.steps, err)
	failed := CurveRow{Step: t.step + 1, Tokens: (t.step + 1) * t.params.Batch, LR: lr, Loss: loss / float64(t.params.Batch), GradNorm: norm}
	files, shown := t.curveFiles(append(t.curve[:len(t.curve):len(t.curve)], failed))
	if shown != nil {
		return errors.Join(err, fmt.Errorf("and its loss curve cannot be shown: %w", shown))
	}
	return &kind.FailedError{Err: err, Files: files}
}

// curveFiles are a curve as a table and as a figure.
func (t *training) curveFiles(curve []CurveRow) ([]kind.Evidence, error) {
	path := filepath.Join(t.job.Dir, "curve.csv")
	if err := table.WriteCSV(path, curve); err != nil {
		return nil, err
	}
	csv, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	loss := plot.Series{Name: "loss"}
	for _, r := range curve {
		loss.Points = append(loss.Points, plot.Point{X: float64(r.Tokens), Y: r.Loss})
	}
	svg, err := plot.Lines{
		Title:  fmt.Sprintf("Training loss until step %d of %d failed", len(curve), t.steps),
		XLabel: "tokens", YLabel: "loss (nats per token)", Series: []plot.Series{loss},
	}.SVG()
	return []kind.Evidence{{What: "loss curve up to there", Name: "curve.svg", Data: svg}, {What: "its numbers", Name: "curve.csv", Data: csv}}, err
}

// rose reports that a training ended at a higher loss than it began with, which no training is for. Both are means over a stretch of steps,
// so that one hard batch does not count, and NaN counts as a rise.
func rose(curve []CurveRow) (first, last float64, yes bool) {
	s := smooth(curve)
	if len(s) < 2 {
		return math.NaN(), math.NaN(), false
	}
	first, last = s[0].Loss, s[len(s)-1].Loss
	return first, last, !(last <= first)
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
		"Their trainings diverged, the learning rate being too high, or they are too short to tell; the curves are under The models.",
		count, models, strings.Join(risen, ", "), more)
}
