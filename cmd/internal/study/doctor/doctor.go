// Package doctor looks at a machine before anything runs on it: what computes, what of memory, files
// and disk a run may take, where the data of shipped studies lies, and how fast models of the
// presets are trained and evaluated here.
package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/sources"
	"ablate/runner/machine"
	"ablate/specs"
	"ablate/specs/words"
	"ablate/stages"
	"ablate/stages/kind"
)

// Check is one thing that was looked at.
type Check struct {
	Name    string `json:"name"`
	Found   string `json:"found"`             // in words
	Problem string `json:"problem,omitempty"` // what is wrong, and what to do; empty: nothing is
	Stops   bool   `json:"stops,omitempty"`   // no run can begin
}

// Preset is how fast a shipped model is here.
type Preset struct {
	Name       string  `json:"name"`
	Parameters int64   `json:"parameters"`
	Train      float64 `json:"train_tokens_per_second"`
	Evaluate   float64 `json:"evaluate_tokens_per_second"`
	Hours      float64 `json:"hours_per_billion_tokens"` // to train on; what cost.hours_per_billion_tokens of a study says
	ScaledFrom string  `json:"scaled_from,omitempty"`    // the preset that was measured in its place; empty: itself
}

// Report is all that was found.
type Report struct {
	Ready   bool     `json:"ready"` // a run can begin
	Checks  []Check  `json:"checks"`
	Presets []Preset `json:"presets"`
}

// problem adds a check of something that may be wrong.
func (r *Report) problem(name, found string, stops bool, err error) {
	c := Check{Name: name, Found: found}
	if err != nil {
		c.Problem, c.Stops = err.Error(), stops
	}
	r.Checks = append(r.Checks, c)
}

// Examine looks at the machine. Measurements of the presets take a few seconds.
func Examine(ctx context.Context, s *study.Session) (*Report, error) {
	r := &Report{Presets: []Preset{}}
	res := s.WithDefaults()
	r.processor(res.Threads)
	r.memory(res)
	r.cache(ctx, s)
	dir, err := sources.GoTree()
	r.problem("Go tree", dir, false, err) // shipped studies alone need it
	if err := r.presets(ctx, res.Threads); err != nil {
		return nil, err
	}
	r.Ready = true
	for _, c := range r.Checks {
		r.Ready = r.Ready && !c.Stops
	}
	return r, nil
}

func (r *Report) processor(threads int) {
	r.problem("processor", cache.Machine().CPU, false, nil)
	kernels, err := stages.Kernels("")
	if err != nil {
		err = fmt.Errorf("%w; unset ABLATE_KERNEL, or set it to one of them", err)
	}
	r.problem("kernels", fmt.Sprintf("%s; this machine has %s", kernels, strings.Join(stages.KernelsHere(), ", ")), true, err)
	r.problem("cores", fmt.Sprintf("%d that this process may use", threads), true, machine.Here().Check(threads))
}

func (r *Report) memory(res study.Resources) {
	m := machine.Here()
	found := "the system does not say"
	if n := m.Memory(); n > 0 {
		found = fmt.Sprintf("%s that this process may take, of %s; a run takes at most %s (--memory)", words.Bytes(n), words.Bytes(m.TotalMemory()), words.Bytes(res.Memory))
	}
	r.problem("memory", found, false, nil)
	found = "no limit"
	if n := m.Files(); n > 0 {
		found = fmt.Sprintf("%d at once", n)
	}
	r.problem("open files", found, false, nil)
}

// low is how much free disk is worth a word: the smallest study leaves some megabytes.
const low = 1 << 30

func (r *Report) cache(ctx context.Context, s *study.Session) {
	c, err := s.OpenCache(ctx)
	if err != nil {
		if s.CacheDir != "" {
			err = fmt.Errorf("%w: name another place with --cache or ABLATE_CACHE", err)
		}
		r.problem("cache", s.CacheDir, true, err)
		return
	}
	defer c.Close()
	found := c.Dir()
	if system := machine.Here().FileSystem(c.Dir()); system != "" {
		found += " on " + system
	}
	free := c.Free()
	if free >= 0 {
		found += ", " + words.Bytes(free) + " free"
	}
	var few error
	if free >= 0 && free < low {
		few = fmt.Errorf("little of the disk is free: `ablate cache gc --dry-run` says what could go, or name another place with --cache")
	}
	r.problem("cache", found, false, few)
	t := c.Try()
	if t.Err != nil {
		t.Err = fmt.Errorf("%w; name a place on another file system with --cache or ABLATE_CACHE", t.Err)
	}
	r.problem("commits", fmt.Sprintf("a small result is safe on the disk after %s", t.Commit.Round(time.Millisecond/10)), true, t.Err)
	if t.Claims != nil {
		t.Claims = fmt.Errorf("%w: runs that share this cache do some work twice", t.Claims)
	}
	r.problem("claims", "runs that share the cache divide the work", false, t.Claims)
	if s.Upstream != "" {
		err := c.Upstream(s.Upstream)
		if err != nil {
			err = fmt.Errorf("%w; name another one with --upstream, or none", err)
		}
		r.problem("upstream", s.Upstream, true, err)
	}
	if s.Remote != "" {
		x, err := s.RunRemote(ctx, c)
		if err == nil {
			err = x.Close()
		}
		if err != nil {
			err = fmt.Errorf("%w; name another one with --remote, or none", err)
		}
		r.problem("remote", s.Remote, true, err)
	}
}

// vocab is that of a preset which does not give one: as the shipped demo's.
const vocab = 2048

// presetTime is about how long a preset is measured.
const presetTime = 60 * time.Millisecond

// large is the number of parameters from which on a model takes time in proportion to its
// parameters, so that one of them is measured for all.
const large = 10_000_000

// presets measures the small shipped models and one of the large ones.
func (r *Report) presets(ctx context.Context, threads int) error {
	trainer, err := stages.Kinds().Named(kind.Train)
	if err != nil {
		return err
	}
	scorer, err := stages.Kinds().Named(kind.Eval)
	if err != nil {
		return err
	}
	var first *Preset // of the large ones
	for _, name := range specs.Presets() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		m, _ := specs.Preset(name)
		m = m.WithVocab(vocab)
		n, _ := m.Parameters()
		if first != nil && n >= large {
			by := float64(first.Parameters) / float64(n)
			train := first.Train * by
			r.Presets = append(r.Presets, Preset{
				Name: name, Parameters: n, Train: train, Evaluate: first.Evaluate * by, Hours: 1e9 / train / 3600, ScaledFrom: first.Name,
			})
			continue
		}
		trained, err1 := measure(ctx, trainer, kind.TrainParams{Model: m, Batch: int64(8 * m.Context)}, threads)
		scored, err2 := measure(ctx, scorer, kind.EvalParams{Model: m}, threads)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("preset %s: %w", name, err)
		}
		p := Preset{Name: name, Parameters: n, Train: trained, Evaluate: scored, Hours: 1e9 / trained / 3600}
		r.Presets = append(r.Presets, p)
		if n >= large {
			first = &p
		}
	}
	return nil
}

func measure(ctx context.Context, k kind.Kind, params any, threads int) (float64, error) {
	p, err := json.Marshal(params)
	if err != nil {
		return 0, err
	}
	s, err := k.Measure(ctx, p, threads, presetTime)
	return s.All, err
}
