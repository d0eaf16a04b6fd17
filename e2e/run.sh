#!/usr/bin/env bash
# The black-box tests, against the cluster that is up. Those of alerts are minutes of waiting, so they run beside
# the others; pods that come and go under load and kills have the machine for themselves.
set -euo pipefail

# Frames of a runtime say nothing, and would stand where a log ends: there the reason should be.
export RUST_BACKTRACE=0

binary() {
    cargo test --workspace --locked --test "$1" -- "${@:2}"
}

cargo test --workspace --locked --no-run
log=$(mktemp)
trap 'rm -f "$log"' EXIT
binary alerts --test-threads=16 >"$log" 2>&1 &
alerts=$!
others=0
binary docket --test-threads=6 || others=$?
failed=0
wait "$alerts" || failed=$?
cat "$log"
[[ $others == 0 && $failed == 0 ]]
binary alone --test-threads=1 --nocapture
