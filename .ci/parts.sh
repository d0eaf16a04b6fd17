#!/usr/bin/env bash
# parts.sh PART…: makes one part after the other, up to the first that fails, and ends with how long each took.
set -euo pipefail
cd "$(dirname "$0")/.."

parts=() outcomes=() times=()

clock() {
    printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
}

table() {
    local row
    printf '\n%-22s %-8s %s\n' part outcome time
    for row in "${!parts[@]}"; do
        printf '%-22s %-8s %s\n' "${parts[row]}" "${outcomes[row]}" "$(clock "${times[row]}")"
    done
    printf '%-22s %-8s %s\n' all '' "$(clock "$SECONDS")"
}

# Also when somebody interrupts it: what a part took until then is not known.
trap table EXIT
for part; do
    parts+=("$part") outcomes+=(stopped) times+=(0)
    started=$SECONDS code=0
    "${MAKE:-make}" --no-print-directory "$part" || code=$?
    times[-1]=$((SECONDS - started))
    if [[ $code != 0 ]]; then
        outcomes[-1]=FAILED
        exit "$code"
    fi
    outcomes[-1]=passed
done
