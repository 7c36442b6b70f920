# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target sets up what it needs. PYTHON chooses the interpreter: make test PYTHON=python3.12

PYTHON ?= python3
PYTEST = $(BIN)/python -m pytest
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
ifeq ($(VERSION),)
$(error $(PYTHON) does not run. Name a Python of at least 3.11: make PYTHON=/path/to/python3.12)
endif
VENV := .venv/$(VERSION)
BIN := $(VENV)/bin
# Two processes, each with whole files; tests/conftest.py says in which order.
SPREAD = --numprocesses 2 --no-loadscope-reorder
# "or scale": thousands of accounts, and each answer spoilt in each way. make test-full SCALE= leaves them out.
SCALE = or scale
# The tests that run plays. They run with direct execution, and in test-full with ordinary modules, too. Left out are those
# that fork by themselves, and the longest, whose modules and roles others run: the catalogues of attacks, and a watch.
PLAYS := $(shell grep --files-with-matches run_playbook tests/playbooks/test_*.py)
PLAYS := $(filter-out %/test_faults.py %iam.py %/test_member_trail.py,$(PLAYS))
PLAYS := $(filter-out %attacks.py %/test_guardrails.py %/test_watch_org_trail.py,$(PLAYS))
READY := $(VENV)/ready
PAGES := .cache/docs/pages
TARBALL = dist/cloudsec-org_trail-$(shell sed -n 's/^version: //p' galaxy.yml).tar.gz
SELF := .collections/ansible_collections/cloudsec/org_trail

# The tests start hundreds of Pythons; compiled once, each starts a second sooner.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(BIN):$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

.PHONY: help setup collections demo lab unit check test test-full sanity molecule matrix mutants lint bench docs lock run dist importer release clean

help:
	@echo 'make demo    with a local AWS organization: convert, attack, detect, repair'
	@echo 'make lab     keep that organization running and print its environment'
	@echo 'make unit    the unit tests: seconds'
	@echo 'make check   lint and the unit tests: a minute'
	@echo 'make test    what a change needs: lint, and all tests but those of test-full: ten minutes'
	@echo 'make test-full  the rest: every fault, ordinary modules, other Ansibles, thousands of accounts (not with SCALE=)'
	@echo 'make lint    the checks alone'
	@echo 'make sanity  ansible-test sanity and units, with this environment'
	@echo 'make molecule  each role on its own'
	@echo 'make matrix  unit tests, main job and sanity with each supported Ansible and Python'
	@echo 'make mutants  small mistakes put into module_utils, and which of them no unit test sees'
	@echo 'make bench   how fast it is beside other ways to do the same'
	@echo 'make docs    the documentation as HTML, in dist/docs/'
	@echo 'make lock    requirements-dev.lock anew, from requirements-dev.txt and what PyPI has'
	@echo 'make dist    build the collection into dist/'
	@echo 'make importer  build it, and judge it as Galaxy does'
	@echo 'make release  the change log of the version in galaxy.yml, and the collection'

setup: $(READY) collections

$(READY): requirements-dev.lock | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements-dev.lock
	touch $@

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements-dev.lock uv

# One lock file for all Pythons: the lines that differ say for which they are.
lock: $(BIN)/uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate --no-emit-index-url \
		--custom-compile-command 'make lock' --output-file requirements-dev.lock requirements-dev.txt

# One tool of the environment: make run TOOL='ruff check'
run: setup
	@$(TOOL)

collections: $(SELF)

$(SELF):
	mkdir -p $(@D)
	ln -sfn ../../.. $@

demo: setup
	$(BIN)/python -m lab demo

lab: setup
	$(BIN)/python -m lab up

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/ansible-lint --offline
	$(BIN)/antsibull-changelog lint

unit: setup
	$(PYTEST) --quiet tests/unit

check: lint unit

test: lint
	$(PYTEST) $(SPREAD) tests

test-full: setup
	$(PYTEST) $(SPREAD) -m "(full $(SCALE)) and not sanity" tests
	ORG_TRAIL_DIRECT=0 $(PYTEST) $(SPREAD) $(PLAYS)

sanity: setup
	$(PYTEST) -m full tests/packaging/test_ansible_test.py

molecule: setup
	$(BIN)/molecule test --all

# Serially: the environments of the matrix are shared between its tests.
matrix: setup
	$(PYTEST) -m full tests/packaging/test_matrix.py

mutants: setup
	$(BIN)/python -m tests.mutants $(MUTANTS)

bench: setup
	$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement benchmarks/requirements.txt
	$(BIN)/python -m benchmarks

# antsibull-docs writes the pages of modules, plugins and roles beside ours, then Sphinx makes the site of both.
docs: setup
	rm -rf $(PAGES) dist/docs
	mkdir -p -m 755 $(PAGES)/collection
	cp -R docs/*.md docs/iam docs/images docs/site/index.rst CHANGELOG.rst $(PAGES)
	$(BIN)/antsibull-docs --config-file docs/site/antsibull-docs.cfg collection --use-current --squash-hierarchy \
		--fail-on-error --dest-dir $(PAGES)/collection cloudsec.org_trail
	$(BIN)/sphinx-build --quiet -W --keep-going -b html -c docs/site -d .cache/docs/doctrees $(PAGES) dist/docs
	@echo 'Open dist/docs/index.html'

dist: setup
	$(BIN)/ansible-galaxy collection build --force --output-path dist

importer: dist
	$(BIN)/python -m tests.packaging.importer $(TARBALL)

# What is done before the release's commit; CONTRIBUTING.md tells the whole.
release: setup
	$(BIN)/python -m tests.release ready
	$(BIN)/antsibull-changelog release
	$(MAKE) --no-print-directory importer
	@$(BIN)/python -m tests.release next

clean:
	rm -rf .venv .cache .collections dist
