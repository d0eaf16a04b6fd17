#!/usr/bin/env bash
# Ends the bare machine's cluster and leaves nothing of it outside the cache.
set -euo pipefail
source "$(dirname "$0")/../places.sh"
source "$scripts/step.sh"
for part in cgroups sysctls network mounts end; do
    # shellcheck source=/dev/null
    source "$scripts/bare/$part.sh"
done

# What the kubelet, the shims and the network plugins put at places that cannot be chosen.
remove_strays() {
    local place
    if [[ -d /var/log/containers ]]; then find /var/log/containers -lname "$state/*" -delete; fi
    if [[ -d /var/lib/cni/results ]]; then grep -lrF "$run/" /var/lib/cni/results | xargs -r rm; fi
    # Sockets of shims that nobody listens on any more.
    for place in /run/containerd/s/*; do
        grep -qF "$place" /proc/net/unix || rm -f "$place"
    done
    for place in /etc/kubernetes /var/lib/kubelet; do
        [[ $(readlink "$place") != "$state"/* ]] || rm "$place"
    done
    for place in /var/log/containers /var/lib/cni/{results,} /run/containerd/{s,} /run/mount; do
        [[ ! -d $place ]] || rmdir --ignore-fail-on-non-empty "$place"
    done
}

stop_all() {
    end_what_runs
    remove_strays
    rm -rf "$run" "$state"
}

step "Ending the cluster" stop_all
