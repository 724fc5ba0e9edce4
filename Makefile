# Everything a person or a machine does with this checkout. Needs Go 1.26 and make, nothing else.

.PHONY: build demo paper smoke test race torture lint bench clean

# The go command knows best what is out of date.
build:
	go build -trimpath -o bin/ablate ./cmd/ablate

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

test:
	go test $(TESTFLAGS) ./...

# The parts that many goroutines share. Needs a C compiler, which the race detector asks for.
race:
	go test -race -count=1 ./runner ./cache

# 200 kills of a small study, and as much of signals, full disks, failing calls, damaged files and moved clocks (cmd/ablate/torture_test.go);
# about an hour on two cores. It prints its seed: SEED=... repeats its choices.
torture:
	go test -count=1 -timeout 4h -v -run Torture ./cmd/ablate -torture $(or $(ROUNDS),200) -torture.seed $(or $(SEED),0)

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these'; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go test -run TestImports .

# First a table of ratios to this machine's own peaks, then a tokenizer of 1 GB of text, then what the plan and the cache cost, up to 100,000 steps, then the same
# models in PyTorch where there is one (stages/internal/lm/testdata/torch/README.md).
bench:
	go test -run '^$$' -bench Table -benchtime 1x ./stages/internal/kernel
	go test -run '^$$' -bench 'Compile|Candidates|Lookup|Commit' -benchtime 3x ./pipeline ./cache
	go test -run '^$$' -bench 'ManySteps|List200000' -benchtime 1x -timeout 1h ./cache
	go test -run '^$$' -bench Distant -benchtime 1x ./cache/remote
	go test -run '^$$' -bench Torch/best -benchtime 1x -timeout 1h ./stages/internal/lm

clean:
	rm -rf bin out
