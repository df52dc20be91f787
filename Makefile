# SPDX-License-Identifier: Apache-2.0
# `make help` lists what there is.

SWIFT ?= swift
# Progress where somebody watches.
QUIET := $(shell [ -t 2 ] || echo --quiet)
# An import that Package.swift does not declare is an error.
FLAGS = --explicit-target-dependency-import-check error
SOURCES = Package.swift Sources Tests Benchmarks Fuzz
# The binaries of etcd and kube-apiserver for the tests that need a real API server; those are skipped without.
export KUBEBUILDER_ASSETS

# The executable that `make build` builds.
PROGRAM = $(shell $(SWIFT) build $(FLAGS) --show-bin-path)/cozy-telemetry

# The benchmarks of the package; what they measured is kept in .benchmarkBaselines.
BENCHMARK = cd Benchmarks && $(SWIFT) package --allow-writing-to-package-directory benchmark

# How many tests run at once. Without a limit all begin together, and Foundation's Process, which the tests start programs
# with, reads out of bounds where more than some 1,300 files are open.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 32

# Suites that cannot run beside others: they start API servers of their own, open thousands of files, or are about time.
LARGE_TESTS = AgentClusterTests|BadServerTests|ChangingClusterTests|ClusterToFiguresTests|ControlPlaneTests|ForgettingTests|IdentityCommandTests|IdentityTests|InstalledChartTests|InterruptedServerTests|LeaderElectionTests|OwnersCommandsTests|OwnersWordTests|PermissionTests|SlowSenderTests|StrangerTests|WritingTests|ZeroEgressTests

# Opens thousands of files, so that programs cannot be started by the same process any more (see above); it is the last.
FLOOD_TESTS = FloodTests

# How long `make soak` goes on.
SOAK_SECONDS ?= 600
# How long `make fuzz` goes on for each target, and which there are.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= exposition canonical gzip signature kubeconfig retry-after consent
# What `make sanitize` watches for.
SANITIZERS ?= address thread
# So many requests of each kind `make check-api` makes, and the seed of what is random in them.
API_EXAMPLES ?= 30
API_SEED ?= 1
# Where what comes from PyPI is kept.
PYTHON = .build/python
# What `make static`, `root`, `dist` and `install` use: release or debug.
CONFIGURATION ?= release
# The program that needs nothing of the machine, and where the others put what they make.
STATIC = .build/static/$(CONFIGURATION)/cozy-telemetry
ROOT ?= .build/root/$(CONFIGURATION)
DIST ?= .build/dist/$(CONFIGURATION)
# Where `make install` puts it, below DESTDIR.
PREFIX ?= /usr/local
SYSCONFDIR ?= $(PREFIX)/etc
# The time of all files that are handed out: that of the last commit.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
# So many connections that say nothing `make flood` opens.
FLOOD_CONNECTIONS ?= 10000

.PHONY: help run test soak flood fuzz sanitize check check-api check-page check-docs documentation check-root check-packages lint format duplicates \
	build release static root charts completions manual sbom dist install \
	bench bench-parts bench-thresholds bench-servers bench-agent bench-pages simulate-scale \
	requirements test-requirements bench-requirements clean
.DEFAULT_GOAL := help

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

run: build ## Run the backend with a small simulated fleet, and print and serve its figures (ARGS="--help" tells more).
	@exec "$(PROGRAM)" demo $(ARGS)

test: test-requirements charts ## Run all tests, check-api, check-page, check-docs, check-root, check-packages, and the fuzzer for ten seconds with each target.
	@echo "Building; the first time takes some minutes." >&2
	@$(SWIFT) build $(FLAGS) --build-tests $(QUIET)
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=10
	@$(MAKE) --no-print-directory check-api
	@$(MAKE) --no-print-directory check-page ARGS=
	@$(MAKE) --no-print-directory check-root check-packages CONFIGURATION=debug
	@$(MAKE) --no-print-directory check-docs ARGS=
	@$(MAKE) --no-print-directory documentation
	@$(SWIFT) test $(FLAGS) --skip-build --disable-xctest --skip '$(LARGE_TESTS)|$(FLOOD_TESTS)'
	@$(SWIFT) test $(FLAGS) --skip-build --disable-xctest --no-parallel --filter '$(LARGE_TESTS)'
	@$(SWIFT) test $(FLAGS) --skip-build --disable-xctest --no-parallel --filter '$(FLOOD_TESTS)'

