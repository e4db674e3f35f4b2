# `make demo` runs the main job on real bulk data and real cells; `make test` runs every test. Both set up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
NEXTFLOW := $(BIN)/nextflow
# Test files side by side; each computes on one thread.
WORKERS ?= 2
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup demo demo-benchmark demo-perturbation test test-unit test-pipeline test-nf lint docs schema bench image test-hpc lock clean

help:
	@echo "make demo    predict real cells of three lung cancer lines (minutes after set-up)"
	@echo "make demo-benchmark    compare all models on the demo's cells (the longest of the three)"
	@echo "make demo-perturbation train and compare models of differential expression"
	@echo "make test    run all tests"
	@echo "make setup   only make the environment in $(VENV)"
	@echo "also: test-unit test-pipeline test-nf lint docs schema bench image test-hpc lock clean"

setup: $(STAMP)

# Every step can be repeated, and the stamp comes last: an interrupted set-up goes on where it was.
$(STAMP): requirements.lock requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is missing or older than 3.11; name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Set-up 1 of 5: Python environment in $(VENV)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Set-up 2 of 5: uv, the installer, from PyPI"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@echo "Set-up 3 of 5: the packages of requirements.lock (about 7 GB on disk, most of it torch; 1 to 10 minutes)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@echo "Set-up 4 of 5: byte code (under a minute; tasks write none, and each would compile everything again)"
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q -j 0 $(VENV)/lib bin >/dev/null 2>&1 || true # some are for newer Pythons
	@echo "Set-up 5 of 5: Nextflow"
	@printf '#!/bin/sh\nexec "%s/python" "%s/bin/start_engine.py" "$$@"\n' "$(abspath $(BIN))" "$(CURDIR)" > $(NEXTFLOW)
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/python" -m pharmacell "$$@"\n' "$(CURDIR)/bin" "$(abspath $(BIN))" > $(BIN)/pharmacell
	@chmod +x $(NEXTFLOW) $(BIN)/pharmacell
	@$(NEXTFLOW) -v
	@touch $@

demo: setup
	$(NEXTFLOW) run main.nf -profile demo --outdir results/demo -resume
	@echo "Report:      results/demo/report/pharmacell_report.html"
	@echo "Panel:       results/demo/panel/lung_mixture/panel.csv"
	@echo "Predictions: $$(ls results/demo/predictions/*/*/predictions.csv)"

demo-benchmark: setup
	$(NEXTFLOW) run main.nf -profile demo_benchmark --outdir results/demo-benchmark -resume
	@echo "Report: results/demo-benchmark/report/pharmacell_report.html"
	@echo "Tables: $$(ls results/demo-benchmark/benchmark/table*.csv)"

demo-perturbation: setup
	$(NEXTFLOW) run main.nf -profile demo_perturbation --outdir results/demo-perturbation -resume
	@echo "Report: results/demo-perturbation/report/pharmacell_report.html"
	@echo "Scores: results/demo-perturbation/perturbation/scores.csv"

test: test-unit test-pipeline test-nf

test-unit: setup
	$(BIN)/pytest -n $(WORKERS) --dist loadfile tests/python

test-pipeline: setup
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests/pipeline

test-nf: setup
	@if command -v nf-test >/dev/null 2>&1; then PATH="$(abspath $(BIN)):$$PATH" nf-test test; \
	else echo "nf-test is not on PATH: the tests in modules/*/tests are skipped (tests/pipeline covers the same steps)"; fi

# Rules, format, docstrings, types, and that imports point one way without rings.
lint: setup
	$(BIN)/ruff check bin tests benchmarks containers tools examples
	$(BIN)/ruff format --check bin tests benchmarks containers tools examples
	cd bin && $(abspath $(BIN))/lint-imports ../pyproject.toml --no-cache
	$(BIN)/mypy
	$(BIN)/numpydoc lint $$(find bin/pharmacell -name '*.py' | sort)

# The site; a broken link or anchor ends it.
docs: setup
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Site: site/index.html"

# From the fields of the commands' settings; a test fails where a file is not what this writes.
schema: setup
	$(BIN)/python tools/make_schema.py

# The settings (VARIANT, ENGINE, BASE_IMAGE, CA, NETWORK) stand at the head of the script.
image:
	@containers/build.sh

# Docker, Podman and Slurm, each where it is installed; root may be needed to start them (docs/running.md).
test-hpc: setup
	$(BIN)/pytest -s -rs --durations=0 tests/hpc

bench: setup
	$(BIN)/python benchmarks/run.py

lock: setup
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
		--custom-compile-command "make lock" --all-extras pyproject.toml -o requirements.lock

clean:
	rm -rf work .nextflow .nextflow.log* results site .nf-test
