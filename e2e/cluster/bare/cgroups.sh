# shellcheck shell=bash
# The cgroup that holds every process of the cluster, so that `down` knows what is ours.

# A group counts as much as one process beside it, unless told; this one is a whole machine's worth of them.
processes_worth=8

# One folder for each hierarchy of cgroup v1 (runc uses an empty v2 beside them too), or the single one of v2.
cgroup_hierarchies() {
    awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts
}

# The hierarchy in which membership is looked up: every container is in it.
cgroup_of_membership() {
    cgroup_hierarchies | grep -m1 -E '/pids(,|$)|^/sys/fs/cgroup$'
}

make_cgroups() {
    local hierarchy
    while read -r hierarchy; do
        mkdir -p "$hierarchy/$cgroup"
        # cpuset hands nothing down by itself.
        [[ ! -e $hierarchy/cpuset.cpus ]] || for file in cpuset.cpus cpuset.mems; do
            cat "$hierarchy/$file" >"$hierarchy/$cgroup/$file"
        done
        # Version 1 counts a process as 1024, version 2 as 100.
        [[ ! -e $hierarchy/$cgroup/cpu.shares ]] || echo $((processes_worth * 1024)) >"$hierarchy/$cgroup/cpu.shares"
        [[ ! -e $hierarchy/$cgroup/cpu.weight ]] || echo $((processes_worth * 100)) >"$hierarchy/$cgroup/cpu.weight"
    done < <(cgroup_hierarchies)
    mkdir -p "$(cgroup_of_membership)/$cgroup/daemons"
}

processes_of_cluster() {
    local root
    root=$(cgroup_of_membership)/$cgroup
    [[ ! -d $root ]] || find "$root" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

kill_processes_of_cluster() {
    local round pids
    for round in $(seq 100); do
        mapfile -t pids < <(processes_of_cluster)
        [[ ${#pids[@]} -gt 0 ]] || return 0
        kill -KILL "${pids[@]}" 2>/dev/null || true
        sleep 0.1
    done
    echo "still running after $round rounds: ${pids[*]}" >&2
    return 1
}

remove_cgroups() {
    local hierarchy
    while read -r hierarchy; do
        [[ ! -d $hierarchy/$cgroup ]] || find "$hierarchy/$cgroup" -depth -type d -exec rmdir {} +
    done < <(cgroup_hierarchies)
}
