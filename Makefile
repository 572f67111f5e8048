# Everything is done by "make"; "make help" lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# SQLite's full-text search is behind this tag; building without it stops with
# the sentence to run.
TAGS := sqlite_fts5
GO := go

# SQLite's C is half of a cold build: 41 s with the usual flags, 14 s with -O1
# and without debug symbols. Tests and tools take that; the program is built
# with -O2. The go tool keeps both in its cache.
FAST := CGO_CFLAGS="-O1 -g0"
SHIP := CGO_CFLAGS="-O2 -g0"

# Half of what linking a test takes is for debuggers, and vet is a target of its own.
TEST := $(FAST) $(GO) test -vet=off -ldflags="-s -w"

LINT := $(GO) tool -modfile=tools/go.mod golangci-lint

PARLEY_TEST_POSTGRES ?= postgres://postgres@127.0.0.1:5432/postgres

# What "make race" runs: the packages in which goroutines meet, without the suite
# that attacks a program of its own, which has no detector.
RACE ?= $(shell $(GO) list -tags $(TAGS) ./app/... ./internal/... | grep -v /parleytest/hostile)

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build and start Parley on SQLite with demo data; prints addresses and tokens
	mkdir -p data
	bin/parley serve --mode development --database data/parley.db --demo

.PHONY: build
build: web ## Build bin/parley, with the playground if Node is installed
	$(SHIP) $(GO) build -trimpath -tags $(TAGS) -ldflags "-X parley/internal/ground/version.stamp=$(VERSION)" -o bin/parley ./cmd/parley

# What parley version says.
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null)

.PHONY: package
package: web ## Make archives and Debian packages for Linux in dist/ (ARCHES="amd64 arm64")
	packaging/package.sh $(or $(ARCHES),amd64 arm64)

.PHONY: test-package
test-package: ## Test the packages in dist/, and the container's file system (as root)
	packaging/test.sh

.PHONY: web
web: ## Build the playground's files (needs Node with npm; skipped without)
	@if ! command -v npm >/dev/null; then \
	  echo "web: no npm here, so the playground is left out; install Node 18 or newer and run make build again."; \
	elif ! $(MAKE) --no-print-directory web/dist/manifest.json; then \
	  echo "web: the playground could not be built (see above) and is left out; run make build again when npm works."; \
	fi

# The manifest is the last file the build writes, so it is its stamp.
web/dist/manifest.json: web/package-lock.json web/package.json web/build.mjs web/guide.mjs docs/guide.md docs/errors.md web/page/playground.js web/page/playground.css web/page/favicon.svg
	cd web && npm ci --no-audit --no-fund --loglevel=error && node build.mjs

# Tests of how much a crowd may take run with nothing beside them.
ALONE = internal/check/parleytest/hostile

.PHONY: test
test: web ## Run every test that needs no other service (frontend clients too, if Node is installed)
	$(TEST) -tags $(TAGS) -timeout 9m $$($(GO) list -tags $(TAGS) ./... | grep -v $(ALONE)) && $(TEST) -tags $(TAGS) -timeout 5m ./$(ALONE)
	@if $(NODE_20) && $(MAKE) --no-print-directory clients/node_modules/.package-lock.json; then $(MAKE) --no-print-directory test-clients; \
	else echo "test: SKIPPED the frontend clients, for Node 20.14 is not here or npm could not install them; see to that and run make test-clients."; fi

NODE_20 := command -v npm >/dev/null && node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || major == 20 && minor >= 14 ? 0 : 1)'

.PHONY: test-clients
test-clients: clients/node_modules/.package-lock.json ## Run Relay, Apollo, urql, graphql-ws, graphql-sse, generated types and the audit of graphql-http against the program, and jsforce against the tests' Salesforce (needs Node 20.14)
	$(FAST) $(GO) build -tags $(TAGS) -o bin/parley-for-clients ./cmd/parley
	$(GO) build -o bin/salesforce-for-clients ./internal/connector/salesforce/salesforcetest/serve
	cd clients && PARLEY=../bin/parley-for-clients SALESFORCE=../bin/salesforce-for-clients npm test --silent

# npm writes this file last, so it is the stamp of an installation.
clients/node_modules/.package-lock.json: clients/package-lock.json clients/.npmrc
	@$(NODE_20) || { echo "test-clients: needs Node 20.14 or newer, with npm."; exit 1; }
	cd clients && npm ci --loglevel=error
	touch $@

.PHONY: race
race: ## Run the tests of RACE (packages, default: those in internal) with the race detector
	$(TEST) -race -tags $(TAGS) -timeout 10m $(RACE)

# What "make fuzz" runs: targets with their packages.
FUZZ ?= FuzzFormula=./internal/desk/formula FuzzAnswer=./internal/desk/formula/trial

.PHONY: fuzz
fuzz: ## Look for inputs that break what reads formulas, 30 s for each target of FUZZ
	@for target in $(FUZZ); do $(FAST) $(GO) test -tags $(TAGS) -run '^$$' -fuzz "^$${target%=*}$$" -fuzztime 30s "$${target#*=}"; done

