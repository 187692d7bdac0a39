# Every target sets up what it needs: .venv, from the hash-pinned lock files.
PYTHON ?= python3
RUN = .venv/bin/python
PIP = $(RUN) -m pip install -qq --disable-pip-version-check --no-deps --require-hashes
TEXT ?= Summer Campaign parent=5
override TEXT := $(value TEXT)
export TEXT
# Where this is set, each of the hundreds of processes that the tests start would compile the bot again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo dev test coverage chaos fuzz bench pictures audit lock clean

demo: .venv/run  ## try /addgroup in this terminal, without Slack and without credentials
	@exec $(RUN) -m bot console --stay -- "$$TEXT"  # so that make sees how the console ended, and not a shell

dev: .venv/dev  ## set up .venv for development

# In a fresh checkout one process compiles the tests, or each of the eight would.
test: .venv/dev  ## lint, types and tests
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy & types=$$!; [ -d tests/__pycache__ ] || $(RUN) -m pytest --collect-only > /dev/null; \
	$(RUN) -m pytest -q -n 8 --dist worksteal; tests=$$?; wait $$types && exit $$tests

coverage: .venv/dev  ## tests with the lines and branches that they reach, for half as long again
	$(RUN) -m pytest -q -n 4 --dist worksteal --cov --cov-report=term

chaos: .venv/dev  ## kill the bot under load, for longer than `make test` does
	CHAOS_SECONDS=$${CHAOS_SECONDS:-120} $(RUN) -m pytest -q -s tests/test_chaos.py

fuzz: .venv/dev  ## send hostile input, for longer than `make test` does
	FUZZ_SECONDS=$${FUZZ_SECONDS:-120} $(RUN) -m pytest -q -s tests/test_fuzz.py
	HYPOTHESIS_PROFILE=thorough $(RUN) -m pytest -q -n 4 tests/model tests/slack/test_lengths.py

bench: .venv/dev  ## measure the bot next to what it is compared with (BENCH="burst answer" for a part)
	$(RUN) -m tests.benchmarks.bench $(BENCH)

pictures: .venv/dev  ## draw the pages' pictures from what the bot sends now
	$(RUN) -m tests.docs.pictures

audit: .venv/dev  ## look for known vulnerabilities in the pinned dependencies (needs the network)
	.venv/bin/pip install -qq --disable-pip-version-check pip-audit
	.venv/bin/pip-audit --require-hashes --disable-pip -r requirements.txt

lock: .venv/dev  ## write requirements*.txt from pyproject.toml
	.venv/bin/pip install -qq --disable-pip-version-check uv
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command 'make lock' --extra postgres pyproject.toml -o requirements.txt
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
		--custom-compile-command 'make lock' --extra postgres --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean:  ## remove .venv and the tools' caches
	rm -rf .venv .mypy_cache .ruff_cache .coverage* .hypothesis

# A virtual environment that is broken, or whose packages were not all installed, is made again from nothing.
define SET_UP
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3")'
@test ! -e .venv/unfinished && $(RUN) -m pip --version >/dev/null 2>&1 || { echo "Setting up .venv (once) ..."; \
	rm -rf .venv; mkdir .venv; touch .venv/unfinished; $(PYTHON) -m venv .venv; }
@touch .venv/unfinished
endef

.venv/bin/python:

.venv/run: requirements.txt .venv/bin/python
	$(SET_UP)
	@$(PIP) -r requirements.txt
	@rm .venv/unfinished && touch $@

.venv/dev: requirements.txt requirements-dev.txt .venv/bin/python
	$(SET_UP)
	@$(PIP) -r requirements-dev.txt
	@rm .venv/unfinished && touch $@ .venv/run
