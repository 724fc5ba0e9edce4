package text

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"ablate/stages/internal/bpe"
	"ablate/stages/internal/corpus"
	"ablate/stages/internal/corpus/parquet"
	"ablate/stages/internal/step"
	"ablate/stages/kind"
)

// files reads the documents of a job's inputs file.N, in order, and reports progress in bytes of
// the files and in documents.
type files struct {
	job    *kind.Job
	read   kind.Read
	inputs []kind.Input
	total  int64 // bytes of all files
	done   int64
	docs   int64 // handed on so far
	passes int64 // how often the files are read in all

	tok *bpe.Tokenizer // for tokens
}

func openFiles(job *kind.Job, read kind.Read, passes int64) (*files, error) {
	f := &files{job: job, read: read, inputs: job.Numbered("file"), passes: passes}
	if len(f.inputs) == 0 {
		return nil, fmt.Errorf("internal error: no input %q", kind.Role("file", 0))
	}
	if n := len(read.Names); n != 0 && n != len(f.inputs) || n == 0 && read.Format == corpus.FormatText {
		return nil, fmt.Errorf("internal error: %d names for %d files of format %s", n, len(f.inputs), read.Format)
	}
	if err := f.options().Check(); err != nil {
		return nil, err
	}
	for _, in := range f.inputs {
		info, err := os.Stat(in.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", in.Role, err)
		}
		f.total += info.Size() * passes
	}
	return f, nil
}

func (f *files) options() corpus.Options {
	return corpus.Options{
		Format: f.read.Format, TextField: f.read.Text, IDField: f.read.ID, Metadata: f.read.Metadata, Absent: f.read.Absent, Between: f.read.Between, Bad: f.read.Bad,
		PieceBytes: f.read.PieceBytes, DType: f.read.DType,
	}
}

// name is what the i-th file is called: in identities its name where the study gives it one; in
// errors of other files what a person calls it.
func (f *files) name(i int) string {
	if len(f.read.Names) > 0 {
		return f.read.Names[i]
	}
	if in := f.inputs[i]; in.Name != "" {
		return in.Name
	}
	return f.inputs[i].Role
}

// each calls emit for every document of every file.
func (f *files) each(ctx context.Context, emit func(corpus.Document) error) (corpus.Counts, error) {
	var counts corpus.Counts
	counted := func(d corpus.Document) error {
		f.docs++
		if f.job.Documents != nil {
			f.job.Documents(f.docs)
		}
		return emit(d)
	}
	for i, in := range f.inputs {
		n, err := f.one(ctx, i, in.Path, func(d corpus.Document) error {
			d.Place.File = int64(i)
			return counted(d)
		})
		counts.Add(n)
		if err != nil {
			return counts, err
		}
	}
	return counts, nil
}

func (f *files) one(ctx context.Context, i int, path string, emit func(corpus.Document) error) (corpus.Counts, error) {
	switch f.read.Format {
	case corpus.FormatTable:
		return f.table(ctx, i, path, emit)
	case corpus.FormatToken:
		return f.tokens(ctx, i, path, emit)
	}
	file, err := os.Open(path)
	if err != nil {
		return corpus.Counts{}, fmt.Errorf("%s: %w", f.name(i), err)
	}
	defer file.Close()
	counts, err := corpus.Read(ctx, f.options(), f.name(i), &meter{file, f}, emit)
	var fault *corpus.FaultError
	if errors.As(err, &fault) && fault.Fault == corpus.BadText {
		err = &kind.KeyError{Key: []string{"text"}, Err: err}
	}
	return counts, err
}

// table reads a Parquet file.
func (f *files) table(ctx context.Context, i int, path string, emit func(corpus.Document) error) (corpus.Counts, error) {
	info, err := os.Stat(path)
	if err != nil {
		return corpus.Counts{}, fmt.Errorf("%s: %w", f.name(i), err)
	}
	wishes, err := f.options().Columns()
	if err != nil {
		return corpus.Counts{}, err
	}
	if counts, other, err := corpus.OtherThanTable(f.options(), f.name(i), path); other || err != nil {
		return counts, err
	}
	in, err := parquet.Open(path)
	if err != nil {
		return corpus.Counts{}, fmt.Errorf("%s: %w", f.name(i), err)
	}
	defer in.Close()
	// As in JSONL, a document without an identity gets a hash of its text; of metadata a column
	// that is not there is a mistake.
	if !in.Has(wishes[1].Path) {
		wishes[1].Path = nil
	}
	for k, wish := range wishes {
		if err := in.Check(wish); err != nil && wish.Path != nil {
			return corpus.Counts{}, &kind.KeyError{Key: f.wished(k), Err: fmt.Errorf("%s: read Parquet: %w", f.name(i), err)}
		}
	}
	counts, err := corpus.ReadRows(ctx, f.options(), f.name(i), func(each func(int64, []parquet.Cell) error) error {
		return in.Rows(ctx, wishes, each)
	}, emit)
	if err != nil {
		return counts, fmt.Errorf("%s: %w", f.name(i), err)
	}
	f.done += info.Size()
	step.Progress(f.job, f.done, f.total, "bytes")
	return counts, nil
}

// wished is the key of the corpus that asks for the k-th of Options.Columns.
func (f *files) wished(k int) []string {
	switch k {
	case 0:
		return []string{"text"}
	case 1:
		return []string{"id"}
	}
	return []string{"metadata", slices.Sorted(maps.Keys(f.read.Metadata))[k-2]}
}

// tokens reads an array of ids, with its index if it has one.
func (f *files) tokens(ctx context.Context, i int, path string, emit func(corpus.Document) error) (corpus.Counts, error) {
	if f.tok == nil {
		return corpus.Counts{}, errors.New("internal error: no tokenizer to read tokens with")
	}
	eos, err := f.tok.EOS()
	if err != nil {
		return corpus.Counts{}, err
	}
	array, err := os.Open(path)
	if err != nil {
		return corpus.Counts{}, fmt.Errorf("%s: %w", f.name(i), err)
	}
	defer array.Close()
	info, err := array.Stat()
	if err != nil {
		return corpus.Counts{}, fmt.Errorf("%s: %w", f.name(i), err)
	}
	in := corpus.Tokens{
		Array: &meter{array, f}, Size: info.Size(), IndexName: indexName(f.name(i)), Vocab: f.tok.Vocab(), EOS: eos, Decode: f.tok.Decode,
	}
	if index, err := f.job.Input(kind.Role("index", i)); err == nil {
		file, err := os.Open(index.Path)
		if err != nil {
			return corpus.Counts{}, fmt.Errorf("%s: %w", in.IndexName, err)
		}
		defer file.Close()
		in.Index = file
	}
	return corpus.ReadTokens(ctx, f.options(), f.name(i), in, emit)
}

// meter counts the bytes that pass through a reader.
type meter struct {
	r io.Reader
	f *files
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.f.done += int64(n)
	step.Progress(m.f.job, m.f.done, m.f.total, "bytes")
	return n, err
}
