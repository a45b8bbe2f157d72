# `make` alone says what there is to type.

SHELL := bash
.DEFAULT_GOAL := help

CARGO ?= cargo
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
BIN := $(TARGET)/release/istio-scrape

# Tools that tests and lint use. kustomize: the newest, and one before `exec.args` (5.7), as in kubectl 1.32. Helm: both
# lines, which differ in post-renderers.
KUSTOMIZE_VERSIONS := v5.8.1 v5.5.0
HELM_VERSIONS := v3.21.4 v4.2.4
KPT_VERSION := v1.0.0-beta.67
CARGO_DENY_VERSION := 0.20.2
# Writes the bill of materials of a release.
CARGO_CYCLONEDX_VERSION := 0.5.9
TOOLS := $(CURDIR)/.tools
KUSTOMIZES := $(foreach v,$(KUSTOMIZE_VERSIONS),$(TOOLS)/kustomize-$(v)/kustomize)
HELMS := $(foreach v,$(HELM_VERSIONS),$(TOOLS)/helm-$(v)/helm)
KPT := $(TOOLS)/kpt-$(KPT_VERSION)/kpt
CARGO_DENY := $(TOOLS)/bin/cargo-deny
CARGO_CYCLONEDX := $(TOOLS)/bin/cargo-cyclonedx

# What `make dist` builds for, where this machine can.
HOST := $(shell uname -m)-unknown-linux-gnu
DIST_TARGETS ?= $(HOST) $(filter-out $(HOST),x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu)
STATIC := $(TARGET)/$(HOST)/release/istio-scrape
RELEASE := CARGO="$(CARGO)" TARGET="$(TARGET)" PATH="$(TOOLS)/bin:$$PATH"

# The browser of `make browser`.
CHROMIUM ?= chromium

# The test data: CRD schemas, real manifests, conformance cases.
export ISTIO_SCRAPE_DATA ?= $(abspath ../shared)
# One line for each thing that was not run, and why. With CI=true a single one fails the run.
export ISTIO_SCRAPE_NOT_RUN := $(TARGET)/did-not-run

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## the program: target/release/istio-scrape
	@$(CARGO) build --release --locked

.PHONY: test
test: hosts-if-possible not-run-none ## all tests; says in one line each what it could not run
	@status=0; INSTA_UPDATE=no $(CARGO) test --locked --no-fail-fast || status=$$?; \
	 $(MAKE) --no-print-directory not-run-summary && exit $$status

.PHONY: lint
lint: not-run-none ## format, clippy, rustdoc, licences and bans of dependencies; warnings are errors
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --locked --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items --quiet
	@PATH="$(TOOLS)/bin:$$PATH"; \
	 if command -v cargo-deny >/dev/null; then $(CARGO) deny --locked check licenses bans sources; \
	 else echo "did not run: cargo deny: it is not installed (make tools)" >> "$$ISTIO_SCRAPE_NOT_RUN"; fi
	@$(MAKE) --no-print-directory not-run-summary

.PHONY: tools
tools: $(KUSTOMIZES) $(HELMS) kpt-if-possible $(CARGO_DENY) $(CARGO_CYCLONEDX) ## kustomize and Helm (two versions each), kpt, cargo-deny, cargo-cyclonedx, into .tools/

.PHONY: demo
demo: build ## what it decides and changes on examples/kustomize-exec; no cluster, no kustomize
	@echo '$$ istio-scrape explain examples/kustomize-exec'
	@$(BIN) explain examples/kustomize-exec
	@echo
	@echo '$$ istio-scrape diff examples/kustomize-exec'
	@$(BIN) diff examples/kustomize-exec || test $$? -eq 1

.PHONY: examples
examples: build hosts-if-possible not-run-none ## runs the commands in the README of every example
	@ISTIO_SCRAPE=$(BIN) TOOLS=$(TOOLS) HOSTS="$(notdir $(patsubst %/,%,$(dir $(KUSTOMIZES) $(HELMS) $(KPT))))" \
	 ISTIO_SCRAPE_IMAGE_ROOT="$(TARGET)/image/rootfs" bash examples/run.sh
	@$(MAKE) --no-print-directory not-run-summary

.PHONY: definition
definition: build ## writes functions/*/definition.yaml again, after a change of settings or rules
	@$(BIN) schema definition > functions/istio-scrape-tls/definition.yaml
	@$(BIN) schema mesh-metrics-definition > functions/istio-scrape-metrics/definition.yaml

.PHONY: browser
browser: build not-run-none ## renders `explain -o markdown` in Chromium; its pages as PNG into target/browser/
	@if ! command -v npm >/dev/null || ! command -v "$(CHROMIUM)" >/dev/null; then \
	   echo "did not run: tests/browser: it needs Node.js with npm, and $(CHROMIUM) (apt-get install nodejs npm chromium)" >> "$$ISTIO_SCRAPE_NOT_RUN"; \
	 else \
	   $(MAKE) -s --no-print-directory tests/browser/node_modules/.package-lock.json && \
	   ISTIO_SCRAPE=$(BIN) ISTIO_SCRAPE_PICTURES=$(TARGET)/browser CHROMIUM="$$(command -v "$(CHROMIUM)")" node tests/browser/render.mjs; \
	 fi
	@$(MAKE) --no-print-directory not-run-summary

