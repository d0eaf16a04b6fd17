# shellcheck shell=bash
# render FILE: a settings file of this folder with ${names} of places.sh put in.

render() {
    export state run socket pod_range service_range dns_address bridge node_address cgroup
    export kubernetes_version etcd_version coredns_version
    # shellcheck disable=SC2016 # envsubst wants the names, not the values
    envsubst '$state $run $socket $pod_range $service_range $dns_address $bridge $node_address $cgroup
              $kubernetes_version $etcd_version $coredns_version' <"$scripts/bare/$1"
}
