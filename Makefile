# Everything a user runs. Each target sets up what it needs: a .venv from locked requirements, programs in .bin/.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

STACK ?= dev
KEEP ?=
URL ?=
PRICES ?=
ASSUME ?=
REGION ?=
KEEP_PRICES ?=
PYTHON ?= python3
python := .venv/bin/python
# Programs that are there already may be used instead of built ones: make prove COLLECTOR=/path/to/aws-otel-collector
export COLLECTOR PROMETHEUS PROMTOOL AMTOOL

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  STACK=dev chooses the stack; KEEP=1 keeps a proof running; URL= is where verify reaches the sample"
	@echo "  cost, render: PRICES=us-east-1 takes another region's prices; cost: ASSUME=\"requests=50 viewers=3\" other figures"

.PHONY: prove
prove: .venv/ready ## run the stack's documents on this machine and prove that they produce telemetry
	@$(python) -m tools.build collector prometheus promtool
	@$(python) -m proof $(STACK) $(if $(KEEP),--keep)

.PHONY: pictures
pictures: .venv/ready ## docs/images anew from the report that prove wrote; needs Chromium
	@$(python) -m proof.pictures $(STACK)

.PHONY: soak
soak: .venv/ready ## outages of five minutes under load against the stack's collectors, and how fast they catch up
	@$(python) -m tools.build collector
	@$(python) -m trials.soak $(STACK)

.PHONY: render
render: .venv/ready ## write every document of the stack to build/<stack>/ and show what would be made
	@$(python) -m preview $(STACK) $(if $(PRICES),--prices $(PRICES))

.PHONY: cost
cost: .venv/ready ## what the stack costs in a month, before it exists, and in which pattern it is less
	@$(python) -m preview.costs $(STACK) $(if $(PRICES),--prices $(PRICES)) $(addprefix --assume ,$(ASSUME))

.PHONY: prices
prices: .venv/ready ## read the prices of REGION from AWS's public price list, which takes no credentials
	@$(if $(REGION),,$(error name a region: make prices REGION=eu-central-1))
	@$(python) -m preview.price_list $(REGION) $(addprefix --keep ,$(KEEP_PRICES))

.PHONY: curve
curve: .venv/ready ## the picture and the table of docs/choose-a-pattern.md, and the costs in README.md, anew
	@$(python) -m preview.costs.curve

.PHONY: deploy
deploy: .venv/ready ## pulumi up, after a check of what is missing
	@$(python) -m preview.preflight deploy $(STACK)
	@pulumi stack select $(STACK) --create
	pulumi up --stack $(STACK)

.PHONY: verify
verify: .venv/ready ## asks the deployed stack what the proof asked, and says what is wrong and why
	@$(python) -m verify $(STACK) $(if $(URL),--url $(URL))

.PHONY: destroy
destroy: .venv/ready ## pulumi destroy of the stack
	@$(python) -m preview.preflight destroy $(STACK)
	@! $(python) -m preview.preflight renewal $(STACK) || pulumi up --stack $(STACK) --yes --skip-preview $(token)
	pulumi destroy --stack $(STACK)

# A Grafana of others deletes nothing for a token that has expired: docs/updates.md#taking-a-stack-down.
token := --target '**:WorkspaceServiceAccountToken::**' --target '**pulumi:providers:grafana::**'

# Slow tests of documents and resources compute. The others mostly wait for programs, and have nothing that computes
# beside them: their figures are those of a machine that has time, and three at a time were too many for two processors.
computing := tests/components tests/preview

.PHONY: test
test: lint types programs ## all tests, with coverage
	@$(python) -m pytest -q -m "not slow" -n 2 --dist loadfile --cov --cov-report=
	@$(python) -m pytest -q -m slow -n 2 --dist loadfile --cov --cov-append --cov-report= $(computing)
	@$(python) -m pytest -m slow -n 2 --dist loadfile --cov --cov-append --cov-report=term:skip-covered \
	  $(addprefix --ignore=,$(computing))

