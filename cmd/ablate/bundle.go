package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ablate/cache"
	"ablate/pipeline"
	"ablate/runner"
	"ablate/runner/bundle"
	"ablate/specs"
)

// pack writes the bundle of a run in which the audit found no difference.
func (x *auditing) pack(a *app) (err error) {
	if x.bundle != nil {
		return usageError{errors.New("--bundle: what was audited is a bundle; copy it")}
	}
	if hit, run, waits := x.p.state.Count(); run+waits > 0 || x.p.plan.Partial != "" {
		return fmt.Errorf("--bundle: the cache has only %d of the study's steps; `ablate run %s` makes the rest", hit, x.Study)
	}
	m := bundle.Manifest{
		Study: x.study.Name, StudyFile: filepath.Base(x.study.Path), About: x.study.About, Program: "ablate " + version,
		License: x.License, Checkpoints: x.Checkpoints, Tokens: x.Tokens,
	}
	f, err := aside(filepath.Dir(x.Bundle))
	if err != nil {
		return err
	}
	err = bundle.Pack(f, m, x.p.state, x.cache, x.remade())
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), x.Bundle)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	info, err := os.Stat(x.Bundle)
	if err != nil {
		return err
	}
	if !x.JSON {
		fmt.Fprintf(a.stdout, "bundle: %s, %s; `ablate audit %s` checks it\n", x.Bundle, runner.Count(info.Size(), "B"), x.Bundle)
	}
	return nil
}

// remade is the directory of what was made again of the report.
func (x *auditing) remade() string { return filepath.Join(x.temp, "out") }

// unpacked is the directory of an unpacked bundle.
func (x *auditing) unpacked() string { return filepath.Join(x.temp, "bundle") }

// openBundle unpacks a bundle, which a stranger may have made.
func (x *auditing) openBundle(a *app) error {
	if x.Out != "" || x.Bundle != "" {
		return usageError{errors.New("--out and --bundle: what is audited is a bundle, which has its report in it and is packed already")}
	}
	m, err := bundle.Unpack(a.ctx, x.Study, x.unpacked())
	if err != nil {
		return err
	}
	x.bundle, x.out = &m, filepath.Join(x.unpacked(), "out")
	text, err := os.ReadFile(filepath.Join(x.out, studyFile))
	if err != nil {
		return err
	}
	if x.study, err = specs.Parse(m.StudyFile, text, x.unpacked()); err != nil {
		return err
	}
	x.cache, err = a.until(cache.OpenAudit(filepath.Join(x.unpacked(), "cache")))
	return err
}

// packedSources takes the raw files from the bundle's record, and checks those that are here.
func (x *auditing) packedSources(ctx context.Context, rec *record) (pipeline.Sources, error) {
	src := *rec.sources // Unpack wants the file
	if err := complete(x.study, src); err != nil {
		return src, err
	}
	var away int
	var bytes int64
	files := rawFiles(src)
	if x.Data != "" {
		x.study.Dir = x.Data
		files = x.located(src)
	}
	for _, f := range files {
		switch {
		case f.Digest.IsZero():
			x.Find("raw file", f.name, "", "was not there when the study was run: %s", f.Path)
		case f.Path == "":
			x.Result.Raw.Of++
			away++
			bytes += f.Size
		default:
			if err := x.Raw(ctx, f.name, f.Path, f.Digest); err != nil {
				return src, err
			}
		}
	}
	if away > 0 {
		x.Skip(fmt.Sprintf("%d raw files, %s", away, runner.Count(bytes, "B")),
			"a bundle does not hold them (--data says where they are); sources.json has their digests, which the keys of the steps that read them go by")
	}
	if src.Tokenizer != nil {
		x.Skip("the number of the tokenizer's ids, and which one ends a text", "the tokenizer is a raw file; sources.json says so")
	}
	if m := x.bundle; m.Program != "ablate "+version {
		x.Skip("words of the report", "%s packed the bundle, this is ablate %s: pages of the same content may differ in words", m.Program, version)
	}
	return src, nil
}

// checkBundle compares the bundle's own account of itself with what is in it.
func (x *auditing) checkBundle() error {
	if _, run, waits := x.p.state.Count(); run+waits > 0 || x.p.plan.Partial != "" {
		x.Skip("the bundle's metadata", "steps that they name are lost")
		return nil
	}
	is, want, extra, err := bundle.Check(x.unpacked(), *x.bundle, x.p.state, x.cache)
	if err != nil {
		x.Skip("the bundle's metadata", "they could not be made again: %v", err)
		return nil
	}
	if is != want {
		x.Find("report", "ro-crate-metadata.json", "", "has digest %s, made again from the bundle %s", is, want)
	}
	if len(extra) > 0 {
		x.Skip(fmt.Sprintf("%d files of the bundle: %s", len(extra), strings.Join(extra[:min(5, len(extra))], ", ")), "no step of the study names them")
	}
	return nil
}
