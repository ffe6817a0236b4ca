# Start with `make demo` and `make test`. Everything is installed into .venv from hashed lock files.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes -r
# The theme prints a notice about another version of MkDocs unless this variable is set.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs

.PHONY: help install install-dev format clients demo serve test test-fast fuzz faults soak mutants check check-types check-code check-docs docs docs-serve coverage bench bench-peers openapi lock clean
.DEFAULT_GOAL := help

help: ## List the make targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

install: .venv/kernels ## Install Understudy into .venv

install-dev: .venv/dev .venv/kernels ## Install Understudy and the development tools into .venv

format: .venv/dev ## Format the code and fix what the linter can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: .venv/kernels ## Upload a real table, train, sample and evaluate over HTTP, and show the result
	$(BIN)/understudy demo

serve: .venv/kernels ## Run the embedded stack until Ctrl-C, for your own data
	$(BIN)/understudy serve

test: .venv/dev .venv/kernels ## Install everything and run all tests
	$(BIN)/pytest -n 2 --dist loadfile

test-fast: .venv/dev .venv/kernels ## Run the tests that need no database (up to three minutes)
	$(BIN)/pytest -n 2 --dist loadfile -m "not database"

fuzz: .venv/dev .venv/kernels ## Search for new counterexamples to the property-based tests (some minutes)
	HYPOTHESIS_PROFILE=searching $(BIN)/pytest -n 2 --dist loadfile -m hypothesis

faults: .venv/dev .venv/kernels ## Run the complete fault matrix, of which `make test` runs a slice (about 15 minutes)
	FAULTS=all $(BIN)/pytest -n 2 --dist loadfile tests/faults

soak: .venv/dev .venv/kernels ## Use the service over HTTP under random faults; MINUTES=10 SEED=random MODE=broker
	mkdir -p .soak
	$(BIN)/python -P -m tests.faults.soak --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) \
		$(if $(MODE),--mode $(MODE)) --output .soak/$$(date -u +%Y-%m-%d-%H%M).txt

mutants: .venv/dev .venv/kernels ## Check that the soak detects each unsafe change of the protocol (about 30 minutes)
	$(BIN)/python -P -m tests.faults.mutants $(if $(SEEDS),--seeds $(SEEDS))

check: .venv/dev ## Check format, lint, types, import layers, container files and documentation
	$(MAKE) --jobs 2 --output-sync --no-print-directory .venv/kernels check-types check-code check-docs

# The kernels are compiled for the tests while the types are checked.
check-types: .venv/dev
	$(BIN)/mypy

check-code: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml docker-compose.no-broker.yml docker-compose.s3.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(BIN)/check-jsonschema --builtin-schema vendor.readthedocs .readthedocs.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/python -P -m tests.prose check

check-docs: .venv/dev
	$(MKDOCS) build --strict

docs: .venv/dev ## Build the documentation site into site/; a broken link or anchor is an error
	$(MKDOCS) build --strict

docs-serve: .venv/dev ## Serve the documentation site while you write, on port 8001
	$(MKDOCS) serve --dev-addr 127.0.0.1:8001

coverage: .venv/dev .venv/kernels ## Run all tests and write their coverage into benchmarks/results/ (twice as long as `make test`)
	mkdir -p .coverage
	$(BIN)/pytest -n 2 --dist loadfile --cov --cov-report=json:.coverage/report.json --cov-report=
	$(BIN)/python -m benchmarks.coverage .coverage/report.json --write-results

bench: .venv/bench .venv/kernels ## Run all benchmarks (hours); DATA=folder with adult.csv, housing.csv, diamonds.csv adds tables
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA))

bench-peers: .venv/bench ## Evaluate other synthesizers on the same tables (hours); installs them outside .venv
	$(BIN)/python -m benchmarks.engine.peers $(if $(DATA),--data $(DATA))

openapi: .venv/dev ## Regenerate openapi.json and docs/reference/report.schema.json
	$(BIN)/python -m app.openapi
	$(BIN)/python -m understudy.evaluation.report_schema

clients: .venv/dev ## Regenerate the clients from openapi.json, one line for each language
	$(BIN)/python -m tools.clients.python
	$(BIN)/python -m tools.clients.typescript

lock: .venv/dev ## Update the lock files of the dependencies (needs the network)
	$(BIN)/python requirements/lock.py

clean: ## Remove the virtual environment, the built site and caches
	rm -rf .venv site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/run: requirements/run.txt pyproject.toml
	$(call need_python)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing from requirements/run.txt (a minute or two, once) …"
	$(INSTALL) requirements/run.txt
	$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

# The kernels are compiled at installation. After any change all are recompiled, because a compiled kernel
# contains the code of the kernels that it calls.
.venv/kernels: .venv/run $(wildcard understudy/kernels/*.py)
	@echo "Compiling the kernels …"
	rm -f understudy/kernels/__pycache__/*.nb[ci]
	$(BIN)/python -m understudy.kernels
	@touch $@

.venv/dev: .venv/run requirements/dev.txt
	@echo "Installing from requirements/dev.txt …"
	$(INSTALL) requirements/dev.txt
	@touch $@

.venv/bench: .venv/dev requirements/bench.txt
	$(INSTALL) requirements/bench.txt
	@touch $@

define need_python
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Understudy needs Python 3.11 or newer. Choose one with: make PYTHON=python3.12 …")'
endef
