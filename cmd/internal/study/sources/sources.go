// Package sources finds the raw files of a study: which files its patterns match, of which format
// they are, and what their content is.
package sources

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"ablate/cache"
	"ablate/cmd/internal/study/fault"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/stages/text"
)

// A Finder finds and hashes the raw files of studies.
type Finder struct {
	Digest   func(path string) (cache.Digest, int64, error) // digest and size in bytes of a raw file
	Variable func(name string) (value string, ok bool)      // what ${NAME} in a pattern stands for; nil: Environment
	Absent   bool                                           // files whose variables are not set are stood for where the study declares its units, so that it can be planned
}

func (f Finder) variable(name string) (string, bool) {
	if f.Variable == nil {
		return Environment(name)
	}
	return f.Variable(name)
}

// A corpus is a corpus or an evaluation set of a study.
type corpus struct {
	specs.Corpus
	name    string
	evalSet bool
	at      []string // its place in the study
}

// files are those of the corpus among sources.
func (t corpus) files(src pipeline.Sources) []pipeline.File {
	if t.evalSet {
		return src.EvalSets[t.name]
	}
	return src.Corpora[t.name]
}

// put makes files those of the corpus.
func (t corpus) put(src pipeline.Sources, files []pipeline.File) {
	if t.evalSet {
		src.EvalSets[t.name] = files
	} else {
		src.Corpora[t.name] = files
	}
}

// texts are the corpora of a study and then its evaluation sets, each by name.
func texts(s *specs.Study) iter.Seq[corpus] {
	return func(yield func(corpus) bool) {
		for _, name := range slices.Sorted(maps.Keys(s.Corpora)) {
			if !yield(corpus{s.Corpora[name], name, false, []string{"corpora", name}}) {
				return
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Eval.OutOfDomain)) {
			if !yield(corpus{s.Eval.OutOfDomain[name].Corpus, name, true, []string{"eval", "out_of_domain", name}}) {
				return
			}
		}
	}
}

// empty are sources without files.
func empty() pipeline.Sources {
	return pipeline.Sources{Corpora: map[string][]pipeline.File{}, EvalSets: map[string][]pipeline.File{}}
}

// finding is a search for the files of one study, with what is wrong with it.
type finding struct {
	Finder
	s      *specs.Study
	src    pipeline.Sources
	wrong  specs.Errors   // at their places in the study
	failed error          // of the machine
	unset  map[string]int // patterns that name a variable which is not set
	noGo   bool           // it was told that Go's sources are not there
}

// Find finds and hashes the raw files of a study. Everything that is missing is told at once, each
// at its place in the study. Where the machine fails nothing is a mistake of the study.
func (f Finder) Find(s *specs.Study) (pipeline.Sources, error) {
	x := &finding{Finder: f, s: s, src: empty(), unset: map[string]int{}}
	for t := range texts(s) {
		t.put(x.src, x.files(t))
	}
	if s.Tokenizer.File != "" {
		x.tokenizer()
	}
	switch {
	case x.failed != nil:
		return x.src, x.failed
	case f.Absent && len(x.wrong) == len(x.src.Missing) && s.Declared():
		return x.src, nil
	case len(x.wrong) > 0:
		return x.src, x.wrong
	}
	return x.src, nil
}

// tell takes in what is wrong at a place of the study.
func (x *finding) tell(err error, at []string) {
	if fault.OfMachine(err) && x.failed == nil {
		x.failed = fmt.Errorf("%v: %w", x.s.At(at...), err)
	}
	x.wrong = append(x.wrong, x.s.Errorf(at, "%v", err))
}

// missing takes in a variable that is not set; false: the error is of another sort.
func (x *finding) missing(err error, at []string) bool {
	var unset *text.UnsetError
	if !errors.As(err, &unset) {
		return false
	}
	if x.unset[unset.Variable]++; x.unset[unset.Variable] == 1 {
		x.src.Missing = append(x.src.Missing, unset.Variable)
		x.wrong = append(x.wrong, x.s.Errorf(at, "%v%s", err, unsetHint(unset.Variable)))
	}
	return true
}

// files are the files of one corpus or evaluation set.
func (x *finding) files(t corpus) []pipeline.File {
	at := append(slices.Clone(t.at), "files")
	found, passed, err := text.Files(x.s.Dir, t.Files, t.Exclude, x.variable)
	if err != nil {
		if !x.missing(err, at) {
			if none := x.noSources(t.Files); none != nil && x.noGo {
				return standIns(t.Files) // told once
			} else if none != nil {
				err, x.noGo = none, true
			}
			x.tell(err, at)
		}
		return standIns(t.Files)
	}
	for _, p := range passed {
		x.src.Notes = append(x.src.Notes, fmt.Sprintf("%s: %s", x.s.At(at...), p))
	}
	files, err := x.hashed(t.Corpus, found)
	if err != nil {
		x.tell(err, at)
	}
	return files
}

func (x *finding) tokenizer() {
	file, at := x.s.Tokenizer.File, []string{"tokenizer", "file"}
	path, err := text.FilePath(x.s.Dir, file, x.variable)
	var d cache.Digest
	var size int64
	if err == nil {
		d, size, err = x.Digest(path)
	}
	if err == nil {
		x.src.Tokenizer = &pipeline.File{Path: path, Name: filepath.Base(path), Size: size, Digest: d}
		x.src.Vocab, x.src.EOS, err = text.TokenizerInfo(path)
	}
	if err != nil && !x.missing(err, at) {
		x.tell(err, at)
	} else if err != nil {
		x.src.Tokenizer = &standIns([]string{file})[0]
	}
}

// hashed hashes the files of a corpus, and the indexes of those that have one.
func (f Finder) hashed(corpus specs.Corpus, found []text.File) ([]pipeline.File, error) {
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
	for i, file := range found {
		d, size, err := f.Digest(file.Path)
		if err != nil {
			return nil, err
		}
		files[i] = pipeline.File{Path: file.Path, Name: file.Name, Size: size, Digest: d}
		if corpus.Format == "auto" && format != "text" && specs.FormatOfName(file.Name) == "" {
			files[i].Format = format
		}
		if file.Index == "" {
			continue
		}
		if d, size, err = f.Digest(file.Index); err != nil {
			return nil, err
		}
		files[i].Index = &pipeline.File{Path: file.Index, Name: filepath.Base(file.Index), Size: size, Digest: d}
	}
	return files, nil
}

// standIns stand for the files of patterns whose files are not looked at.
func standIns(patterns []string) []pipeline.File {
	var files []pipeline.File
	for _, p := range patterns {
		files = append(files, pipeline.MissingFile(p))
	}
	return files
}

// StandIns stand for the raw files of a study, which counts of models and tokens do not need.
func StandIns(s *specs.Study) pipeline.Sources {
	src := empty()
	for t := range texts(s) {
		t.put(src, standIns(t.Files))
	}
	if s.Tokenizer.File != "" {
		src.Tokenizer = &standIns([]string{s.Tokenizer.File})[0]
	}
	return src
}
