package correlate

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"ablate/stages/kind"
)

// alike names what the time of a comparison depends on besides the tables that it reads.
func alike(params json.RawMessage) (string, error) {
	comparisons, err := comparisons(params)
	return fmt.Sprintf("%g resamples", comparisons), err
}

// speed is a guess, and no measurement: the comparison needs the losses of a whole study, which a
// probe does not have. Time goes with the tables that are read and with the resamples of all
// scores. What runs of this machine took replaces the guess.
func speed(_ context.Context, job *kind.Job, _ time.Duration) (kind.Speed, error) {
	const (
		tablesPerSecond = 2500
		perResample     = 60e-9 // seconds, of one score
		perStep         = 0.02  // seconds
	)
	n, err := comparisons(job.Params)
	return kind.Speed{One: tablesPerSecond, All: tablesPerSecond, Setup: perStep + float64(perResample*n)}, err
}

// comparisons are the resamples of all scores together.
func comparisons(params json.RawMessage) (float64, error) {
	var p struct {
		Scores    []struct{} `json:"scores"`
		Resamples float64    `json:"resamples"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return 0, fmt.Errorf("internal error: parameters of the comparison: %w", err)
	}
	return float64(len(p.Scores)) * p.Resamples, nil
}
