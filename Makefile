# Lethe: what one does with this repository. `make` lists it.

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 5000x
TESTFLAGS   ?=
BIN         ?= dist/lethe

.DEFAULT_GOAL := help
.PHONY: help run build test test-long unit lint fuzz fips static smoke bench tools

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start a server with nothing configured (127.0.0.1:6380)
	$(GO) run ./cmd/lethe serve

build: ## build dist/lethe, without cgo
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/lethe

test: tools lint fips static smoke fuzz unit ## everything: installs what is missing, checks, tests with the race detector, fuzzes

test-long: tools ## the long forms: 10,000 connections, long random sequences, a minute for each fuzz target
	$(GO) run ./internal/testkit/summary -- $(GO) test -race -json -timeout 60m ./conformance -args -long
	$(MAKE) fuzz FUZZTIME=60s

unit: ## all tests with the race detector
	$(GO) run ./internal/testkit/summary -- $(GO) test -race -json -timeout 30m $(TESTFLAGS) ./...

lint: ## gofmt, go vet, staticcheck
	@unformatted="$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go'))"; \
	  if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# A count and not a time by default: at the end of a time, go test -fuzz at times fails with "context deadline exceeded".
fuzz: ## each fuzz target for a while (FUZZTIME=5000x, or 60s)
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package || exit 1; \
	  done; \
	done

fips: ## the binary on Go's validated cryptographic module starts, and says so
	GOFIPS140=v1.0.0 $(GO) build -o dist/lethe-fips ./cmd/lethe
	dist/lethe-fips version | grep 'FIPS 140-3 mode: on'

static: ## the binary without cgo starts
	CGO_ENABLED=0 $(GO) build -o dist/lethe-static ./cmd/lethe
	dist/lethe-static version

smoke: ## the benchmark runs, briefly
	$(GO) run ./bench -quick

bench: tools ## Lethe and redis-server side by side (docs/performance.md)
	$(GO) run ./bench

tools: ## install what the tests need: redis-server
	@command -v redis-server >/dev/null || { \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -q && $$sudo apt-get install -q -y redis-server; }
	@redis-server --version
