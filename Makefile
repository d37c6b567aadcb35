# Lethe: what one does with this repository. `make` lists it.

GO          ?= go
OIDCPROVIDER ?= oidc-provider@8.8.1
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 5000x
TESTFLAGS   ?=
BIN         ?= dist/lethe

# $(call need,TEST,PACKAGES) installs packages where the test fails.
need = { $(1); } >/dev/null 2>&1 || { sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; $$sudo apt-get update -q && $$sudo apt-get install -q -y $(2); }

.DEFAULT_GOAL := help
.PHONY: help run build test test-long test-clients test-spring test-identity test-redis test-moto unit lint fuzz fips static smoke bench bench-upstream tools

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start a server with nothing configured (127.0.0.1:6380)
	$(GO) run ./cmd/lethe serve

build: ## build dist/lethe, without cgo
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/lethe

test: tools lint fips static smoke fuzz unit test-identity test-clients test-spring ## everything: installs what is missing, checks, tests with the race detector, fuzzes

test-long: tools ## the long forms: 10,000 connections, long random sequences, a minute for each fuzz target
	$(GO) run ./internal/testkit/summary -- $(GO) test -race -json -timeout 60m ./conformance -args -long
	$(MAKE) fuzz FUZZTIME=60s

test-redis: tools ## Redis's own test suite against Lethe (conformance/README.md)
	@command -v tclsh >/dev/null || { \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -q && $$sudo apt-get install -q -y tcl; }
	$(GO) test ./conformance -run TestRedisTests -v -timeout 120m -args -redis all

test-identity: ## log-ins against a real OpenID provider (npm's oidc-provider) and a real LDAP directory (slapd), installed where missing
	@sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  missing=; [ -x /usr/sbin/slapd ] || missing=slapd; command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	  [ -z "$$missing" ] || { $$sudo apt-get update -q && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; }
	@[ -d dist/identity/node_modules/oidc-provider ] || npm install --prefix dist/identity --no-audit --no-fund --ignore-scripts $(OIDCPROVIDER)
	LETHE_NODE_MODULES=$(CURDIR)/dist/identity/node_modules $(GO) test -count=1 -tags 'oidcprovider slapd' -timeout 20m ./internal/oidc ./internal/ldapauth
	LETHE_NODE_MODULES=$(CURDIR)/dist/identity/node_modules $(GO) test -count=1 -tags 'oidcprovider slapd' -run 'Real|LDAP' ./conformance

unit: ## all tests with the race detector
	$(GO) run ./internal/testkit/summary -- $(GO) test -race -json -timeout 30m $(TESTFLAGS) ./...

lint: ## gofmt, go vet, staticcheck
	@unformatted="$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go'))"; \
	  if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

test-clients: ## clients in six languages, and libraries that send scripts, against the real binary; installs what is missing
	@$(call need,npm --version,npm)
	@$(call need,python3 -m venv --help && python3 -m pip --version,python3-venv python3-pip)
	@$(call need,mvn --version && javac --version,maven default-jdk-headless)
	@$(call need,redis-cli --version,redis-tools)
	@$(call need,cc --version && ls /usr/include/openssl/ssl.h,gcc libc6-dev libssl-dev)
	@$(call need,ruby -e "require 'sidekiq'",ruby-sidekiq)
	$(GO) test -count=1 -timeout 40m ./conformance/clients -args -others

test-spring: static ## the Spring Boot example against the real binary and a real PostgreSQL; installs what is missing
	@$(call need,mvn --version && javac --version,maven default-jdk-headless)
	@$(call need,ls /usr/lib/postgresql/*/bin/initdb,postgresql)
	cd examples/spring-boot && LETHE_BINARY="$(CURDIR)/dist/lethe-static" mvn -q -T1 test

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

bench: tools ## Lethe and redis-server side by side (docs/performance.md); the part upstream needs: apt-get install stunnel4 haproxy nutcracker
	$(GO) run ./bench

bench-upstream: tools ## only Lethe in front of a redis-server, beside its own TLS, stunnel, HAProxy and twemproxy, which it installs
	@$(call need,PATH=$$PATH:/usr/sbin; command -v stunnel && command -v haproxy && command -v nutcracker,stunnel4 haproxy nutcracker)
	$(GO) run ./bench -parts upstream -rounds 7

tools: ## install what the tests need: redis-server, and lua5.1 to compare scripts with
	@missing=; \
	  command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	  command -v lua5.1 >/dev/null || missing="$$missing lua5.1"; \
	  if [ -n "$$missing" ]; then \
	    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	    $$sudo apt-get update -q && $$sudo apt-get install -q -y $$missing; fi
	@redis-server --version

test-moto: ## our fake of AWS against moto's, which it installs into dist/moto
	@test -x dist/moto/bin/python || { python3 -m venv dist/moto && dist/moto/bin/pip install -q 'moto[server]==5.2.5'; }
	LETHE_MOTO_PYTHON="$$PWD/dist/moto/bin/python" $(GO) test -run Moto -v ./internal/safeguards/awsapi