soak: test-requirements ## Cut the power, kill the server, compare figures, over and over, for SOAK_SECONDS (600); SOAK_SEED repeats a run.
	@echo "Building; the first time takes some minutes." >&2
	@$(SWIFT) build $(FLAGS) --build-tests $(QUIET)
	@SOAK_SECONDS=$(SOAK_SECONDS) $(SWIFT) test $(FLAGS) --skip-build --disable-xctest \
		--filter PowerLossTests --filter DiskFaultTests --filter KilledServerTests --filter StoreFigureTests \
		--filter DamagedNumbersTests

flood: test-requirements ## Beset the backend with idle, slow and senseless connections (FLOOD_CONNECTIONS, 10000), and say how long good reports take.
	@echo "Building; the first time takes some minutes." >&2
	@$(SWIFT) build $(FLAGS) --build-tests $(QUIET)
	@ulimit -n $$(( $(FLOOD_CONNECTIONS) + 2000 )) && FLOOD_CONNECTIONS=$(FLOOD_CONNECTIONS) \
		$(SWIFT) test $(FLAGS) --skip-build --disable-xctest --filter FloodTests

fuzz: requirements ## Give random bytes to every parser, for FUZZ_SECONDS (60) each; FUZZ_TARGETS names some of them.
	@echo "Building; the first time takes some minutes." >&2
	@COZY_TELEMETRY_FUZZ=1 $(SWIFT) build $(FLAGS) --scratch-path .build/fuzz --product Fuzz \
		-Xswiftc -sanitize=fuzzer -Xswiftc -parse-as-library $(QUIET)
	@Scripts/fuzz.sh .build/fuzz/debug/Fuzz "$(FUZZ_SECONDS)" $(FUZZ_TARGETS)

sanitize: test-requirements ## Run the tests with the address and the thread sanitizer, or those that SANITIZERS names; an hour.
	@for sanitizer in $(SANITIZERS); do \
		echo "Building with the $$sanitizer sanitizer; the first time takes some minutes." >&2; \
		options="$(FLAGS) --sanitize $$sanitizer --scratch-path .build/$$sanitizer"; \
		$(SWIFT) build $$options --build-tests $(QUIET) && Scripts/sanitize/run.sh $$sanitizer \
			$(SWIFT) test $$options --skip-build --disable-xctest --skip '$(LARGE_TESTS)|$(FLOOD_TESTS)' && \
		Scripts/sanitize/run.sh $$sanitizer \
			$(SWIFT) test $$options --skip-build --disable-xctest --no-parallel --filter '$(LARGE_TESTS)' && \
		Scripts/sanitize/run.sh $$sanitizer \
			$(SWIFT) test $$options --skip-build --disable-xctest --no-parallel --filter '$(FLOOD_TESTS)' || exit 1; \
	done

check-api: build $(PYTHON)/schemathesis/done ## Ask a backend for everything that its openapi.yaml has and has not (API_EXAMPLES, 30; API_SEED, 1).
	@Scripts/api/check.sh "$(PROGRAM)" \
		"$(CURDIR)/$(PYTHON)/schemathesis/bin/schemathesis" $(API_EXAMPLES) $(API_SEED)

check-page: build $(PYTHON)/playwright/done ## Look at the public page in Chromium: figures, tables, downloads, themes, axe (ARGS="--help").
	@Scripts/require.sh chromium
	@Scripts/page/check.sh "$(PROGRAM)" \
		"$(CURDIR)/$(PYTHON)/playwright/bin/python3" $(ARGS)

