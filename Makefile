# `make` lists the targets. Everything runs in .venv, made from constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench docs clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("costopt needs Python 3.11 or later; try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: .venv/installed ## Analyse the built-in fleet and say where the report is
	$(BIN)/costopt demo
	@echo; echo "  (. $(BIN)/activate puts costopt on the PATH of this shell)"

test: lint ## All checks: ruff, types, layers, tests
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

lint: .venv/installed ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed ## Rewrite the code as ruff wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/installed ## What the README's and docs/method.md's figures come from (minutes, 2 GB)
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/profile.py
	$(BIN)/python benchmarks/deciding.py
	$(BIN)/python -m benchmarks.collect_aws
	$(BIN)/python benchmarks/schedules.py
	$(BIN)/python benchmarks/replay.py
	$(BIN)/python -m benchmarks.placement
	$(BIN)/python benchmarks/policy.py
	$(BIN)/python benchmarks/poisoning.py --fleet demo
	@test -d ../shared/data || echo 'no ../shared/data: no decisions on real traces'
	@test ! -d ../shared/data || $(BIN)/python benchmarks/decisions.py --shapes
	@test ! -d ../shared/data || $(BIN)/python benchmarks/poisoning.py --fleet bitbrains --fleet shapes
	@test ! -d ../shared/data || $(BIN)/python benchmarks/schedule_quality.py
	@test ! -d ../shared/data || $(BIN)/python -m benchmarks.commitments

docs: .venv/installed ## Regenerate what is generated: samples, README's pictures, rule reference
	$(BIN)/python scripts/build_docs.py

clean: ## Remove what was made: .venv, caches, the demo's lake
	rm -rf .venv .costopt costopt-demo build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis benchmarks/.data
