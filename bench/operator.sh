#!/usr/bin/env bash
# operator.sh [--short] [ARGUMENT…]: builds the operator and its benchmark, runs it, prints the table (operator.sh --help).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=e2e/cluster/places.sh
source e2e/cluster/places.sh
# shellcheck source=e2e/cluster/step.sh
source "$scripts/step.sh"
# shellcheck source=e2e/cluster/apt.sh
source "$scripts/apt.sh"

[[ -x /usr/lib/postgresql/15/bin/initdb ]] || step "Installing Postgres" install_from_debian postgresql-15 >&2
profile=${BENCH_PROFILE:-release}
step "Building the operator and its benchmark ($profile)" \
    cargo build --profile "$profile" --workspace --locked --bin docket-operator --bin docket-bench-operator >&2

binaries=${CARGO_TARGET_DIR:-$PWD/target}/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}${profile/#dev/debug}
export DOCKET_OPERATOR=$binaries/docket-operator
if [[ ${1:-} == --short ]]; then
    shift
    # Ten tenants on one stage show that every part runs.
    set -- --one-stage --tenants 10 --count 10 --among 10 --steady 3 "$@"
else
    set -- --output "$logs/bench-operator.md" "$@"
fi
exec "$binaries/docket-bench-operator" "$@"