check-docs: build test-requirements $(PYTHON)/helm/done ## Type every command of the documents, and hold what else they say against the repository (ARGS="--help").
	@Scripts/require.sh nginx
	@python3 Scripts/docs/check.py --program "$(PROGRAM)" --helm $(PYTHON)/helm/bin/helm $(ARGS)

documentation: build ## Make the documentation of the libraries with DocC, in .build/documentation; warnings are errors.
	@python3 Scripts/docs/documentation.py "$$($(SWIFT) build $(FLAGS) --show-bin-path)" .build/documentation

check: lint duplicates test ## Everything a change must pass: lint, no duplicated code, no warnings, tests.

lint: requirements ## Check the format and the documentation comments.
	@$(SWIFT) format lint --strict --recursive --parallel $(wildcard $(SOURCES))

format: requirements ## Format the sources in place.
	@$(SWIFT) format --in-place --recursive --parallel $(wildcard $(SOURCES))

duplicates: ## Fail where ten or more lines of code stand twice.
	@python3 Scripts/duplicates.py Sources Tests

build: requirements ## Build the executable for development.
	@echo "Building; the first time takes some minutes." >&2
	@$(SWIFT) build $(FLAGS) --product cozy-telemetry $(QUIET)

release: requirements ## Build the executable for use.
	@$(SWIFT) build $(FLAGS) --product cozy-telemetry -c release --static-swift-stdlib $(QUIET)

completions: build ## Write completion scripts for bash, zsh and fish into .build/completions.
	@Scripts/completions.sh "$(PROGRAM)" .build/completions

manual: build ## Write the manual page, .build/manual/cozy-telemetry.1.
	@Scripts/require.sh python3
	@mkdir -p .build/manual
	@"$(PROGRAM)" --experimental-dump-help | python3 Scripts/manual/manual.py > .build/manual/cozy-telemetry.1.new
	@mv .build/manual/cozy-telemetry.1.new .build/manual/cozy-telemetry.1

static: requirements ## Build the executable such that it needs nothing of the machine it runs on (CONFIGURATION, release).
	@$(MAKE) --no-print-directory $(if $(filter release,$(CONFIGURATION)),release,build)
	@Scripts/package/link.sh "$$($(SWIFT) build $(FLAGS) -c $(CONFIGURATION) --show-bin-path)" $(STATIC)

root: static ## Make the root file system of the container image, ROOT (.build/root/release).
	@Scripts/require.sh ca-certificates
	@Scripts/package/root.sh $(STATIC) $(ROOT)

check-root: root ## Run the program in that root, where there is nothing else.
	@Scripts/require.sh curl readelf
	@Scripts/package/check_root.sh $(ROOT)

