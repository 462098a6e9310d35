# Needs Python >= 3.11 and make, nothing else. Plain `make` prints the targets.
#
# Dependencies are installed into .venv from the lock files in requirements/, as wheels and by hash. Each
# stamp in .venv is renewed only when its lock file changes, so a second run starts at once.

PYTHON ?= python3
VENV ?= .venv
TEST_PROCESSES ?= 2

# Tests start hundreds of programs of ours: where nothing compiled is kept, each compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE

IN_VENV := $(VENV)/bin/python -m
INSTALL := $(IN_VENV) pip install --quiet --disable-pip-version-check
FROM_LOCK := $(INSTALL) --require-hashes --no-build-isolation --requirement
WHEELS := --only-binary :all:
# In the order of their names the last files are short ones; in the order of xdist, files of one long test.
TESTS := $(IN_VENV) pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder \
	--max-worker-restart 0
COMPILE = $(IN_VENV) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-annotate --upgrade

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

# --- run ---

.PHONY: up
up: $(VENV)/.installed ## Run the registry with its own PostgreSQL and Valkey, in the foreground
	@exec $(IN_VENV) cli up

.PHONY: run
run: $(VENV)/.installed ## Run the web processes on the servers that the settings name
	@exec $(IN_VENV) cli serve

.PHONY: work
work: $(VENV)/.installed ## Run one worker process on the servers that the settings name
	@exec $(IN_VENV) cli work

.PHONY: migrate
migrate: $(VENV)/.installed ## Bring the database that the settings name up to date
	@exec $(IN_VENV) cli migrate

# --- check ---

.PHONY: test
test: $(VENV)/.dev ## Run every test (10 minutes at most on two cores)
	@$(TESTS)

.PHONY: coverage
coverage: $(VENV)/.dev ## Run every test, and fail when too little of the code has run
	@$(TESTS) --cov --cov-report term-missing:skip-covered

.PHONY: test-fast
test-fast: $(VENV)/.dev ## Run the tests that take less than a second each, within the process of the test
	@$(TESTS) -p no:schemathesis -m "not slow and not clients" --ignore tests/e2e

.PHONY: ci
ci: ## Run everything that must pass before a change lands: lint, types, arch, coverage
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory arch
	@$(MAKE) --no-print-directory coverage

.PHONY: fmt
fmt: $(VENV)/.dev ## Format the code and mend what ruff can mend
	@$(IN_VENV) ruff format
	@$(IN_VENV) ruff check --fix

.PHONY: lint
lint: $(VENV)/.dev ## Check format and style
	@$(IN_VENV) ruff format --check
	@$(IN_VENV) ruff check

.PHONY: types
types: $(VENV)/.dev ## Check types, on Linux and as macOS would have them
	@$(IN_VENV) mypy
	@$(IN_VENV) mypy --platform darwin --cache-dir .mypy_cache/darwin app cli workers

.PHONY: arch
arch: $(VENV)/.dev ## Check the order of imports and the budgets of the house
	@$(IN_VENV) pytest tests/architecture

.PHONY: bench
bench: $(VENV)/.dev ## Compare the speed with other registries found on PATH, into bench/results/
	@$(IN_VENV) bench

.PHONY: bench-lists
bench-lists: $(VENV)/.dev ## Measure pages of the management API on a database with a million artifacts
	@$(IN_VENV) bench.lists

.PHONY: bench-webhooks
bench-webhooks: $(VENV)/.dev ## Measure how fast webhooks are posted, how soon, and what that costs those who push
	@$(IN_VENV) bench.webhooks

# --- write ---

.PHONY: schema
schema: $(VENV)/.dev ## Write app/db/schema.sql anew from the migrations
	@$(IN_VENV) tests.support.schema

.PHONY: docs
docs: $(VENV)/.dev ## Write anew what of docs/ is made from the code: settings, permissions, drivers
	@$(IN_VENV) cli settings --markdown > docs/configuration.md.new
	@mv docs/configuration.md.new docs/configuration.md
	@$(IN_VENV) tests.support.matrix
	@$(IN_VENV) tests.support.drivers

.PHONY: lock
lock: $(VENV)/.made ## Resolve the dependencies of pyproject.toml anew into requirements/
	@$(INSTALL) uv
	@$(COMPILE) --only-binary :all: --extra embedded --group build pyproject.toml --output-file requirements/run.lock
	@$(COMPILE) --only-binary :all: --group build --constraint requirements/run.lock pyproject.toml \
	    --output-file requirements/server.lock
	@$(COMPILE) --only-binary :all: --group dev --constraint requirements/run.lock --output-file requirements/dev.lock
	@$(COMPILE) --group clients --constraint requirements/run.lock --constraint requirements/dev.lock \
	    --output-file requirements/clients.lock

# --- the environment ---

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Roadstead needs Python 3.11 or newer as '$(PYTHON)'. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "This Python cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: requirements/run.lock | $(VENV)/.made
	@echo "Installing what Roadstead runs on into $(VENV) ..."
	@$(FROM_LOCK) $< $(WHEELS)
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.run
	@$(INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.installed
	@echo "Installing what the tests need into $(VENV) ..."
	@$(FROM_LOCK) $< $(WHEELS)
	@touch $@

$(VENV)/.clients: requirements/clients.lock $(VENV)/.dev
	@echo "Installing the client libraries that the tests drive into $(VENV) ..."
	@$(FROM_LOCK) $<
	@touch $@

# The storage server of the tests that npm has and no wheel: pinned and by hash, as everything else.
$(VENV)/.azurite: requirements/azurite/package-lock.json | $(VENV)/.made
	@echo "Installing Azurite into $(VENV) ..."
	@mkdir -p $(VENV)/azurite
	@cp requirements/azurite/package.json $< $(VENV)/azurite
	@npm ci --prefix $(VENV)/azurite --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

.PHONY: clients
clients: $(VENV)/.clients $(VENV)/.azurite ## Install what the tests drive beside our own: Python clients, Azurite (by npm)

# The tests that drive clients may not be left out where this is set (.ci/run sets it).
ifeq ($(REQUIRE_CLIENTS),1)
test coverage: $(VENV)/.clients $(VENV)/.azurite
endif
