# shellcheck shell=bash
# Questions to the bare cluster; all are quick and change nothing.

cluster_is_healthy() {
    [[ -e $state/complete && $(<"$state/complete") == "$(cluster_key)" ]] &&
        [[ -e /sys/class/net/$bridge ]] && nft list table inet "$table" >/dev/null 2>&1 &&
        daemon_runs containerd && daemon_runs kubelet && daemon_runs kube-proxy &&
        control_plane_answers && system_pods_are_ready
}

# Of another key, a cluster is made anew: other binaries or other settings.
cluster_key() {
    { readlink "$links"/kube* "$links/etcd" "$links/coredns"; cat "$scripts"/bare/*.{toml,yaml,conflist}; } | sha256sum | cut -c1-12
}

control_plane_answers() {
    kubectl get --raw /readyz --request-timeout=5s >/dev/null 2>&1
}

# Pods can be scheduled and find one another by name.
node_and_dns_are_ready() {
    [[ $(kubectl get node/docket deployment/coredns -n kube-system --request-timeout=5s \
        -o jsonpath='{.items[*].status.conditions[?(@.type=="Ready")].status} {.items[*].status.conditions[?(@.type=="Available")].status}' \
        2>/dev/null) == "True True" ]]
}

# Every pod of kube-system: /readyz alone does not tell of a scheduler that is gone.
system_pods_are_ready() {
    local ready
    ready=$(kubectl get nodes,pods -n kube-system --request-timeout=5s \
        -o jsonpath='{range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}' 2>/dev/null) || return 1
    [[ $(wc -w <<<"$ready") -ge 6 && $ready != *False* && $ready != *Unknown* ]]
}
