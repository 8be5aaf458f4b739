# One command, the same everywhere: `make demo` shows the course at work, `make test` proves it.
# Both set up what they need: a virtual environment in .venv with the versions of requirements.lock.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
# What this machine lacks, as Debian's packages.
NODE := $(if $(shell command -v npm),,nodejs npm)
POSTGRES := $(if $(wildcard /usr/lib/postgresql/*/bin/postgres),,postgresql)
CHROMIUM := $(if $(shell command -v chromium),,chromium fonts-dejavu-core)
NODE_MODULES := hub/node_modules/.package-lock.json
PORT ?= 8000
ACCOUNTS ?= one

.PHONY: help demo test system node check build answers seeds kernels bench load lab hub lock clean

help:
	@echo "make demo    a class of 24 students, graded: table, gradebook, report"
	@echo "make test    everything that CI proves"
	@echo "make check   ruff, mypy and the quick tests, for use while working"
	@echo "make build   source/ and release/ from lessons/"
	@echo "make answers which wrong answers the tests catch: a table, answers.json"
	@echo "make seeds   what is learnt, from five seeds, with its margins"
	@echo "make kernels each answer's marks with the examiner and in one kernel"
	@echo "make bench   the engine beside stock nbgrader: bench.json, bench.png (more than an hour)"
	@echo "make load    a class of 20 in the hub at once, and Validate beside stock nbgrader"
	@echo "make lab     the course in JupyterLab, for one learner"
	@echo "make hub     a classroom: JupyterHub with an instructor and students (PORT=8000)"
	@echo "make lock    requirements.lock from pyproject.toml"
	@echo "make clean   remove what the others made"

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
system:
	@$(call need,$(NODE) $(POSTGRES) $(CHROMIUM))
	-@$(MAKE) --silent $(NODE_MODULES)

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
	$(BIN)/autograder bench

lab: $(INSTALLED)
	$(BIN)/jupyter lab release

answers: $(INSTALLED)
	$(BIN)/python tests/proofs.py answers

seeds: $(INSTALLED)
	$(BIN)/python tests/proofs.py seeds

kernels: $(INSTALLED)
	$(BIN)/python tests/proofs.py kernels

# A class on this machine, until Ctrl-C.
hub: $(INSTALLED) node
	@$(BIN)/python hub/classroom.py --port $(PORT) --accounts $(ACCOUNTS)

load: $(INSTALLED) system
	$(BIN)/python tests/load.py

# Whoever imports nbformat would wait 2 s for rfc3987-syntax to compile its grammars, for a format
# that no notebook has: jsonschema goes on without it, and so do we without its lark.
lock:
	uv pip compile --universal --python-version 3.11 --all-extras --no-emit-index-url \
		--no-emit-package rfc3987-syntax --no-emit-package lark \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv hub/node_modules demo build bench.json bench.png .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Setting up .venv: a few minutes, once"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --no-deps -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@
