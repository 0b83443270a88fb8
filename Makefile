# `make demo` shows it, `make run` runs it, `make test` proves it. Each sets up what it needs first; the second time that takes a moment.

SHELL := /bin/bash
BIN := .venv/bin
# Most tests wait for phones, so they run side by side, those of one file (or class) one after the other; a browser wants the machine for itself.
# Schemathesis names all operations alike, and xdist would run one of them.
ALONE := tests/apps/test_api_fuzz.py tests/browser
BESIDE := -n 4 --dist loadscope --no-loadscope-reorder $(addprefix --ignore ,$(ALONE))
CONFIG ?= callcenter.toml

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests demo run test test-all check bench simulate screenshots lock

help:
	@echo "make demo      a call center with simulated agents and callers, real SIP and audio, and its report"
	@echo "make run       the call center of callcenter.toml, ready for real phones; Ctrl-C stops it"
	@echo "make test      what CI runs (<= 12 minutes); make test-all: everything"
	@echo "make check     style, types and layers, in seconds"
	@echo "make screenshots  pictures of every page, for docs/"
	@echo "make bench     the figures;  make simulate: a queue in virtual time;  make setup: set-up alone"

setup:
	@scripts/setup.sh

setup-tests:
	@scripts/setup.sh --tests

demo: setup
	@$(BIN)/callcenter demo

run: setup
	@$(BIN)/callcenter serve --config $(CONFIG) --show-credentials

test test-all: export MACHINE_STEPS ?= 20000
test-all: export HYPOTHESIS_PROFILE = explore
test: setup-tests
	@$(BIN)/pytest $(BESIDE) -m "not long"; beside=$$?; $(BIN)/pytest $(ALONE) -m "not long" && exit $$beside

test-all: setup-tests
	@$(BIN)/pytest $(BESIDE); beside=$$?; $(BIN)/pytest $(ALONE) && exit $$beside

check: setup
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/pytest tests/test_layers.py

bench: setup
	@$(BIN)/callcenter bench all

simulate: setup
	@$(BIN)/callcenter simulate queue --calls-per-hour 360 --aht 240 --agents 24 --patience 120 --calls 200000 --seed 1

# Every page, light and dark, wide and narrow, into docs/screenshots; look at them afterwards.
screenshots: setup-tests
	@$(BIN)/python -m tests.browser.pictures.take $(VIEWS)

# After changing the dependencies in pyproject.toml (needs uv).
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --no-header --no-annotate pyproject.toml -o requirements.lock
