#!/usr/bin/env bash
# api.sh [--short] [ROW…]: installs and builds what the benchmarks of the API need, runs them, prints the table.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=e2e/cluster/places.sh
source e2e/cluster/places.sh
# shellcheck source=e2e/cluster/step.sh
source "$scripts/step.sh"
# shellcheck source=e2e/cluster/apt.sh
source "$scripts/apt.sh"

install_peer() {
    python3 -m venv "$peer.partial"
    "$peer.partial/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement bench/peers/fastapi/requirements.txt
    mv "$peer.partial" "$peer"
}

if ! command -v wrk >/dev/null || [[ ! -x /usr/lib/postgresql/15/bin/initdb ]]; then
    step "Installing wrk and Postgres" install_from_debian wrk postgresql-15 python3-venv curl >&2
fi
peer=$cache/tools/peer-$(sha256sum bench/peers/fastapi/requirements.txt | cut -c1-12)
[[ -x $peer/bin/python ]] || step "Installing the peer's Python packages (once)" install_peer >&2
"$scripts/collector.sh" >&2
profile=${BENCH_PROFILE:-release}
step "Building the API server ($profile)" cargo build --profile "$profile" --workspace --locked --bin docket-api-server --bin bench_tenant --bin bench_put_floor >&2

binaries=${CARGO_TARGET_DIR:-$PWD/target}/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}${profile/#dev/debug}
export BINARIES=$binaries
export PEER_PYTHON=$peer/bin/python BENCH_LOGS=$logs/bench PYTHONDONTWRITEBYTECODE=1
mkdir -p "$BENCH_LOGS"
exec python3 bench/run.py "$@"
