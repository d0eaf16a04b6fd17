# shellcheck shell=bash
# A process of the host that outlives the shell which starts it.

# The kernel's start time of a live process: with it a pid file cannot name a stranger, nor one that only waits to be reaped.
start_time() {
    sed -E 's/.*\) //' "/proc/$1/stat" 2>/dev/null | awk '$1 !~ /[ZX]/ { print $20 }'
}

daemon_runs() {
    local pid started
    read -r pid started 2>/dev/null <"$run/$1.pid" || return 1
    [[ -n $started && $(start_time "$pid") == "$started" ]]
}

# start_daemon NAME command…
start_daemon() {
    local name=$1
    shift
    ! daemon_runs "$name" || return 0
    mkdir -p "$logs" "$run"
    [[ ! -e $logs/$name.log ]] || mv "$logs/$name.log" "$logs/$name.before.log"
    (
        pid=$BASHPID
        echo "$pid" >"$(cgroup_of_membership)/$cgroup/daemons/cgroup.procs"
        echo "$pid $(start_time "$pid")" >"$run/$name.pid"
        # No descriptor of ours goes along: not the lock's and not make's.
        exec setsid "$@" >"$logs/$name.log" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    ) &
}

# wait_until SECONDS command…: polls.
wait_until() {
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do
        [[ $SECONDS -lt $limit ]] || { echo "gave up waiting for: $*"; return 1; }
        sleep 0.2
    done
}
