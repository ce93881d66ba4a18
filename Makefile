# Two commands do everything: `make demo` and `make test`. Nothing but Python 3.11 and make is presumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test prove check fmt clean bench-identity

help:  ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -e 's/:.*## /\t/' | sort

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: $(VENV)/.installed  ## start both CRMs on loopback, sync them, show what was done and why
	$(BIN)/crmsync demo

check: $(VENV)/.installed  ## lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## everything CI runs: checks, then all tests
	$(BIN)/pytest -n auto

prove: $(VENV)/.installed  ## every fault at every point, then random worlds: under an hour on two cores
	$(BIN)/python -m tests.prove --nightly

bench-identity: $(VENV)/.installed  ## how well records are matched, beside exact rules, recordlinkage and Splink
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -W ignore benchmarks/identity.py --others

fmt: $(VENV)/.installed  ## format and sort
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove what the other targets made
	rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