.PHONY: test-postgres
test-postgres: ## Run the suite on PostgreSQL too (PARLEY_TEST_POSTGRES names a server; tests make their own databases)
	PARLEY_TEST_POSTGRES="$(PARLEY_TEST_POSTGRES)" $(TEST) -tags $(TAGS) -count=1 -timeout 8m $$($(GO) list -tags $(TAGS) ./app/... ./internal/... ./cmd/... | grep -v $(ALONE))
	PARLEY_TEST_POSTGRES="$(PARLEY_TEST_POSTGRES)" $(TEST) -tags $(TAGS) -count=1 -timeout 9m ./$(ALONE)

# The last version, which this one must serve beside. It is built once.
LAST := $(shell cat internal/check/parleytest/rolling/LAST)

.PHONY: test-rolling
test-rolling: bin/last/$(LAST) ## Run the last version beside this one on one database, on SQLite and PostgreSQL (needs the git history)
	$(FAST) $(GO) build -tags $(TAGS) -o bin/parley-for-rolling ./cmd/parley
	$(ROLLING) PARLEY_TEST_POSTGRES= $(TEST) -tags "$(TAGS) rolling" -count=1 -timeout 4m ./internal/check/parleytest/rolling
	$(ROLLING) PARLEY_TEST_POSTGRES="$(PARLEY_TEST_POSTGRES)" $(TEST) -tags "$(TAGS) rolling" -count=1 -timeout 4m ./internal/check/parleytest/rolling

ROLLING = PARLEY_TEST_LAST="$(CURDIR)/bin/last/$(LAST)" PARLEY_TEST_THIS="$(CURDIR)/bin/parley-for-rolling"

bin/last/$(LAST):
	@git cat-file -e "$(LAST)^{commit}" || { echo "test-rolling: this clone lacks the commit $(LAST) of the last version; run git fetch --unshallow (or git fetch origin $(LAST)) and try again."; exit 1; }
	source="$$(mktemp -d)"; trap 'rm -rf "$$source"' EXIT; git archive "$(LAST)" | tar -x -C "$$source"; \
	$(FAST) $(GO) -C "$$source" build -buildvcs=false -tags $(TAGS) -o "$(CURDIR)/$@" ./cmd/parley

.PHONY: test-browser
test-browser: web ## Walk through the playground in a headless Chromium
	$(TEST) -tags "$(TAGS) browser" -count=1 -timeout 5m ./internal/check/parleytest/browser/...

.PHONY: generate
generate: ## Regenerate code and schema.graphql
	$(FAST) $(GO) generate ./...

.PHONY: migration
migration: ## Write the next migration of both databases from ent/schema (NAME=add_things; PARLEY_DEV_POSTGRES names an empty database)
	@[ -n "$(NAME)" ] || { echo "migration: name it, such as make migration NAME=add_things."; exit 1; }
	$(FAST) $(GO) run -tags $(TAGS) -mod=mod ent/migrate/diff.go $(NAME)

.PHONY: check
check: drift format vet lint ## Check generated code, formatting, vet and lint

.PHONY: drift
drift: generate ## Fail when generated code differs from what is committed
	@git diff --exit-code --stat -- ent graph resolvers schema.graphql || { echo "Generated code is out of date: run make generate and commit."; exit 1; }
	@test -z "$$(git status --porcelain -- ent graph resolvers schema.graphql)" || { git status --short -- ent graph resolvers schema.graphql; echo "Generated files are not committed."; exit 1; }

.PHONY: format
format: ## Fail when a file is not formatted
	$(LINT) fmt --diff

.PHONY: vet
vet: ## Run go vet
	$(FAST) $(GO) vet -tags "$(TAGS) browser rolling" ./...

.PHONY: lint
lint: ## Run golangci-lint (pinned in tools/go.mod)
	$(FAST) $(LINT) run ./...

.PHONY: vulncheck
vulncheck: ## Fail when the program calls code with a known flaw (GOVULNDB names another database)
	$(FAST) $(GO) run ./internal/check/conventions/vulncheck

.PHONY: licences
licences: web ## Regenerate the licences of everything in the program
	$(GO) run ./internal/admin/licences/generate

.PHONY: licences-drift
licences-drift: licences ## Fail when the licences differ from what is committed
	@git diff --exit-code --stat -- internal/admin/licences || { echo "The list of licences is out of date: run make licences and commit."; exit 1; }

.PHONY: bench
bench: ## Print reads, sends and latency as ratios to hand-written baselines and a peer (BENCH="--conversations 100000 --messages 1000000" for more)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory bench/peers/node_modules/.package-lock.json; fi
	$(SHIP) $(GO) run -tags $(TAGS) ./bench $(BENCH)

bench/peers/node_modules/.package-lock.json: bench/peers/package-lock.json bench/peers/.npmrc
	cd bench/peers && npm ci --loglevel=error
	touch $@

.PHONY: chaos
chaos: ## Inject faults, and check that Parley's guarantees hold (CHAOS="--quick", CHAOS="--only kill,torn")
	$(FAST) $(GO) build -tags $(TAGS) -o bin/parley-for-chaos ./cmd/parley
	$(FAST) $(GO) run -tags $(TAGS) ./chaos --program bin/parley-for-chaos $(CHAOS)

.PHONY: seed
seed: build ## Fill data/parley.db with generated conversations (CONVERSATIONS, MESSAGES, SEED)
	mkdir -p data
	bin/parley seed --database data/parley.db --conversations $(or $(CONVERSATIONS),1000) --messages $(or $(MESSAGES),10000) --seed $(or $(SEED),1)
