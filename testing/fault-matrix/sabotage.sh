#!/usr/bin/env bash
# Breaks the operator in each way of sabotage/, and sees that the few crash points of every test run notice it.
set -euo pipefail
cd "$(dirname "$0")/../.."

git diff --quiet HEAD -- operator || { echo "operator/ has changes: commit them first, they would be in the way" >&2; exit 1; }
log=$(mktemp)
patch=
trap '[[ -z $patch ]] || git apply --reverse "$patch"; rm -f "$log"' EXIT
unseen=0
for found in testing/fault-matrix/sabotage/*.patch; do
    git apply "$found"
    patch=$found
    cargo build --quiet --workspace --bin docket-operator
    if cargo test --quiet --workspace --test fault_matrix a_few -- --nocapture >"$log" 2>&1; then
        echo "NOT SEEN  $(basename "$patch" .patch)"
        unseen=$((unseen + 1))
    else
        echo "seen      $(basename "$patch" .patch), by"
        sed -n 's/^FAILED  \([^:]*\): .*/              \1/p' "$log"
    fi
    git apply --reverse "$patch"
    patch=
done
exit "$unseen"
