package stages

import (
	"encoding/json"

	"ablate/stages/kind"
)

// Disk says what a step takes of the disk, in bytes: what it leaves, and what it keeps aside while it runs, to go on from. Only trainings are
// known from their parameters: checkpoints hold 4 bytes a parameter, or 12 with AdamW's moments; while one is saved, the one before is still
// there. Of the other kinds the answer is 0.
func Disk(name string, params json.RawMessage) (leaves, aside int64, err error) {
	if name != kind.Train {
		return 0, 0, nil
	}
	var p kind.TrainParams
	if err := (&kind.Job{Params: params}).Decode(&p); err != nil {
		return 0, 0, err
	}
	n, _ := p.Model.Parameters()
	leaves = 4 * n
	if p.Moments {
		leaves = 12 * n
	}
	return leaves, 2 * 12 * n, nil
}
