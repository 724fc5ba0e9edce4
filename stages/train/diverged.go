package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ablate/cache/table"
	"ablate/stages/internal/svg"
	"ablate/stages/kind"
	"ablate/stages/tables"
)

// stopped is the error of a step that could not be taken, with the training's curve up to there: a
// failed training leaves no artifact, and what a person asks first is how the loss went. The step
// itself is the last row; loss and norm are NaN where they were not reached.
func (t *training) stopped(err error, lr, loss, norm float64) error {
	err = fmt.Errorf("step %d of %d: %w", t.step+1, t.steps, err)
	failed := tables.CurveRow{Step: t.step + 1, Tokens: (t.step + 1) * t.params.Batch, LR: lr, Loss: loss / float64(t.params.Batch), GradNorm: norm}
	files, shown := t.curveFiles(append(t.curve[:len(t.curve):len(t.curve)], failed))
	if shown != nil {
		return errors.Join(err, fmt.Errorf("and its loss curve cannot be shown: %w", shown))
	}
	return &kind.FailedError{Err: err, Files: files}
}

// curveFiles are a curve as a table and as a figure.
func (t *training) curveFiles(curve []tables.CurveRow) ([]kind.Evidence, error) {
	path := filepath.Join(t.job.Dir, "curve.csv")
	if err := table.WriteCSV(path, curve); err != nil {
		return nil, err
	}
	csv, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	loss := svg.Series{Name: "loss"}
	for _, r := range curve {
		loss.Points = append(loss.Points, svg.Point{X: float64(r.Tokens), Y: r.Loss})
	}
	drawing, err := svg.Lines{
		Title:  fmt.Sprintf("Training loss until step %d of %d failed", len(curve), t.steps),
		XLabel: "tokens", YLabel: "loss (nats per token)", Series: []svg.Series{loss},
	}.SVG()
	return []kind.Evidence{{What: "loss curve up to there", Name: "curve.svg", Data: drawing}, {What: "its numbers", Name: "curve.csv", Data: csv}}, err
}
