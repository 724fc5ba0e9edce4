package merge

import (
	"context"
	"fmt"
	"maps"

	"ablate/cache/checkpoint"
	"ablate/stages/internal/model"
	"ablate/stages/internal/step"
	"ablate/stages/kind"
)

// merge stores the weighted average of checkpoints. Their metadata, which says what model they are,
// must agree and is kept.
func merge(ctx context.Context, job *kind.Job) error {
	var p kind.MergeParams
	if err := job.Decode(&p); err != nil {
		return err
	}
	files, done, err := model.Open(job)
	defer done()
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	w, err := p.Fractions(len(files))
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	meta := files[0].Meta()
	for i, f := range files {
		if other := f.Meta(); !maps.Equal(meta, other) {
			return fmt.Errorf("merge: metadata of %s is %v, of %s %v", kind.Role("model", i), other, kind.Role("model", 0), meta)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := step.Out(job, kind.OutModel)
	if err != nil {
		return err
	}
	return checkpoint.WriteAverage(path, files, w, meta)
}
