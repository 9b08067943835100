# make book · make serve · make preview · make quick · make test · make test-all · make notebooks · make bench · make help
PYTHON ?= python3
PORT ?= 8000
# Sets .venv up where that is due and runs a command of it, in an environment made for it.
RUN := $(PYTHON) -E -s tools/environment.py
# The cells of a notebook need one process and their order.
NBVAL := $(RUN) pytest -q -n 2 --dist loadfile --nbval-lax --nbval-current-env chapters $(wildcard deeper)
# Each of the two keeps to one core: threads of two processes would wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(RUN) pytest -q -n 2 --dist worksteal tests
NUMERICS := $(patsubst %,tests/test_%.py,arguments gaussians quadrature mixture latent bounds approximation gradients importance perceptron scores imports)

.PHONY: help book pdf serve preview quick test test-all test-colab test-oldest test-newest links notebooks record-toy record-failures record-latent record-rate record-epilogue record-epochs record-runs bench bench-vae lock audit wheel browser lint release clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book:  ## set up, run every chapter and build the site in _build/html
	@$(RUN) python tools/build_book.py

pdf: browser  ## print the book as one PDF, _build/vaebook.pdf
	@$(RUN) python tools/make_pdf.py

serve:  ## show the built site on http://127.0.0.1:8000 (PORT=... to change)
	@test -f _build/html/index.html || { echo "Nothing built yet: run 'make book' first."; exit 1; }
	@echo "Open http://127.0.0.1:$(PORT)/ (Ctrl-C stops)"
	@$(PYTHON) -I -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

test: lint book browser  ## set up, build the book and run every test but the slow proofs
	@$(PYTEST) -m "not slow"

test-all: test  ## the same, then the notebooks themselves and the slow proofs
	@$(NBVAL)
	@$(PYTEST) -m slow

quick: lint  ## lint and the tests of the numerics, within a minute
	@$(PYTEST:tests=$(NUMERICS)) -m "not slow"

preview:  ## show one page and renew it after each saved edit (PAGE=chapters/<slug> PORT=...)
	@$(RUN) python tools/preview.py "$(PAGE)" $(PORT)

test-colab: .venv-colab/.ready  ## publish to this disk and run every notebook under Colab's versions
	@$(RUN) pytest -q tests/colab/published_notebooks.py

test-oldest:  ## run the package's tests with the oldest versions it allows (Python 3.11 or 3.12)
	@$(PYTHON) -E -s tools/test_versions.py oldest

test-newest:  ## run the package's tests with the newest versions of everything
	@$(PYTHON) -E -s tools/test_versions.py newest

links: book  ## ask every address outside the book whether it still answers
	@$(RUN) python tools/check_links.py

notebooks:  ## write the .ipynb beside every page of chapters, deeper and homework
	@$(RUN) python tools/make_notebooks.py

record-toy:  ## train the toy VAE of its chapter anew and store it in the package (a minute)
	@$(RUN) python tools/record_toy_vae.py

record-failures:  ## train the patients of "what goes wrong" anew and store them in the package
	@$(RUN) python tools/record_failures.py

record-latent:  ## train the VAE of the latent plane anew and store it in the package
	@$(RUN) python tools/record_latent_space.py

record-rate:  ## train the VAEs of "rate and distortion" anew and store them in the package
	@$(RUN) python tools/record_rate.py

record-epilogue:  ## train the models of the epilogue anew and store them in the package
	@$(RUN) python tools/record_epilogue.py

record-epochs:  ## train on MNIST, keep pictures by epoch and store them in the package (ten minutes)
	@$(RUN) python tools/record_epochs.py

record-runs:  ## train on MNIST, evaluate and store; goes on where it stopped (PLANS="flow-60s"; all: 5 hours)
	@$(RUN) python tools/record_runs.py $(PLANS)

bench: book browser  ## measure builds and explorers; prints a table
	@$(RUN) python tools/bench.py

bench-vae:  ## measure evaluation and training of VAEs against targets (PARTS="evaluate"; all: five minutes)
	@$(RUN) python tools/bench_vae.py $(PARTS)

lock:  ## write requirements.txt anew from requirements.in: the newest versions that go together
	@$(PYTHON) -E -s tools/lock.py

audit:  ## ask for known vulnerabilities of the versions in requirements.txt
	@$(PYTHON) -E -s tools/lock.py --audit

wheel:  ## write dist/vaebook-*.whl, which a notebook can install
	@$(RUN) python tools/build_wheel.py

lint:  ## look at style and types, as make test does first
	@$(RUN) true
	@$(RUN) ruff check --quiet . && $(RUN) ruff format --check --quiet . \
	  || { echo "Style: run .venv/bin/ruff check --fix . && .venv/bin/ruff format ."; exit 1; }
	@$(RUN) mypy

release:  ## write a version everywhere and print the commands that publish it (VERSION=1.2.3)
	@$(RUN) python tools/release.py "$(VERSION)"

browser:
	@$(RUN) sh tools/install_browser.sh

clean:  ## remove the built site, the wheel and the environments
	rm -rf _build build dist .venv .venv-*

.venv-colab/.ready: tests/colab/requirements.txt
	@echo "Setting up .venv-colab with Colab's versions (once; a few minutes) ..."
	@$(RUN) python -m venv --clear .venv-colab
	@$(RUN) .venv-colab/bin/python -m pip install --quiet --progress-bar on -r $<
	@touch $@
