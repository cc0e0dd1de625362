# What people and CI call; the work is in scripts/.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Flags for every `swift build` of the debug products, such as --explicit-target-dependency-import-check error.
SWIFT_FLAGS ?=
# Arguments of one benchmark run, such as BENCH="--scale 100".
BENCH ?=

.PHONY: help demo test build lint format bench clusters-up clusters-down install-deps clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Install what is missing, build, and run a small fleet on this machine
	@scripts/install-deps demo
	@$(MAKE) --no-print-directory build
	.build/release/fleet demo

test: ## Install what is missing, build and run every test
	@scripts/install-deps test
	@scripts/run-tests $(SWIFT_FLAGS)

build: ## Build the release binary, .build/release/fleet
	@scripts/install-deps build
	swift build -c release --product fleet --static-swift-stdlib

lint: ## Check format, house rules and scripts; changes nothing
	@scripts/lint

format: ## Rewrite the Swift sources in house style
	swift format --in-place --parallel --recursive Package.swift Sources Plugins Tests

bench: ## Measure against pg_basebackup (and pgBackRest, where installed) in one run
	@scripts/install-deps demo
	@$(MAKE) --no-print-directory build
	@Benchmarks/run $(BENCH)

clusters-up: ## Start the two Kubernetes clusters of the tests, as root (Tests/KubernetesBench)
	@scripts/install-deps clusters
	@Tests/KubernetesBench/up

clusters-down: ## Stop them and remove their state
	@Tests/KubernetesBench/down

install-deps: ## Install the Debian packages that building and testing need
	@scripts/install-deps test

clean: ## Remove what was built; the demo has its own `fleet demo --clean`
	rm -rf .build
