# The verbs of this project. `make help` lists them; scripts/ has what they run.

MAKEFLAGS += --no-print-directory
PYTHON ?= python3
export PYTHON

# Where it is set, as in many containers, each process compiles everything anew, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

SETUP := @sh scripts/python.sh scripts/setup.py
RUN := .venv/bin/python
AT_ONCE := -n auto --maxprocesses 4 --dist loadfile
ORDINARY := not browser and not stack
ORDINARY := not browser and not stack and not template# [template-only]

.DEFAULT_GOAL := help
.PHONY: help dev setup test test-browser test-stack stack fuzz audit bench bench-scale bench-polar fidelity lint fmt lock ci clean
.PHONY: test-template # [template-only]

help: ## List the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r verb text; \
		do printf 'make %-15s %s\n' "$$verb" "$$text"; done

dev: ## Run the application and the local Polar (PORT, POLAR_EMULATOR_PORT)
	$(SETUP) dev
	@$(RUN) scripts/dev.py

setup: ## Install everything, for an editor
	$(SETUP) dev test lint browser

test: ## Run the tests (TEST_DATABASE_URL chooses PostgreSQL; ARGS="-k word")
	$(SETUP) dev test
	$(RUN) -m pytest $(AT_ONCE) -m "$(ORDINARY)" $(ARGS)

fuzz: ## Send nonsense to every route and to the webhook door (FUZZ_CASES, FUZZ_SEED=random)
	$(SETUP) dev test
	FUZZ_CASES=$${FUZZ_CASES:-10000} $(RUN) -m pytest tests/fuzz --timeout=0 --durations=3 $(ARGS)

audit: ## Look for known holes in dependencies, secrets in files, mistakes in workflows
	$(SETUP) audit
	@$(RUN) scripts/audit.py

test-browser: ## Run the journeys in Chromium (CHROMIUM names it)
	$(SETUP) dev test browser
	$(RUN) -m pytest -m browser $(ARGS)

test-stack: ## Build the image, run the stack and the runbooks (PostgreSQL, Redis, nginx)
	$(SETUP) dev test
	$(RUN) -m pytest -m stack $(ARGS)

stack: ## Rehearse two machines under load, with kills and a new release (ARGS=--quick)
	$(SETUP) dev test
	@$(RUN) scripts/stack.py $(ARGS)

bench: ## Measure the webhook door, a storm, the pages, Lighthouse (ARGS="--part pages"; minutes)
	$(SETUP) dev test
	@$(RUN) scripts/bench.py $(ARGS)

bench-scale: ## Measure the pages among a million users in PostgreSQL (ARGS=--quick)
	$(SETUP) dev test
	@$(RUN) scripts/bench_scale.py $(ARGS)

bench-polar: ## Measure the local Polar: start, requests, renewals, scenarios (ARGS=--quick)
	$(SETUP) dev test
	@$(RUN) scripts/bench_polar.py $(ARGS)

fidelity: ## Compare the local Polar with the recordings of the real one
	$(SETUP) dev test
	@$(RUN) scripts/fidelity.py

# [template-only
test-template: ## Generate projects with cookiecutter and test them
	$(SETUP) dev test lint
	@$(RUN) scripts/template_tools.py
	$(RUN) -m pytest -m template $(ARGS)

# template-only]
lint: ## Check style, types, layers, templates, migrations and links
	$(SETUP) dev test lint browser
	@$(RUN) scripts/lint.py

fmt: ## Format the code
	$(SETUP) lint
	$(RUN) -m ruff check --fix-only --quiet .
	$(RUN) -m ruff format .

lock: ## Choose versions anew after a change in pyproject.toml (ARGS=--upgrade for all)
	@sh scripts/python.sh scripts/lock.py $(ARGS)

ci: ## Do what the build server does
	.ci/run

clean: ## Remove what can be made again; .env and the database stay
	rm -rf .venv .tools artifacts htmlcov .coverage .pytest_cache .mypy_cache .ruff_cache
	rm -rf .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
