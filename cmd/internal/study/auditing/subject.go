package auditing

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ablate/cache"
	"ablate/cmd/internal/study"
	"ablate/cmd/internal/study/fault"
	"ablate/cmd/internal/study/reporting"
	"ablate/cmd/internal/study/sources"
	"ablate/runner/bundle"
	"ablate/specs"
)

// subject is what is audited: a study with its cache and its report, or a bundle of them.
type subject struct {
	study *specs.Study
	cache *cache.Cache
	out   string // where the report lies

	bundle *bundle.Manifest  // nil: no bundle
	places map[string]string // of a bundle: what --data says
	dir    string            // of a bundle: where it is unpacked
}

func open(ctx context.Context, s *study.Session, opt Options, temp string) (*subject, error) {
	if bundle.Is(opt.Study) {
		return openBundle(ctx, opt, filepath.Join(temp, "bundle"))
	}
	return openStudy(ctx, s, opt)
}

func openStudy(ctx context.Context, s *study.Session, opt Options) (*subject, error) {
	x := &subject{}
	var err error
	if x.study, err = s.Load(opt.Study); err != nil {
		return nil, err
	}
	if len(opt.Data) > 0 {
		return nil, fault.Usage(errors.New("--data is for bundles: a study states where its files are"))
	}
	x.out = reporting.Dir(opt.Out, x.study)
	if opt.Out != "" && !x.hasReport() {
		return nil, fault.Usagef("--out %s: the folder holds no report: %s and the other files of a report are missing; a run of %s writes its report to %s unless its --out names another folder",
			opt.Out, strings.Join([]string{reporting.PageFile, reporting.PlanFile, study.ProvenanceFile}, ", "), opt.Study, reporting.Dir("", x.study))
	}
	x.cache, err = s.AuditCache(ctx)
	return x, err
}

// openBundle unpacks a bundle, which a stranger may have made.
func openBundle(ctx context.Context, opt Options, dir string) (*subject, error) {
	if opt.Out != "" || opt.Pack != nil {
		return nil, fault.Usage(errors.New("--out and --bundle: the argument is a bundle, which is packed already and holds its report; leave both flags out"))
	}
	places, err := readPlaces(opt.Data)
	if err != nil {
		return nil, err
	}
	m, err := bundle.Unpack(ctx, opt.Study, dir)
	if err != nil {
		return nil, err
	}
	x := &subject{bundle: &m, places: places, dir: dir, out: filepath.Join(dir, "out")}
	text, err := os.ReadFile(filepath.Join(x.out, study.StudyFile))
	if err != nil {
		return nil, err
	}
	if x.study, err = specs.ParseAlone(m.StudyFile, text, dir); err != nil {
		return nil, err
	}
	if x.cache, err = cache.OpenAudit(filepath.Join(dir, "cache")); err == nil {
		x.cache.Until(ctx)
	}
	return x, err
}

// readPlaces reads --data: DIR is where the study's own patterns start, NAME=DIR what ${NAME} in
// them stands for.
func readPlaces(data []string) (map[string]string, error) {
	places := map[string]string{}
	for _, word := range data {
		name, dir, named := strings.Cut(word, "=")
		if !named || strings.ContainsAny(name, "/.") {
			name, dir = "", word
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, fault.Usagef("--data %s: no directory %s", word, dir)
		}
		if places[name] != "" {
			return nil, fault.Usagef("--data %s: %s is given already", word, places[name])
		}
		var err error
		if places[name], err = filepath.Abs(dir); err != nil {
			return nil, err
		}
	}
	return places, nil
}

// hasReport reports whether there is anything of a report where it is to lie; a study.yaml may be a
// person's own. What lacks of a report is a difference.
func (x *subject) hasReport() bool {
	return slices.ContainsFunc(reporting.Names, func(name string) bool {
		info, err := os.Stat(filepath.Join(x.out, name))
		return name != study.StudyFile && err == nil && info.Mode().IsRegular()
	})
}

// lacks says why an output need not be in a bundle; nil of a study and its cache.
func (x *subject) lacks() func(step, output string) string {
	if x.bundle == nil {
		return nil
	}
	return x.bundle.Lacks
}

// finder finds the raw files of the subject. A bundle is a stranger's, so that no variable of this
// machine's environment is expanded in its patterns.
func (x *subject) finder(ctx context.Context) sources.Finder {
	f := sources.Finder{
		Digest:   func(path string) (cache.Digest, int64, error) { return cache.FileDigestNow(ctx, path) },
		Variable: sources.Environment,
	}
	if x.bundle != nil {
		f.Variable = func(name string) (string, bool) { dir, ok := x.places[name]; return dir, ok }
	}
	return f
}

// confined reports whether a file name or pattern of the study stays where --data says. The
// patterns of a bundle are a stranger's: those that name other places of this machine are not
// looked at.
func (x *subject) confined(pattern string) bool {
	if x.bundle == nil {
		return true
	}
	return confinedForm.MatchString(pattern) && !filepath.IsAbs(pattern) && !slices.Contains(strings.Split(pattern, "/"), "..")
}

// confinedForm is a pattern with a variable as its first level, or none.
var confinedForm = regexp.MustCompile(`^(\$\{[A-Za-z_][A-Za-z0-9_]*\}/)?[^$\\]*$`)

// same reports whether the study is the one that a run recorded, byte for byte.
func (x *subject) same(recorded []byte) bool { return bytes.Equal(recorded, x.study.Text()) }
