# Score Processor. `make help` lists the targets. Each line of a recipe is one command, which make starts itself: a shell
# between the two would die of make's SIGTERM, and leave the command behind.

STAGE ?= local
export STAGE CANARY WATCH TO KEEP_SETTINGS SKIP_VERIFY SKIP_STAGING YES CHANGE_SET
unexport $(filter PYTHON%,$(.VARIABLES))
# sh reads ENV too, so that people export it: only the command line's is an environment of tox.
ifneq ($(origin ENV),command line)
override ENV :=
endif
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
RUN := $(PYTHON) -m scripts
TOX := $(PYTHON) -m tox
# $(call environments,LABEL) is the list that tox.ini gives the label.
environments = $(shell sed -n 's/^ *$(1) = //p' tox.ini)
# The value of a variable reaches the command unchanged, with its quotes and $; line ends become spaces.
# $(call given,NAME,--option) is `--option value` if NAME is set; $(call each,NAME,--option) repeats it for each word.
define LINE_END


endef
one_word = '$(subst ','\'',$(subst $(LINE_END), ,$(1)))'
given = $(if $(value $(1)),$(2) $(call one_word,$(value $(1))))
each = $(foreach one,$(filter-out $(3),$(value $(1))),$(2) $(call one_word,$(one)))
READY := .venv/.environment
# nix/python chooses the interpreter of the commands that need no environment; HOST_PYTHON= overrides its choice.
HOST := nix/python
ifdef HOST_PYTHON
export HOST_PYTHON
endif

##@ Get started
# The Debian packages and wheels come first: if some cannot be fetched, nothing large has been downloaded yet.
demo: export SCORE_PROCESSOR_DEMO_BEGAN := $(if $(filter demo,$(MAKECMDGOALS)),$(shell date +%s))
demo: ## Build, start the local AWS, push, deploy, score the examples, and show results, logs and a report
	@$(HOST) -m nix.inputs fetch image local-aws
	@$(HOST) -m nix.environments create development .venv
	@$(RUN) demo
# tox keeps the output of environments that run side by side until each ends, so that a file would stay empty for minutes.
test: $(READY) ## Run everything that CI runs (ENV=unit: one environment; ARGS='-k sweep': part of it)
	@$(if $(ENV),,echo "part 1 of 2: $(call environments,checks): two at a time, 10 to 25 minutes, output as each ends")
	@$(if $(ENV),$(TOX) run -e $(ENV),$(TOX) run-parallel --parallel 2 -m checks) $(if $(ARGS),-- $(ARGS))
	@$(if $(ENV),,echo "part 2 of 2: $(call environments,systems): on a local AWS, 20 to 30 minutes")
	@$(if $(ENV),,$(TOX) run -m systems $(if $(ARGS),-- $(ARGS)))

soak: $(READY) ## Run many jobs under kills, duplicates, poison and failing calls (JOBS=2000 SECONDS=600 SEED=)
	@$(PYTHON) -m tests.faults.soak $(call given,JOBS,--jobs) $(call given,SECONDS,--seconds) $(call given,SEED,--seed)

##@ Image
build: ## Fetch the pinned inputs, assemble the image, lint it, and print its digest
	@$(HOST) -m nix.build
lint-image: $(READY) ## Check an image against Lambda's rules (IMAGE=layout, archive or reference; default: the built one)
	@$(RUN) lint-image $(call given,IMAGE)
run: $(READY) ## Run the image as a function on 127.0.0.1:9000, with the API of AWS's emulator (PORT=, VARS='A=1 NAME'; NAME: this shell's value)
	@$(RUN) run $(call given,PORT,--port) $(call given,IMAGE,--image)
# Its variables may be secrets, and everybody may read a command line: they are passed in the environment.
run: export SCORE_PROCESSOR_RUN_ENV := $(value VARS)
shell: $(READY) ## Open a shell inside the image's root, or Python if it has no shell (CMD='/usr/bin/python3.11 -V': run that)
	@$(RUN) shell $(call given,IMAGE,--image) $(if $(CMD),-- $(CMD))
load: $(READY) ## Load the image into Docker or Podman (ENGINE=)
	@$(RUN) load $(call given,ENGINE,--engine)
reproducible: ## Rebuild as other machines, users and Nix would: one digest, or the first byte that differs
	@$(HOST) -m nix.reproducible
sbom: ## Print the image's bill of materials as CycloneDX JSON (SPDX=1: as SPDX; TABLE=1: names, versions, licences)
	@$(HOST) -m nix.sbom $(if $(SPDX),--spdx)$(if $(TABLE),--table)
vulnerabilities: $(READY) ## List known vulnerabilities of all pinned packages (ADVISORIES='PyPI.zip Debian.zip', OSV's exports: renew the list)
	@$(PYTHON) -m nix.vulnerabilities $(call each,ADVISORIES,--update)
nix: ## Build the same image with Nix (the host's, or the project's own)
	@$(HOST) -m nix.nix_build
lock: ## Update the pins and print what moved (PACKAGE=, NAME=: only those, KEEP=1: only what a .in added, DRY_RUN=1)
	@$(HOST) -m nix.locking $(call given,PACKAGE) $(call each,NAME,--lock) $(if $(KEEP),--keep) $(if $(DRY_RUN),--dry-run)
