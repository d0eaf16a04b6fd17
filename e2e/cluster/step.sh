# shellcheck shell=bash
# step "text" command…: says what is being done and how long it took; the command's own output goes to a log.

# Never call it in a condition: bash would then go on after a failed line of the command.
step() {
    local text=$1 log code started=$SECONDS
    shift
    mkdir -p "$logs"
    log=$logs/$(tr -cs 'A-Za-z0-9.\n' '-' <<<"${text:0:60}").log
    # Steps that run side by side get a line for the start and one for the end.
    printf '==> %s …%s' "$text" "${STEPS_SIDE_BY_SIDE:+$'\n'}"
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    code=$?
    set -e
    if [[ $code == 0 ]]; then
        printf '%s %ss\n' "${STEPS_SIDE_BY_SIDE:+==> $text …}" "$((SECONDS - started))"
    else
        printf '%s failed after %ss; the end of %s:\n' "${STEPS_SIDE_BY_SIDE:+==> $text …}" "$((SECONDS - started))" "$log" >&2
        tail -n 25 "$log" | sed 's/^/    /' >&2
        return 1
    fi
}

# give_up "sentence": the one sentence that says what to do.
give_up() {
    printf 'docket: %s\n' "$1" >&2
    exit 1
}
