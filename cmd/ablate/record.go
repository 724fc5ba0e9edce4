package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner/audit"
	"ablate/specs"
	"ablate/stages"
	"ablate/stages/kind"
)

// Files of an output directory that record a run, beside plan.json.
const (
	studyFile      = "study.yaml"      // the study, byte for byte
	sourcesFile    = "sources.json"    // the raw files that it read
	provenanceFile = "provenance.json" // every step, what went in and what came out
)

// mostRecord is the largest of these that is read, in bytes: two kilobytes for each of a million steps.
const mostRecord = 2 << 30

// recordedFile is a raw file as sources.json names it.
type recordedFile struct {
	Name   string       `json:"name"` // below its corpus
	Bytes  int64        `json:"bytes"`
	Digest cache.Digest `json:"sha256"`
	Format string       `json:"format,omitempty"` // of its content, where neither the study nor its name says it
}

// recordedSources is sources.json: all that a plan needs to know of the raw files, so that it can be compiled again without them.
type recordedSources struct {
	Format    int                       `json:"format"` // 1
	Corpora   map[string][]recordedFile `json:"corpora"`
	EvalSets  map[string][]recordedFile `json:"eval_sets"`
	Tokenizer *recordedTokenizer        `json:"tokenizer,omitempty"`
	Units     pipeline.UnitNames        `json:"units,omitempty"` // what the split called them
}

// recordedTokenizer is a tokenizer.json that a study names.
type recordedTokenizer struct {
	recordedFile
	Vocab int    `json:"vocab"` // ids
	EOS   uint32 `json:"eos"`   // id of the end of a text
}

// writeSources makes the bytes of sources.json.
func writeSources(src pipeline.Sources) ([]byte, error) {
	list := func(of map[string][]pipeline.File) map[string][]recordedFile {
		out := map[string][]recordedFile{}
		for name, files := range of {
			out[name] = []recordedFile{}
			for _, f := range files {
				out[name] = append(out[name], recordedFile{f.Name, f.Size, f.Digest, f.Format})
			}
		}
		return out
	}
	r := recordedSources{Format: 1, Corpora: list(src.Corpora), EvalSets: list(src.EvalSets), Units: src.Names}
	if t := src.Tokenizer; t != nil {
		r.Tokenizer = &recordedTokenizer{recordedFile{t.Name, t.Size, t.Digest, ""}, src.Vocab, src.EOS}
	}
	data, err := json.MarshalIndent(r, "", "  ")
	return append(data, '\n'), err
}

// parseSources reads sources.json. The files have no paths: whoever has them adds those.
func parseSources(data []byte) (pipeline.Sources, error) {
	var r recordedSources
	if err := json.Unmarshal(data, &r); err != nil {
		return pipeline.Sources{}, fmt.Errorf("%s: %w", sourcesFile, err)
	}
	if r.Format != 1 {
		return pipeline.Sources{}, fmt.Errorf("%s: has format %d, this program reads 1", sourcesFile, r.Format)
	}
	list := func(of map[string][]recordedFile) map[string][]pipeline.File {
		out := map[string][]pipeline.File{}
		for name, files := range of {
			for _, f := range files {
				out[name] = append(out[name], pipeline.File{Name: f.Name, Size: f.Bytes, Digest: f.Digest, Format: f.Format})
			}
		}
		return out
	}
	src := pipeline.Sources{Corpora: list(r.Corpora), EvalSets: list(r.EvalSets), Names: r.Units}
	if t := r.Tokenizer; t != nil {
		src.Tokenizer = &pipeline.File{Name: t.Name, Size: t.Bytes, Digest: t.Digest}
		src.Vocab, src.EOS = t.Vocab, t.EOS
	}
	return src, nil
}

// complete checks that recorded sources are those of a study, as a plan needs them.
func complete(s *specs.Study, src pipeline.Sources) error {
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(s.Corpora)) {
		if len(src.Corpora[name]) == 0 {
			missing = append(missing, "corpus "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Eval.OutOfDomain)) {
		if len(src.EvalSets[name]) == 0 {
			missing = append(missing, "evaluation set "+name)
		}
	}
	if s.Tokenizer.File != "" && src.Tokenizer == nil {
		missing = append(missing, "the tokenizer")
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s names no files of %s", sourcesFile, strings.Join(missing, ", "))
	}
	return nil
}

