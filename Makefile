# Two targets do all the set-up: `make demo` shows the main job, `make test` runs every test.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV ?= .venv
PY := $(VENV)/bin/python
CLOUD ?= core
DEMO ?= build/demo
# A file's tests stay together, since they share servers; more than 4 API servers at once help nobody.
PARALLEL ?= -n auto --maxprocesses 4 --dist loadfile
export VENV

.PHONY: help equality venv demo test test-all test-fast lint lock golden toolchain cluster-tools server-tools host-tools docs bench bench-engine bench-bundle clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

venv: ## make .venv for your own stacks: CLOUD=core, aws, gcp, azure or hosts
	@.ci/venv $(CLOUD)

demo: ## the main job on sensei-airgapped, offline: preview, check, cost, render, bundle, verify, import, prove
	@.ci/venv core
	@$(VENV)/bin/skerry demo --out $(DEMO)

test: ## every test that this machine can run, on up to 4 cores; says what was skipped and why
	@.ci/venv all
	@.ci/tools
	@$(PY) -m pytest $(PARALLEL)

test-all: ## every test there is, with the whole life of every stack; writes its result into docs/lifecycle.md
	@.ci/venv all
	@.ci/tools
	@tests/toolchain/build.sh
	@PYTHON=$(PY) tests/toolchain/build_cluster.sh
	@PYTHON=$(PY) tests/toolchain/build_operators.sh
	@PYTHON=$(PY) tests/toolchain/build_servers.sh
	@tests/toolchain/build_compose.sh
	@SKERRY_ALL_LIFECYCLES=1 SKERRY_REQUIRE_TOOLCHAIN=1 SKERRY_REQUIRE_CLUSTER=1 SKERRY_REQUIRE_SERVERS=1 SKERRY_REQUIRE_TOOLS=1 $(PY) -m pytest \
	  --junitxml=build/test-all.xml; code=$$?; \
	  $(PY) -m tests.simulators.lifecycle_report build/test-all.xml docs/lifecycle.md && exit $$code

test-fast: ## tests without the Pulumi CLI, a Kubernetes API server and operating-system tools
	@.ci/venv all
	@$(PY) -m pytest $(PARALLEL) -m "not toolchain and not cluster and not servers and not registry and not network"

lint: ## ruff and mypy
	@.ci/venv all
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

lock: ## make every requirements file anew from pyproject.toml
	@.ci/venv all
	@.ci/lock

golden: ## rewrite the golden files; read the diff before you commit it
	@.ci/venv all
	@$(PY) -m pytest --update-golden -q

toolchain: ## build the real Pulumi CLI from its Go module, cached outside the checkout (14 CPU minutes the first time)
	@tests/toolchain/build.sh

cluster-tools: ## build etcd, kube-apiserver, KWOK, the KubeRay operator and fetch CRDs, cached like the Pulumi CLI
	@.ci/venv all
	@PYTHON=$(PY) tests/toolchain/build_cluster.sh
	@PYTHON=$(PY) tests/toolchain/build_operators.sh

server-tools: ## install PostgreSQL with pgvector, Valkey, SeaweedFS, Barman and Envoy for tests, cached like the Pulumi CLI
	@.ci/venv all
	@PYTHON=$(PY) tests/toolchain/build_servers.sh

host-tools: ## build the loader of the Compose specification and a linter of workflows, cached like the Pulumi CLI
	@tests/toolchain/build_compose.sh
	@tests/toolchain/build_actionlint.sh

equality: ## the engine beside the real CLI on the public programs of SKERRY_EXAMPLES; writes docs/equality.md
	@.ci/venv all
	@$(PY) -m pytest tests/examples -s -q --equality-report docs/equality.md

bench: bench-engine bench-bundle ## figures beside the alternative a user has

bench-engine: ## skerry preview beside the real CLI, and what the SDK costs; fails where a floor is missed
	@.ci/venv all
	@$(PY) tests/bench/bench_engine.py

bench-bundle: ## export, verify and import beside skopeo copy and one SHA-256 pass
	@.ci/venv all
	@$(PY) tests/bench/bench_bundle.py

clean: ## remove what the targets made inside the checkout
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache
