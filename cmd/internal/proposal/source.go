package proposal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ablate/specs"
	"ablate/stages/survey"
	"ablate/stages/text"
)

// How much of the files is read. A person waits for the answer: this takes a few seconds.
const (
	mostBytes  = 64 << 20  // of the content of a source's files together, divided among the files
	leastBytes = 256 << 10 // of the content of each file all the same
	mostFiles  = 256       // files of a source that are opened; of more, every second, third, ... is
)

// Formats, as a study calls them.
const (
	formatText    = "text"
	formatJSONL   = "jsonl"
	formatParquet = "parquet"
	formatTokens  = "tokens"
)

// source is the files that an option names.
type source struct {
	option   string   // that names them, for errors
	name     string   // of the evaluation set; empty for others
	patterns []string // as the study writes them
	files    []text.File
	format   string
	size     int64 // bytes of all files as they lie

	textField, idField string // of JSONL and Parquet
	uses               *survey.Uses
	read               []survey.Extent // of the files that were opened
	most               int64           // bytes of content that were read of each
	weight             float64         // of what was opened, all is so many times as much
	pieces             int64           // bytes of a piece; 0: documents are not cut
	counts             survey.Counts

	documents, bytes float64 // of all files: documents and the bytes of their text
	twice            int64   // documents that were read with the identity of one before them
	longest          int     // bytes of the longest document that was read
	drops            []drop
	repeated         []string // fields that would be the identity, and why they are not
}

// file is a raw file.
type file = text.File

// sources finds the files of all options.
func (p *Proposal) sources(ctx context.Context) (err error) {
	if p.main, err = p.source("--from", p.req.From); err != nil {
		return err
	}
	if len(p.req.Seed) > 0 {
		if p.seed, err = p.source("--seed", p.req.Seed); err != nil {
			return err
		}
	}
	for _, e := range p.req.Eval {
		if err := checkName(e.Name); err != nil {
			return err
		}
		s, err := p.source("--eval "+e.Name, []string{e.From})
		if err != nil {
			return err
		}
		s.name = e.Name
		p.eval = append(p.eval, s)
	}
	for _, s := range p.all() {
		if err := s.look(ctx); err != nil {
			return err
		}
		if err := s.chooseText(p.req.Text, s == p.main); err != nil {
			return err
		}
	}
	return nil
}

// checkName says whether an evaluation set can have a name, in the words of the study language.
func checkName(name string) error {
	study := "ablate: 1\nstudy: x\ncorpora: {c: {files: a.jsonl, metadata: {m: m}}}\ntokenizer: {train: {vocab: 300, on: c}}\n" +
		"partitions: {p: {corpus: c, by: m, unit: {tokens: 1k}}}\nmodel: {preset: tiny}\ntrain: {tokens_per_unit: 1Ki, batch: 1Ki}\nmixtures: {m: {choose: 2}}\n" +
		"eval: {out_of_domain: {" + quote(name) + ": {files: b.jsonl}}}\n"
	_, err := specs.Parse("x.yaml", []byte(study), ".")
	var mistakes specs.Errors
	if errors.As(err, &mistakes) {
		return fmt.Errorf("--eval %s: %s", name, mistakes[0].Message)
	}
	return err
}

// all are the sources, that of the partitions first.
func (p *Proposal) all() []*source {
	list := []*source{p.main}
	if p.seed != nil {
		list = append(list, p.seed)
	}
	return append(list, p.eval...)
}

