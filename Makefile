# Docket on one machine. `make help` lists what can be asked.

# Tests and images share one compile: static binaries of the dev profile, or PROFILE=release. Cargo is always asked
# for the whole workspace: for some of its packages it would select other features, and compile their dependencies again.
PROFILE ?= dev
toolchain := $(shell .ci/toolchain.sh)
ifneq ($(toolchain),)
export RUSTUP_TOOLCHAIN := $(toolchain)
endif
export CARGO_BUILD_TARGET := $(shell $(if $(toolchain),RUSTUP_TOOLCHAIN=$(toolchain)) rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS := -C target-feature=+crt-static
export BINARIES := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/$(CARGO_BUILD_TARGET)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
export PROFILE

.DEFAULT_GOAL := help
.PHONY: help up down env cli cluster images deploy dev test compile unit fuzz-api e2e test-faults test-cluster lint lint-charts fmt crds dashboards tools control-plane-tools bench-api bench-api-short bench-operator bench-operator-short compare-objectives
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

up: ## a cluster with Docket on it, and a document stored in it
	@e2e/cluster/up.sh

down: ## ends the cluster and leaves nothing behind but the cache
	@e2e/cluster/cluster.sh down

env: ## shell lines for kubectl, its plugin, helm and cargo: eval "`make -s env`"
	@e2e/cluster/cluster.sh env

cli: ## docketctl, which is kubectl's plugin `kubectl docket` too
	cargo build --workspace --locked --profile $(PROFILE) --bin docketctl

cluster: ## the cluster alone, nothing on it
	@e2e/cluster/cluster.sh up

images: ## every image, into the cache
	@e2e/cluster/images.sh

deploy: ## images, charts and the example tenant onto the cluster
	@e2e/cluster/deploy.sh

dev: ## after a change of code or chart: build, import and roll out what changed
	@e2e/cluster/deploy.sh operator api-server receivers

test: ## everything that must hold before a commit lands, and how long each part of it took
	@MAKE='$(MAKE)' .ci/parts.sh lint compile unit bench-api-short bench-operator-short up lint-charts e2e

compile: tools ## every program and every test, once; the parts after it compile nothing
	cargo test --workspace --locked --no-run
	cargo build --workspace --locked --bins

unit: tools control-plane-tools ## unit and snapshot tests, a few crash points, and a short fuzz-api; no cluster
	INSTA_UPDATE=$${INSTA_UPDATE:-no} e2e/cluster/cargo.sh nextest run --workspace --locked
	cargo test --workspace --locked --doc
	@api-server/fuzz/run.sh 30

fuzz-api: tools ## asks an API server thousands of things that its OpenAPI document allows or forbids
	@api-server/fuzz/run.sh 1000

e2e: ## black-box tests against the cluster that is up
	eval "$$(e2e/cluster/cluster.sh env)" && e2e/run.sh

test-faults: tools control-plane-tools ## kills of the API server, Postgres and S3 among uploads, of the operator at each of its calls, and ten minutes without the gateway; no cluster
	cargo test --workspace --locked --test faults -- --ignored --nocapture
	cargo test --workspace --locked --test fault_matrix -- --ignored --nocapture --test-threads=1
	cargo test --workspace --locked --lib -- --ignored --nocapture

test-cluster: ## kills each part of the cluster and brings it back; ends with no cluster
	@e2e/cluster/test.sh

lint: tools ## formatting, clippy, dependencies, shellcheck, and whether testing/fault-matrix/sabotage still fits the operator
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@.ci/dependencies.sh
	git ls-files '*.sh' .ci/run | xargs shellcheck
	git ls-files 'testing/fault-matrix/sabotage/*.patch' | xargs --max-args 1 git apply --check

lint-charts: tools ## the charts, as Helm and their own checks see them
	@charts/lint.sh

fmt: ## formats the code
	cargo fmt --all

crds: ## the CRD of the chart, from the types in crds/
	cargo build --quiet --workspace --locked --bin docket-crds
	$(BINARIES)/docket-crds > charts/docket/files/crd.new
	mv charts/docket/files/crd.new charts/docket/files/documenttenants.docket.dev.yaml

dashboards: tools ## the dashboards of the chart, from charts/dashboards
	@e2e/cluster/debian.sh prometheus prometheus promtool
	@cd charts && "$$(../e2e/cluster/python.sh grafana dashboards/requirements.txt)" -B -m dashboards --update

tools: ## packages and commands that the rest needs, into the cache
	@e2e/cluster/cluster.sh tools

control-plane-tools: ## what tests start as processes of their own (Kubernetes, Prometheus, a collector, Postgres of other versions), into the cache
	@e2e/cluster/tools.sh kubernetes etcd kube-apiserver kube-controller-manager kube-scheduler
	@e2e/cluster/tools.sh kwok
	@e2e/cluster/debian.sh prometheus prometheus promtool
	@e2e/cluster/collector.sh
	@e2e/cluster/postgres-versions.sh

bench-api: ## measures the API against a peer and the floor, and prints the table (about half an hour)
	@bench/api.sh

bench-api-short: ## the same in a minute, to see that it runs: its figures say nothing
	@BENCH_PROFILE=$(PROFILE) bench/api.sh --short

bench-operator: tools control-plane-tools ## measures the operator with 100, 1,000 and 10,000 tenants, and prints the table (about an hour)
	@bench/operator.sh

bench-operator-short: tools control-plane-tools ## the same with 10 tenants, to see that it runs: its figures say nothing
	@BENCH_PROFILE=$(PROFILE) bench/operator.sh --short

compare-objectives: control-plane-tools ## Sloth's rules anew, and what they, Pyrra's and ours compute from the same series
	@e2e/cluster/tools.sh sloth
	eval "$$(e2e/cluster/cluster.sh env)" && cd objectives/tests/comparison && sloth --no-log generate --input sloth-spec.yaml --out sloth.yaml
	cargo test --workspace --locked --test comparison
