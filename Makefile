SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first Python that is new enough and can make a virtual environment (Debian packs that apart).
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	if "$$name" -c 'import ensurepip, sqlite3, sys, venv; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null; then echo "$$name"; break; fi; done)
# Relative paths only: the folder may have a space in its name.
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Two cores are common; more workers than cores make the tests slower.
WORKERS ?= 2
# For pytest, such as: make test ARGS="-k unsubscribe"
ARGS ?=

.PHONY: help demo test check fix bench smoke soak clean

help: ## Show what can be made.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1 \2/p' Makefile | while read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

demo: $(BIN)/.runtime ## Do the whole job on made-up people, in ./demo; no mail server, no network.
	@if [ -f demo/newsletter.toml ] && [ -f demo/people.csv ]; then rm -rf demo; fi
	@$(BIN)/python -m newsletter_mail demo demo
	@echo && echo 'In this folder, newsletter is $(BIN)/newsletter.'

test: check ## Lint, check the types, run the tests.
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(BIN)/.dev ## Check form, lint, types and imports.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

fix: $(BIN)/.dev ## Put the form right, and what the linter can mend.
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

bench: $(BIN)/.bench ## Measure side by side with others, for an hour; such as ARGS="--only send,fill".
	@PYTHONPATH=.venv/bench $(BIN)/python -m benchmarks $(ARGS)

smoke: $(BIN)/.runtime ## Install the built wheel in an empty environment, and use it in an empty folder.
	sh .ci/smoke $(BIN)/python

soak: $(BIN)/.dev ## Send while everything goes wrong, for 100 rounds or 10 minutes; RELIABILITY.md.
	$(BIN)/python -m benchmarks.soak --into RELIABILITY.md $(ARGS)

clean: ## Remove all that was made here, but no workspace's database.
	rm -rf .venv build dist demo .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find newsletter_mail tests docs migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew when the dependencies change, and only then.
$(BIN)/.runtime: pyproject.toml
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed, with venv (Debian: apt-get install python3-venv)' >&2; exit 1; }
	@test -x $(BIN)/python || '$(PYTHON)' -m venv .venv
	@echo 'Installing what the program needs into .venv'
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable .
	@touch $@

$(BIN)/.dev: $(BIN)/.runtime
	@echo 'Installing what its tests need into .venv'
	@$(PIP) install --group dev
	@touch $@

# In a folder of its own: with uvloop in .venv all tests would run on another event loop.
$(BIN)/.bench: $(BIN)/.dev
	@echo 'Installing what the benchmarks need into .venv/bench'
	@$(PIP) install --upgrade --target .venv/bench --group bench
	@touch $@
