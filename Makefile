# Everything that is made or installed goes to .cache/ (and build/); `make clean` removes it.
# `make help` lists the targets.

# The Python that makes the environments: 3.11 or newer. Found by itself unless given.
PYTHON ?=
# The X.Y of ansible-core; without it, the newest that the Python supports.
ANSIBLE_CORE ?=
# The X.Y.Z of requests; without it, the newest. The oldest that has to work is in requirements.txt.
REQUESTS ?=
DEMO_DIR ?= $(CURDIR)/.cache/demo
UNIT_ARGS ?= -n auto --maxprocesses 4
# Real runs of ansible-playbook: they mostly wait, so several run side by side.
INTEGRATION_ARGS ?= -n auto --maxprocesses 4
SANITY_ARGS ?=
EDA_ARGS ?= -n auto --maxprocesses 2
CONFORMANCE_ARGS ?= -n auto --maxprocesses 2
# Two runs of the set-up and the demo, which mostly waits.
AWX_ARGS ?= -n auto --maxprocesses 2
# Each worker has a browser of its own.
BROWSER_ARGS ?= -n auto --maxprocesses 2
# Half an hour; without --full it is five minutes.
BENCH_ARGS ?= --full
DEMO_ARGS ?=

.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:

# Which Pythons each ansible-core runs and tests on, best first.
PYTHONS_2.16 := 3.12 3.11
PYTHONS_2.17 := 3.12 3.11
PYTHONS_2.18 := 3.13 3.12 3.11
PYTHONS_2.19 := 3.13 3.12 3.11
PYTHONS_2.20 := 3.13 3.12 3.14
PYTHONS_2.21 := 3.13 3.12 3.14
PYTHONS_ANY  := 3.13 3.12 3.11 3.14
PYTHONS := $(or $(PYTHONS_$(or $(ANSIBLE_CORE),ANY)),$(PYTHONS_ANY))

ifneq ($(filter-out help clean,$(or $(MAKECMDGOALS),help)),)
# Each candidate is really run: a shim of pyenv, say, may exist and fail. Its own path is taken, not the shim's.
FOUND := $(shell for python in $(or $(PYTHON),$(addprefix python,$(PYTHONS)) python3); do \
    "$$python" -c 'import ensurepip, sys, venv; \
version = "%d.%d" % sys.version_info[:2]; \
fits = version in sys.argv[1].split() or ("$(ANSIBLE_CORE)" == "" and sys.version_info >= (3, 11)); \
fits or sys.exit(1); print(version, sys.executable)' "$(PYTHONS)" 2>/dev/null && break; done)
ifeq ($(FOUND),)
$(error No suitable Python. $(if $(PYTHON),"$(PYTHON)" does not run or does not fit,None of $(addprefix python,$(PYTHONS)) python3 runs and fits): \
  it has to be $(if $(ANSIBLE_CORE),one of $(PYTHONS) for ansible-core $(ANSIBLE_CORE),3.11 or newer), with the modules venv and ensurepip \
  (Debian and Ubuntu: python3-venv). Name one with: make PYTHON=/path/to/python3.12)
endif
PYTHON_VERSION := $(firstword $(FOUND))
override PYTHON := $(wordlist 2,$(words $(FOUND)),$(FOUND))
endif

VENV := $(CURDIR)/.cache/venv/py$(PYTHON_VERSION)$(addprefix -core,$(ANSIBLE_CORE))$(addprefix -requests,$(REQUESTS))
OSCAL := $(CURDIR)/.cache/venv/oscal-py$(PYTHON_VERSION)
EDA := $(CURDIR)/.cache/venv/eda-py$(PYTHON_VERSION)
SAILPOINT := $(CURDIR)/.cache/venv/sailpoint-py$(PYTHON_VERSION)
EXECUTION := $(CURDIR)/.cache/venv/execution-py$(PYTHON_VERSION)$(addprefix -core,$(ANSIBLE_CORE))
IMPORTER := $(CURDIR)/.cache/venv/importer-py$(PYTHON_VERSION)
BIN := $(VENV)/bin
MAKE_VENV = "$(PYTHON)" tests/tools/make_venv.py
LINK := .cache/ansible_collections/secops/remediation
COPY := .cache/ansible-test/ansible_collections/secops/remediation
VERSION = $(shell sed -n 's/^version: *//p' galaxy.yml)
TARBALL = build/secops-remediation-$(VERSION).tar.gz

