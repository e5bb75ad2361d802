# Everything is kept in .venv, .nox and .cache of this folder.

.DEFAULT_GOAL := help

PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3

.PHONY: help
help:
	@echo "make demo    see the main job, on an embedded API"
	@echo "make test    run all tests; STAGE=unit-3.13 runs one stage and shows its output"
	@echo "make bench   measure it next to what people use today"
	@echo "make build   build the collection's tarball"
	@echo "make clean   remove all that these commands made"

# A Python that is there need not run: a version manager's shim may point nowhere.
.venv/ready: pyproject.toml
	@for python in $(PYTHON); do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	    2>/dev/null && exec "$$python" -m venv --clear .venv; \
	done; echo "This needs Python 3.11 or newer with venv and ensurepip, and found none." >&2; exit 1
	@.venv/bin/python -m pip install -qq --upgrade pip
	@.venv/bin/python -m pip install -qq --group tools
	@touch $@

.PHONY: demo
demo: .venv/ready
	@.venv/bin/python demo/run.py

.PHONY: test
test: .venv/ready
	@.venv/bin/python tests/stages.py $(STAGE)

.PHONY: bench
bench: .venv/ready
	@.venv/bin/python tests/stages.py bench

.PHONY: build
build: .venv/ready
	@.venv/bin/python -m ansible galaxy collection build --force

.PHONY: clean
clean:
	rm -rf .venv .nox .cache
