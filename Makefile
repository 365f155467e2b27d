# Everything runs in .venv, which is made on first use and again when what it is made from changes.
# `make demo PYTHON=python3.12` picks another interpreter for a venv that does not exist yet.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
# What is never imported need not be compiled.
INSTALL := $(PIP) install --no-compile --constraint constraints.txt
MINUTES ?= 30
HISTORIES ?= 5000
PROCESSES ?= 8
WHEEL_VENV := build/wheel-venv
WHEEL_RUN  := build/wheel-run

# Hundreds of processes are started, which need not compile what has been compiled.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check lint types coverage clients wheel docs mutation simulate soak bench site clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

help:
	@echo 'make demo      watch a stream live through half a minute of faults'
	@echo 'make test      all tests'
	@echo 'make check     lint, types, coverage of the core, other clients, the tests against the built wheel, the site'
	@echo 'make docs      the site, in build/site: warnings are errors, dead links and public names without a docstring too'
	@echo 'make clients   what ccxt and other clients say of the simulated exchange, next to what is true of it;'
	@echo '               how ccxt trades on it, a bot under faults; and what ccxt pro, a reconnect loop and listenkey have after'
	@echo '               the same accidents'
	@echo 'make mutation  small mistakes in the core, and whether the tests notice them'
	@echo 'make simulate  whole lives of a stream in a simulated world, with faults from a seed'
	@echo 'make soak      the long tests'
	@echo 'make bench     the measured claims, in six minutes; also in build/ as JSON and as a picture;'
	@echo "               ARGS='--against DIR' compares with another checkout"
	@echo 'make clean     remove everything that was made'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'listenkey needs Python 3.11 or newer: make PYTHON=python3.12 ...' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --upgrade pip  # the one that comes with Python takes twice as long

# What a user installs, what the tests need besides, and what a developer does.
$(VENV)/.user: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[all]'
	@touch $@

$(VENV)/.tester: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[test]'
	@touch $@ $(VENV)/.user

$(VENV)/.developer: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/.tester $(VENV)/.user

$(VENV)/.bench: $(VENV)/.developer
	@grep -v '^uvloop==' constraints.txt >$(VENV)/bench.txt  # ccxt wants another one than the tests
	$(PIP) install --no-compile --constraint $(VENV)/bench.txt --editable '.[bench]'
	@touch $@

$(VENV)/.docs: $(VENV)/.developer
	$(INSTALL) --editable '.[docs]'
	@touch $@

demo: $(VENV)/.user
	$(BIN)/listenkey demo

# Tests over sockets mostly wait, the others compute: more processes than cores keep both busy. A file stays whole, and
# tests/conftest.py says which begin first. They are collected once before, in two halves, so that not each process
# compiles them; what is wrong with them shows afterwards.
COLLECT := $(BIN)/python -m pytest --collect-only --quiet >/dev/null
test: $(VENV)/.tester
	@$(COLLECT) tests/adapters & $(COLLECT) --ignore tests/adapters; wait
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

check: lint types coverage clients wheel site

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developer
	$(BIN)/mypy

coverage: $(VENV)/.tester
	$(BIN)/coverage run -m pytest --quiet tests/core
	$(BIN)/coverage report --include='*/core/*' --skip-covered --show-missing --fail-under=100

clients: $(VENV)/.tester
	@if $(BIN)/python -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("ccxt") is None)'; \
		then $(BIN)/python -m tests.clients $(ARGS) && $(BIN)/python -m tests.clients.trading $(ARGS) && \
			$(BIN)/python -m tests.clients.bots && $(BIN)/python -m tests.contrast; \
		else echo 'other clients are left out, since ccxt is not installed: make $(VENV)/.bench'; fi
	$(BIN)/python -m tests.clients.usdm $(ARGS)

# Built from the sdist, installed where nothing else is, and tested away from the sources: all that needs no sockets.
wheel: $(VENV)/.tester
	rm -rf dist $(WHEEL_VENV) $(WHEEL_RUN)
	$(BIN)/python -m build --no-isolation --outdir dist . >build.log 2>&1 || { cat build.log; rm build.log; exit 1; }
	@rm build.log
	$(BIN)/python -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip --disable-pip-version-check --quiet install \
		--constraint constraints.txt "$$(echo dist/*.whl)[test]"
	mkdir -p $(WHEEL_RUN)
	cp -R tests docs README.md pyproject.toml $(WHEEL_RUN)
	cd $(WHEEL_RUN) && ../wheel-venv/bin/listenkey diagram >/dev/null
	cd $(WHEEL_RUN) && ../wheel-venv/bin/python -P -c \
		'import sys, listenkey; sys.exit("wheel-venv" not in listenkey.__file__)'
	cd $(WHEEL_RUN) && ../wheel-venv/bin/pytest --quiet -m 'not loopback' --ignore=tests/adapters/cli \
		tests/core tests/adapters

# What builds the site is used for nothing else: where it cannot be installed, the other checks count all the same.
site: $(VENV)/.developer
	@if $(MAKE) --no-print-directory $(VENV)/.docs; then $(MAKE) --no-print-directory docs; \
		else echo 'the site is left out, since its tools could not be installed'; fi

# Everything is read again each time: a page that is not read again is not warned of again.
docs: $(VENV)/.docs
	rm -rf build/site
	$(BIN)/python -m sphinx -q -W --keep-going -E -b html -d build/doctrees docs build/site
	@! grep -rlE --include='*.html' '<(script|link|img|iframe)[^>]+(src|href)="(https?:)?//' build/site || \
		{ echo 'these pages load something from elsewhere' >&2; exit 1; }

# ARGS goes on to what is run: make mutation ARGS='--module link', make simulate ARGS='--seed 7'.
mutation: $(VENV)/.tester
	$(BIN)/python -m tests.mutation $(ARGS)

simulate: $(VENV)/.tester
	$(BIN)/python -m tests.simulation $(ARGS)

soak: $(VENV)/.tester
	$(BIN)/python -m tests.loopback.soak --wire modern
	$(BIN)/python -m tests.loopback.soak --wire captured
	$(BIN)/python -m tests.chaos --minutes 10
	LISTENKEY_STALL=60 $(BIN)/python -m pytest --quiet tests/loopback/test_*over_*.py -k slow
	LISTENKEY_OFFSETS=1 $(BIN)/python -m pytest --quiet tests/leaks
	LISTENKEY_SECONDS=60 $(BIN)/python -m pytest --quiet tests/embedding
	LISTENKEY_KILLS=50 $(BIN)/python -m pytest --quiet tests/loopback/test_crash.py
	LISTENKEY_EXAMPLES=20 $(BIN)/python -m pytest --quiet tests/core tests/hostile tests/adapters/simulator tests/adapters/venues \
		tests/surroundings
	LISTENKEY_PARITY_HISTORIES=$(HISTORIES) $(BIN)/python -m pytest --quiet tests/parity
	@if $(BIN)/python -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("ccxt") is None)'; \
		then for seed in 1 2 3 4 5; do \
			$(BIN)/python -m tests.clients.trading --operations 1000 --seed $$seed || exit 1; done; \
		else echo 'ccxt does not trade, since it is not installed: make $(VENV)/.bench'; fi
	$(BIN)/python -m tests.simulation --minutes $(MINUTES)

FIGURES = $(if $(findstring --against,$(ARGS)),--json build/against.json,$\
	--json build/benchmarks.json --svg build/benchmarks.svg)

bench: $(VENV)/.bench
	@mkdir -p build
	$(BIN)/python -m benchmarks $(FIGURES) $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
