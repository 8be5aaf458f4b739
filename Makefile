# One command, the same everywhere: `make demo` shows the course at work, `make test` proves it.
# Both set up what they need: a virtual environment in .venv with the versions of requirements.lock.
# Another Python beside it: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# What this machine lacks, as Debian's packages.
NODE := $(if $(shell command -v npm),,nodejs npm)
POSTGRES := $(if $(wildcard /usr/lib/postgresql/*/bin/postgres),,postgresql)
CHROMIUM := $(if $(shell command -v chromium),,chromium fonts-dejavu-core)
NODE_MODULES := hub/node_modules/.package-lock.json
PORT ?= 8000
ACCOUNTS ?= one

.PHONY: help demo test system machine node check build answers seeds kernels bench load lab hub \
	wheel wheel-test lock upgrade clean

help:
	@echo "make demo       a class of 24 students, graded: table, gradebook, report"
	@echo "make test       everything that CI proves"
	@echo "make check      ruff, mypy and the quick tests, for use while working"
	@echo "make build      source/ and release/ from lessons/"
	@echo "make answers    which wrong answers the tests catch: a table, answers.json"
	@echo "make seeds      what is learnt, from five seeds, with its margins"
	@echo "make kernels    each answer's marks with the examiner and in one kernel"
	@echo "make bench      the engine beside stock nbgrader: bench.json, bench.png (more than an hour)"
	@echo "make load       a class of 20 in the hub at once, and Validate beside stock nbgrader"
	@echo "make lab        the course in JupyterLab, for one learner"
	@echo "make hub        a classroom: JupyterHub with an instructor and students (PORT=8000)"
	@echo "make wheel      the wheel, in dist/"
	@echo "make wheel-test install the wheel as a user would, and grade a class with it"
	@echo "make lock       requirements.lock from pyproject.toml"
	@echo "make upgrade    requirements.lock with the newest versions that pyproject.toml allows"
	@echo "make clean      remove what the other targets made"

demo: $(INSTALLED)
	$(BIN)/autograder demo

test: $(INSTALLED) system
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadgroup \
		--nbval --nbval-cell-timeout 60 --nbval-sanitize-with tests/nbval_sanitize.cfg tests source

# What the tests and the hub need besides Python. Where this cannot install it, they say what is
# missing.
system: machine
	-@$(MAKE) --silent $(NODE_MODULES)

machine:
	@$(call need,$(NODE) $(POSTGRES) $(CHROMIUM))

node:
	@$(call need,$(NODE))
	@$(MAKE) --silent $(NODE_MODULES)

$(NODE_MODULES): hub/package-lock.json
	npm ci --prefix hub --silent

define need
	missing="$(strip $(1))"; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		echo "Installing $$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -qq --no-install-recommends $$missing > /dev/null \
			|| echo "Not all of these could be installed: $$missing"; \
	elif [ -n "$$missing" ]; then echo "Missing on this machine: $$missing"; \
	fi
endef

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadgroup -m "not slow"

build: $(INSTALLED)
	$(BIN)/autograder build

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

lab: $(INSTALLED)
	$(BIN)/jupyter lab release

answers: $(INSTALLED)
	$(BIN)/python -m tests.tools.proofs answers

seeds: $(INSTALLED)
	$(BIN)/python -m tests.tools.proofs seeds

kernels: $(INSTALLED)
	$(BIN)/python -m tests.tools.proofs kernels

# A class on this machine, until Ctrl-C.
hub: $(INSTALLED) node
	@$(BIN)/python hub/classroom.py --port $(PORT) --accounts $(ACCOUNTS)

load: $(INSTALLED) system
	$(BIN)/python -m tests.tools.load

# setuptools packs whatever an earlier build left in build/lib, removed modules too.
wheel: $(INSTALLED)
	rm -rf dist build/lib build/bdist.*
	$(BIN)/python -m pip wheel -qq --no-deps --no-build-isolation --wheel-dir dist .

# `make test` proves the same with links to the packages of $(VENV); here pip installs them.
wheel-test: $(INSTALLED)
	WHEEL_TEST=install $(BIN)/python -m pytest tests/project/test_wheel.py

# Whoever imports nbformat would wait 2 s for rfc3987-syntax to compile its grammars, for a format
# that no notebook has: jsonschema goes on without it, and so do we without its lark.
lock:
	uv pip compile $(UPGRADE) --universal --python-version 3.11 --all-extras --no-emit-index-url \
		--no-emit-package rfc3987-syntax --no-emit-package lark \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

upgrade: UPGRADE := --upgrade
upgrade: lock

clean:
	rm -rf $(VENV) hub/node_modules demo build dist *.egg-info bench.json bench.png .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Setting up $(VENV): a few minutes, once"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --no-deps -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@
