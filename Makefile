# Every target sets up what it needs; `make help` lists them. The work itself is in deploy/setup/*.sh.
# Kept to what GNU make 3.81 understands.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?=
ARGS ?=
BASE_IMAGE ?=
VERSION ?= 0.1.0
BIN := .venv/bin
STAMP := .venv/.installed
# Two processes, each with brokers of its own: tests wait more than they work. Brokers that are given cannot be shared.
WORKERS := $(if $(CSMS_TEST_AMQP_URL)$(CSMS_TEST_REDIS_URL),-n 0,-n 2 --dist loadfile)
MEMBERS := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)

# A virtual environment knows its own absolute path: one that was copied or moved is made again.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
$(STAMP): FORCE
endif

.PHONY: help setup run test check lint types bench docs image lock clean brokers FORCE

help:
	@echo 'make run      the central system and eleven emulated charging stations, on port 9220'
	@echo 'make test     all tests, on real brokers         (ARGS="tests/unit -k frames" for some)'
	@echo 'make check    lint, types and test'
	@echo 'make lint     format, style and the import rules'
	@echo 'make types    mypy --strict'
	@echo 'make bench    the benchmark                      (ARGS= as well)'
	@echo 'make docs     write docs/configuration.md again'
	@echo 'make image    the container image, csms:$(VERSION)   (BASE_IMAGE= chooses what it is built on)'
	@echo 'make setup    only .venv; redone when requirements.lock or a member changes'
	@echo 'make lock     resolve the dependencies again (newest versions where there is no uv.lock)'
	@echo 'make clean    remove everything that these targets made'
	@echo 'PYTHON=/path/to/python3 chooses the interpreter (3.11 or newer).'

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml $(MEMBERS) deploy/setup/venv.sh
	@PYTHON='$(PYTHON)' sh deploy/setup/venv.sh

run: setup
	@exec $(BIN)/python deploy/setup/foreground.py $(BIN)/csms up --park deploy/emulator $(ARGS)

test: setup brokers
	@exec $(BIN)/python -m pytest $(WORKERS) $(ARGS)

brokers: setup
	@sh deploy/setup/brokers.sh

check: lint types test

lint: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy

bench: setup brokers
	@exec $(BIN)/python -m bench $(ARGS)

docs: setup
	$(BIN)/python -m csms.reference > docs/configuration.md

image:
	docker build --file deploy/Dockerfile $(if $(BASE_IMAGE),--build-arg BASE_IMAGE='$(BASE_IMAGE)') \
		--build-arg VERSION='$(VERSION)' --build-arg REVISION="$$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
		--tag 'csms:$(VERSION)' .

lock:
	@PYTHON='$(PYTHON)' sh deploy/setup/lock.sh

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find bench libs services tests -name __pycache__ -type d -prune -exec rm -rf {} +