.PHONY: fuzz
fuzz: programs ## thousands of generated configurations, right and wrong, others each time (about an hour)
	@HYPOTHESIS_PROFILE=many $(python) -m pytest -n 2 --hypothesis-show-statistics $(generated)

generated := tests/test_configurations.py tests/components/test_generated_stacks.py
generated += tests/preview/test_unreadable.py::test_whatever_is_wrong_the_command_says_it_and_writes_nothing

.PHONY: bench
bench: .venv/ready ## the program against the bare SDK, and our collectors against plain ones (about 15 minutes)
	@$(python) -m trials.program
	@$(python) -m tools.build collector
	@$(python) -m trials.bench

.PHONY: golden
golden: .venv/ready ## the states that release VERSION leaves behind, for the tests of later ones; needs pulumi
	@$(if $(VERSION),,$(error name the release: make golden VERSION=0.2.0))
	@$(python) -m tests.pulumi_cli.releases $(VERSION)

.PHONY: check
check: .venv/ready ## lint, types and the fast tests
	@$(MAKE) --jobs 2 --output-sync=target lint types fast typed="$(product)"

product := __main__.py project_files.py settings.py components documents manual policy preview proof sample tools trials verify
# Everything, unless a target names less: `make check` leaves the types of the tests to `make test`.
typed :=

.PHONY: lint
lint: .venv/ready | build
	@$(python) -m ruff check --quiet .
	@$(python) -m ruff format --check --quiet .
	@.venv/bin/lint-imports --no-logo >build/lint-imports.log || { cat build/lint-imports.log; exit 1; }

.PHONY: types
types: .venv/ready
	@$(python) -m pyright --pythonpath $(python) $(typed)

.PHONY: fast
fast: .venv/ready
	@$(python) -m pytest -q -m "not slow" -n 2 --dist loadfile

build:
	@mkdir -p $@

.PHONY: programs
programs: .venv/ready
	@$(python) -m tools.build collector prometheus promtool amtool

.PHONY: docs
docs: .venv/ready ## the documentation as a site, in build/site
	@$(python) -m sphinx -q -W --keep-going -n -j auto -c docs -d build/doctrees . build/site
	@echo "build/site/index.html"

.PHONY: reference
reference: .venv/ready ## write docs/reference and the diagrams anew from the code
	@$(python) -m manual

.PHONY: schema
schema: .venv/ready ## components/schema.json anew from the models: what other languages see
	@$(python) -m components.package

.PHONY: audit
audit: .venv/ready ## known vulnerabilities in the locked packages and in the Go programs; asks the internet
	@$(python) -m tools.build govulncheck
	@$(python) -m tools.audit

.PHONY: sbom
sbom: .venv/ready ## bills of materials (CycloneDX) of the locked packages and of the Go programs, in build/sbom
	@$(python) -m tools.sbom

.PHONY: lock
lock: .venv/ready ## write the locked requirements anew from the .in files
	@$(python) -m pip install --quiet 'uv>=0.9'
	@$(locked) requirements-dev.txt requirements-dev.in
	@for file in requirements sample/requirements policy/requirements; do \
	  $(locked) $$file.txt --constraint requirements-dev.txt $$file.in; done
	@$(locked) tools/agent/requirements.txt tools/agent/requirements.in

# What is tested is what is deployed: the program and the sample take their versions from those of the tests.
locked = $(python) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --output-file

.PHONY: clean
clean: ## remove what was rendered and built; the .venv stays
	@rm -rf build .bin

.venv/ready: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "setting up .venv from requirements-dev.txt (a minute or two, once)"
	@test -x $(python) || $(PYTHON) -m venv .venv
	@$(python) -m pip install --disable-pip-version-check --require-hashes -r requirements-dev.txt | \
	  awk '/^ *Collecting/ {printf "."; fflush()} /^ERROR/ {print} END {print " done"}'
	@touch $@
