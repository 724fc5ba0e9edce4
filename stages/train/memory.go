package train

import (
	"fmt"

	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/internal/model"
	"ablate/stages/kind"
)

// needs says what a training takes of the machine. Of memory it is fastest with all activations
// kept, and can do with all of them computed again. Of the disk, checkpoints hold 4 bytes a
// parameter, or 12 with AdamW's moments; while one is saved, the one before is still there. It uses
// all cores that it is given, and no device: the engines of this program compute on the processor.
func needs(job *kind.Job) (kind.Needs, error) {
	var p kind.TrainParams
	if err := job.Decode(&p); err != nil {
		return kind.Needs{}, err
	}
	n, _ := p.Model.Parameters()
	need := kind.Needs{Leaves: 4 * n, Aside: 2 * 12 * n}
	if p.Moments {
		need.Leaves = 12 * n
	}
	var err error
	if need.Memory, err = trainingMemory(p, max(1, job.Threads), lm.None); err != nil {
		return kind.Needs{}, err
	}
	least, err := trainingMemory(p, max(1, job.Threads), lm.Layers)
	need.LeastMemory = min(least, need.Memory)
	return need, err
}

func trainingMemory(p kind.TrainParams, threads int, redo lm.Recompute) (int64, error) {
	T := p.Model.Context
	if T < 1 || p.Batch < int64(T) {
		return 0, fmt.Errorf("batch of %d tokens in sequences of %d", p.Batch, T)
	}
	engine, err := engines.Find(p.Arithmetic)
	if err != nil {
		return 0, err
	}
	m, err := engine.TrainingMemory(p.Model, microSequences(int(p.Batch)/T, T), T, lm.Options{Precision: p.Precision, Threads: threads, Recompute: redo})
	return m.Total() + model.Besides, err
}

// recompute is the least recomputation with which the training stays within the job's memory.
func recompute(job *kind.Job, p kind.TrainParams) (lm.Recompute, error) {
	if job.Memory == 0 {
		return lm.None, nil
	}
	var least int64
	for _, redo := range lm.Levels {
		n, err := trainingMemory(p, max(1, job.Threads), redo)
		if err != nil {
			return redo, err
		}
		if n <= job.Memory {
			return redo, nil
		}
		least = n
	}
	return 0, &kind.MemoryError{Err: fmt.Errorf("the model needs at least %d MB (with activation checkpointing of every layer), and the step may take %d MB: "+
		"raise --memory, or shorten model.context", (least+1e6-1)/1e6, job.Memory/1e6)}
}
