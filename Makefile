# Everything a person or a machine does with this checkout. Needs Go 1.26 and make, nothing else.

export GOROOT_SHOWN := $(shell go env GOROOT)

GOFILES := $(shell find . -name '*.go')

.PHONY: build demo smoke test lint bench clean

build: bin/ablate

bin/ablate: $(GOFILES) go.mod go.sum $(shell find specs/studies -name '*.yaml')
	go build -trimpath -o $@ ./cmd/ablate

# The main job on real text: Go's own source tree. Run again, it does nothing.
demo: build
	GOROOT="$(GOROOT_SHOWN)" bin/ablate run demo

# The smallest study, cold in a cache of its own, and again: the second run must find everything.
smoke: build
	rm -rf bin/smoke
	GOROOT="$(GOROOT_SHOWN)" bin/ablate --cache bin/smoke/cache run smoke --out bin/smoke/out
	GOROOT="$(GOROOT_SHOWN)" bin/ablate --cache bin/smoke/cache run smoke --out bin/smoke/out --quiet

test:
	go vet ./...
	go test ./...

lint:
	@test -z "$$(gofmt -l $(GOFILES))" || { gofmt -l $(GOFILES); echo 'run gofmt -w on these'; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go test -run TestImports .

# Ratios to the machine's own peaks; see README, "How fast".
bench:
	go test -run '^$$' -bench . -benchtime 200ms ./...

clean:
	rm -rf bin out
