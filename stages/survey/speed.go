package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"ablate/specs/arch"
	"ablate/stages/kind"
	"ablate/stages/train"
)

// probeTokens is about how many tokens a batch of a small study has.
const probeTokens = 2048

// Speed is how many tokens a second a model is trained on by so many threads, measured for about so
// long by the probe of the kind train, which the estimates of plans use too.
func Speed(m arch.Model, threads int, about time.Duration) (tokensPerSecond float64, err error) {
	if m.Context < 1 {
		return 0, fmt.Errorf("measure speed: context is %d", m.Context)
	}
	batch := int64(max(1, probeTokens/m.Context) * m.Context)
	params, err := json.Marshal(kind.TrainParams{Model: m, Batch: batch})
	if err != nil {
		return 0, fmt.Errorf("measure speed: %w", err)
	}
	s, err := train.Kind.Measure(context.Background(), params, threads, about)
	return s.All, err
}
