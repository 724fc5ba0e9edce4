package sources

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"ablate/pipeline"
	"ablate/specs"
	"ablate/stages/text"
)

// Raw is a raw file and what a person calls it.
type Raw struct {
	pipeline.File
	Called string // NAME of corpus CORPUS
}

// List lists the files of a study, in a stable order.
func List(src pipeline.Sources) []Raw {
	var out []Raw
	for _, name := range slices.Sorted(maps.Keys(src.Corpora)) {
		for _, f := range src.Corpora[name] {
			out = append(out, Raw{f, f.Name + " of corpus " + name})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(src.EvalSets)) {
		for _, f := range src.EvalSets[name] {
			out = append(out, Raw{f, f.Name + " of evaluation set " + name})
		}
	}
	if src.Tokenizer != nil {
		out = append(out, Raw{*src.Tokenizer, src.Tokenizer.Name + ", the tokenizer"})
	}
	return out
}

// Locate lists files that a run recorded with the paths where they lie now (empty: gone) and,
// without a digest, those that the study's patterns match now and that were not recorded. Nothing
// is hashed. Only patterns that confined allows are looked at.
func (f Finder) Locate(s *specs.Study, recorded pipeline.Sources, confined func(pattern string) bool) []Raw {
	now := empty()
	for t := range texts(s) {
		var files []pipeline.File
		for _, pattern := range t.Files { // one by one: a pattern that matches nothing any more must not hide what the others match
			if !confined(pattern) {
				continue
			}
			list, _, err := text.Files(s.Dir, []string{pattern}, t.Exclude, f.variable)
			if err != nil {
				continue // each file that was recorded and is not found is told
			}
			for _, f := range list {
				files = append(files, pipeline.File{Path: f.Path, Name: f.Name})
			}
		}
		t.put(now, files)
	}
	if file := s.Tokenizer.File; file != "" && recorded.Tokenizer != nil && confined(file) {
		if path, err := text.FilePath(s.Dir, file, f.variable); err == nil {
			now.Tokenizer = &pipeline.File{Name: recorded.Tokenizer.Name}
			if _, err := os.Stat(path); err == nil {
				now.Tokenizer.Path = path
			}
		}
	}
	there := map[string]pipeline.File{}
	for _, f := range List(now) {
		there[f.Called] = f.File
	}
	list := List(recorded)
	for i, f := range list {
		list[i].Path = there[f.Called].Path
		delete(there, f.Called)
	}
	for _, name := range slices.Sorted(maps.Keys(there)) {
		list = append(list, Raw{there[name], name})
	}
	return list
}

// Complete checks that recorded sources are those of a study, as a plan needs them.
func Complete(s *specs.Study, recorded pipeline.Sources) error {
	var missing []string
	for t := range texts(s) {
		if len(t.files(recorded)) > 0 {
			continue
		}
		if t.evalSet {
			missing = append(missing, "evaluation set "+t.name)
		} else {
			missing = append(missing, "corpus "+t.name)
		}
	}
	if s.Tokenizer.File != "" && recorded.Tokenizer == nil {
		missing = append(missing, "the tokenizer")
	}
	if len(missing) > 0 {
		return fmt.Errorf("names no files of %s", strings.Join(missing, ", "))
	}
	return nil
}