.PHONY: bench
bench: ## time and memory beside other programs; QUICK=1: less of it; CASES=...: some; PAGE=1: into benches/README.md
	@if [ "$$(uname -s)" = Linux ]; then \
	   program=$$($(RELEASE) bash release/binary.sh $(HOST)) || exit 1; export ISTIO_SCRAPE_BENCHED="$$program"; fi; \
	 $(CARGO) bench --locked --bench compare -- $(if $(QUICK),quick) $(if $(PAGE),page) $(CASES)

.PHONY: dist
dist: $(CARGO_CYCLONEDX) ## what a release consists of, into dist/: the same bytes from the same commit
	@$(RELEASE) DIST_TARGETS="$(DIST_TARGETS)" TAG="$(TAG)" bash release/dist.sh

.PHONY: dist-test
dist-test: not-run-none ## runs what `make dist` made as its users will
	@TOOLS="$(TOOLS)" bash tests/dist.sh
	@$(MAKE) --no-print-directory not-run-summary

.PHONY: image
image: ## the image of the function, into dist/, by buildah: no daemon, no registry
	@program=$$($(RELEASE) bash release/binary.sh $(HOST)) && $(RELEASE) bash release/image.sh "$$program"

.PHONY: image-test
image-test: build not-run-none ## runs what `make image` made: as nobody, no network, nowhere to write to
	@ISTIO_SCRAPE=$(BIN) STATIC=$(STATIC) IMAGE=$(TARGET)/image TOOLS="$(TOOLS)" bash tests/image.sh
	@$(MAKE) --no-print-directory not-run-summary

.PHONY: clean
clean: ## removes target/, dist/, .tools/ and what `make browser` installed
	@$(CARGO) clean
	@rm -rf dist "$(TOOLS)" tests/browser/node_modules

# --- below: parts of the targets above

$(TOOLS)/kustomize-%/kustomize:
	@command -v go >/dev/null || { echo "kustomize $* needs Go (apt-get install golang-go), which is not here" >&2; exit 1; }
	@echo "installing kustomize $*"
	@GOBIN="$(@D)" GOTOOLCHAIN=auto go install sigs.k8s.io/kustomize/kustomize/v5@$*

$(TOOLS)/helm-%/helm:
	@command -v go >/dev/null || { echo "helm $* needs Go (apt-get install golang-go), which is not here" >&2; exit 1; }
	@echo "installing helm $*"
	@GOBIN="$(@D)" GOTOOLCHAIN=auto go install helm.sh/helm/$(firstword $(subst ., ,$*))/cmd/helm@$*

$(CARGO_DENY):
	@echo "installing cargo-deny $(CARGO_DENY_VERSION) (some minutes)"
	@$(CARGO) install --quiet --locked --root "$(TOOLS)" --target-dir "$(TARGET)/tools" cargo-deny@$(CARGO_DENY_VERSION)
	@rm -rf "$(TARGET)/tools"

$(CARGO_CYCLONEDX):
	@echo "installing cargo-cyclonedx $(CARGO_CYCLONEDX_VERSION) (some minutes)"
	@$(CARGO) install --quiet --locked --root "$(TOOLS)" --target-dir "$(TARGET)/tools" cargo-cyclonedx@$(CARGO_CYCLONEDX_VERSION)
	@rm -rf "$(TARGET)/tools"

.PHONY: hosts-if-possible
hosts-if-possible:
	@$(MAKE) -s --no-print-directory -k $(KUSTOMIZES) $(HELMS) \
	 || echo 'not every version of kustomize and Helm could be installed; what needs them is left out and named'
	@command -v kpt >/dev/null || $(MAKE) -s --no-print-directory kpt-if-possible

# Not every module proxy has kpt. One from a package, on PATH, does as well.
.PHONY: kpt-if-possible
kpt-if-possible:
	@test -x $(KPT) && exit; echo "installing kpt $(KPT_VERSION)"; \
	 GOBIN="$(dir $(KPT))" GOTOOLCHAIN=auto go install github.com/kptdev/kpt@$(KPT_VERSION) && exit; \
	 if command -v kpt >/dev/null; then echo "taking kpt $$(kpt version) from PATH"; \
	 else echo 'kpt could not be installed (https://kpt.dev/installation); what needs it is left out and named'; fi

tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	@echo "installing what renders Markdown and Mermaid into tests/browser/node_modules"
	@npm ci --prefix tests/browser --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: not-run-none
not-run-none:
	@mkdir -p "$(TARGET)" && rm -f "$$ISTIO_SCRAPE_NOT_RUN"

.PHONY: not-run-summary
not-run-summary:
	@if [ -s "$$ISTIO_SCRAPE_NOT_RUN" ]; then \
	   sort -u "$$ISTIO_SCRAPE_NOT_RUN"; \
	   if [ "$$CI" = true ]; then echo "CI=true: everything has to run"; exit 1; fi; \
	 fi
