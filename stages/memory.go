package stages

import (
	"encoding/json"

	"ablate/stages/eval"
	"ablate/stages/kind"
	"ablate/stages/train"
)

// Memory says what a step takes of the machine's memory. Kinds that hold no model take little and are not counted.
func Memory(name string, params json.RawMessage, threads int) (kind.Memory, error) {
	job := &kind.Job{Params: params, Threads: threads}
	switch name {
	case kind.Train:
		return train.Memory(job)
	case kind.Eval:
		return eval.Memory(job)
	}
	return kind.Memory{}, nil
}

// Disk says what a step takes of the disk, in bytes: what it leaves, and what it keeps aside while it runs, to go on from. Only trainings are
// known from their parameters; of the other kinds the answer is 0.
func Disk(name string, params json.RawMessage) (leaves, aside int64, err error) {
	if name != kind.Train {
		return 0, 0, nil
	}
	return train.Disk(&kind.Job{Params: params})
}
