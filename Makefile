# make book · make serve · make test · make test-all · make notebooks · make bench · make help
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
# The cells of a notebook need one process and their order; all other tests share the two freely.
NBVAL := $(BIN)/pytest -q -n 2 --dist loadfile --nbval-lax --nbval-current-env chapters
# Each of the two keeps to one core: threads of two processes would wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist worksteal tests
export PYTHONHASHSEED := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help book serve test test-all test-colab test-oldest test-newest links notebooks record-toy record-failures record-latent record-runs bench bench-vae wheel browser lint clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: .venv/.ready  ## set up, run every chapter and build the site in _build/html
	@$(BIN)/python tools/build_book.py

serve:  ## show the built site on http://127.0.0.1:8000 (PORT=... to change)
	@test -f _build/html/index.html || { echo "Nothing built yet: run 'make book' first."; exit 1; }
	@echo "Open http://127.0.0.1:$(PORT)/ (Ctrl-C stops)"
	@$(PYTHON) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

test: lint book browser  ## set up, build the book and run every test but the slow proofs
	@$(NBVAL)
	@$(PYTEST) -m "not slow"

test-all: lint book browser  ## the same with the slow proofs
	@$(NBVAL)
	@$(PYTEST)

test-colab: .venv/.ready .venv-colab/.ready  ## publish to this disk and run every notebook under Colab's versions
	@$(BIN)/pytest -q tests/colab/published_notebooks.py

test-oldest:  ## run the package's tests with the oldest versions it allows (Python 3.11 or 3.12)
	@$(PYTHON) tools/test_versions.py oldest

test-newest:  ## run the package's tests with the newest versions of everything
	@$(PYTHON) tools/test_versions.py newest

links: book  ## ask every address outside the book whether it still answers
	@$(BIN)/python tools/check_links.py

notebooks: .venv/.ready  ## write the .ipynb beside every chapter from its text
	@$(BIN)/python tools/make_notebooks.py

record-toy: .venv/.ready  ## train the toy VAE of its chapter anew and store it in the package
	@$(BIN)/python tools/record_toy_vae.py

record-failures: .venv/.ready  ## train the patients of "what goes wrong" anew and store them in the package
	@$(BIN)/python tools/record_failures.py

record-latent: .venv/.ready  ## train the VAE of the latent plane anew and store it in the package
	@$(BIN)/python tools/record_latent_space.py

record-runs: .venv/.ready  ## store the trainings of bench-vae in the package, with their bounds
	@$(BIN)/python tools/record_runs.py

bench: book browser  ## measure builds and explorers; prints a table
	@$(BIN)/python tools/bench.py

bench-vae: .venv/.ready  ## train and evaluate VAEs against targets (PARTS="train-60 usual"; all: 90 minutes)
	@$(BIN)/python tools/bench_vae.py $(PARTS)

wheel: .venv/.ready  ## write dist/vaebook-*.whl, which a notebook can install
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist . && ls dist/*.whl

lint: .venv/.ready  ## look at style, as make test does first
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . \
	  || { echo "Style: run .venv/bin/ruff check --fix . && .venv/bin/ruff format ."; exit 1; }

browser: .venv/.ready
	@sh tools/install_browser.sh

clean:  ## remove the built site and the environment
	rm -rf _build build dist .venv .venv-*

.venv/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	  "Python %d.%d found, but the book is built with 3.11, 3.12 or 3.13: make PYTHON=python3.12 ..." % v)'
	@echo "Setting up .venv with the packages of requirements.txt (once; a few minutes) ..."
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --progress-bar on -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv-colab/.ready: tests/colab/requirements.txt | .venv/.ready
	@echo "Setting up .venv-colab with Colab's versions (once; a few minutes) ..."
	@$(BIN)/python -m venv --clear .venv-colab
	@.venv-colab/bin/python -m pip install --quiet --progress-bar on -r $<
	@touch $@
