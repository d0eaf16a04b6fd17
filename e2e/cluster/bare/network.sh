# shellcheck shell=bash
# The pods' bridge, and the rule that keeps their traffic on this machine.

table=docket_cluster

make_network() {
    # First of all: nothing for a pod or a Service leaves by another interface, whatever state kube-proxy is in.
    nft -f - <<RULES
table inet $table
delete table inet $table
table inet $table {
    chain keep_inside {
        type filter hook postrouting priority filter
        oifname != { "lo", "$bridge" } ip daddr { $pod_range, $service_range } counter drop
    }
}
RULES
    if [[ ! -e /sys/class/net/$bridge ]]; then
        # A fixed hardware address: by default a bridge changes it with the ports that come and go.
        ip link add "$bridge" address 02:00:0a:f4:00:01 type bridge
    fi
    ip address replace "$node_address/${pod_range#*/}" dev "$bridge"
    ip link set "$bridge" up
    ip route replace "$service_range" dev "$bridge" src "$node_address"
}

remove_network() {
    local port
    # Their other ends go with the pods' namespaces too, but when the kernel gets to it.
    for port in /sys/class/net/"$bridge"/brif/*; do
        [[ ! -e $port ]] || ip link delete "${port##*/}" 2>/dev/null || true
    done
    [[ ! -e /sys/class/net/$bridge ]] || ip link delete "$bridge"
    local family_and_table
    for family_and_table in "ip kube-proxy" "ip6 kube-proxy" "inet $table"; do
        # shellcheck disable=SC2086 # two words on purpose
        ! nft list table $family_and_table >/dev/null 2>&1 || nft delete table $family_and_table
    done
}
