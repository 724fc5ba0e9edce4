package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/stages"
	"ablate/stages/kind"
	"ablate/stages/tables"
	"ablate/stages/text"
)

// loadStudy reads a study, at the scale that the command line names; everything wrong with it is a usage error.
func (a *app) loadStudy(name string) (*specs.Study, error) {
	s, err := specs.LoadScale(name, a.scale)
	var list specs.Errors
	if err != nil && !errors.As(err, &list) && !ofMachine(err) {
		return nil, usageError{err}
	}
	return s, err
}

// ofMachine reports an error that no change of the study mends: a disk or a server that fails, a limit of the system that is met, or
// somebody who wants the command to end.
func ofMachine(err error) bool {
	var errno syscall.Errno
	return errors.Is(err, errInterrupted) || errors.As(err, &errno) && slices.Contains([]syscall.Errno{
		syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
	}, errno)
}

// openCache opens the cache named on the command line, or the default one.
func (a *app) openCache() (*cache.Cache, error) {
	dir, err := a.cachePath()
	if err != nil {
		return nil, err
	}
	return a.until(cache.Open(dir))
}

// until lets the cache's reading end when the command is interrupted.
func (a *app) until(c *cache.Cache, err error) (*cache.Cache, error) {
	if err == nil {
		c.Until(a.ctx)
	}
	return c, err
}

// readCache opens the cache for a command that only looks: where it cannot be written, because it belongs to another, lies on a read-only
// file system or the disk is full, looking is all the same possible.
func (a *app) readCache() (*cache.Cache, error) {
	dir, err := a.cachePath()
	if err != nil {
		return nil, err
	}
	return a.until(cache.OpenOrRead(dir))
}

// join adds the upstream, if one is named, to a cache that a study is looked up in.
func (a *app) join(c *cache.Cache, err error) (*cache.Cache, error) {
	if err == nil && a.upstream != "" {
		err = c.Upstream(a.upstream)
	}
	return c, err
}

func (a *app) cachePath() (string, error) {
	dir, err := a.cacheDir, error(nil)
	if dir == "" {
		dir, err = cache.DefaultDir()
	}
	if err == nil && cache.GroupWrites(dir) {
		// A cache that a group shares, as git's shared repositories: what steps leave there half done must be for the others to go on with.
		syscall.Umask(syscall.Umask(0o077) &^ 0o070)
	}
	return dir, err
}

// hashing gives the digest and size in bytes of a raw file.
type hashing func(path string) (cache.Digest, int64, error)

// sources finds and hashes the raw files of a study. Everything that is missing is told at once, each at its place in the study; with absent,
// files whose variables are not set are stood for, so that the study can be planned. Where the machine fails nothing is a mistake of the study.
func sources(s *specs.Study, digest hashing, absent bool) (pipeline.Sources, error) {
	src := pipeline.Sources{Corpora: map[string][]pipeline.File{}, EvalSets: map[string][]pipeline.File{}}
	var wrong specs.Errors
	var failed error
	tell := func(err error, at []string) {
		if ofMachine(err) && failed == nil {
			failed = fmt.Errorf("%v: %w", s.At(at...), err)
		}
		wrong = append(wrong, s.Errorf(at, "%v", err))
	}
	patterns := map[string]int{} // that name a variable which is not set
	missing := func(err error, at []string) bool {
		var unset *text.UnsetError
		if !errors.As(err, &unset) {
			return false
		}
		if patterns[unset.Variable]++; patterns[unset.Variable] == 1 {
			src.Missing = append(src.Missing, unset.Variable)
			wrong = append(wrong, s.Errorf(at, "%v%s", err, unsetHint(unset.Variable)))
		}
		return true
	}
	noGo := false
	find := func(corpus specs.Corpus, at ...string) []pipeline.File {
		found, passed, err := text.Files(s.Dir, corpus.Files, corpus.Exclude, variable)
		if err != nil {
			if at = append(at, "files"); !missing(err, at) {
				if none := noSources(corpus.Files); none != nil && noGo {
					return missingFiles(corpus.Files) // told once
				} else if none != nil {
					err, noGo = none, true
				}
				tell(err, at)
			}
			return missingFiles(corpus.Files)
		}
		for _, p := range passed {
			src.Notes = append(src.Notes, fmt.Sprintf("%s: %s", s.At(append(at, "files")...), p))
		}
		files, err := hashed(digest, corpus, found)
		if err != nil {
			tell(err, append(at, "files"))
		}
		return files
	}
	for _, name := range slices.Sorted(maps.Keys(s.Corpora)) {
		src.Corpora[name] = find(s.Corpora[name], "corpora", name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Eval.OutOfDomain)) {
		src.EvalSets[name] = find(s.Eval.OutOfDomain[name].Corpus, "eval", "out_of_domain", name)
	}
	if file := s.Tokenizer.File; file != "" {
		at := []string{"tokenizer", "file"}
		path, err := text.FilePath(s.Dir, file, variable)
		var d cache.Digest
		var size int64
		if err == nil {
			d, size, err = digest(path)
		}
		if err == nil {
			src.Tokenizer = &pipeline.File{Path: path, Name: filepath.Base(path), Size: size, Digest: d}
			src.Vocab, src.EOS, err = text.TokenizerInfo(path)
		}
		if err != nil && !missing(err, at) {
			tell(err, at)
		} else if err != nil {
			src.Tokenizer = &missingFiles([]string{file})[0]
		}
	}
	if failed != nil {
		return src, failed
	}
	if absent && len(wrong) == len(src.Missing) && s.Declared() {
		return src, nil
	}
	if len(wrong) > 0 {
		return src, wrong
	}
	return src, nil
}

