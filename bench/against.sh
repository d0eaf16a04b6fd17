#!/usr/bin/env bash
# against.sh REVISION TURNS api|operator [ARGUMENT…]: measures this tree and another commit in turns, and prints figure beside figure.
# Each side runs its own benchmark with its own programs: bench/against.sh HEAD~20 3 api --rounds 1 get put
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=e2e/cluster/places.sh
source e2e/cluster/places.sh

[[ $# -ge 3 && $2 =~ ^[1-9][0-9]*$ && $3 =~ ^(api|operator)$ ]] || {
    sed -n 's/^# //p' "$0" | sed -n '1,2p' >&2
    exit 2
}
revision=$(git rev-parse --verify --quiet "$1^{commit}") || {
    echo "against.sh: $1 is no commit of this repository" >&2
    exit 2
}
turns=$2 part=$3
shift 3

before=$cache/against/$revision
if [[ ! -d $before ]]; then
    mkdir -p "$before.partial"
    git archive "$revision" | tar -x -C "$before.partial"
    mv "$before.partial" "$before"
fi
outputs=$(mktemp -d)
trap 'rm -rf "$outputs"' EXIT

# measure SIDE TREE TURN ARGUMENT…
measure() {
    local side=$1 tree=$2 turn=$3
    shift 3
    echo "==> turn $turn of $turns: $side" >&2
    (cd "$tree" && env -u CARGO_TARGET_DIR "bench/$part.sh" "$@") >"$outputs/$side.$turn"
}

for ((turn = 1; turn <= turns; turn++)); do
    # Who is first changes each turn, so that a machine that gets slower favours nobody.
    if ((turn % 2)); then
        measure before "$before" "$turn" "$@"
        measure after "$PWD" "$turn" "$@"
    else
        measure after "$PWD" "$turn" "$@"
        measure before "$before" "$turn" "$@"
    fi
done
python3 bench/against.py "$outputs"