func (p *Proposal) source(option string, args []string) (*source, error) {
	s := &source{option: option}
	for _, arg := range args {
		pattern, folder, err := p.pattern(arg)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", option, arg, err)
		}
		files, passed, err := text.Files(p.req.Dir, []string{pattern}, nil, p.req.Lookup)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", option, arg, err)
		}
		for _, sentence := range passed {
			p.note("%s %s: %s.", option, arg, strings.TrimSuffix(sentence, "."))
		}
		if folder {
			if pattern, err = oneKind(option, arg, pattern, files); err != nil {
				return nil, err
			}
		}
		s.patterns = append(s.patterns, pattern)
	}
	files, _, err := text.Files(p.req.Dir, s.patterns, nil, p.req.Lookup) // together: two of one name are an error
	if err != nil {
		return nil, fmt.Errorf("%s: %w", option, err)
	}
	s.files = files
	return s, s.recognise()
}

// pattern is the pattern of a study for what a person names: a file, a folder or a pattern.
func (p *Proposal) pattern(arg string) (pattern string, folder bool, err error) {
	if arg == "" {
		return "", false, errors.New("name a file, a folder or a pattern of files")
	}
	info, err := os.Stat(arg)
	pattern = filepath.ToSlash(arg)
	if err == nil {
		pattern = escape(pattern)
		if folder = info.IsDir(); folder {
			pattern = path.Join(pattern, "**", "*")
		}
	}
	if path.IsAbs(pattern) || strings.HasPrefix(pattern, "${") {
		return pattern, folder, nil
	}
	here, err := filepath.EvalSymlinks(".")
	if err == nil {
		here, err = filepath.Abs(here)
	}
	var dir string
	if err == nil {
		dir, err = filepath.EvalSymlinks(p.req.Dir)
	}
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	var way string
	if err == nil {
		way, err = filepath.Rel(dir, here)
	}
	if err != nil {
		return "", false, fmt.Errorf("the folder of the study: %w", err)
	}
	return path.Join(escape(filepath.ToSlash(way)), pattern), folder, nil
}