// hashed hashes the files of a corpus, and the indexes of those that have one.
func hashed(digest hashing, corpus specs.Corpus, found []text.File) ([]pipeline.File, error) {
	format, err := formatOf(corpus, found)
	if err != nil {
		return nil, err
	}
	if format == "tokens" {
		if found, err = text.Arrays(found); err != nil {
			return nil, err
		}
	}
	files := make([]pipeline.File, len(found))
	for i, f := range found {
		d, size, err := digest(f.Path)
		if err != nil {
			return nil, err
		}
		files[i] = pipeline.File{Path: f.Path, Name: f.Name, Size: size, Digest: d}
		if corpus.Format == "auto" && format != "text" && specs.FormatOfName(f.Name) == "" {
			files[i].Format = format
		}
		if f.Index == "" {
			continue
		}
		if d, size, err = digest(f.Index); err != nil {
			return nil, err
		}
		files[i].Index = &pipeline.File{Path: f.Index, Name: filepath.Base(f.Index), Size: size, Digest: d}
	}
	return files, nil
}

func missingFiles(patterns []string) []pipeline.File {
	var files []pipeline.File
	for _, p := range patterns {
		files = append(files, pipeline.MissingFile(p))
	}
	return files
}

// compiled is a study ready to be looked at or run.
type compiled struct {
	study *specs.Study
	src   pipeline.Sources
	plan  *pipeline.Plan
	state *pipeline.State
}

// compile loads a study and plans it as far as the cache allows: where the catalogue of units is known from an earlier split, the plan is
// complete.
func (a *app) compile(name string, c *cache.Cache) (*compiled, error) {
	return a.compileAs(name, c, false)
}

// compileAs is compile; with absent, the plan of a study whose data is not there but whose catalogue is declared is complete, too.
func (a *app) compileAs(name string, c *cache.Cache, absent bool) (*compiled, error) {
	s, err := a.loadStudy(name)
	if err != nil {
		return nil, err
	}
	if a.registers && !c.ReadOnly() { // else nothing of it is run, and whoever owns the cache decides what is kept
		path := s.Path
		if _, err := os.Stat(path); err == nil { // else a shipped study, which has one name everywhere
			if path, err = filepath.Abs(path); err != nil {
				return nil, err
			}
		}
		if err := c.Register(s.Name, path); err != nil {
			return nil, err
		}
	}
	src, err := sources(s, c.FileDigest, absent)
	if err != nil {
		return nil, err
	}
	p := &compiled{study: s, src: src}
	if err := p.replan(c, nil); err != nil {
		return nil, err
	}
	if p.plan.Partial != "" || len(p.plan.Numbered) > 0 {
		found, err := p.catalogue(c)
		if err != nil || found == nil {
			return p, err
		}
		return p, p.replan(c, found)
	}
	return p, nil
}

// replan compiles the study with a catalogue and resolves the plan against the cache.
func (p *compiled) replan(c *cache.Cache, found pipeline.Catalogue) (err error) {
	if p.plan, err = pipeline.Compile(p.study, p.src, found); err != nil {
		return err
	}
	p.state, err = p.plan.Resolve(stages.Kinds(), c.Lookup)
	return err
}

