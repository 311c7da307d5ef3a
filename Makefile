# The front door. `make run` and `make test` are all a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements.lock
STAMP := $(VENV)/.installed
# Two for each core: half of them wait for a server that starts, or for a time-out.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
# Tests start servers by the hundred: without byte code each would compile EvPower anew.
export PYTHONDONTWRITEBYTECODE :=
PARALLEL = --numprocesses=$(WORKERS) --dist=worksteal

.PHONY: install run test test-quick foreign fuzz fuzz-api planted proxies pages lint types schema describe bench bench-quick \
  dist dist-check smoke simulate power crash mutants notice guide lock clean

install: $(STAMP)

$(STAMP): $(LOCK) pyproject.toml
	@$(PYTHON) evpower/__init__.py  # an older Python is refused
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

run: install
	$(BIN)/evpower demo

# For instance `make test WORKERS=1 ARGS="--seed 42"`.
test: install
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

# Everyday: what needs no PostgreSQL, no Valkey and no process of its own, and a fifth of Hypothesis' examples. Little of it
# waits: one worker more than there are cores.
test-quick: WORKERS = $(shell echo $$((1 + $$(getconf _NPROCESSORS_ONLN))))
test-quick: install
	$(BIN)/python -m pytest $(PARALLEL) -m "not external" --hypothesis-profile=quick $(ARGS)

# Every command of docs/install.md, with each Python from 3.11 on that is found, as root and as an ordinary user; whole
# installations, so not all of it is part of `make test`. Needs curl and openssl.
# For instance `make guide PYTHONS="3.11 3.13"`.
guide: install
	$(BIN)/python -m tests.guide $(PYTHONS)

# A page and a charger in another language, against a started server; needs node and npm, and so is not part of `make test`.
foreign: install
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "make foreign needs node 20.10 or newer, and npm"; exit 1; }
	cd tests/foreign/ocpp-rpc && npm ci --silent --no-audit --no-fund
	$(BIN)/python -m tests.foreign

# Broken bytes at every door, so long at each, for instance `make fuzz MINUTES=10`; it says which bytes came last.
MINUTES ?= 1
fuzz: install
	$(BIN)/python -m tests.fuzz $(MINUTES)

# A bug for each line of docs/security.md, and whether its test sees it.
planted: install
	$(BIN)/python -m tests.planted

# Requests made of /openapi.json, right and wrong, at a started server: no 5xx, no answer that is not as described.
fuzz-api: install
	$(BIN)/python -m tests.fuzz.api $(MINUTES)

# The whole application in simulated worlds, for instance `make simulate SEEDS=1-100`, or one that failed:
# `make simulate SEED=7 HOURS=1.5`; `UNTIL=` a virtual second stops there and keeps the database (docs/proof.md).
SEED ?= 1
SEEDS ?= $(SEED)
HOURS ?= 1
simulate: install
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --hours $(HOURS) $(if $(UNTIL),--until $(UNTIL)) $(ARGS)

# The planner of power at simulated sites (docs/power.md): a thousand days take half an hour of one core. `make power SEEDS=1-100`
power: install
	$(BIN)/python -m tests.power --seeds $(if $(filter 1,$(SEEDS)),1-1000,$(SEEDS)) --hours $(if $(filter 1,$(HOURS)),24,$(HOURS))

# The started server with its own PostgreSQL under load, hit by two disasters at a time and audited (docs/proof.md); a full
# disk needs root and a mount, a clock that steps Debian's faketime. For instance `make crash MINUTES=20 SEED=7`.
crash: install
	$(BIN)/python -m tests.crash $(MINUTES) --seed $(SEED) $(ARGS)

# One small change at a time to the rooms of money, and whether their tests see it: `make mutants ROOMS=rules`.
mutants: install
	$(BIN)/python -m tests.mutation $(ROOMS)

# The files in config/ with real proxies; needs nginx and caddy, and so is not part of `make test`.
proxies: install
	$(BIN)/python -m tests.proxies

# The operators' pages in Debian's Chromium (apt-get install chromium chromium-driver), and so not part of `make test`.
pages: install
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { echo "make pages needs chromium and chromedriver"; exit 1; }
	$(BIN)/python -m tests.browser

# flake8-async takes a second for 700 lines: what tests run on is read by it, and tests themselves by ruff's part of its rules.
lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/flake8 $$(grep -rlE 'async |trio' --include='*.py' --exclude='test_*.py' evpower tests benchmarks artefacts)
	$(BIN)/lint-imports

types: install
	$(BIN)/mypy

# After a new migration: write down what the schema is now, for review and for the test that compares them.
schema: install
	$(BIN)/python -m tests.db.schema_dump

# After a change of a route or of the phones' socket: the descriptions in docs/, which a test compares with both.
describe: install
	$(BIN)/python -m tests.description

bench: install
	$(BIN)/python -m benchmarks

# Ours beside both peers, in two minutes; nothing is kept.
bench-quick: install
	$(BIN)/python -m benchmarks.peers --quick

# What is handed out, into dist/: the wheel, its lock, one executable (docs/artefacts.md). Reads packages as `make install`.
dist: install
	$(BIN)/python -m artefacts dist

# Runs what `make dist` made.
dist-check: install
	@test -x dist/evpower || { echo "make dist-check needs what make dist makes"; exit 1; }
	$(BIN)/python -m tests.artefacts dist/evpower

# NOTICE, after a change of the lock; a test compares.
notice: install
	$(BIN)/python -m artefacts notice

# Another Python: an installation from the lock, and a charge from its start to its bill. `make smoke PYTHON=python3.13`.
smoke: install
	@$(PYTHON) evpower/__init__.py
	$(BIN)/python -m artefacts wheel
	$(PYTHON) -m venv --without-pip --clear build/smoke
	$(BIN)/uv pip install --quiet --compile-bytecode --python build/smoke/bin/python --require-hashes -r dist/requirements.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python build/smoke/bin/python --no-deps dist/evpower-*.whl
	$(BIN)/python -m tests.artefacts --as-ourselves build/smoke/bin/evpower

# The lock carries hashes and names no index; commit it together with pyproject.toml.
lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --extra dev --extra bench --extra dist pyproject.toml -o $(LOCK)

clean:
	rm -rf $(VENV) var
