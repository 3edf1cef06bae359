# The commands of the house. `make demo` shows the tool, `make test` is what must be green.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test build asan fuzz nightly bench format clean install-packages
export ASSAY_FUZZ_SECONDS ?= 120

help: ## Show the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

demo: ## Install what is missing, build, and test two emulated devices
	@third_party/install build run test
	@scripts/build release
	@rm -rf out/demo
	@build/release/bin/assay demo -o out/demo

test: ## Install what is missing, build, and run every test (release, sanitizers, fuzz smoke)
	@third_party/install build run test fuzz
	@scripts/test

install-packages: ## Install every system package, those for developers included
	@third_party/install build run test fuzz develop

build: ## Build the program into build/release/bin/assay
	@third_party/install build
	@scripts/build release

asan: ## Unit and probe tests under address and undefined-behaviour sanitizers, and the fuzz targets
	@third_party/install build run test fuzz
	@scripts/test asan

fuzz: ## Feed hostile bytes to every parser; ASSAY_FUZZ_SECONDS=120 in all
	@third_party/install build fuzz
	@scripts/test fuzz

nightly: ## Everything that is too slow for every change: slow tools side by side, thread sanitizer, clang-tidy, an hour of fuzzing
	@third_party/install build run test fuzz develop nightly
	@ASSAY_FUZZ_SECONDS=3600 scripts/test release nightly asan tsan tidy

bench: ## Side by side with the usual tools, on emulated devices
	@third_party/install build run test nightly bench
	@scripts/build release
	@ASSAY=$(CURDIR)/build/release/bin/assay tests/bench/run

format: ## Format the C++ sources in place
	@third_party/install develop
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

clean: ## Remove what was built
	@rm -rf build
