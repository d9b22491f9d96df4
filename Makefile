# Two commands set all up: `make demo` and `make test`. Each installs first what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo demo-real test check bench run clean help

help:
	@echo "make demo       set everything up, read two weeks of the demo web, and say where the digest lies"
	@echo "make test       run every test"
	@echo "make check      style, types, import contracts"
	@echo "make run        one pass over the sources that config.yaml has on"
	@echo "make demo-real  the real spiders over recorded responses (where ../shared/samples is)"
	@echo "make bench      measure, as ratios in one run"

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Exowatch needs Python 3.11 or newer; found $$($(PYTHON) --version). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: install
	@$(BIN)/python -m crawler.demo play

demo-real: install
	@$(BIN)/python -m crawler.demo play-real --samples ../shared/samples

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m tests.benchmarks

run: install
	$(BIN)/exowatch run

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
