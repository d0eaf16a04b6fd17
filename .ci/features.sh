#!/usr/bin/env bash
# Sees that the tests ask for no feature of a dependency that the programs lack: only so does one compile of each
# dependency serve tests, images and benchmarks, and only so is what ships what was tested.
set -euo pipefail
cd "$(dirname "$0")/.."

# Each dependency with its features, as a build of the whole workspace selects them along these edges.
selected() {
    cargo tree --workspace --locked --edges "$1" --prefix none --format '{p} {f}' | sed 's/ (\*)$//' | sort -u
}

others=$(comm -23 <(selected normal,build) <(selected normal,build,dev))
[[ -z $others ]] || {
    printf 'Tests select other features of these: name them in [workspace.dependencies].\n%s\n' "$others" >&2
    exit 1
}
