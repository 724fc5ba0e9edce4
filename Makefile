# Everything a person or a machine does with this checkout. Needs Go 1.26 and make, nothing else.

.DEFAULT_GOAL = build
.PHONY: build dist licences docs demo paper smoke test check-fit race torture lint bench clean new-enough

# The program needs no C library, so that it runs on any Linux, however old: the race detector alone is built with cgo.
export CGO_ENABLED = 0

# What `ablate version` says of the commit; nothing outside of a checkout.
DESCRIBED = $(shell git describe --tags --always --dirty 2>/dev/null)

# Processors that would fuse multiply-adds are told not to, in libraries too; the kernels ask for theirs.
UNFUSED = $(if $(filter amd64,$(shell go env GOARCH)),,-gcflags=all=-d=fmahash=qn -gcflags=ablate/stages/internal/kernel/...=)

# A go command from 1.21 on fetches by itself the release that go.mod asks for, unless GOTOOLCHAIN=local forbids that or it has no network. An
# older one compiles until it meets a library that is not there. So the release is asked for first, and what is needed is told in one line.
new-enough:
	@need=$$(sed -n 's/^go //p' go.mod); \
	tell() { echo "ablate needs Go $$need or newer; $$1. Install a newer Go: https://go.dev/dl/" >&2; exit 1; }; \
	command -v go >/dev/null || tell 'there is no go command on the PATH'; \
	said=$$(go version 2>&1) || tell "the go command could not fetch it: $$(echo "$$said" | tail -n 1)"; \
	have=$$(echo "$$said" | sed -n 's/^go version .*go\(1[.0-9]*\).*/\1/p'); \
	awk -v have="$$have" -v need="$$need" 'BEGIN { split(have, h, "."); split(need, n, "."); \
		exit !(h[2] + 0 > n[2] + 0 || h[2] + 0 == n[2] + 0 && h[3] + 0 >= n[3] + 0) }' || \
	{ kept=$$(go env GOTOOLCHAIN 2>/dev/null); \
	tell "the go command on the PATH is Go $${have:-of an unknown release}, and fetches no newer one$${kept:+ with GOTOOLCHAIN=$$kept}"; }

# The go command knows best what is out of date.
build: new-enough
	go build -trimpath -ldflags '-X main.described=$(DESCRIBED)' $(UNFUSED) -o bin/ablate ./cmd/ablate

# Archives for Linux and macOS on amd64 and arm64, and their SHA256SUMS, in dist/: the same bytes from every checkout of a commit.
dist: new-enough
	go run ./cmd/dist

# The licences of what is linked in, anew, after modules have changed.
licences: new-enough
	go run ./licences/collect

# A static site of the documentation, with a search that needs no network, in site/. Its generator is a module of its own, and so are its tests.
docs: new-enough
	cd docs/site && go vet . && go test -count=1 . && go run . -from ../.. -to ../../site

# The main job on real text: Go's own source tree. Run again, it does nothing.
demo: build
	bin/ablate run demo

# The paper in miniature: its eleven experiments on Go's own source, our correlations beside the paper's in one table, out/paper.md.
PAPER = 5.1-s2orc-pairs 5.1-s2orc-triples 5.1-wiki-pairs 5.2-uneven 5.3-mixed-sources 5.3.1-fixed-source 5.4-larger-models \
	A.4-whole-fields A.6-larger-small-fields A.6.1-cross-scale A.6.2-replica
paper: build
	bin/ablate --scale mini run $(PAPER:%=paper/%) --table out/paper.md

# The smallest study, cold in a cache of its own, and again: the second run must find everything.
smoke: build
	rm -rf bin/smoke
	bin/ablate --cache bin/smoke/cache run smoke --out bin/smoke/out
	bin/ablate --cache bin/smoke/cache run smoke --out bin/smoke/out --quiet >bin/smoke/again 2>&1
	grep ' 0 ran' bin/smoke/again
	bin/ablate --cache bin/smoke/cache cache verify

test: new-enough
	go test $(TESTFLAGS) ./...

# Laws fitted to RegMix's 512 public runs, against the published correlations. ABLATE_SHARED names the folder that holds data/regmix; without it
# the check is skipped, and says so.
check-fit: new-enough
	go test -count=1 -v -run RegMix ./stages/runs

# The parts that many goroutines share: the runner and the cache whole; of the packages that compute, what runs on several threads (the
# kernels' pool and what is divided among its workers, the encoding of text, the average of checkpoints, readers of mapped tokens), because
# all of their tests take ten minutes under the detector, which sees nothing more in them. Needs a C compiler, which the detector asks for.
SHARED = Pool|GemmDivide|Gemm$$|TestAttention$$|TestNorm$$|Threads|Encoding|Processors|ManyGoroutines|ConcurrentReaders|Killed|SharesPartial
race: new-enough
	CGO_ENABLED=1 go test -race -count=1 ./runner/... ./cache
	CGO_ENABLED=1 go test -race -short -count=1 -run '$(SHARED)' ./stages/internal/kernel/... ./stages/internal/lm/cpu ./stages/text \
		./stages/train ./stages/eval ./cache/checkpoint ./cache/table

# 200 kills of a small study, and as much of signals, full disks, failing calls, damaged files and moved clocks (cmd/ablate/torture_test.go);
# about an hour on two cores. It prints its seed: SEED=... repeats its choices.
torture: new-enough
	go test -count=1 -timeout 4h -v -run Torture ./cmd/ablate -torture $(or $(ROUNDS),200) -torture.seed $(or $(SEED),0)

lint: new-enough
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these'; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go test -run TestImports .
	GOOS=darwin GOARCH=arm64 go vet ./...
	GOOS=darwin GOARCH=amd64 go vet ./...

# First a table of ratios to this machine's own peaks, then the reading of Parquet, then what the plan and the cache cost, up to 100,000 steps and 20,000 files, then
# fits of laws and searches for shares, then the same models in PyTorch where there is one (stages/internal/lm/cpu/testdata/torch/README.md).
bench: new-enough
	go test -run '^$$' -bench Table -benchtime 1x ./stages/internal/kernel
	go test -run '^$$' -bench Parquet -benchtime 5x ./stages/internal/corpus
	go test -run '^$$' -bench 'Compile|Candidates|Lookup|Commit' -benchtime 3x ./pipeline ./cache
	go test -run '^$$' -bench 'ManySteps|List200000' -benchtime 1x -timeout 1h ./cache
	go test -run '^$$' -bench SmallFiles -benchtime 1x ./cmd/ablate
	go test -run '^$$' -bench 'Fit|Minimise|Experts' -benchtime 3x ./stages/internal/fit ./stages/internal/simplex ./stages/internal/experts
	go test -run '^$$' -bench Distant -benchtime 1x ./cache/remote
	go test -run '^$$' -bench Torch/best -benchtime 1x -timeout 1h ./stages/internal/lm/cpu

clean:
	rm -rf bin out dist site