charts: $(PYTHON)/helm/done ## Check the charts.
	@for values in charts/*/values.yaml charts/*/ci/*-values.yaml; do \
		$(PYTHON)/helm/bin/helm lint --strict --quiet "$$(echo $$values | cut -d / -f 1,2)" --values $$values || exit 1; \
	done

sbom: static ## List what the program is made of, with licences, in .build/sbom (SPDX).
	@$(SWIFT) package show-dependencies --format json > .build/dependencies.json
	@python3 Scripts/package/sbom.py $(STATIC) "$$($(STATIC) --version)" .build/sbom < .build/dependencies.json

dist: static completions manual sbom ## Make the archive, the Debian package, the charts and their checksums in DIST (.build/dist/release).
	@Scripts/package/dist.sh $(STATIC) "$$($(STATIC) --version)" $(DIST)
	@ls -l $(DIST)

install: static completions manual sbom ## Install below PREFIX (/usr/local), and DESTDIR where there is one.
	@Scripts/package/install.sh $(STATIC) "$(DESTDIR)" $(PREFIX) $(SYSCONFDIR)

check-packages: dist $(PYTHON)/spdx/done $(PYTHON)/helm/done ## Install what `make dist` made, run it, and remove it.
	@Scripts/require.sh adduser ca-certificates curl dpkg-deb systemd-analyze setpriv
	@Scripts/package/dist.sh $(STATIC) "$$($(STATIC) --version)" $(DIST)-again
	@Scripts/package/check.sh $(DIST) $(DIST)-again $(PYTHON)

bench: bench-parts ## Measure the parser, the canonical form and the store, then the servers and the agent; a quarter of an hour.
	@$(MAKE) --no-print-directory bench-servers
	@if [ -n "$$KUBEBUILDER_ASSETS" ]; then $(MAKE) --no-print-directory bench-agent ARGS=; \
		else echo "KUBEBUILDER_ASSETS is not set: bench-agent is left out." >&2; fi

bench-parts: bench-requirements ## Measure the parser, the canonical form and the store; fails where they allocate more than they may.
	@$(BENCHMARK) baseline update latest --no-progress --quiet
	@$(BENCHMARK) baseline read latest --format markdown --no-progress
	@$(BENCHMARK) thresholds check latest --no-progress || { echo "bench: allocations are not those of" \
		"Benchmarks/Thresholds; mend what costs more, or run make bench-thresholds and say why in the commit" >&2; exit 1; }

bench-thresholds: bench-requirements ## Make the allocations of this moment those that `make bench` compares with.
	@rm -rf Benchmarks/Thresholds
	@export ALLOCATIONS_ALONE=1; $(BENCHMARK) thresholds update --no-progress
	@# They are written with underscores and looked for with the blanks of the names.
	@cd Benchmarks/Thresholds && for file in *_*; do mv "$$file" "$$(echo "$$file" | tr _ ' ')"; done

bench-servers: bench-requirements release ## Measure the backend beside VictoriaMetrics and a pushgateway (CLUSTERS, ARGS="--help").
	@$(SWIFT) build $(FLAGS) --package-path Benchmarks -c release --product LoadGenerator $(QUIET)
	@python3 Scripts/bench_servers.py $(if $(CLUSTERS),--scale-to $(CLUSTERS)) $(ARGS)

bench-pages: requirements release ## Measure what pages and curves cost the backend beside overviews, with 10,000 clusters.
	@Scripts/require.sh curl
	@Scripts/page/bench.sh "$$($(SWIFT) build $(FLAGS) -c release --show-bin-path)/cozy-telemetry"

simulate-scale: bench-requirements release ## Measure what one core of each tier carries beside VictoriaMetrics, and what large fleets take (ARGS="--help").
	@$(SWIFT) build $(FLAGS) --package-path Benchmarks -c release --product LoadGenerator $(QUIET)
	@python3 Scripts/simulate_scale.py $(ARGS)

bench-agent: requirements release ## Measure the agent in a large cluster beside kubectl; needs KUBEBUILDER_ASSETS (ARGS="--scale 0.1").
	@Scripts/require.sh openssl kubectl python3
	@python3 Scripts/bench_agent.py $(ARGS)

$(PYTHON)/schemathesis/done: Scripts/api/requirements.txt
$(PYTHON)/playwright/done: Scripts/page/requirements.txt
$(PYTHON)/helm/done: Scripts/package/helm.txt
$(PYTHON)/spdx/done: Scripts/package/spdx.txt
$(PYTHON)/%/done:
	@Scripts/require.sh python3-venv
	@Scripts/venv.sh $(dir $@) $<

requirements:
	@Scripts/require.sh swift libsqlite3-dev zlib1g-dev

test-requirements: requirements
	@Scripts/require.sh openssl kubectl curl python3 sqlite3 victoria-metrics promtool zsh fish mandoc

bench-requirements: requirements
	@Scripts/require.sh cc python3 victoria-metrics prometheus-pushgateway

clean: ## Remove what was built.
	@rm -rf .build Benchmarks/.build
