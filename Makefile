# Everything a fresh machine needs: Python 3.11 or 3.12 and make.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# torch's wheel: auto looks for a card, cpu saves 3 GB to download, cuda is PyPI's.
TORCH ?= auto
ARGS ?=
# Test processes, each with a Postgres and a Redis of its own: one a core, at most this many.
WORKERS ?= 4
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
DEPLOY_STAMP := $(VENV)/.deploy-tools
# What builds the documents has versions of its own, apart from the platform's.
DOCS_VENV := build/docs-venv
DOCS_STAMP := $(DOCS_VENV)/.installed
COMMIT := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
TAG ?= v1
# for a release: base images by digest
PLATFORM_BASE ?=
TRAINER_BASE ?=
BUILD_FLAGS ?=
.PHONY: help setup demo dev test cluster-test browser-test screenshots mutants lint docs docs-check format lock import-check audit deploy-check images clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## install everything into .venv

$(STAMP): requirements-dev.lock trainer/torch.lock trainer/torch-cpu.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): one to five minutes and some 6 GB the first time, 2.5 GB with the processor's torch."
	@$(BIN)/python .ci/install.py --torch $(TORCH) --project . requirements-dev.lock
	@touch $@

demo: $(STAMP) ## run the closed loop on two sample councils and leave the UI up (ARGS=--exit: check and end)
	@$(BIN)/astra-learn demo $(ARGS)

dev: $(STAMP) ## start services, API, Dagster UI and daemon; Ctrl-C ends everything
	@$(BIN)/astra-learn dev $(ARGS)

test: $(STAMP) ## run the whole suite
	@$(BIN)/python -m pytest -n logical --maxprocesses $(WORKERS) --dist worksteal $(ARGS)

mutants: $(STAMP) ## do the tests hold the rules? faults put into the code, one by one (ARGS="evaluation/interval.py")
	@nice -n 15 $(BIN)/python -m benchmarks.mutants $(ARGS)

cluster-test: $(STAMP) ## run the tests on a real Kubernetes control plane (Linux; Go builds it once, 20 minutes)
	@$(BIN)/python -m astra_learn_assets_tests.cluster.programs
	@$(BIN)/python -m pytest -m cluster -n 0 $(ARGS)

browser-test: $(STAMP) ## use the panel as people do, in Debian's Chromium (apt: chromium chromium-driver; npm)
	@PYTHONPATH=$$($(BIN)/python -m astra_learn_assets_tests.browser.tools) \
		$(BIN)/python -m pytest -m browser -n 0 astra_learn_assets_tests/browser $(ARGS)

screenshots: $(STAMP) ## take the pictures of the panel in docs/ anew
	@PYTHONPATH=$$($(BIN)/python -m astra_learn_assets_tests.browser.tools) \
		$(BIN)/python -m astra_learn_assets_tests.browser.screenshots

lint: $(STAMP) ## what CI checks: ruff, mypy, import-linter, tables of words, country files, documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m astra_learn_assets.spanish.word_tables
	@$(BIN)/python -m astra_learn_assets.privacy.identifiers.check
	@$(BIN)/python docs/check.py

docs: $(DOCS_STAMP) ## build the documents into build/docs, strictly: a broken link or a warning ends it
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict --quiet

$(DOCS_STAMP): docs/requirements.txt
	@test -x $(DOCS_VENV)/bin/python || $(PYTHON) -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	@touch $@

docs-check: $(STAMP) ## every module and file that the documents name exists
	@$(BIN)/python docs/check.py

format: $(STAMP) ## mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

deploy-check: $(DEPLOY_STAMP) ## render, validate, refuse and lint everything under deploy/
	@DEPLOY_CHECK=1 $(BIN)/python -m pytest -n logical --maxprocesses $(WORKERS) --dist worksteal astra_learn_assets_tests/deploy $(ARGS)

$(DEPLOY_STAMP): $(STAMP) deploy/tools/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r deploy/tools/requirements.txt
	@touch $@

images: ## build both images (TAG, PLATFORM_BASE, TRAINER_BASE, BUILD_FLAGS)
	docker build -f deploy/Dockerfile -t astra-learn:$(TAG) --build-arg COMMIT_HASH=$(COMMIT) $(if $(PLATFORM_BASE),--build-arg BASE=$(PLATFORM_BASE)) $(BUILD_FLAGS) .
	docker build -f trainer/Dockerfile -t astra-trainer:$(TAG) --build-arg COMMIT_HASH=$(COMMIT) $(if $(TRAINER_BASE),--build-arg BASE=$(TRAINER_BASE)) $(BUILD_FLAGS) .

lock: $(STAMP) ## write every lock anew from pyproject.toml and trainer/*.in (ARGS=--upgrade: newest versions)
	@$(BIN)/python .ci/lock.py $(ARGS)

import-check: ## import every module of the wheel, in a new environment with the run-time lock alone
	@$(PYTHON) .ci/import_check.py --python $(PYTHON) --torch $(TORCH)

audit: $(STAMP) ## ask whether a locked version has a known hole
	@$(BIN)/python .ci/audit.py

clean: ## remove the embedded services' data (.astra) and caches
	@rm -rf .astra .mypy_cache .ruff_cache .pytest_cache .hypothesis