# pyenv's shims answer for Pythons that do not run, which breaks ansible-test and the discovery of interpreters.
export PATH := $(BIN):$(shell printf '%s' "$$PATH" | tr ':' '\n' | grep -v 'pyenv/shims/*$$' | tr '\n' ':' | sed 's/:*$$//')
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible-home
# Everything here runs on this machine, and someone's home folder may be missing or not writable.
export ANSIBLE_REMOTE_TMP := $(ANSIBLE_HOME)/tmp
export ANSIBLE_CONFIG := $(CURDIR)/tests/ansible.cfg
export ANSIBLE_PYTHON_INTERPRETER := $(BIN)/python
export PYTHONPATH := $(CURDIR)/.cache
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
export PYTHON ANSIBLE_CORE REQUESTS DEMO_DIR UNIT_ARGS INTEGRATION_ARGS SANITY_ARGS BROWSER_ARGS CONFORMANCE_ARGS AWX_ARGS EDA_ARGS
# For tools that bring their own idea of where collections are.
WITHOUT_OURS := env -u PYTHONPATH -u ANSIBLE_COLLECTIONS_PATH -u ANSIBLE_CONFIG -u ANSIBLE_HOME -u ANSIBLE_REMOTE_TMP -u ANSIBLE_PYTHON_INTERPRETER
unexport VIRTUAL_ENV PYTHONHOME
# git sets these for its hooks, and they would send the git commands of the tools elsewhere.
unexport GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
# ansible refuses to run in a locale that is not UTF-8.
ifneq ($(filter C POSIX,$(LC_ALL)),)
export LC_ALL := C.UTF-8
endif

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r target text; do printf '%-14s %s\n' "$$target" "$$text"; done
	@echo
	@echo 'Variables: PYTHON=/path/to/python3.12  ANSIBLE_CORE=2.16  REQUESTS=2.28.0  DEMO_DIR=folder'
	@echo '           UNIT_ARGS, INTEGRATION_ARGS, BROWSER_ARGS, CONFORMANCE_ARGS, AWX_ARGS, EDA_ARGS (for pytest), SANITY_ARGS (for ansible-test), BENCH_ARGS, DEMO_ARGS'

.PHONY: demo
demo: run-venv ## See a verification run against simulated systems
	@DEMO_DIR="$(DEMO_DIR)" tests/demo/run $(DEMO_ARGS)

.PHONY: test
test: ## Run every check; the last line counts the tests
	@MAKE="$(MAKE)" "$(PYTHON)" tests/tools/run_parts.py venv lint docs-lint build sanity unit oscal browser conformance awx integration

.PHONY: lint
lint: venv ## Lint playbooks, roles, YAML, Python with its type hints, and the changelog
	@status=0; \
	for check in "yamllint --strict ." "ansible-lint --profile production --offline" "ruff check --quiet ." "ruff format --check --quiet ." "mypy --no-error-summary" "antsibull-changelog lint"; do \
	  echo "$$check"; $$check || { status=1; echo "FAILED: $$check"; }; \
	done; exit $$status

.PHONY: fix
fix: venv ## Let ruff repair and format what it can
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

.PHONY: docs-lint
docs-lint: venv ## Check the documentation of modules, plugins and roles
	"$(BIN)/antsibull-docs" lint-collection-docs --plugin-docs --validate-collection-refs self --skip-rstcheck .

.PHONY: sanity
sanity: venv ## Run ansible-test's sanity tests
	@"$(BIN)/python" tests/tools/sync.py "$(COPY)"
	@"$(BIN)/python" tests/tools/seed_get_pip.py
	@cd "$(COPY)" && $(WITHOUT_OURS) "$(BIN)/ansible-test" sanity --local --requirements --python $(PYTHON_VERSION) --color no $(SANITY_ARGS)

.PHONY: unit
unit: venv ## Run the unit tests
	"$(BIN)/pytest" tests/unit --junitxml=.cache/results/unit.xml $(UNIT_ARGS)

.PHONY: integration
integration: venv ## Run real playbooks against the simulator
	@"$(BIN)/python" tests/pipelines/install_actionlint.py
	"$(BIN)/pytest" tests/integration --junitxml=.cache/results/integration.xml $(INTEGRATION_ARGS)

.PHONY: faults
faults: venv ## Make docs/faults.md anew from what the tests see of each fault
	@"$(BIN)/python" tests/tools/faults.py --begin
	RECORD_FAULTS=1 "$(BIN)/pytest" -q tests/unit/plugins/modules/test_faults.py tests/integration/test_trust_*.py $(INTEGRATION_ARGS)
	@"$(BIN)/python" tests/tools/faults.py

.PHONY: architecture
architecture: ## Draw the rooms and who imports whom into docs/architecture.md
	@"$(PYTHON)" tests/tools/architecture.py

.PHONY: event-schemas
event-schemas: venv ## Make the JSON schemas of the event sources' arguments anew
	@"$(BIN)/python" tests/tools/event_schemas.py

.PHONY: browser
browser: venv ## Look at the page of a verification in a headless Chromium, which is installed if need be
	@"$(BIN)/python" tests/tools/install_browser.py > /dev/null
	"$(BIN)/pytest" tests/browser --junitxml=.cache/results/browser.xml $(BROWSER_ARGS)

.PHONY: screenshot
screenshot: venv ## Make the README's picture of the page from a fresh demo
	@"$(BIN)/python" tests/tools/install_browser.py > /dev/null
	@rm -rf .cache/screenshot
	@DEMO_DIR="$(CURDIR)/.cache/screenshot" tests/demo/run > .cache/screenshot.log 2>&1 || { cat .cache/screenshot.log; exit 1; }
	"$(BIN)/python" tests/browser/screenshot.py .cache/screenshot/remediation-evidence/latest/verification.html docs/verification.png