// catalogue reads the units that the split steps found, and keeps their names among the study's sources, or returns nil where one of them
// has not run.
func (p *compiled) catalogue(c *cache.Cache) (pipeline.Catalogue, error) {
	found, names, sizes := pipeline.Catalogue{}, pipeline.UnitNames{}, pipeline.UnitSizes{}
	for _, split := range p.plan.Splits {
		if split.Seed {
			continue
		}
		if p.state.Status[split.Step] != pipeline.Hit {
			return nil, nil
		}
		units, theirs, tokens, err := unitsOf(c, p.state.Entries[split.Step])
		if err != nil {
			return nil, fmt.Errorf("step %s: %w", p.plan.Steps[split.Step].ID, err)
		}
		found[split.Set], names[split.Set], sizes[split.Set] = units, theirs, tokens
	}
	p.src.Names, p.src.Sizes = names, sizes
	return found, nil
}

// unitsOf reads how many units each partition of a split has, what they are called, and how many tokens each has.
func unitsOf(c *cache.Cache, e *cache.Entry) (counts map[string]int, names map[string][]string, tokens map[string][]int64, err error) {
	path, err := outputPath(c, e, kind.OutSizes)
	if err != nil {
		return nil, nil, nil, err
	}
	rows, err := tables.Sizes(path)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", kind.OutSizes, err)
	}
	counts, names, tokens = map[string]int{}, map[string][]string{}, map[string][]int64{}
	for _, r := range rows {
		if r.Part == tables.PartUnit { // in the order of their numbers
			counts[r.Partition]++
			names[r.Partition] = append(names[r.Partition], r.Name)
			tokens[r.Partition] = append(tokens[r.Partition], r.Tokens)
		}
	}
	return counts, names, tokens, nil
}

// assume completes a plan whose corpus must be split again with the units that the study's last split found, so that a person sees what a
// change will cost before anything runs; partitions that the study names anew count as one unit. The plan says what it assumes. A run
// assumes nothing.
func (p *compiled) assume(c *cache.Cache) error {
	last := map[string]*cache.Entry{}
	for e, err := range c.Entries() {
		if err != nil || e.Kind != kind.Split || e.Provenance.Study != p.study.Name {
			continue // a damaged entry is nothing to go by
		}
		if old := last[e.Provenance.Step]; old == nil || old.Provenance.Started < e.Provenance.Started {
			last[e.Provenance.Step] = e
		}
	}
	found, names := pipeline.Catalogue{}, pipeline.UnitNames{}
	var assumed []string
	for _, split := range p.plan.Splits {
		id := p.plan.Steps[split.Step].ID
		if split.Seed || len(p.study.Partitions[split.Set].Units) > 0 {
			continue
		}
		e := last[id]
		if e == nil {
			return nil
		}
		units, theirs, _, err := unitsOf(c, e)
		if err != nil {
			return nil // nothing to go by
		}
		found[split.Set], names[split.Set] = p.selected(split.Set, units), theirs
		assumed = append(assumed, fmt.Sprintf("%s has the units that it had on %s, and new partitions one each", id, e.Provenance.Started))
	}
	p.src.Names = names
	if err := p.replan(c, found); err != nil {
		return err
	}
	p.plan.Assumed = strings.Join(assumed, "; ")
	return nil
}

// selected takes from the units found those that the study selects now.
func (p *compiled) selected(set string, units map[string]int) map[string]int {
	spec := p.study.Partitions[set]
	out := map[string]int{}
	if len(spec.Only) == 0 {
		maps.Copy(out, units)
	}
	for _, name := range spec.Only {
		out[name] = max(1, units[name])
	}
	for _, name := range spec.Except {
		delete(out, name)
	}
	return out
}

// outputPath is where the bytes of a step's output lie in the cache.
func outputPath(c *cache.Cache, e *cache.Entry, name string) (string, error) {
	out, ok := e.Output(name)
	if !ok {
		return "", fmt.Errorf("entry %s (%s) has no output %s", e.Key.Short(), e.Kind, name)
	}
	return c.BlobOf(out)
}

// mostOutput is the largest output that is read whole, in bytes: the scores of a million evaluations are half as large.
const mostOutput = 256 << 20

func readOutput(c *cache.Cache, e *cache.Entry, name string) ([]byte, error) {
	path, err := outputPath(c, e, name)
	if err != nil {
		return nil, err
	}
	return cache.ReadFile(path, mostOutput)
}
