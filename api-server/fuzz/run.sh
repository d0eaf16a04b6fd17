#!/usr/bin/env bash
# run.sh [EXAMPLES]: asks an API server, on a Postgres of its own, all that its OpenAPI document allows and forbids, with so many cases an operation.
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=e2e/cluster/places.sh
source e2e/cluster/places.sh

SCHEMATHESIS_PYTHON=$("$scripts/python.sh" schemathesis api-server/fuzz/requirements.txt)
export SCHEMATHESIS_PYTHON
export SCHEMATHESIS_EXAMPLES=${1:-50}
exec cargo test --workspace --locked --test api fuzz:: -- --ignored --nocapture
