# Two commands do everything, each with all of its own set-up:
#
#   make wheel PACKAGE=numpy ABI=iphonesimulator     build wheels into dist/
#   make test                                        lint, unit tests, integration tests with real builds
#
# Others: make setup | lint | unit | integration | bench | clean

PACKAGE ?= numpy
ABI ?= all
ARCH ?= all
IOS_VERSION ?= 12.0
OUT ?= dist
VENV ?= .venv
# Any Python from 3.11 on runs forge; the newest of those on PATH is taken.
PYTHON ?= $(shell for v in 3.14 3.13 3.12 3.11 3; do \
	p=$$(command -v python$$v) && "$$p" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$p" && break; done)

# Where it is set, each of the thousand commands that tests run compiles all of forge's modules once more.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev

.PHONY: wheel test setup system system-test lint unit integration bench clean

wheel: system $(READY)
	$(BIN)/forge build $(PACKAGE) --abi $(ABI) --arch $(ARCH) --ios-version $(IOS_VERSION) --out $(OUT)

test: system-test lint unit integration

setup: system-test $(READY_DEV)

# Checked each time, since what is missing here fails late and in odd ways; it takes a tenth of a second.
system:
	@tools/setup-system

# What the tests need besides: other CPUs (qemu).
system-test:
	@tools/setup-system --test

# The virtual environment is made after the system's packages: on Debian it takes one of them (python3-venv).
$(READY): pyproject.toml | system
	@python='$(PYTHON)'; [ -n "$$python" ] || python=$$(command -v python3) || { \
		echo 'forge needs Python 3.11 or later' >&2; exit 1; }; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(READY_DEV): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

lint: system $(READY_DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

unit: system $(READY_DEV)
	$(BIN)/python -m pytest tests/unit -n auto

integration: system-test $(READY_DEV)
	# A file to each process, in the order of tests/integration/conftest.py: builds leave cores idle, and what two of them
	# need is built once.
	$(BIN)/python -m pytest tests/integration -n auto --dist loadfile --no-loadscope-reorder --durations=15

bench: system $(READY_DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m bench first
	$(BIN)/python -m bench build
	$(BIN)/python -m bench plan
	$(BIN)/python -m bench unchanged
	$(BIN)/python -m bench check
	$(BIN)/python -m bench lint
	$(BIN)/python -m bench emulate
	$(BIN)/python -m bench index
	$(BIN)/python -m bench serve

clean:
	rm -rf dist build $(VENV)
