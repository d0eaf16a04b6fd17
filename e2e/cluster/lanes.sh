# shellcheck shell=bash
# lane command…: starts a command beside whatever else runs. join_lanes: waits for all of them; the first that fails ends the rest.

lanes=()

# Each leads a process group, so that all that it started can be ended with it.
lane() {
    set -m
    "$@" </dev/null &
    lanes+=("$!")
    set +m
}

join_lanes() {
    local ended code lane left
    while [[ ${#lanes[@]} -gt 0 ]]; do
        code=0
        wait -n -p ended "${lanes[@]}" || code=$?
        left=()
        for lane in "${lanes[@]}"; do
            [[ $lane == "$ended" ]] || left+=("$lane")
        done
        lanes=("${left[@]}")
        [[ $code == 0 ]] || exit "$code"
    done
}

end_lanes() {
    local lane
    for lane in "${lanes[@]}"; do
        kill -TERM -- "-$lane" 2>/dev/null || true
    done
    # What they clean up, they clean up before this ends.
    wait
}
trap end_lanes EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