archive: $(if $(ARCHIVE),,$(READY)) ## Archive every pinned input in the stage's registry or a folder (ARCHIVE=FOLDER), for later rebuilds
	@$(if $(ARCHIVE),$(HOST) -m nix.archive_inputs $(call given,ARCHIVE),$(RUN) archive)

##@ Local AWS
local: $(READY) ## Start the local AWS and create the stage's resources
	@$(PYTHON) -m local_aws start
	@$(RUN) infra deploy
stop: ## Stop the local AWS
	@local_aws/stop

##@ Ship
infra-deploy: $(READY) ## Create or update the stage's resources through CloudFormation (CHANGE_SET=NAME: as prepared)
	@$(RUN) infra deploy
infra-diff: $(READY) ## Show what infra-deploy would change (CHANGE_SET=NAME: prepare it, to be approved and executed)
	@$(RUN) infra diff
infra-import: $(READY) ## Write the files that import existing resources into the stacks (docs/how-to/migration.md)
	@$(RUN) infra import
login: $(READY) ## Sign Docker, Podman, buildah or skopeo in to the stage's registry (ENGINE=)
	@$(RUN) login $(call given,ENGINE,--engine) $(if $(DRY_RUN),--dry-run)
push: $(READY) ## Upload the image's missing blobs to the stage's registry
	@$(RUN) push
deploy: $(READY) ## Update the function by digest, publish a version, smoke test it, move the alias (CANARY=10 WATCH=300 DIGEST=)
	@$(RUN) deploy $(call given,DIGEST,--digest)
rollback: $(READY) ## Roll the alias back to the previous image (TO=version or digest; KEEP_SETTINGS=1: the image only)
	@$(RUN) rollback
unlock: $(READY) ## Remove the deploy lock of a deploy that was killed on another host
	@$(RUN) unlock
history: $(READY) ## List the stage's deploys, rollbacks and configuration changes
	@$(RUN) history
drift: $(READY) ## Compare what is deployed with the repository; score-processor exits with 3 if they differ
	@$(RUN) drift
attest: $(READY) ## Sign that this machine built the pushed image (KEY=private.pem BUILDER=URI)
	@$(RUN) attest $(call given,KEY,--key) $(call given,BUILDER,--builder)
verify: $(READY) ## Rebuild the deployed commit, compare the images file by file, check its builders' statements (DIGEST=)
	@$(RUN) verify $(call given,DIGEST)
config: $(READY) ## Set environment, timeout, memory and tracing from stages/STAGE.toml, after showing the difference
	@$(RUN) configure

release: $(READY) ## Prepare a release: version, changelog, commit and tag, unpushed (VERSION=1.2.3, major, minor or patch)
	@$(RUN) release $(call given,VERSION) $(if $(DRY_RUN),--dry-run)

##@ Operate
invoke: $(READY) ## Invoke the function and show response, log tail and cost (EVENT='{...}'; default {}: poll one job, which an enabled event source mostly takes first)
	@$(RUN) invoke $(call given,EVENT)
logs: $(READY) ## Follow the function's log (FOLLOW=0: print and exit; LEVEL=ERROR JOB=id TEXT='words' SINCE=2h: filter)
	@$(RUN) logs $(if $(filter 0,$(FOLLOW)),--no-follow) $(call given,LEVEL,--level) $(call given,JOB,--job) $(call given,TEXT,--grep) $(call given,SINCE,--since)
status: $(READY) ## Show function, alias, digest, queues (depth, age, dead letters) and the latest deploys
	@$(RUN) status
enqueue: $(READY) ## Send jobs from FILE=items.csv, texts or job ids (CARD=card.yaml SCORE=name TEXT= ID= ENCODING= SHEET= HEADER_ROW= RUN_ID=resume that run; OUTPUT=results.csv: wait and write; PATIENCE=60: fail after 60 s without an ended job)
	@$(RUN) enqueue $(call given,FILE) $(call given,CARD,--scorecard) $(call given,SCORE,--score) $(call given,TEXT,--text) $(call given,ID,--id) $(call given,ENCODING,--encoding) $(call given,SHEET,--sheet) $(call given,HEADER_ROW,--header-row) $(call given,RUN_ID,--run) $(call given,OUTPUT,--output) $(call given,PATIENCE,--patience) $(if $(KEEP_COLUMNS),--keep-columns) $(if $(REPLACE),--replace)
results: $(READY) ## List the newest results (SCORECARD=key SCORE=name SINCE=2h LIMIT=50; CSV=1: all, as CSV)
	@$(RUN) results $(call given,SCORECARD,--scorecard) $(call given,SCORE,--score) $(call given,SINCE,--since) $(call given,LIMIT,--limit) $(if $(CSV),--csv)
shadow: $(READY) ## Score stored results' jobs again without storing, and compare (SCORE=name SINCE=2h SHARE=0.1 LIMIT=100 LEAST=0.98)
	@$(RUN) shadow $(call given,SCORECARD,--scorecard) $(call given,SCORE,--score) $(call given,SINCE,--since) $(call given,SHARE,--share) $(call given,LIMIT,--limit) $(call given,LEAST,--least)
