// Package ablate_test holds the rule of the house that no single room can: who may import whom.
package ablate_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms lists, for each package, the packages of ours it may import; a lower room never imports a
// higher one. It is a statement of policy: a new arrow is a decision, made here and in review, not
// a habit. Tests may import what they test against.
const rooms = `
	specs/nearest            <
	specs/ident              <
	specs/words              <
	specs/arch               <
	specs                    < specs/nearest specs/ident specs/arch
	cache/system             <
	cache                    < cache/system
	cache/table/mapping      < cache/system
	cache/bulk               <
	cache/table              < cache/bulk cache/table/mapping
	cache/checkpoint         < cache/bulk cache/table/mapping
	cache/remote             < cache
	stages/kind              < cache specs/arch stages/internal/elementary
	stages/internal/corpus/parquet <
	stages/internal/corpus   < specs/words stages/internal/corpus/parquet
	stages/internal/bpe      <
	stages/internal/elementary <
	stages/internal/kernel/scalar <
	stages/internal/kernel/arena <
	stages/internal/kernel/generate/rows <
	stages/internal/kernel/generate/tile <
	stages/internal/kernel/generate/bf16 <
	stages/internal/kernel/pool <
	stages/internal/kernel/processor <
	stages/internal/kernel/matmul < stages/internal/kernel/scalar stages/internal/kernel/arena stages/internal/kernel/pool stages/internal/kernel/processor
	stages/internal/kernel   < stages/internal/elementary stages/internal/kernel/scalar stages/internal/kernel/arena stages/internal/kernel/pool stages/internal/kernel/processor stages/internal/kernel/matmul
	stages/internal/optim    < stages/internal/elementary
	stages/internal/lm       < specs/arch stages/internal/elementary stages/internal/optim
	stages/internal/lm/cpu   < specs/arch stages/internal/kernel stages/internal/kernel/arena stages/internal/optim stages/internal/lm
	stages/internal/lm/engines    < specs/arch stages/kind stages/internal/lm stages/internal/lm/cpu
	stages/internal/lm/enginetest < specs/arch stages/internal/optim stages/internal/lm stages/internal/lm/cpu
	stages/internal/stat     < stages/internal/elementary
	stages/internal/svg      < stages/internal/elementary stages/internal/stat
	stages/internal/paperfig < stages/internal/elementary stages/internal/svg
	stages/internal/papertable <
	stages/internal/page     < specs/ident stages/kind stages/internal/svg
	stages/internal/random   <
	stages/internal/fit      < stages/internal/elementary stages/internal/random stages/internal/stat
	stages/internal/simplex  < stages/internal/elementary
	stages/internal/experts  < stages/internal/elementary stages/internal/simplex
	stages/shares            < stages/internal/elementary stages/internal/random
	stages/internal/pace     < specs/arch
	stages/internal/step     < stages/kind cache/table
	stages/internal/model    < specs/arch stages/kind stages/internal/lm cache/checkpoint
	stages/tables            < specs/nearest specs/ident stages/kind cache cache/table cache/checkpoint stages/internal/corpus specs/words
	stages/internal/stagetest < specs/arch stages/kind stages/tables cache cache/table stages/internal/bpe
	stages/text              < stages/kind stages/tables cache/table stages/internal/step stages/internal/random stages/internal/bpe stages/internal/corpus stages/internal/corpus/parquet
	stages/split             < specs/nearest specs/ident stages/kind stages/tables cache cache/table stages/internal/step specs/words stages/internal/elementary
	stages/train             < stages/kind stages/tables cache cache/table cache/checkpoint stages/internal/step stages/internal/random stages/internal/model stages/internal/lm stages/internal/lm/engines stages/internal/optim stages/internal/pace stages/internal/svg
	stages/eval              < stages/kind stages/tables cache/table cache/checkpoint stages/internal/step stages/internal/random stages/internal/model stages/internal/lm stages/internal/lm/engines stages/internal/pace
	stages/ensemble          < stages/kind stages/tables cache/table stages/internal/step stages/internal/experts
	stages/merge             < stages/kind stages/tables cache/checkpoint stages/internal/step stages/internal/model
	stages/correlate         < specs/words stages/kind stages/tables cache/table stages/internal/step stages/internal/elementary stages/internal/svg stages/internal/stat
	stages/report            < specs/ident stages/kind stages/tables stages/correlate cache cache/table stages/internal/paperfig stages/internal/papertable stages/internal/page stages/internal/svg stages/internal/stat
	stages/survey            < specs/arch stages/kind stages/text stages/train stages/internal/bpe stages/internal/corpus stages/internal/corpus/parquet
	stages/mix               < stages/internal/fit stages/internal/simplex stages/internal/stat
	stages/runs              < stages/internal/fit stages/internal/stat
	stages                   < stages/kind stages/text stages/split stages/train stages/eval stages/ensemble stages/merge stages/correlate cache/bulk stages/internal/kernel
	pipeline                 < specs specs/nearest specs/ident specs/arch cache stages/kind stages/shares
	runner/exec              < cache stages/kind
	runner/exec/local        < cache stages/kind runner/exec
	runner/exec/exectest     < cache stages/kind runner/exec
	runner/clock             <
	runner/tasks             < pipeline runner/exec
	runner/machine           <
	runner                   < pipeline cache stages/kind runner/exec runner/exec/local runner/tasks
	runner/audit             < specs/words pipeline cache stages/kind runner/exec runner/tasks
	runner/runnertest        < specs pipeline cache stages runner
	runner/bundle            < pipeline cache stages/kind
	licences                 <
	licences/collect         < licences
	cmd/dist                 < licences
	docs/page                <
	cmd/internal/output      < cache
	cmd/internal/study/fault   <
	cmd/internal/study/sources < cmd/internal/study/fault cache pipeline specs stages/text
	cmd/internal/study       < cmd/internal/study/fault cmd/internal/study/sources specs cache cache/remote stages stages/kind stages/tables pipeline runner runner/audit runner/bundle runner/machine
	cmd/internal/study/corpora   < cmd/internal/study cache pipeline stages/kind stages/tables stages/report
	cmd/internal/study/reporting < cmd/internal/output cmd/internal/study cmd/internal/study/fault cmd/internal/study/corpora specs specs/words cache pipeline runner/audit stages/kind stages/tables stages/report
	cmd/internal/study/entries   < cmd/internal/study cmd/internal/study/fault cache cache/remote pipeline
	cmd/internal/study/planning  < cmd/internal/study cmd/internal/study/fault cmd/internal/study/reporting cache pipeline stages/kind
	cmd/internal/study/studytest < cmd/internal/study cmd/internal/study/running
	cmd/internal/study/auditing  < cmd/internal/output cmd/internal/study cmd/internal/study/fault cmd/internal/study/reporting cmd/internal/study/sources specs specs/words cache pipeline runner/audit runner/bundle stages stages/report
	cmd/internal/study/mixing    < cmd/internal/study cmd/internal/study/corpora cmd/internal/study/fault cache pipeline stages/kind stages/mix stages/runs stages/tables
	cmd/internal/study/timing    < cmd/internal/study cache cache/table pipeline runner runner/clock stages stages/kind
	cmd/internal/study/doctor    < cmd/internal/study cmd/internal/study/sources cache runner/machine specs specs/words stages stages/kind
	cmd/internal/study/running   < cmd/internal/output cmd/internal/study cmd/internal/study/timing cmd/internal/study/fault cmd/internal/study/sources cmd/internal/study/corpora cmd/internal/study/reporting specs specs/words cache pipeline runner stages stages/kind stages/train stages/correlate
	cmd/internal/study/ranking   < cmd/internal/study cmd/internal/study/fault cmd/internal/study/reporting specs cache pipeline runner stages stages/kind stages/correlate
	cmd/internal/show        < cmd/internal/study cmd/internal/study/* specs specs/ident specs/words cache cache/remote stages/kind stages/tables stages/correlate stages/mix stages/runs pipeline runner runner/audit
	cmd/internal/proposal    < specs specs/arch stages/survey stages/text
	cmd/ablate               < cmd/internal/output cmd/internal/proposal cmd/internal/show cmd/internal/study cmd/internal/study/* licences specs specs/arch cache cache/remote stages/mix stages/runs stages/survey stages/text runner runner/machine
`