// record is what an output directory says of the run that made it. Nothing in it is believed without being checked.
type record struct {
	dir     string
	study   []byte            // nil: not there
	sources *pipeline.Sources // nil: not there
	steps   []audit.Step      // nil: not there
	lacks   []string          // which of the files are not there
}

// readRecord reads what there is. A file that cannot be read for what it is is an error.
func readRecord(dir string) (*record, error) {
	r := &record{dir: dir}
	for _, f := range []struct {
		name string
		take func([]byte) error
	}{
		{studyFile, func(data []byte) error { r.study = data; return nil }},
		{sourcesFile, func(data []byte) error {
			src, err := parseSources(data)
			r.sources = &src
			return err
		}},
		{provenanceFile, func(data []byte) (err error) { r.steps, err = audit.ParseProvenance(data); return err }},
	} {
		data, err := cache.ReadFollowed(filepath.Join(dir, f.name), mostRecord)
		if errors.Is(err, fs.ErrNotExist) {
			r.lacks = append(r.lacks, f.name)
			continue
		}
		if err == nil {
			err = f.take(data)
		}
		if err != nil {
			return r, fmt.Errorf("%s: %w", dir, err)
		}
	}
	return r, nil
}

// unitsFound gives the units of each partition of a split, and their names.
type unitsFound func(set string, e *cache.Entry) (counts map[string]int, names map[string][]string)

// unitsRecorded counts the units of a split by what it left, and calls them as sources.json does, so that no blob is needed.
func unitsRecorded(src pipeline.Sources) unitsFound {
	return func(set string, e *cache.Entry) (map[string]int, map[string][]string) {
		return unitsLeft(e), src.Names[set]
	}
}

// unitsRead reads them from the split's table where that is sound, and goes by the record where it is not.
func unitsRead(c *cache.Cache, src pipeline.Sources) unitsFound {
	return func(set string, e *cache.Entry) (map[string]int, map[string][]string) {
		if counts, names, _, err := unitsOf(c, e); err == nil {
			return counts, names
		}
		return unitsRecorded(src)(set, e) // an audit tells that the table is lost when it reads the blobs
	}
}

// compileWith plans a study from recorded sources, with entries found by lookup.
func compileWith(s *specs.Study, src pipeline.Sources, lookup pipeline.Lookup, units unitsFound) (*compiled, error) {
	if err := complete(s, src); err != nil {
		return nil, err
	}
	src.Names = nil
	p := &compiled{study: s, src: src}
	found := pipeline.Catalogue(nil)
	for range 2 { // as far as the split, then all of it
		var err error
		if p.plan, err = pipeline.Compile(s, p.src, found); err != nil {
			return nil, err
		}
		if p.state, err = p.plan.Resolve(stages.Kinds(), lookup); err != nil {
			return nil, err
		}
		if found != nil || p.plan.Partial == "" && len(p.plan.Numbered) == 0 {
			return p, nil
		}
		counts, names := pipeline.Catalogue{}, pipeline.UnitNames{}
		for _, split := range p.plan.Splits {
			if split.Seed {
				continue
			}
			if p.state.Status[split.Step] != pipeline.Hit {
				return p, nil
			}
			counts[split.Set], names[split.Set] = units(split.Set, p.state.Entries[split.Step])
		}
		found, p.src.Names = counts, names
	}
	return p, nil
}

// unitsLeft counts the units of each partition among the outputs of a split.
func unitsLeft(e *cache.Entry) map[string]int {
	units := map[string]int{}
	for _, o := range e.Outputs {
		rest, ok := strings.CutPrefix(o.Name, kind.UnitsFolder+"/")
		end := strings.LastIndexByte(rest, '/')
		if !ok || end < 0 {
			continue
		}
		if partition, err := kind.Unescape(rest[:end]); err == nil {
			units[partition]++
		}
	}
	return units
}