versions: $(READY) ## Write the champion version of every score to files for plexus import (FOLDER=versions SCORECARD=key)
	@$(RUN) versions $(call one_word,$(or $(value FOLDER),versions)) $(call given,SCORECARD,--scorecard)
artifacts: $(READY) ## Restore models and cassettes that champion versions name and the stage's bucket has lost
	@$(RUN) artifacts
publish: $(READY) ## Send stored results to the original's GraphQL API, PLEXUS_API_URL (SCORECARD=key SCORE=name SINCE=2h)
	@$(RUN) publish $(call given,SCORECARD,--scorecard) $(call given,SCORE,--score) $(call given,SINCE,--since)
dlq_conflict = $(if $(or $(and $(SHOW),$(REDRIVE)),$(and $(SHOW),$(DELETE)),$(and $(REDRIVE),$(DELETE))),$(error \
	SHOW, REDRIVE and DELETE exclude each other: give one of them))
dlq_verb = $(if $(SHOW),show $(call given,SHOW),$(if $(DELETE),delete $(if $(filter poison,$(DELETE)),--poison )$(call each,DELETE,,poison),$(redrive_or_list)))
redrive_or_list = $(if $(REDRIVE),redrive $(call each,REDRIVE,,1) $(call given,RATE,--rate),list)
dlq: $(READY) ## List dead letters with their reasons (SHOW=ID, REDRIVE=1 or ID with RATE=10, DELETE=ID or poison)
	@$(dlq_conflict)$(RUN) dlq $(dlq_verb)
costs: $(READY) ## Report the cost of invocations and models, in total and per thousand jobs (HOURS=24)
	@$(RUN) costs $(call given,HOURS,--hours)
dashboard: $(READY) ## Serve a page of queues, jobs, results, deploys, errors and latency (PORT=8765; HTML=FILE: write it once)
	@$(RUN) dashboard $(call given,PORT,--port) $(call given,HTML,--html)
doctor: $(READY) ## Diagnose the deployment, dependencies first, with a remedy for each problem
	@$(RUN) doctor

##@ Work on the code
venv: $(READY) ## Create the development environment in .venv (HOST_PYTHON=/path/to/python3.12: with that interpreter)
lint: $(READY) ## Check style, imports between packages, dependencies and workflows
	@$(TOX) run -e lint
golden: $(READY) ## Regenerate the golden transcripts (tests/golden)
	@$(PYTHON) -m pytest -q --renew-golden tests/unit/scripts/test_golden_help.py tests/e2e/test_operations_dry_run.py
infra: ## Synthesize the CDK templates into infrastructure/templates/
	@$(HOST) -m nix.environments create infrastructure build/infrastructure-venv
	@build/infrastructure-venv/bin/python -m infrastructure.app

cost-estimate: $(READY) ## Estimate production's monthly cost into docs/reference/cost.md (STAGE=staging: print that stage's)
	@$(PYTHON) -m infrastructure.cost $(if $(filter-out local production,$(STAGE)),$(STAGE),--write docs/reference/cost.md)

##@ Clean up
cache: ## Show the cache: sizes, ages, and what the locks of this commit do not need
	@$(HOST) -m nix.cache_command show
cache-prune: ## Remove from the cache what the locks do not need (DRY_RUN=1)
	@$(HOST) -m nix.cache_command prune $(if $(DRY_RUN),--dry-run)
clean: ## Stop the local AWS and remove everything that was created in this checkout; the cache stays
	@local_aws/stop --all
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf build .local-aws .venv .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache result
clean-all: clean ## Run clean, and remove the cache of inputs, layers and environments; env/ stays
	@$(HOST) -B -m nix.cache_command clear
	@rm -rf build
	@$(if $(wildcard env),echo "env/ stays: the environment of README's Install; rm -r env removes it")

# `##@ GROUP` begins a group, and `target: … ## TEXT` is a line of it.
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2} END {print "\nSTAGE=staging or production: act on that stage instead of local. DRY_RUN=1: rehearse only. YES=1: do not ask for confirmation.\n"}' $(MAKEFILE_LIST)

# Checked at every use if the interpreter behind .venv is gone (a dangling link has no real path), HOST_PYTHON is set, or
# .venv was made elsewhere.
MADE_HERE = $(findstring $(realpath .venv),$(file <$(READY)))
$(READY): nix/locks/development.lock nix/locks/build.lock nix/locks/uv.lock pyproject.toml $(if $(and $(realpath $(PYTHON)),$(MADE_HERE)),$(if $(HOST_PYTHON),FORCE),FORCE)
	@$(HOST) -m nix.environments create development .venv
FORCE:

.PHONY: demo test soak build lint-image run shell load reproducible sbom vulnerabilities nix lock archive local stop infra-deploy infra-diff infra-import login push deploy rollback unlock history drift config invoke logs status attest verify release enqueue results shadow versions artifacts publish dlq costs dashboard doctor venv lint golden infra cost-estimate cache cache-prune clean clean-all help
