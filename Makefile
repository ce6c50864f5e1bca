# The same few commands for people and for CI. All of them work from a fresh clone with Python 3.11, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
export JAX_PLATFORMS ?= cpu

.PHONY: demo test check-all proofs benchmarks lint lock clean

demo: $(READY)  ## a result in seconds
	$(BIN)/commonage demo

test: $(READY) lint  ## what CI runs
	$(BIN)/python -m pytest -n 2 -m "not slow and not proof"

check-all: $(READY) lint  ## everything that is not statistics
	XLA_FLAGS= $(BIN)/python -m pytest -n 2 -m "not proof"
	$(BIN)/commonage verify

proofs: $(READY)  ## what takes many repetitions
	$(BIN)/python -m pytest -n 2 -m proof

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

benchmarks: $(READY)  ## ours against the peers, on a quiet machine
	$(BIN)/python -m benchmarks

lock: $(READY)  ## pin what the project needs to today's versions
	$(BIN)/pip install -q pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile -q --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra dev --output-file requirements.lock pyproject.toml

$(READY): pyproject.toml requirements.lock requirements-oracles.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -r requirements-oracles.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	touch $(READY)

clean:
	rm -rf $(VENV) .cache build dist
