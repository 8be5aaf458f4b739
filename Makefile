# The same commands everywhere: `make demo` shows the grader at work, `make test` tests everything.
# Each target first sets up a virtual environment in .venv, with the versions of requirements.lock.
# To use another Python beside it: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
# Debian packages that this machine lacks.
NODE := $(if $(shell command -v npm),,nodejs npm)
POSTGRES := $(if $(wildcard /usr/lib/postgresql/*/bin/postgres),,postgresql)
CHROMIUM := $(if $(shell command -v chromium),,chromium fonts-dejavu-core)
NODE_MODULES := hub/node_modules/.package-lock.json
LAB_MODULES := lab/node_modules/.package-lock.json
# Where Jupyter finds the students' front, which is built from lab/ and packed in the grader's wheel.
JUPYTER_PATH := autograder/share/jupyter
FRONT := $(JUPYTER_PATH)/labextensions/nbgrader-autograder/package.json
# The site has an environment of its own, a fraction of what the tests need.
SITE := build/site
SITE_BIN := build/site-venv/bin
SITE_INSTALLED := build/site-venv/installed
MERMAID := 11.17.2
MERMAID_SHA256 := 581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8
PORT ?= 8000
ACCOUNTS ?= one

.PHONY: help demo test system machine node front check build answers seeds kernels carried demonstrations \
	bench bench-course load pictures lab hub \
	site site-test sdist wheel wheel-test lock upgrade clean

help:
	@echo "make demo       grade a class of 24 simulated students: table, gradebook, report"
	@echo "make test       run everything that CI runs"
	@echo "make check      ruff, mypy and the quick tests, while you work"
	@echo "make front      build the students' front in JupyterLab from lab/"
	@echo "make build      make source/ and release/ from lessons/"
	@echo "make answers    show which wrong answers the tests catch: table, answers.json"
	@echo "make seeds      train from five seeds: the margins that right answers leave"
	@echo "make kernels    compare each answer's marks in two kernels and in one"
	@echo "make carried    answer one exercise wrongly: the marks that others lose by it"
	@echo "make demonstrations  compare marks with the cells that earn none, and without them"
	@echo "make bench      compare with stock nbgrader: bench.json, bench.png (over an hour)"
	@echo "make bench-course  the same for the whole course alone"
	@echo "make load       time 20 students in the hub at once, and Validate"
	@echo "make pictures   take the pictures of the docs that show the hub"
	@echo "make lab        open the course in JupyterLab, for one learner"
	@echo "make hub        run a JupyterHub with an instructor and students (PORT=8000)"
	@echo "make site       build the website in build/site/html"
	@echo "make site-test  build it, and look at its pages in a browser"
	@echo "make wheel      build the wheels of the course and of the grader, in dist/"
	@echo "make sdist      build their sdists, in dist/"
	@echo "make wheel-test install the wheels as a user would, and grade a class with them"
	@echo "make lock       make requirements.lock from pyproject.toml"
	@echo "make upgrade    the same, with the newest versions that pyproject.toml allows"
	@echo "make clean      remove what the other targets made"

demo: $(INSTALLED)
	$(BIN)/autograder demo

test: $(INSTALLED) system
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadgroup \
		--nbval --nbval-cell-timeout 60 --nbval-sanitize-with tests/nbval_sanitize.cfg tests source

# What the tests and the hub need besides Python. What cannot be installed here, they report as
# missing.
system: machine
	-@$(MAKE) --silent $(NODE_MODULES) $(FRONT)

machine:
	@$(call install_missing,$(NODE) $(POSTGRES) $(CHROMIUM))

node:
	@$(call install_missing,$(NODE))
	@$(MAKE) --silent $(NODE_MODULES) $(FRONT)

front: $(FRONT)

$(NODE_MODULES): hub/package-lock.json
	npm ci --prefix hub --silent

$(LAB_MODULES): lab/package-lock.json
	npm ci --prefix lab --silent

$(FRONT): $(LAB_MODULES) lab/package.json lab/tsconfig.json $(wildcard lab/src/* lab/style/*) | $(INSTALLED)
	@echo "Building the students' front"
	rm -rf $(JUPYTER_PATH)
	cd lab && PATH="$(abspath $(BIN)):$$PATH" npm run --silent build > build.log 2>&1 || { cat build.log; exit 1; }
	@touch $@

define install_missing
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

bench-course: $(INSTALLED)
	$(BIN)/python -m benchmarks --course

# Without Node.js, it is JupyterLab without My course.
lab: $(INSTALLED)
	-@$(MAKE) --silent $(FRONT)
	JUPYTER_PATH=$(JUPYTER_PATH) JUPYTER_CONFIG_PATH=hub/config/lab $(BIN)/jupyter lab release

answers: $(INSTALLED)
	$(BIN)/python -m tests.tools.proofs answers

seeds: $(INSTALLED)
	$(BIN)/python -m tests.tools.proofs seeds

kernels: $(INSTALLED)
	$(BIN)/python -m tests.tools.proofs kernels

carried: $(INSTALLED)
	$(BIN)/python -m tests.tools.proofs carried

demonstrations: $(INSTALLED)
	$(BIN)/python -m tests.tools.proofs demonstrations

# A JupyterHub on this machine, until Ctrl-C.
hub: $(INSTALLED) node
	@$(BIN)/python hub/classroom.py --port $(PORT) --accounts $(ACCOUNTS)

load: $(INSTALLED) system
	$(BIN)/python -m tests.tools.load

pictures: $(INSTALLED) system
	$(BIN)/python -m tests.tools.pictures

# Warnings are errors: a link that leads nowhere ends the build.
site: $(SITE_INSTALLED)
	$(SITE_BIN)/python -m website $(SITE)/pages
	rm -rf $(SITE)/html
	$(SITE_BIN)/sphinx-build --quiet --nitpicky --fail-on-warning --keep-going --jobs auto \
		--builder html --conf-dir website --doctree-dir $(SITE)/doctrees $(SITE)/pages $(SITE)/html
	cp build/site-venv/mermaid.min.js $(SITE)/html/_static/
	touch $(SITE)/html/.nojekyll
	@echo "Open $(SITE)/html/index.html"

site-test: $(INSTALLED) system site
	$(BIN)/python -m pytest tests/project/test_site.py tests/project/test_site_in_a_browser.py

$(SITE_INSTALLED): website/requirements.lock Makefile | node
	test -x $(SITE_BIN)/python || $(PYTHON) -m venv build/site-venv
	$(SITE_BIN)/python -m pip install -qq --no-deps -r website/requirements.lock
	cd build/site-venv && npm pack --silent mermaid@$(MERMAID) > /dev/null \
		&& tar -xzf mermaid-$(MERMAID).tgz --strip-components=2 package/dist/mermaid.min.js \
		&& rm mermaid-$(MERMAID).tgz && echo "$(MERMAID_SHA256)  mermaid.min.js" | sha256sum --check --quiet
	@touch $@

# setuptools also packs what an earlier build left in build/lib, such as modules removed since.
wheel: $(INSTALLED) $(FRONT)
	rm -rf dist build/lib build/bdist.* autograder/build
	$(BIN)/python -m pip wheel -qq --no-deps --no-build-isolation --wheel-dir dist ./autograder .

# After `make wheel`, which empties dist/.
sdist: $(INSTALLED) $(FRONT)
	for folder in autograder .; do (cd $$folder && "$(abspath $(BIN))/python" -c \
		"from setuptools.build_meta import build_sdist; build_sdist('$(abspath dist)')" > /dev/null) || exit 1; done

# `make test` tests the same with links to the packages of $(VENV); here pip installs them.
wheel-test: $(INSTALLED)
	WHEEL_TEST=install $(BIN)/python -m pytest tests/project/test_wheel.py

# An import of nbformat would take 2 s more for the grammars of rfc3987-syntax, for a format that no
# notebook has. jsonschema works without it, and nothing else needs its lark.
lock:
	uv pip compile $(UPGRADE) --universal --python-version 3.11 --all-extras --no-emit-index-url \
		--no-emit-package rfc3987-syntax --no-emit-package lark \
		--no-emit-package nbgrader-autograder \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml autograder/pyproject.toml
	uv pip compile $(UPGRADE) --universal --python-version 3.11 --no-emit-index-url \
		--custom-compile-command "make lock" --output-file website/requirements.lock website/requirements.in

upgrade: UPGRADE := --upgrade
upgrade: lock

clean:
	rm -rf $(VENV) hub/node_modules lab/node_modules lab/lib $(JUPYTER_PATH) demo build dist *.egg-info autograder/build autograder/*.egg-info bench.json bench.png .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml autograder/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Setting up $(VENV): a few minutes, once"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --no-deps -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e ./autograder -e .
	@touch $@
