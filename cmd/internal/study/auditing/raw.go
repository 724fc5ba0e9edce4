package auditing

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/reporting"
	"ablate/cmd/internal/study/sources"
	"ablate/pipeline"
	"ablate/specs"
	"ablate/specs/words"
)

// errNoRecord ends the audit of a bundle whose record of raw files is lost: the bundle has no raw
// files, and no key can be derived without their digests.
var errNoRecord = errors.New("the bundle does not say what its raw files were")

// sameStudy compares the study with the copy that the run left.
func (c *check) sameStudy(recorded []byte) {
	if c.same(recorded) {
		return
	}
	path := filepath.Join(c.out, study.StudyFile)
	was, err := specs.Parse(path, recorded, c.study.Dir)
	if err != nil {
		c.Find("study", path, "", "is no study: %v", err)
		return
	}
	for _, d := range specs.Diff(was, c.study) {
		c.Find("study", d.Path, "", "was %s when it ran (%s), is %s now (%s)", words.OrAbsent(d.Old), d.OldAt, words.OrAbsent(d.New), d.NewAt)
	}
}

// raw finds the raw files and compares them with those that the run read. What it returns are the
// recorded ones where there is a record, so that a file that was changed does not hide everything
// made from it.
func (c *check) raw(ctx context.Context, rec *study.Record) (pipeline.Sources, error) {
	if rec.Sources != nil {
		err := study.Complete(c.study, *rec.Sources)
		if err == nil {
			return *rec.Sources, c.recorded(ctx, *rec.Sources)
		}
		c.Find("report", study.SourcesFile, "", "%v", err)
	}
	if c.bundle != nil {
		return pipeline.Sources{}, errNoRecord
	}
	src, err := c.finder(ctx).Find(c.study)
	if err != nil {
		return src, err
	}
	files := sources.List(src)
	if err := c.protect(files); err != nil {
		return src, err
	}
	for _, f := range files {
		if err := c.Raw(ctx, f.Called, f.Path, f.Digest); err != nil {
			return src, err
		}
	}
	return src, nil
}

// recorded checks the raw files that a run recorded, those that are here.
func (c *check) recorded(ctx context.Context, src pipeline.Sources) error {
	files := sources.List(src)
	switch {
	case c.bundle == nil:
		files = c.finder(ctx).Locate(c.study, src, c.confined)
	case len(c.opt.Data) > 0:
		if c.study.Dir = c.places[""]; c.study.Dir == "" {
			c.study.Dir = c.dir // patterns that begin with no variable find nothing
		}
		files = c.finder(ctx).Locate(c.study, src, c.confined)
	}
	if err := c.protect(files); err != nil {
		return err
	}
	away, bytes := 0, int64(0)
	for _, f := range files {
		switch {
		case f.Digest.IsZero():
			c.Find("raw file", f.Called, "", "did not exist when the study was run: %s", f.Path)
		case f.Path == "" && c.bundle != nil:
			c.Result.Raw.Of++
			away++
			bytes += f.Size
		default:
			if err := c.Raw(ctx, f.Called, f.Path, f.Digest); err != nil {
				return err
			}
		}
	}
	if c.bundle != nil {
		c.packed(src, away, bytes)
	}
	return nil
}

// protect says, before any work, that a raw file is no place for the bundle.
func (c *check) protect(files []sources.Raw) error {
	if c.opt.Pack == nil {
		return nil
	}
	reads := c.study.Files()
	for _, f := range files {
		reads = append(reads, f.Path)
	}
	return reporting.CheckFile("--bundle", c.opt.Pack.File, reads)
}

// packed lists what a bundle cannot show of its raw files and of its report.
func (c *check) packed(src pipeline.Sources, away int, bytes int64) {
	if away > 0 {
		why := "a bundle does not hold raw files; name their folder with --data"
		if len(c.opt.Data) > 0 {
			why = "the directories of --data hold no files of the names that the study gives"
		}
		c.Skip(fmt.Sprintf("%s, %s", words.Counted(away, "raw file", "raw files"), words.Bytes(bytes)),
			"%s; sources.json has their digests, from which the keys of the steps that read them follow", why)
	}
	if src.Tokenizer != nil {
		c.Skip("the number of the tokenizer's ids, and which one ends a text", "the tokenizer is a raw file, and only sources.json says what it holds")
	}
	if c.bundle.Program != c.session.Program() {
		c.Skip("words of the report", "%s packed the bundle, this is %s: pages of the same content may differ in wording", c.bundle.Program, c.session.Program())
	}
}