// libraries lists, for each outside library, the packages of ours that may import it. One where it
// can be, so that it can be replaced.
const libraries = `
	gopkg.in/yaml.v3                     < specs
	github.com/dominikbraun/graph        < pipeline
	github.com/apache/arrow/go/v17       < cache/table
	github.com/google/flatbuffers        < cache/table
	github.com/bits-and-blooms/bloom/v3  < stages/split
	github.com/klauspost/compress        < stages/internal/corpus stages/internal/corpus/parquet
	github.com/andybalholm/brotli        < stages/internal/corpus/parquet
	github.com/pierrec/lz4/v4            < stages/internal/corpus stages/internal/corpus/parquet
	github.com/ulikunitz/xz              < stages/internal/corpus
	golang.org/x/text                    < stages/internal/bpe stages/internal/corpus
	gonum.org/v1/plot                    < stages/internal/paperfig
	golang.org/x/image                   < stages/internal/paperfig
	gorgonia.org/gorgonia                < stages/internal/lm/cpu
	gorgonia.org/tensor                  < stages/internal/lm/cpu
	github.com/chewxy/hm                 < stages/internal/lm/cpu
	go4.org/unsafe/assume-no-moving-gc   < stages/internal/lm/cpu
	github.com/alecthomas/kong           < cmd/ablate
	github.com/jedib0t/go-pretty/v6      < cmd/internal/show
	golang.org/x/term                    < cmd/internal/show
	github.com/minio/minio-go/v7       < cache/remote
	gopkg.in/ini.v1                      < cache/remote
	golang.org/x/sys/unix                < cache cache/table/mapping
	golang.org/x/sys/cpu                 < cache/bulk stages/internal/kernel
`

