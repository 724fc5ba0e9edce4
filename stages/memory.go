package stages

import (
	"encoding/json"
	"fmt"

	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/engines"
	"ablate/stages/kind"
)

// besides is what a step takes besides its engine: compiled graphs, tables, buffers of files. An estimate.
const besides = 40 << 20

// Memory says what a step takes of the machine's memory. Kinds that hold no model take little and are not counted.
func Memory(name string, params json.RawMessage, threads int) (kind.Memory, error) {
	job := kind.Job{Params: params, Threads: threads}
	switch name {
	case kind.Train:
		var p kind.TrainParams
		if err := job.Decode(&p); err != nil {
			return kind.Memory{}, err
		}
		most, err := trainingMemory(p, threads, lm.None)
		if err != nil {
			return kind.Memory{}, err
		}
		least, err := trainingMemory(p, threads, lm.Layers)
		return kind.Memory{Most: most, Least: min(least, most)}, err
	case kind.Eval:
		var p kind.EvalParams
		if err := job.Decode(&p); err != nil {
			return kind.Memory{}, err
		}
		engine, err := engines.Find(p.Arithmetic)
		if err != nil {
			return kind.Memory{}, err
		}
		m, err := engine.EvaluationMemory(p.Model, 1, max(evalBatchTokens, p.Model.Context), lm.Options{Threads: threads})
		n := m.Total() + besides
		return kind.Memory{Most: n, Least: n}, err
	}
	return kind.Memory{}, nil
}

func trainingMemory(p kind.TrainParams, threads int, redo lm.Recompute) (int64, error) {
	T := p.Model.Context
	if T < 1 || p.Batch < int64(T) {
		return 0, fmt.Errorf("batch of %d tokens in rows of %d", p.Batch, T)
	}
	engine, err := engines.Find(p.Arithmetic)
	if err != nil {
		return 0, err
	}
	m, err := engine.TrainingMemory(p.Model, microSequences(int(p.Batch)/T, T), T, lm.Options{Precision: p.Precision, Threads: threads, Recompute: redo})
	return m.Total() + besides, err
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
	return 0, fmt.Errorf("the model needs %d MB at least (every layer computed again in the backward pass), and the step may take %d MB: raise --memory, "+
		"or shorten model.context", (least+1e6-1)/1e6, job.Memory/1e6)
}
