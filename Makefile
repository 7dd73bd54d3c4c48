# Score Processor. Each recipe is one command; `make help` lists the targets.
# Variables: STAGE=local|staging|production, CANARY= WATCH= (deploy), TO= (rollback), FOLLOW=0 (logs), FILE=, EVENT=, JOBS=, SECONDS=, YES=1

STAGE ?= local
HOST_PYTHON ?= python3
export STAGE CANARY WATCH TO SKIP_VERIFY YES
unexport $(filter PYTHON%,$(.VARIABLES))
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

# One word for the shell, whatever is in it.
word = '$(subst ','\'',$(1))'

PYTHON := .venv/bin/python
RUN := $(PYTHON) -m scripts
# What a person writes behind NAME= reaches the command as it is, with quotes, $, and line ends (as spaces) in it.
# `given` is an option with that value, where there is one; `each` takes several words.
define LINE_END


endef
one_word = '$(subst ','\'',$(subst $(LINE_END), ,$(1)))'
given = $(if $(value $(1)),$(2) $(call one_word,$(value $(1))))
each = $(foreach one,$(filter-out $(3),$(value $(1))),$(2) $(call one_word,$(one)))
READY := .venv/.environment
# Once there is an environment, its interpreter: it is the host's own, without the detour of a version manager's shim.
BUILD_PYTHON := $(if $(and $(wildcard $(READY)),$(filter file,$(origin HOST_PYTHON))),$(PYTHON),$(HOST_PYTHON))
# Said before anything else runs: the one thing that this Makefile needs besides git and make.
CHECK_PYTHON := [ -e $(READY) ] || $(HOST_PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "make: Python 3.11 or newer with venv is needed, and '$(HOST_PYTHON)' is $$($(HOST_PYTHON) --version 2>&1 | head -n 1)." >&2; \
	echo "      Install it (Debian: apt-get install python3-venv), or name one: make HOST_PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }

##@ The whole job
demo: $(READY) ## Build, start the local AWS, push, deploy, score the examples, show results, logs and a report
	@$(PYTHON) -m scripts.demo
test: $(READY) ## Everything that CI runs: lint, types, unit, infrastructure, image, end to end, faults
	@$(PYTHON) -m tox run $(if $(ENV),-e $(ENV)) $(if $(ARGS),-- $(ARGS))

soak: $(READY) ## Many jobs under kills, duplicates, poison and failing calls (JOBS=2000 SECONDS=600 SEED=)
	@$(PYTHON) -m tests.faults.soak $(call given,JOBS,--jobs) $(call given,SECONDS,--seconds) $(call given,SEED,--seed)

##@ Image
build: ## Fetch pinned inputs, assemble the image, check it against Lambda's rules, print its digest
	@$(CHECK_PYTHON); $(BUILD_PYTHON) nix/build.py
lint-image: $(READY) ## Check an image against Lambda's rules (IMAGE=layout, archive or reference; default: the built one)
	@$(RUN).lint_image $(call given,IMAGE)
run: $(READY) ## The image as a function on 127.0.0.1:9000, where AWS's emulator takes events (PORT=, VARS='A=1 B=2')
	@$(RUN).run $(call given,PORT,--port) $(call each,VARS,--env) $(call given,IMAGE,--image)
shell: $(READY) ## A shell inside the image's root, or Python where it has none (CMD='/usr/bin/python3.11 -V': that instead)
	@$(RUN).shell $(call given,IMAGE,--image) $(if $(CMD),-- $(CMD))
load: $(READY) ## Load the image into Docker or Podman
	@$(RUN).load $(call given,ENGINE,--engine)
reproducible: ## Build again as other machines, users and Nix would: one digest, or the byte that differs
	@$(CHECK_PYTHON); $(HOST_PYTHON) nix/reproducible.py
sbom: ## The bill of materials that the image holds: CycloneDX JSON (TABLE=1: names, versions, licences)
	@$(HOST_PYTHON) nix/sbom.py $(if $(TABLE),--table)
vulnerabilities: $(READY) ## Known vulnerabilities of the locked wheels, by a dated file (ADVISORIES=export in OSV's format: renew it)
	@$(PYTHON) nix/vulnerabilities.py $(call given,ADVISORIES,--update)
nix: ## The same image with Nix (the host's, else the project's own)
	@$(CHECK_PYTHON); nix/run
lock: ## Move all pins and print what moved (PACKAGE=: that one, NAME=: that lock, KEEP=1: only what a .in asks for, DRY_RUN=1)
	@$(CHECK_PYTHON); $(HOST_PYTHON) nix/locking.py $(call given,PACKAGE) $(call each,NAME,--lock) $(if $(KEEP),--keep) $(if $(DRY_RUN),--dry-run)
archive: $(if $(ARCHIVE),,$(READY)) ## Keep every pinned input, in the stage's registry or a folder (ARCHIVE=FOLDER), to rebuild from for ever
	@$(CHECK_PYTHON); $(if $(ARCHIVE),$(HOST_PYTHON) nix/archive_folder.py $(call given,ARCHIVE),$(RUN).archive)

##@ Local AWS
local: ## Start the local AWS and create the stage's resources
	@$(CHECK_PYTHON); $(HOST_PYTHON) -m local_aws start && $(MAKE) infra-deploy
stop: ## Stop the local AWS
	@$(CHECK_PYTHON); $(HOST_PYTHON) -m local_aws stop

##@ Ship
infra-deploy: $(READY) ## Create or update the stage's resources through CloudFormation
	@$(RUN).infra deploy
infra-diff: $(READY) ## Show what infra-deploy would change
	@$(RUN).infra diff
infra-import: $(READY) ## Write the files with which the stacks can take over what exists already (docs/migration.md)
	@$(RUN).infra import
login: $(READY) ## Sign Docker, podman, buildah or skopeo in to the stage's registry, by a credential helper where there is one (ENGINE=)
	@$(RUN).login $(call given,ENGINE,--engine) $(if $(DRY_RUN),--dry-run)
push: $(READY) ## Upload the image's missing blobs to the stage's registry
	@$(RUN).push
deploy: $(READY) ## Update the function by digest, publish a version, try it, move the alias (CANARY=10 WATCH=300: a share first)
	@$(RUN).deploy
rollback: $(READY) ## Let the alias name the image before (TO=version or digest), after checking that it still exists
	@$(RUN).rollback
history: $(READY) ## What the alias named: every deploy, rollback and configuration
	@$(RUN).history
drift: $(READY) ## What differs between the repository and what runs; exit code for CI
	@$(RUN).drift
verify: $(READY) ## Build the deployed commit again, in a clone of its own, and compare the image file by file
	@$(RUN).verify $(call given,DIGEST)
config: $(READY) ## Set environment, timeout, memory and tracing from stages/STAGE.toml, showing the difference first
	@$(RUN).configure

##@ Operate
invoke: $(READY) ## Invoke the function (EVENT='{...}'; default {}: poll one job) and show answer, log tail and cost
	@$(RUN).invoke $(call given,EVENT)
logs: $(READY) ## Follow the function's log (FOLLOW=0: what is there, then end; LEVEL=ERROR JOB=id TEXT='words' SINCE=2h: only those lines)
	@$(RUN).logs $(if $(filter 0,$(FOLLOW)),--no-follow) $(call given,LEVEL,--level) $(call given,JOB,--job) $(call given,TEXT,--grep) $(call given,SINCE,--since)
status: $(READY) ## Function, alias, digest, queues (depth, age, dead letters), last deploys
	@$(RUN).status
enqueue: $(READY) ## Send jobs from FILE=items.csv, texts or ids of jobs (CARD=card.yaml SCORE=name RUN_ID=to go on)
	@$(RUN).enqueue $(call given,FILE) $(call given,CARD,--scorecard) $(call given,SCORE,--score) $(call given,RUN_ID,--run)
results: $(READY) ## The newest results (SCORECARD=key SCORE=name SINCE=2h LIMIT=50; CSV=1: all of them)
	@$(RUN).results $(call given,SCORECARD,--scorecard) $(call given,SCORE,--score) $(call given,SINCE,--since) $(call given,LIMIT,--limit) $(if $(CSV),--csv)
dlq: $(READY) ## The dead letters with their reasons (SHOW=ID; REDRIVE=1 or REDRIVE=ID RATE=10: send back to work; DELETE=ID: for good)
	@$(if $(or $(and $(DELETE),$(REDRIVE)),$(and $(SHOW),$(or $(DELETE),$(REDRIVE)))),$(error SHOW, REDRIVE and DELETE exclude each other: give one of them))$(RUN).dlq $(if $(SHOW),show $(call given,SHOW),$(if $(DELETE),delete $(call each,DELETE),$(if $(REDRIVE),redrive $(call each,REDRIVE,,1) $(call given,RATE,--rate),list)))
costs: $(READY) ## What invocations and models cost, in all and for a thousand jobs (HOURS=24)
	@$(RUN).costs $(call given,HOURS,--hours)
dashboard: $(READY) ## A page of queues, jobs, results, deploys, errors and latency on this machine (PORT=8765; HTML=FILE: once, to a file)
	@$(RUN).dashboard $(call given,PORT,--port) $(call given,HTML,--html)
doctor: $(READY) ## What is wrong, in the order in which things have to be right, each with its remedy
	@$(RUN).doctor

##@ Work on the code
venv: $(READY) ## The development environment in .venv
lint: $(READY) ## Ruff, and the workflows' own checks
	@$(PYTHON) -m tox run -e lint
golden: $(READY) ## Keep what the commands print now as what they have to print (tests/golden)
	@$(PYTHON) -m pytest -q --renew-golden tests/unit/scripts/test_golden_help.py tests/e2e/test_operations_dry_run.py
infra: ## Synthesize the CDK templates into infrastructure/templates/
	@$(CHECK_PYTHON); $(HOST_PYTHON) nix/environments.py create infrastructure build/infrastructure-venv && build/infrastructure-venv/bin/python -m infrastructure.app

cost-estimate: $(READY) ## What production costs in a month, by its settings and a dated price table, into docs/cost.md (STAGE=staging: printed)
	@$(PYTHON) -m infrastructure.cost $(if $(filter-out local production,$(STAGE)),$(STAGE),--write docs/cost.md)

##@ Clean up
cache: ## What the cache holds: size, age, and what the locks of this commit do not need
	@$(CHECK_PYTHON); $(HOST_PYTHON) nix/caching.py show
cache-prune: ## Remove what they do not need (DRY_RUN=1: only say it)
	@$(CHECK_PYTHON); $(HOST_PYTHON) nix/caching.py prune $(if $(DRY_RUN),--dry-run)
clean: ## Stop the local AWS and remove everything that was made here (the cache stays)
	@-$(HOST_PYTHON) -m local_aws stop --all 2>/dev/null; rm -rf build .local-aws .venv .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis result
clean-all: clean ## The same, and the cache of fetched inputs, layers and environments
	@$(HOST_PYTHON) nix/caching.py clear

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2} END {print "\nSTAGE=staging or production: that stage instead of local. DRY_RUN=1: what acts only says what it would do. YES=1: nothing is asked.\n"}' $(MAKEFILE_LIST)

$(READY): nix/locks/development.lock nix/locks/build.lock nix/locks/uv.lock
	@$(CHECK_PYTHON); $(HOST_PYTHON) nix/environments.py create development .venv

.PHONY: demo test soak build lint-image run shell load reproducible sbom vulnerabilities nix lock archive local stop infra-deploy infra-diff infra-import login push deploy rollback history drift config invoke logs status verify enqueue results dlq costs dashboard doctor venv lint golden infra cost-estimate cache cache-prune clean clean-all help
