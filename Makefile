# These commands install everything in .venv, .nox and .cache.

.DEFAULT_GOAL := help

PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3
NOX = .venv/bin/python -m nox
LOG = .cache/logs/$*.log
# More than the two cores of a small machine, because integration tests mostly wait.
JOBS ?= 3

.PHONY: help
help:
	@echo "make demo    see the main features on an emulator of the API"
	@echo "make test    run all tests; SESSION=unit-3.13 runs one session and shows its output"
	@echo "make test-matrix"
	@echo "             run all tests on every supported ansible-core, and the snippets of the documentation"
	@echo "make coverage"
	@echo "             measure the branch coverage of the plugins by unit and integration tests together"
	@echo "make docs    build the HTML site of the documentation"
	@echo "make bench   compare the speed of the collection with its alternatives"
	@echo "make build   build the collection's tarball; REPOSITORY=https://… adds the URLs that Galaxy needs"
	@echo "make clean   remove everything that these commands created"

# The command of a version manager may exist and still fail.
.venv/ready: pyproject.toml
	@for python in $(PYTHON); do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	    2>/dev/null && exec "$$python" -m venv --clear .venv; \
	done; echo "Python 3.11 or newer with venv and ensurepip is required." >&2; exit 1
	@.venv/bin/python -m pip install -qq --upgrade pip
	@.venv/bin/python -m pip install -qq --group tools
	@touch $@

.PHONY: demo
demo: .venv/ready
	@.venv/bin/python demo/run.py

.PHONY: test
ifdef SESSION
test: .venv/ready
	@$(NOX) -s build $(SESSION)
else
test: session-build
	$(call run-sessions,sed -n 's/^\* \([^ ]*\).*/session-\1/p')
endif

NO_TESTS = session-(build|release|bench|coverage|matrix-generator)
# Everything on every ansible-core, before a release.
.PHONY: test-matrix
test-matrix: session-build
	$(call run-sessions,sed -n 's/^[*-] \([^ ]*\).*/session-\1/p' | grep -vxE '$(NO_TESTS)')

# Run the sessions that a filter takes from nox's list. What a machine lacks is listed at the end.
define run-sessions
	@rm -f .cache/logs/*
	@$(MAKE) --no-print-directory -k -O -j$(JOBS) $$($(NOX) --list | $(1)) \
	  && echo "All tests passed."; status=$$?; \
	grep -hoE 'Session .* skipped: .*|Modules of .* is missing' .cache/logs/*; exit $$status
endef

.PHONY: coverage
coverage: .venv/ready
	@$(NOX) -s build coverage

.PHONY: docs
docs: .venv/ready
	@$(NOX) -s build docs

.PHONY: bench
bench: .venv/ready
	@$(NOX) -s build bench

# What a session ran on, from its log.
FACTS = grep -oE 'Chromium [0-9.]+|core 2[^]]+|python version = [0-9.]+|Modules of .*|skipped: .*' $(LOG) \
  | sed -E 's/python version =/Python/; s/Modules of .* run/modules/; s/[0-9](a|b|rc)[0-9]+$$/& (pre-release)/' \
  | awk '!seen[$$0]++ { printf "%s%s", separator, $$0; separator = ", " }'

# Print one line for each session, and the end of its log if it failed.
session-%: .venv/ready
	@mkdir -p .cache/logs; start=$$(date +%s); \
	$(NOX) -s $* >$(LOG) 2>&1; status=$$?; seconds=$$(($$(date +%s) - start)); \
	if [ $$status = 0 ]; then \
	  printf '%-17s ok      %4d s  %s\n' $* $$seconds "$$($(FACTS))"; \
	else \
	  printf '%-17s FAILED  %4d s  the end of %s:\n' $* $$seconds $(LOG); tail -n 60 $(LOG); \
	fi; exit $$status

.PHONY: build
build: .venv/ready
ifdef REPOSITORY
	@$(NOX) -s release -- $(REPOSITORY)
else
	@.venv/bin/python -m ansible galaxy collection build --force
endif

.PHONY: clean
clean:
	rm -rf .venv .nox .cache
