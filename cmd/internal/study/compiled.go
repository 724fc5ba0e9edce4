package study

import (
	"fmt"

	"ablate/cache"
	"ablate/cmd/internal/study/sources"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/stages"
)

// Compiled is a study ready to be looked at or run.
type Compiled struct {
	Study   *specs.Study
	Sources pipeline.Sources
	Plan    *pipeline.Plan
	State   *pipeline.State
	Cache   *cache.Cache // where its results are; nil: those of an output directory, which have none
	Program string       // that plans it, for its report

	lookup pipeline.Lookup
	units  unitsOf
}

// Settled reports whether the plan is all of the study: every unit is known, and by its name.
func (p *Compiled) Settled() bool { return p.Plan.Partial == "" && len(p.Plan.Numbered) == 0 }

// compile plans the study as far as the units of its partitions are known.
func (p *Compiled) compile() error {
	if err := p.plan(nil); err != nil || p.Settled() {
		return err
	}
	_, err := p.Extend()
	return err
}

// Extend plans the study again with the units that the splits of its plan found. It returns false,
// and changes nothing, where one of the splits has not run. This is the one place where a plan
// grows: as far as the split, then all of it.
func (p *Compiled) Extend() (bool, error) {
	found, err := p.Catalogue()
	if err != nil || found == nil {
		return false, err
	}
	return true, p.plan(found)
}

// plan compiles the study with a catalogue and looks its steps up.
func (p *Compiled) plan(found pipeline.Catalogue) (err error) {
	if p.Plan, err = pipeline.Compile(p.Study, p.Sources, found); err != nil {
		return err
	}
	return p.Resolve()
}

// Resolve looks the steps of the plan up.
func (p *Compiled) Resolve() (err error) {
	p.State, err = p.Plan.Resolve(stages.Kinds(), p.lookup)
	return err
}

// Output is where the bytes of a step's output lie in the cache. The step must be in the cache.
func (p *Compiled) Output(step int, name string) (string, error) {
	return OutputPath(p.Cache, p.State.Entries[step], name)
}

// ResultOutput reads an output of the study's comparison. The comparison must be in the cache.
func (p *Compiled) ResultOutput(name string) ([]byte, error) {
	return ReadOutput(p.Cache, p.State.Entries[p.Plan.Result], name)
}

// Reads lists the files that the study reads: those that it was read from, and its raw files.
func (p *Compiled) Reads() []string {
	files := p.Study.Files()
	for _, f := range sources.List(p.Sources) {
		files = append(files, f.Path)
	}
	return files
}

// CorpusOf is the corpus that a split divides.
func (p *Compiled) CorpusOf(split pipeline.SplitRef) string {
	if split.Seed {
		return split.PartitionSet
	}
	return p.Study.Partitions[split.PartitionSet].Corpus
}

// OutputPath is where the bytes of a step's output lie in the cache.
func OutputPath(c *cache.Cache, e *cache.Entry, name string) (string, error) {
	out, ok := e.Output(name)
	if !ok {
		return "", fmt.Errorf("entry %s (%s) has no output %s", e.Key.Short(), e.Kind, name)
	}
	return c.BlobOf(out)
}

// MostOutput is the largest output that is read whole, in bytes: the scores of a million
// evaluations are half as large.
const MostOutput = 256 << 20

// ReadOutput reads a step's output.
func ReadOutput(c *cache.Cache, e *cache.Entry, name string) ([]byte, error) {
	path, err := OutputPath(c, e, name)
	if err != nil {
		return nil, err
	}
	return cache.ReadFile(path, MostOutput)
}
