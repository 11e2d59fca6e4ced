# Everything runs from .venv, which the first target that needs it makes from the lock files (scripts/bootstrap).
WORKERS ?= auto
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo test test-all programs broker store check lint types contracts current coverage bench eval-rules docs lock clean app dev

help:  ## Show these targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

demo: app  ## The recovery incident, end to end, offline, in a temporary repository
	@.venv/bin/twohand demo

test: dev  ## All tests that can run here; the others are named, with what they need
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadgroup -rs

test-all: export TWOHAND_TEST_EVERYTHING = 1
test-all: programs test  ## All tests; one that cannot run here is a failure, not skipped

programs:
	@scripts/everything

broker:  ## A Kafka broker on 127.0.0.1:9092 without containers (Java 17, Maven the first time); make broker DIR=/srv/kafka
	@scripts/kafka run $(or $(DIR),.cache/broker)

store:  ## A PostgreSQL on 127.0.0.1:5432 without containers; not as root
	@scripts/postgres run $(or $(DIR),.cache/store)

check: lint types contracts current  ## Lint, format, types, import contracts, generated documentation (-k: all of them)

lint: dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: dev
	.venv/bin/mypy

contracts: dev
	.venv/bin/lint-imports

current: dev
	.venv/bin/python -m streams.docs --check

coverage: dev  ## Branch coverage of the law
	.venv/bin/coverage run -m pytest tests/rules tests/acceptance
	.venv/bin/coverage report

bench: dev  ## The benchmarks, each beside its anchor
	@for name in decision scan owners reader messages commands hooks judges escalation lists history streams faults; do echo "== bench.$$name"; .venv/bin/python -m bench.$$name || exit; done

eval-rules: dev  ## Detection on labelled changes: make eval-rules MIRROR=DIR ROWS="a.jsonl b.jsonl"
	.venv/bin/python -m bench.evaluate $(MIRROR) $(ROWS)

docs: dev  ## Write the generated documentation anew
	.venv/bin/python -m streams.docs
	.venv/bin/python -m streams.docs_readme README.md
	.venv/bin/python -m bench.capacity --write

lock:  ## Resolve the dependencies anew (needs uv)
	scripts/lock

clean:  ## Remove what was built
	rm -rf .venv dist .*_cache .coverage* .hypothesis bench/out

app:
	@scripts/bootstrap app

dev:
	@scripts/bootstrap dev
