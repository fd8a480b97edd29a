# `make demo` and `make test` are the two commands; each target does its own set-up.
# kubus runs containers, so up, down, demo and the end-to-end tests want root: they go through sudo elsewhere.

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -E)
BIN := .venv/bin
NODES ?= 1
SEEDS ?= 1000
# Much of a test's time is waiting: one worker more than there are cores.
WORKERS ?= $(shell expr $$(nproc) + 1)
FIRST ?= 0

.PHONY: setup demo up down status test-programs test simulate check lock format bench

setup:
	@scripts/setup.sh

demo: setup
	@$(SUDO) $(BIN)/kubus demo

up: setup
	@$(SUDO) $(BIN)/kubus up --nodes $(NODES)

down: setup
	@$(SUDO) $(BIN)/kubus down

status: setup
	@$(SUDO) $(BIN)/kubus status

# Client programs of tests/e2e/clients: other versions of kubectl, Helm, Traefik.
test-programs: setup
	@$(BIN)/python scripts/fetch_test_programs.py .venv/test-programs

test: setup test-programs
	@$(SUDO) $(BIN)/pytest -n $(WORKERS) --dist loadfile $(TESTS)

simulate: setup
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest tests/test_repository.py

# Renews requirements/*.txt: pins stay as they are where they may; UPGRADE=1 takes the newest of everything.
lock: setup
	@scripts/lock.sh $(if $(UPGRADE),--upgrade)

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup
	@$(SUDO) $(BIN)/python -m bench
