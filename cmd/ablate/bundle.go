package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/sources"
	"ablate/pipeline"
	"ablate/runner/bundle"
	"ablate/specs"
	"ablate/specs/words"
)

// pack writes the bundle of a run in which the audit found no difference.
func (x *auditing) pack(a *app) (err error) {
	if x.bundle != nil {
		return fault.Usage(errors.New("--bundle: what was audited is a bundle; copy it"))
	}
	if hit, run, waits := x.p.State.Count(); run+waits > 0 || x.p.Plan.Partial != "" {
		return fmt.Errorf("--bundle: the cache has only %d of the study's steps; `ablate run %s` makes the rest", hit, x.Study)
	}
	if err := checkFile("--bundle", x.Bundle, x.p.Reads()); err != nil {
		return err
	}
	m := bundle.Manifest{
		Study: x.study.Name, StudyFile: filepath.Base(x.study.Path), About: x.study.About, Program: "ablate " + version,
		License: x.License, Hosts: x.Hosts, Checkpoints: x.Checkpoints, Tokens: x.Tokens,
	}
	var size written
	err = output.To(x.Bundle, func(w io.Writer) error {
		return x.packInto(io.MultiWriter(w, &size), m)
	})
	if err != nil {
		return fault.Place(fmt.Errorf("--bundle %s: %w", x.Bundle, err))
	}
	if !x.JSON {
		fmt.Fprintf(a.stdout, "bundle: %s, %s; `ablate audit %s` checks it\n", x.Bundle, words.Bytes(int64(size)), x.Bundle)
	}
	return nil
}

// packInto packs the run, with the names of the machines that it ran on only where they are asked
// for: entries, provenance and report are made again without them.
func (x *auditing) packInto(w io.Writer, m bundle.Manifest) error {
	if m.Hosts {
		return bundle.Pack(w, m, x.p.State, x.cache, x.remade())
	}
	p, state := *x.p, *x.p.State
	state.Entries = slices.Clone(state.Entries)
	for i, e := range state.Entries {
		nameless := *e
		nameless.Provenance.Host = ""
		state.Entries[i] = &nameless
	}
	p.State = &state
	out := filepath.Join(x.temp, "nameless")
	if err := os.CopyFS(out, os.DirFS(x.remade())); err != nil {
		return err
	}
	if err := x.remake(out, &p); err != nil {
		return err
	}
	return bundle.Pack(w, m, &state, x.cache, out)
}

// written is how many bytes were written.
type written int64

func (n *written) Write(b []byte) (int, error) { *n += written(len(b)); return len(b), nil }

// remade is the directory of what was made again of the report.
func (x *auditing) remade() string { return filepath.Join(x.temp, "out") }

// unpacked is the directory of an unpacked bundle.
func (x *auditing) unpacked() string { return filepath.Join(x.temp, "bundle") }

// openBundle unpacks a bundle, which a stranger may have made.
func (x *auditing) openBundle(a *app) error {
	if x.Out != "" || x.Bundle != "" {
		return fault.Usage(errors.New("--out and --bundle: what is audited is a bundle, which has its report in it and is packed already"))
	}
	if err := x.readPlaces(); err != nil {
		return err
	}
	m, err := bundle.Unpack(a.ctx, x.Study, x.unpacked())
	if err != nil {
		return err
	}
	x.bundle, x.out = &m, filepath.Join(x.unpacked(), "out")
	text, err := os.ReadFile(filepath.Join(x.out, study.StudyFile))
	if err != nil {
		return err
	}
	if x.study, err = specs.ParseAlone(m.StudyFile, text, x.unpacked()); err != nil {
		return err
	}
	if x.cache, err = cache.OpenAudit(filepath.Join(x.unpacked(), "cache")); err == nil {
		x.cache.Until(a.ctx)
	}
	return err
}

// readPlaces reads --data: DIR is where the study's own patterns start, NAME=DIR what ${NAME} in them
// stands for.
func (x *auditing) readPlaces() error {
	x.places = map[string]string{}
	for _, word := range x.Data {
		name, dir, named := strings.Cut(word, "=")
		if !named || strings.ContainsAny(name, "/.") {
			name, dir = "", word
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return fault.Usagef("--data %s: no directory %s", word, dir)
		}
		if x.places[name] != "" {
			return fault.Usagef("--data %s: %s is given already", word, x.places[name])
		}
		var err error
		if x.places[name], err = filepath.Abs(dir); err != nil {
			return err
		}
	}
	return nil
}

// variable is what ${NAME} in a pattern of the study stands for. A bundle is a stranger's, so that
// no variable of this machine's environment is expanded in it.
func (x *auditing) variable(name string) (string, bool) {
	if x.bundle == nil {
		return sources.Environment(name)
	}
	dir, ok := x.places[name]
	return dir, ok
}

// confined reports whether a file name or pattern of the study stays where --data says. The patterns
// of a bundle are a stranger's: those that name other places of this machine are not looked at.
func (x *auditing) confined(pattern string) bool {
	if x.bundle == nil {
		return true
	}
	return confinedForm.MatchString(pattern) && !filepath.IsAbs(pattern) && !slices.Contains(strings.Split(pattern, "/"), "..")
}

// confinedForm is a pattern with a variable as its first level, or none.
var confinedForm = regexp.MustCompile(`^(\$\{[A-Za-z_][A-Za-z0-9_]*\}/)?[^$\\]*$`)

// packedSources takes the raw files from the bundle's record, and checks those that are here.
func (x *auditing) packedSources(ctx context.Context, rec *study.Record) (pipeline.Sources, error) {
	src := *rec.Sources // Unpack wants the file
	if err := study.Complete(x.study, src); err != nil {
		return src, err
	}
	var away int
	var bytes int64
	files := sources.List(src)
	if len(x.Data) > 0 {
		if x.study.Dir = x.places[""]; x.study.Dir == "" {
			x.study.Dir = x.unpacked() // patterns that begin with no variable find nothing
		}
		files = sources.Finder{Variable: x.variable}.Locate(x.study, src, x.confined)
	}
	for _, f := range files {
		switch {
		case f.Digest.IsZero():
			x.Find("raw file", f.Called, "", "was not there when the study was run: %s", f.Path)
		case f.Path == "":
			x.Result.Raw.Of++
			away++
			bytes += f.Size
		default:
			if err := x.Raw(ctx, f.Called, f.Path, f.Digest); err != nil {
				return src, err
			}
		}
	}
	if away > 0 {
		why := "a bundle does not hold them (--data says where they are)"
		if len(x.Data) > 0 {
			why = "they are not below the directories of --data, by the names that the study gives"
		}
		x.Skip(fmt.Sprintf("%d raw files, %s", away, words.Bytes(bytes)), "%s; sources.json has their digests, which the keys of the steps that read them go by", why)
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
	if _, run, waits := x.p.State.Count(); run+waits > 0 || x.p.Plan.Partial != "" {
		x.Skip("the bundle's metadata", "steps that they name are lost")
		return nil
	}
	is, want, extra, err := bundle.Check(x.unpacked(), *x.bundle, x.p.State, x.cache)
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
