# make demo   set up, run the small Chinese world end to end, print what came out
# make test   set up, run every test
# make check  set up, lint, types, import layers, Dagster definitions
# make bench  set up, measure Onefold, Splink and GoldenMatch on the same data (docs/benchmarks.md)
# make bench-small   the same on small data, in some minutes; changes no document
PYTHON := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
DUCKDB := .venv/duckdb/.ready
BENCH ?=

.PHONY: setup demo test check bench bench-small

setup: $(READY)

PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --root-user-action=ignore
DIALECTS := tests/clients/requirements-dialects.txt

$(READY): pyproject.toml constraints.txt $(DIALECTS)
	@echo "Setting up .venv (one to three minutes, once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) -e ".[dev]" -c constraints.txt
	@$(PIP) --no-deps -r $(DIALECTS) -c constraints.txt
	@touch $(READY)

demo: $(READY)
	@$(BIN)/onefold demo

# DuckDB as others use it, attached to both stores: tests/warehouse/test_bi_clients.py.
$(DUCKDB): tests/clients/requirements-duckdb.txt $(READY)
	@$(PYTHON) -m venv .venv/duckdb
	@.venv/duckdb/bin/python -m pip install --quiet --quiet --disable-pip-version-check \
		--root-user-action=ignore -r tests/clients/requirements-duckdb.txt
	@touch $(DUCKDB)

test: $(READY) $(DUCKDB)
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DAGSTER_HOME=$(CURDIR) $(BIN)/dg check defs

bench: $(READY)
	$(BIN)/python -m benchmarks.bench $(BENCH)

bench-small: $(READY)
	$(BIN)/python -m benchmarks.bench --small $(BENCH)
