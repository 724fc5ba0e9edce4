package auditing

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ablate/cmd/internal/output"
	"ablate/cmd/internal/study/fault"
	"ablate/runner/bundle"
	"ablate/specs/words"
)

// pack writes the bundle of a run in which the audit found no difference. It returns the bundle's
// size in bytes.
func (c *check) pack() (int64, error) {
	how := c.opt.Pack
	if !c.complete() {
		hit, _, _ := c.p.State.Count()
		return 0, fmt.Errorf("--bundle: the cache has only %d of the study's steps; `ablate run %s` runs the others", hit, c.opt.Study)
	}
	m := bundle.Manifest{
		Study: c.study.Name, StudyFile: filepath.Base(c.study.Path), About: c.study.About, Program: c.session.Program(),
		License: how.License, Hosts: how.Hosts, Checkpoints: how.Checkpoints, Tokens: how.Tokens,
	}
	var size written
	err := output.To(how.File, func(w io.Writer) error {
		return c.packInto(io.MultiWriter(w, &size), m)
	})
	if err != nil {
		return 0, fault.Place(fmt.Errorf("--bundle %s: %w", how.File, err))
	}
	return int64(size), nil
}

// packInto packs the run, with the names of the machines that it ran on only where they are asked
// for: entries, provenance and report are made again without them.
func (c *check) packInto(w io.Writer, m bundle.Manifest) error {
	if m.Hosts {
		return bundle.Pack(w, m, c.p.State, c.cache, c.remade())
	}
	p, state := *c.p, *c.p.State
	state.Entries = slices.Clone(state.Entries)
	for i, e := range state.Entries {
		nameless := *e
		nameless.Provenance.Host = ""
		state.Entries[i] = &nameless
	}
	p.State = &state
	out := filepath.Join(c.temp, "nameless")
	if err := os.CopyFS(out, os.DirFS(c.remade())); err != nil {
		return err
	}
	if err := remake(out, &p); err != nil {
		return err
	}
	return bundle.Pack(w, m, &state, c.cache, out)
}

// written is how many bytes were written.
type written int64

func (n *written) Write(b []byte) (int, error) { *n += written(len(b)); return len(b), nil }

// metadata compares a bundle's own account of itself with what is in it.
func (c *check) metadata() {
	if c.bundle == nil {
		return
	}
	if !c.complete() {
		c.Skip("the bundle's metadata", "steps that the metadata name are lost")
		return
	}
	is, want, extra, err := bundle.Check(c.dir, *c.bundle, c.p.State, c.cache)
	if err != nil {
		c.Skip("the bundle's metadata", "the metadata could not be made again: %v", err)
		return
	}
	if is != want {
		c.Find("report", "ro-crate-metadata.json", "", "has digest %s, made again from the bundle %s", is, want)
	}
	if n := len(extra); n > 0 {
		c.Skip(fmt.Sprintf("%s of the bundle: %s", words.Counted(n, "file", "files"), strings.Join(extra[:min(5, n)], ", ")), "no step of the study names them")
	}
}
