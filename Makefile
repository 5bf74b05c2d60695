# Everything a fresh machine needs: Python 3.11 and make.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# Linux without a GPU: PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu" saves 3 GB.
PIP_FLAGS ?=
ARGS ?=
# Test processes, each with a Postgres and a Redis of its own: one a core, at most this many.
WORKERS ?= 4
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo dev test lint docs-check format lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## install everything into .venv

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (a few minutes the first time)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## run the closed loop on two sample councils and leave the UI up (ARGS=--exit: check and end)
	@$(BIN)/astra-learn demo $(ARGS)

dev: $(STAMP) ## start services, API, Dagster UI and daemon; Ctrl-C ends everything
	@$(BIN)/astra-learn dev $(ARGS)

test: $(STAMP) ## run the whole suite
	@$(BIN)/python -m pytest -n logical --maxprocesses $(WORKERS) --dist worksteal $(ARGS)

lint: $(STAMP) ## what CI checks: ruff, mypy, import-linter, documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python docs/check.py

docs-check: $(STAMP) ## every module and file that the documents name exists
	@$(BIN)/python docs/check.py

format: $(STAMP) ## mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: ## write requirements.lock anew from pyproject.toml
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet $(PIP_FLAGS) "setuptools>=77" wheel torch==2.13.0 ".[trainer,embedded,dev]"
	@.venv-lock/bin/python -m pip freeze --all --exclude pip --exclude astra-learn | sed -E 's/^(torch==[0-9.]+)\+cpu/\1/' > requirements.lock
	@rm -rf .venv-lock

clean: ## remove the embedded services' data (.astra) and caches
	@rm -rf .astra .mypy_cache .ruff_cache .pytest_cache .hypothesis
