# The only entry points. `make up` and `make test` do all the set-up on a bare machine.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
QUICK := .quickstart

# Hundreds of processes read the same modules: what they compile to is kept, whatever the machine says.
unexport PYTHONDONTWRITEBYTECODE

# A registry that does not answer is asked again before long: npm would wait five minutes.
export NPM_CONFIG_FETCH_TIMEOUT ?= 60000
export NPM_CONFIG_FETCH_RETRIES ?= 5

.PHONY: up test test-fast check fix bench conformance docs clean
.DELETE_ON_ERROR:

up: $(VENV)/.run $(QUICK)/.installed ## install bawn and the quickstart's servers, and start the gate
	$(BIN)/bawn up --trust-config --config examples/quickstart.yaml

test: $(VENV)/.test $(QUICK)/.installed $(QUICK)/.clients $(QUICK)/.conformance .bench/fastmcp/installed.txt ## install what the tests need, and run them all
	{ command -v bwrap && command -v dbus-daemon; } >/dev/null || ! command -v apt-get >/dev/null || { apt-get update -qq && apt-get install -y -qq bubblewrap dbus; }
	$(BIN)/python -m pytest -n 4 --dist loadfile

test-fast: $(VENV)/.test ## unit, contract and attack tests: no process, no server
	$(BIN)/python -m pytest -n 4 --dist loadfile tests/unit tests/contracts tests/attacks

check: $(VENV)/.test ## types, style, arrows, generated documents
	$(BIN)/ruff format --check src tests bench docs training
	$(BIN)/ruff check src tests bench docs training
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs

fix: $(VENV)/.test ## format and mend what can be mended
	$(BIN)/ruff format src tests bench docs training
	$(BIN)/ruff check --fix src tests bench docs training

bench: $(VENV)/.test ## measure, and write docs/benchmarks.md (Debian: installs wrk and nginx)
	$(BIN)/python -m bench

conformance: $(VENV)/.test $(QUICK)/.conformance ## the official suite, and docs/conformance.md with its peers beside bawn
	$(BIN)/python -m tests.conformance --table

docs: $(VENV)/.test ## write the generated documents anew
	$(BIN)/python -m docs

clean: ## remove everything that was installed
	rm -rf $(VENV) $(QUICK)

# Debian splits venv off from Python; everywhere else the first attempt works.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/test.txt
	touch $@

$(QUICK)/.installed: examples/quickstart/package-lock.json examples/quickstart/requirements.txt | $(BIN)/python
	mkdir -p $(QUICK)/node
	cp examples/quickstart/package.json examples/quickstart/package-lock.json $(QUICK)/node/
	cd $(QUICK)/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	$(BIN)/python -m venv $(QUICK)/venv
	$(QUICK)/venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r examples/quickstart/requirements.txt
	rm -rf $(QUICK)/repository && git clone -q --no-hardlinks . $(QUICK)/repository
	touch $@

$(QUICK)/.clients: tests/e2e/clients/package-lock.json
	mkdir -p $(QUICK)/clients
	cp tests/e2e/clients/package.json tests/e2e/clients/package-lock.json $(QUICK)/clients/
	cd $(QUICK)/clients && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

$(QUICK)/.conformance: tests/conformance/suite/package-lock.json
	mkdir -p $(QUICK)/conformance
	cp tests/conformance/suite/package.json tests/conformance/suite/package-lock.json $(QUICK)/conformance/
	cd $(QUICK)/conformance && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

.bench/fastmcp/installed.txt: bench/fastmcp.txt | $(VENV)/.test
	$(BIN)/python -c "from bench import toolchain; toolchain.fastmcp()"
	touch $@
