#!/usr/bin/env bash
# flame.sh PID SECONDS SVG: where a process spends its time, as a flame graph.
set -euo pipefail
# shellcheck source=e2e/cluster/places.sh
source "$(dirname "$0")/../e2e/cluster/places.sh"

inferno=$cache/tools/inferno
[[ -x $inferno/bin/inferno-flamegraph ]] || cargo install --quiet --locked --root "$inferno" inferno
recorded=$(mktemp)
trap 'rm -f "$recorded"' EXIT
perf record --quiet --freq 199 --call-graph dwarf,65528 --pid "$1" --output "$recorded" -- sleep "$2"
perf script --no-inline --input "$recorded" 2>/dev/null | "$inferno/bin/inferno-collapse-perf" |
    "$inferno/bin/inferno-flamegraph" --title "docket-api-server" --minwidth 0.5 >"$3"
