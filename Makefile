# demo  set up .venv and show what lbcheck finds in the outage of fixtures/outage
# test  everything that must hold: lint, types, import contracts, tests, on the real nginx, haproxy and chromium where they may be installed
# traefik  build the real Traefik for the tests, where Go is installed (takes minutes)
# soak  the long campaigns; bench  speed against peers; index  compile rules/*.md into lbcheck/rules_index.py

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYSTEM ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint types contracts unit soak bench index system traefik clean

help:
	@sed -n '1,/^$$/s/^# //p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lbcheck needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another with PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "this Python cannot make virtual environments: run 'apt-get install python3-venv' (as root) and try again" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/installed

demo: $(VENV)/installed
	@sh fixtures/outage/demo.sh $(BIN)/lbcheck

system:
	@sh tests/install-proxies.sh "$(SYSTEM)"

traefik:
	@sh tests/install-traefik.sh

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

contracts: $(VENV)/installed-dev
	$(BIN)/lint-imports

unit: $(VENV)/installed-dev
	$(BIN)/pytest -n auto -m "not soak"

test: system lint types contracts unit

soak: system $(VENV)/installed-dev
	$(BIN)/pytest -n auto -m soak

bench: system $(VENV)/installed-dev
	$(BIN)/python benchmarks/bench.py

index: $(VENV)/installed-dev
	$(BIN)/python -m lbcheck.catalog

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
