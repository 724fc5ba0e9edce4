package stages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ablate/cache"
	"ablate/specs/arch"
	"ablate/stages/eval"
	"ablate/stages/internal/lm"
	"ablate/stages/internal/lm/cpu"
	"ablate/stages/internal/model"
	"ablate/stages/internal/stagetest"
	"ablate/stages/kind"
	"ablate/stages/merge"
)

// sweepModel has enough parameters, 150 kB of them, that reading one shows beside everything else a
// step reads.
var sweepModel = func() arch.Model {
	m := stagetest.Model
	m.Vocab, m.DModel = 2048, 16
	return m
}()

// commitModel puts a model of random parameters into a cache and returns its digest.
func commitModel(t *testing.T, c *cache.Cache, seed int) cache.Digest {
	t.Helper()
	ing := []cache.KeyInput{{Label: "kind", Value: kind.Train}, {Label: "seed", Value: fmt.Sprint(seed)}}
	build, err := c.Begin(cache.KeyOf(ing))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := cpu.New(sweepModel, lm.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	if err := lm.Init(engine, uint64(seed)); err != nil {
		t.Fatal(err)
	}
	meta, err := model.Meta(sweepModel)
	if err != nil {
		t.Fatal(err)
	}
	if err := model.Save(engine, lm.Weights, filepath.Join(build.Dir, kind.OutModel), meta); err != nil {
		t.Fatal(err)
	}
	entry, err := build.Commit(kind.Train, ing, cache.Machine())
	if err != nil {
		t.Fatal(err)
	}
	return entry.Outputs[0].Digest
}

// evalMixture does what a run does for an evaluation: ask the cache for each model, which verifies
// it, and score their average.
func evalMixture(t *testing.T, c *cache.Cache, tokens string, models []cache.Digest, weights ...string) stagetest.Result {
	t.Helper()
	job := stagetest.NewJob(t, kind.EvalParams{Model: sweepModel, Recipe: kind.Recipe{Weights: weights}, Documents: 1000, EOS: stagetest.EOS}, stagetest.Roles{"tokens": tokens})
	for i, d := range models {
		path, err := c.Blob(d)
		if err != nil {
			t.Fatal(err)
		}
		job.Inputs = append(job.Inputs, kind.Input{Role: kind.Role("model", i), Digest: d, Path: path})
	}
	if err := eval.Kind.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	return stagetest.Result(job.Dir)
}

// readBytes is how many bytes this process has read by read(2) and the like.
func readBytes(t *testing.T) (n int64) {
	t.Helper()
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("the system does not count what is read: ", err)
	}
	if _, err := fmt.Sscanf(string(data), "rchar: %d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// mapped is how many mappings of the models this process has.
func mapped(t *testing.T, c *cache.Cache, models []cache.Digest) (n int) {
	t.Helper()
	data, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	for _, d := range models {
		path, err := c.Blob(d)
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(data), path)
	}
	return n
}

// From the second mixture of the same models on, no byte of a checkpoint is read or hashed again.
func TestSweepReadsModelsOnce(t *testing.T) {
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var units []cache.Digest
	var size int64
	for seed := range 4 {
		units = append(units, commitModel(t, c, seed))
		path, err := c.Blob(units[seed])
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	tokens := stagetest.TokenFile(t, 4, false, stagetest.EvalLengths...)
	evalMixture(t, c, tokens, units, "1/4", "1/4", "1/4", "1/4")
	if n := mapped(t, c, units); n != len(units) {
		t.Errorf("%d of %d models stay mapped after the first mixture", n, len(units))
	}
	before := readBytes(t)
	const more = 5
	var last stagetest.Result
	for i := range more {
		last = evalMixture(t, c, tokens, units, "1/2", "1/4", fmt.Sprintf("%d/100", 10+i), fmt.Sprintf("%d/100", 15-i))
	}
	if n := readBytes(t) - before; n > size/2 {
		t.Errorf("%d mixtures more read %d bytes, the models have %d", more, n, size)
	}

	// A model that goes away and comes again, under another inode, and one whose bytes are spoilt
	// are told, and the result stays what it was.
	path, err := c.Blob(units[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Blob(units[1]); err == nil {
		t.Fatal("a removed model was found")
	}
	commitModel(t, c, 1)
	stagetest.SameOutputs(t, last, evalMixture(t, c, tokens, units, "1/2", "1/4", "14/100", "11/100"))

	path, err = c.Blob(units[2])
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-3] ^= 0x10
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil { // in place: the mapping sees it
		t.Fatal(err)
	}
	if _, err := c.Blob(units[2]); err == nil {
		t.Fatal("a spoilt model was found good")
	}
	commitModel(t, c, 2)
	stagetest.SameOutputs(t, last, evalMixture(t, c, tokens, units, "1/2", "1/4", "14/100", "11/100"))
}

// A merge allocates its result and little else, however many models: 30 more cost less than one.
func TestMergeTakesTheMemoryOfItsResult(t *testing.T) {
	c, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	path, err := c.Blob(commitModel(t, c, 1))
	if err != nil {
		t.Fatal(err)
	}
	allocated := func(n int) int64 {
		in, weights := stagetest.Roles{}, make([]string, n)
		for i := range n {
			in[kind.Role("model", i)], weights[i] = path, fmt.Sprintf("1/%d", n)
		}
		job := stagetest.NewJob(t, kind.MergeParams{Recipe: kind.Recipe{Weights: weights}}, in)
		return testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				if err := merge.Kind.Run(b.Context(), job); err != nil {
					b.Fatal(err)
				}
			}
		}).AllocedBytesPerOp()
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	two, many := allocated(2), allocated(32)
	if extra := many - two; extra > info.Size() {
		t.Errorf("merging 32 models allocates %d bytes more than merging 2, a model has %d", extra, info.Size())
	}
}
