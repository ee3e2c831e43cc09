# Mammoview: `make demo` and `make test` do all set-up themselves (see scripts/setup.sh).
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint check-style check-types check-imports screenshots installer benchmarks fuzz clean

BIN := .venv/bin

help:
	@echo "make demo          set up, then open the workstation on a synthetic exam (no display: off-screen, PNGs)"
	@echo "make test          set up, then check style, types, import rules and run all tests"
	@echo "make lint          the checks without the tests"
	@echo "make screenshots   renew the pictures in docs/"
	@echo "make installer     freeze a one-folder application into dist/mammoview"
	@echo "make benchmarks    measure speed and memory beside the peers into benchmarks.json"
	@echo "make fuzz          5,000 mutated DICOM files through info and render (FUZZ_FLAGS=\"--files N --seed N\")"
	@echo "make clean         remove what was built (not .venv)"

setup:
	@scripts/setup.sh

demo: setup
	@$(BIN)/mammoview demo

# A file of tests stays in one process: what its tests share is made once.
test: lint
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: check-style check-types check-imports

check-style: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

check-types: setup
	@$(BIN)/mypy

check-imports: setup
	@$(BIN)/lint-imports --no-logo

screenshots: setup
	@QT_QPA_PLATFORM=offscreen $(BIN)/mammoview demo --screenshots docs/screenshots
	@QT_QPA_PLATFORM=offscreen $(BIN)/mammoview demo --loop --screenshots docs/screenshots
	@scripts/tour.sh screenshots/mini-mias

installer: setup
	@$(BIN)/python build_installer.py $(INSTALLER_FLAGS)

benchmarks: setup
	@$(BIN)/python -m benchmarks -o benchmarks.json

fuzz: setup
	@$(BIN)/python tests/fuzz/fuzz_run.py $(FUZZ_FLAGS)

clean:
	@rm -rf build dist runs screenshots benchmarks.json *.egg-info
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
