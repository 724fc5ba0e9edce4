package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/study/sources"
	"ablate/pipeline"
	"ablate/runner/audit"
	"ablate/specs"
	"ablate/stages/kind"
)

// Files of an output directory that record a run, beside plan.json.
const (
	StudyFile      = "study.yaml"      // the study, byte for byte
	SourcesFile    = "sources.json"    // the raw files that it read
	ProvenanceFile = "provenance.json" // every step, what went in and what came out
)

// mostRecord is the largest of these that is read, in bytes: two kilobytes for each of a million
// steps.
const mostRecord = 2 << 30

// recordedFile is a raw file as sources.json names it.
type recordedFile struct {
	Name   string       `json:"name"` // below its corpus
	Bytes  int64        `json:"bytes"`
	Digest cache.Digest `json:"sha256"`
	Format string       `json:"format,omitempty"` // of its content, where neither the study nor its name says it
}

// recordedSources is sources.json: all that a plan needs to know of the raw files, so that it can
// be compiled again without them.
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

// WriteSources makes the bytes of sources.json.
func WriteSources(src pipeline.Sources) ([]byte, error) {
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
		return pipeline.Sources{}, fmt.Errorf("%s: %w", SourcesFile, err)
	}
	if r.Format != 1 {
		return pipeline.Sources{}, fmt.Errorf("%s: has format %d, this program reads 1", SourcesFile, r.Format)
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

// Record is what an output directory says of the run that made it. Nothing in it is believed
// without being checked.
type Record struct {
	Dir     string
	Study   []byte            // nil: not there
	Sources *pipeline.Sources // nil: not there
	Steps   []audit.Step      // nil: not there
	Lacks   []string          // which of the files are not there
	Damaged []DamagedFile     // those that are there and cannot be read for what they are
}

// DamagedFile is a file of an output directory that cannot be read for what it is.
type DamagedFile struct {
	Name string
	Err  error
}

// ReadRecord reads what there is. A file that cannot be read for what it is is an error, with which
// the record has all the others.
func ReadRecord(dir string) (*Record, error) {
	r := &Record{Dir: dir}
	for _, f := range []struct {
		name string
		take func([]byte) error
	}{
		{StudyFile, func(data []byte) error { r.Study = data; return nil }},
		{SourcesFile, func(data []byte) error {
			src, err := parseSources(data)
			if err == nil {
				r.Sources = &src
			}
			return err
		}},
		{ProvenanceFile, func(data []byte) (err error) { r.Steps, err = audit.ParseProvenance(data); return err }},
	} {
		data, err := cache.ReadFollowed(filepath.Join(dir, f.name), mostRecord)
		if errors.Is(err, fs.ErrNotExist) {
			r.Lacks = append(r.Lacks, f.name)
			continue
		}
		if err == nil {
			err = f.take(data)
		}
		if err != nil {
			r.Damaged = append(r.Damaged, DamagedFile{f.name, err})
		}
	}
	if len(r.Damaged) > 0 {
		return r, fmt.Errorf("%s: %w", dir, r.Damaged[0].Err)
	}
	return r, nil
}

// recordedUnits counts the units of a split by what the split left, and calls them as sources.json
// does, so that no blob is needed.
func recordedUnits(recorded pipeline.UnitNames) unitsOf {
	return func(_ *cache.Cache, set string, e *cache.Entry) (units, error) {
		return units{counts: unitsLeft(e), names: recorded[set]}, nil
	}
}

// soundUnits reads the units from the split's table where that is sound, and goes by the record
// where it is not: an audit tells that the table is lost when it reads the blobs.
func soundUnits(recorded pipeline.UnitNames) unitsOf {
	return func(c *cache.Cache, set string, e *cache.Entry) (units, error) {
		if u, err := unitsFound(c, set, e); err == nil {
			return units{counts: u.counts, names: u.names}, nil
		}
		return recordedUnits(recorded)(c, set, e)
	}
}

// PlanRecorded plans a study from recorded sources, with entries found by lookup. The units are
// those of the tables in cache c where they are sound; where c is nil, they are those of the
// record.
func (s *Session) PlanRecorded(of *specs.Study, recorded pipeline.Sources, c *cache.Cache, lookup pipeline.Lookup) (*Compiled, error) {
	if err := Complete(of, recorded); err != nil {
		return nil, err
	}
	p := &Compiled{Study: of, Sources: recorded, Cache: c, Program: s.Program(), lookup: lookup, units: recordedUnits(recorded.Names)}
	if c != nil {
		p.units = soundUnits(recorded.Names)
	}
	p.Sources.Names = nil
	return p, p.compile()
}

// Complete checks that recorded sources are those of a study, as a plan needs them.
func Complete(of *specs.Study, recorded pipeline.Sources) error {
	if err := sources.Complete(of, recorded); err != nil {
		return fmt.Errorf("%s %w", SourcesFile, err)
	}
	return nil
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
