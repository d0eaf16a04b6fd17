#!/usr/bin/env bash
# Kills each part of the bare cluster in turn and asks `up` to bring it back; then looks for what `down` leaves behind.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"
for part in cgroups daemon sysctls network mounts end health; do
    source "$scripts/bare/$part.sh"
done
export KUBECONFIG=$state/kubeconfig CLUSTER=bare

# The one process of the cluster that runs this command.
process_named() {
    local pid
    for pid in $(processes_of_cluster); do
        [[ $(readlink "/proc/$pid/exe") != */"$1" ]] || echo "$pid"
    done
}

kill_one() {
    local pid
    pid=$(process_named "$1")
    [[ -n $pid ]] || give_up "no $1 runs in the cluster"
    # shellcheck disable=SC2086 # one word each
    kill -KILL $pid
}

# Everything at once, and the runtime folder as a reboot leaves it.
pretend_reboot() {
    end_what_runs
    echo another >"$run/boot"
}

# The same as on a clean machine: answers, and what was stored before is still there.
check() {
    "$scripts/cluster.sh" up >/dev/null
    wait_until 60 cluster_is_healthy
    [[ $(kubectl get configmap -n default kept -o jsonpath='{.data.word}') == kept ]]
    # A pod that starts now finds the API by its name.
    kubectl delete pod -n default asks --ignore-not-found --wait >/dev/null
    kubectl run asks -n default --image="docket.local/coredns:$coredns_version" --restart=Never -- -version >/dev/null
    kubectl wait pod/asks -n default --for=jsonpath='{.status.phase}'=Succeeded --timeout=60s
}

# Whatever runs: the route of a Service and of a pod ends at the bridge, and another way out is dropped.
stays_inside() {
    local address
    for address in "$dns_address" "${pod_range%.*.*}.3.9"; do
        ip route get "$address" | grep "dev $bridge "
    done
    ip link add docket-near type veth peer docket-far
    ip link set docket-near up
    ip link set docket-far up
    curl --silent --interface docket-near --connect-timeout 1 "http://$dns_address" || true
    ip link delete docket-near
    nft list table inet "$table" | grep -E 'counter packets [1-9]'
}

down_and_compare() {
    "$scripts/cluster.sh" down
    "$scripts/leftovers.sh" | sort >"$after"
    diff "$before" "$after"
}

before=$(mktemp) after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
tested=0

"$scripts/cluster.sh" down
"$scripts/leftovers.sh" | sort >"$before"
"$scripts/cluster.sh" up
kubectl create configmap -n default kept --from-literal=word=kept >/dev/null

for victim in containerd kubelet kube-proxy etcd; do
    kill_one "$victim"
    step "up after kill -9 of $victim" check
    tested=$((tested + 1))
done

# The pods go on meanwhile, each under its shim.
for victim in containerd kubelet kube-proxy; do
    kill_one "$victim"
done
nft delete table ip kube-proxy
step "nothing for pods and Services leaves the machine, even without kube-proxy's rules" stays_inside
step "up after kill -9 of every daemon" check
kill_processes_of_cluster
step "up after kill -9 of everything" check
pretend_reboot
step "up after a reboot" check
step "down, compared with before" down_and_compare
echo "$((tested + 5)) passed, 0 failed"