func TestImports(t *testing.T) {
	may, owners := parse(rooms), parse(libraries)
	for pkg, imports := range packages(t) {
		allowed, known := may[pkg]
		if !known {
			t.Errorf("package %s is in no line of rooms", pkg)
			continue
		}
		for _, imp := range imports {
			switch first, _, _ := strings.Cut(imp, "/"); {
			case strings.HasPrefix(imp, "ablate/"):
				if to := strings.TrimPrefix(imp, "ablate/"); !matches(allowed, to) {
					t.Errorf("%s imports %s; it may import %s", pkg, to, allowed)
				}
			case strings.Contains(first, "."):
				owner := ""
				for lib := range owners {
					if imp == lib || strings.HasPrefix(imp, lib+"/") {
						owner = lib
					}
				}
				if owner == "" {
					t.Errorf("%s imports %s, which is in no line of libraries", pkg, imp)
				} else if !slices.Contains(owners[owner], pkg) {
					t.Errorf("%s imports %s, which belongs to %s", pkg, imp, owners[owner])
				}
			}
		}
	}
}

// TestImportsSeesArrows makes sure that the test above would notice.
func TestImportsSeesArrows(t *testing.T) {
	if matches(parse(rooms)["cache"], "stages") || !matches(parse(rooms)["stages"], "stages/train") {
		t.Error("the rules are not read as they are written")
	}
	found := packages(t)
	if !slices.Contains(found["pipeline"], "ablate/specs") || len(found) < 10 {
		t.Errorf("the packages are not read: %v", found)
	}
}

func parse(rules string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(rules) {
		if left, right, ok := strings.Cut(line, "<"); ok {
			out[strings.TrimSpace(left)] = strings.Fields(right)
		}
	}
	return out
}

func matches(patterns []string, path string) bool {
	for _, p := range patterns {
		if p == path || strings.HasSuffix(p, "*") && strings.HasPrefix(path, strings.TrimSuffix(p, "*")) {
			return true
		}
	}
	return false
}

// packages maps each package to what its files, tests aside, import.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() && path != "." {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil { // another module, such as that of the documentation's site
				return filepath.SkipDir
			}
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			out[pkg] = append(out[pkg], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