.PHONY: oscal
oscal: link ## Validate the OSCAL evidence with compliance-trestle
	@$(MAKE_VENV) "$(OSCAL)" tests/requirements-oscal.txt --core none
	"$(OSCAL)/bin/python" -m pytest tests/oscal --junitxml=.cache/results/oscal.xml

.PHONY: conformance
conformance: venv ## Hold the modules and the simulator against SailPoint's specification with Prism, and its own client
	@"$(BIN)/python" tests/conformance/install_prism.py > /dev/null
	@$(MAKE_VENV) "$(SAILPOINT)" tests/requirements-conformance.txt --core none
	SAILPOINT_SDK="$(SAILPOINT)/bin/python" "$(BIN)/pytest" tests/conformance --junitxml=.cache/results/conformance.xml $(CONFORMANCE_ARGS)

.PHONY: awx
awx: venv build ## Set up a stand-in for AWX with awx.awx, and run the demo in what an execution environment installs
	@$(MAKE_VENV) "$(VENV)" tests/requirements-awx.txt --core "$(ANSIBLE_CORE)" --requests "$(REQUESTS)"
	@"$(BIN)/python" tests/tools/get_awx_collection.py
	@# As ansible-builder does it: the collection is installed, says what it needs, and that is installed.
	@ANSIBLE_COLLECTIONS_PATH="$(CURDIR)/.cache/execution" "$(BIN)/ansible-galaxy" collection install --force --offline "$(TARBALL)" > /dev/null
	@"$(BIN)/ansible-builder" introspect .cache/execution --write-pip .cache/execution/requirements.txt > /dev/null
	@$(MAKE_VENV) "$(EXECUTION)" .cache/execution/requirements.txt --core "$(ANSIBLE_CORE)"
	EXECUTION="$(EXECUTION)" "$(BIN)/pytest" tests/awx --junitxml=.cache/results/awx.xml $(AWX_ARGS)

.PHONY: eda
eda: link ## Run docs/events.md with the real ansible-rulebook, from an event to the evidence
	@$(MAKE_VENV) "$(EDA)" tests/requirements-eda.txt
	$(WITHOUT_OURS) PATH="$(EDA)/bin:$$PATH" "$(EDA)/bin/python" -m pytest tests/eda --junitxml=.cache/results/eda.xml $(EDA_ARGS)

.PHONY: bench
bench: bench-venv ## Compare with a playbook of uri loops, and with the floor
	@mkdir -p .cache/results
	"$(BIN)/python" tests/benchmark/run.py --json .cache/results/bench.json $(BENCH_ARGS)

.PHONY: build
build: run-venv ## Build the collection into build/ and check what is in it
	@mkdir -p build
	@rm -f build/*.tar.gz
	"$(BIN)/ansible-galaxy" collection build --force --output-path build
	@"$(BIN)/python" tests/tools/check_tarball.py "$(TARBALL)"

.PHONY: import-check
import-check: build ## Check the built collection as Galaxy does
	@$(MAKE_VENV) "$(IMPORTER)" tests/requirements-importer.txt --core none
	@mkdir -p .cache/results
	@cd build && $(WITHOUT_OURS) PATH="$(IMPORTER)/bin:$$PATH" \
	  "$(IMPORTER)/bin/python" -m galaxy_importer.main "$(CURDIR)/$(TARBALL)" > ../.cache/results/import-check.log 2>&1 \
	  || { cat ../.cache/results/import-check.log; exit 1; }
	@cat .cache/results/import-check.log
	@# It exits with 0 whatever it found.
	@! grep -E '^ *(ERROR|CRITICAL)' .cache/results/import-check.log > /dev/null || { echo 'galaxy-importer found errors'; exit 1; }

.PHONY: changelog
changelog: venv ## Turn the changelog fragments into the release of galaxy.yml's version
	"$(BIN)/antsibull-changelog" release --update-existing --reload-plugins

.PHONY: venv run-venv bench-venv
venv: link ## Make the environment in .cache/ with all that tests need
	@$(MAKE_VENV) "$(VENV)" tests/requirements.txt --core "$(ANSIBLE_CORE)" --requests "$(REQUESTS)"

run-venv: link
	@$(MAKE_VENV) "$(VENV)" tests/requirements-demo.txt --core "$(ANSIBLE_CORE)" --requests "$(REQUESTS)"

bench-venv: link
	@$(MAKE_VENV) "$(VENV)" tests/requirements-bench.txt --core "$(ANSIBLE_CORE)" --requests "$(REQUESTS)"

# ansible-playbook, ansible-doc and pytest find the collection here, wherever the checkout is.
.PHONY: link
link:
	@mkdir -p $(dir $(LINK)) && { [ -L $(LINK) ] || ln -sfn ../../.. $(LINK); }

.PHONY: clean
clean: ## Remove all that was made
	rm -rf .cache build .ansible collections tests/output
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