// escape writes a path as a pattern that matches the path alone.
func escape(path string) string {
	var b strings.Builder
	for i, r := range path {
		switch {
		case strings.ContainsRune(`*?[\`, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '$' && strings.HasPrefix(path[i:], "${"):
			b.WriteString("[$]")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// ending is what the name of a file ends in: .jsonl.gz of a.b.jsonl.gz.
func ending(name string) string {
	base := path.Base(name)
	last := path.Ext(base)
	if specs.FormatOfName(base) != "" {
		if first := path.Ext(strings.TrimSuffix(base, last)); specs.FormatOfName("x"+last) == "" {
			return first + last
		}
	}
	return last
}

// oneKind is the pattern of a folder's files where they all have one ending. Of several it is an
// error, because nobody can know which of them are meant.
func oneKind(option, arg, pattern string, files []text.File) (string, error) {
	counts := map[string]int{}
	for _, f := range files {
		counts[ending(f.Name)]++
	}
	if len(counts) > 1 {
		var list []string
		for _, end := range slices.Sorted(maps.Keys(counts)) {
			if end == "" {
				end = "(no ending)"
			}
			list = append(list, fmt.Sprintf("%d %s", counts[strings.TrimPrefix(end, "(no ending)")], end))
		}
		end := slices.MaxFunc(slices.Sorted(maps.Keys(counts)), func(a, b string) int {
			return cmp.Or(cmp.Compare(likely(a), likely(b)), cmp.Compare(counts[a], counts[b]))
		})
		return "", fmt.Errorf("%s %s: the folder has files of several kinds: %s; name those of one kind by a pattern in quotes, such as %s '%s/**/*%s'",
			option, arg, strings.Join(list, ", "), strings.Fields(option)[0], strings.TrimSuffix(arg, "/"), end)
	}
	for end := range counts {
		return pattern + escape(end), nil
	}
	return pattern, nil
}

// likely says how likely files with an ending are a corpus: those of a format for data are, notes
// and programs are not.
func likely(end string) int {
	switch {
	case specs.FormatOfName("x"+end) != "":
		return 2
	case end == ".txt":
		return 1
	}
	return 0
}

// recognise settles the format, by the names or else by the content.
func (s *source) recognise() error {
	first := map[string]string{} // format -> a file
	for _, f := range s.files {
		format := specs.FormatOfName(f.Name)
		if format == "" {
			var err error
			if format, err = text.ContentFormat(f.Path, "text"); err != nil {
				return fmt.Errorf("%s: %s: %w", s.option, f.Path, err)
			}
		}
		if end := strings.ToLower(path.Ext(f.Name)); format == formatText && (end == ".csv" || end == ".tsv") {
			return fmt.Errorf("%s: %s: tables in %s are not read: write the rows as JSON Lines or Parquet, for example with pandas: to_json(NAME, orient=\"records\", lines=True) or to_parquet(NAME)", s.option, f.Path, strings.ToUpper(end[1:]))
		}
		if first[format] == "" {
			first[format] = f.Path
		}
		info, err := os.Stat(f.Path)
		if err != nil {
			return fmt.Errorf("%s: %w", s.option, err)
		}
		s.size += info.Size()
	}
	formats := slices.Sorted(maps.Keys(first))
	if len(formats) > 1 {
		var list []string
		for _, f := range formats {
			list = append(list, fmt.Sprintf("%s (%s)", f, first[f]))
		}
		return fmt.Errorf("%s: the files are of several formats: %s; name files of one format, or write a study with a corpus for each", s.option, strings.Join(list, ", "))
	}
	if s.format = formats[0]; s.format == formatTokens {
		return fmt.Errorf("%s: %s: init does not read arrays of token ids, because a study of them needs the tokenizer.json that they were made with; see dtype and tokenizer.file in `ablate schema --markdown`", s.option, first[formatTokens])
	}
	return nil
}

// look finds out what fields the documents have, within the bounds.
func (s *source) look(ctx context.Context) error {
	opened := s.files
	if every := (len(s.files) + mostFiles - 1) / mostFiles; every > 1 && s.format != formatText {
		opened = nil
		for i := 0; i < len(s.files); i += every {
			opened = append(opened, s.files[i])
		}
	}
	if s.format == formatText {
		return s.lookText(opened)
	}
	s.most = max(mostBytes/int64(len(opened)), leastBytes)
	var err error
	s.uses, s.read, err = survey.Fields(ctx, s.format, opened, s.most)
	if err != nil {
		return fmt.Errorf("%s: %w", s.option, err)
	}
	s.weigh()
	return nil
}

// lookText takes as many text files as stay within the bound, spread over the list.
func (s *source) lookText(files []text.File) error {
	every := int(s.size/mostBytes) + 1
	for i := 0; i < len(files); i += every {
		info, err := os.Stat(files[i].Path)
		if err != nil {
			return fmt.Errorf("%s: %w", s.option, err)
		}
		s.read = append(s.read, survey.Extent{File: files[i], Size: info.Size(), Documents: 1, Share: 1})
	}
	s.weigh()
	return nil
}

// weigh compares the files that are opened with all of them.
func (s *source) weigh() {
	opened := int64(0)
	for _, e := range s.read {
		opened += e.Size
	}
	s.weight = 1
	if opened > 0 {
		s.weight = float64(s.size) / float64(opened)
	}
}

// whole says whether all documents of all files are read.
func (s *source) whole() bool {
	return len(s.read) == len(s.files) && !slices.ContainsFunc(s.read, func(e survey.Extent) bool { return e.Share < 1 })
}

// bound says in words how much of the files was read.
func (s *source) bound() string {
	if s.whole() {
		return fmt.Sprintf("%s (%s), read whole", plural(len(s.files), "file"), size(s.size))
	}
	each := ""
	if s.most > 0 {
		each = fmt.Sprintf(", at most %s of content of each", size(s.most))
	}
	return fmt.Sprintf("%s (%s), read in part: %d of the files were opened%s. Counts are scaled up from that part, and what stands behind it may differ", plural(len(s.files), "file"), size(s.size), len(s.read), each)
}
