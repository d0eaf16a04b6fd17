#!/usr/bin/env bash
# Starts whatever of the bare machine's cluster does not run; each step keeps what is there.
set -euo pipefail
source "$(dirname "$0")/../places.sh"
source "$scripts/step.sh"
source "$scripts/image.sh"
for part in render mounts cgroups daemon sysctls network health control-plane-images; do
    # shellcheck source=/dev/null
    source "$scripts/bare/$part.sh"
done
export KUBECONFIG=$state/kubeconfig

lay_out() {
    # After a reboot nothing under $run is true any more.
    if [[ ! -e $run/boot || $(<"$run/boot") != "$(</proc/sys/kernel/random/boot_id)" ]]; then
        unmount_below "$run"
        rm -rf "$run"
        mkdir -p "$run"
        cp /proc/sys/kernel/random/boot_id "$run/boot"
    fi
    mkdir -p "$state/kubernetes" "$state/kubelet" "$run/cni/net.d"
    : >"$state/resolv.conf"
    # kubeadm and the kubelet's device manager know no other places.
    [[ -e /etc/kubernetes ]] || ln -s "$state/kubernetes" /etc/kubernetes
    [[ -e /var/lib/kubelet ]] || ln -s "$state/kubelet" /var/lib/kubelet
    make_network
    make_cgroups
    set_sysctls
    local file
    for file in containerd.toml kubelet.yaml kubeadm.yaml kube-proxy.yaml addons.yaml; do
        render "$file" >"$state/$file"
    done
    render pods.conflist >"$run/cni/net.d/docket.conflist"
}

# Each of these is asked again and again: a daemon that was just dying at the first look is started at the second.
containerd_answers() {
    start_daemon containerd containerd --config "$state/containerd.toml"
    ctr --address "$socket" version >/dev/null 2>&1
}

kubelet_runs_control_plane() {
    start_daemon kubelet kubelet --config "$state/kubelet.yaml" --kubeconfig /etc/kubernetes/kubelet.conf \
        --root-dir "$state/kubelet" --cert-dir "$state/kubelet/pki" --hostname-override docket --node-ip "$node_address"
    control_plane_answers
}

kube_proxy_has_rules() {
    start_daemon kube-proxy kube-proxy --config "$state/kube-proxy.yaml"
    curl -fsS -o /dev/null http://127.0.0.1:10256/healthz
}

start_containerd() {
    wait_until 60 containerd_answers
    import_control_plane_images
}

# Certificates, kubeconfigs and static pods: kubeadm keeps what is there.
write_control_plane() {
    local config=$state/kubeadm.yaml phase
    for phase in "certs all" "kubeconfig all" "etcd local" "control-plane all"; do
        # shellcheck disable=SC2086 # a phase is two words
        kubeadm init phase $phase --config "$config"
    done
    [[ -e $state/kubernetes/kube-proxy.conf ]] ||
        kubeadm kubeconfig user --client-name system:kube-proxy --config "$config" >"$state/kubernetes/kube-proxy.conf"
    install -m 600 "$state/kubernetes/super-admin.conf" "$KUBECONFIG"
}

wait_for_system() {
    kubectl apply -f "$state/addons.yaml"
    wait_until 90 node_and_dns_are_ready
}

step "Laying out the cluster's folders, network and cgroups" lay_out
step "Starting containerd with the control plane's images" start_containerd
step "Writing certificates and static pods" write_control_plane
step "Starting the kubelet and the control plane" wait_until 120 kubelet_runs_control_plane
# Before the DNS: until it has its rules, nothing reaches a Service.
step "Starting kube-proxy" wait_until 30 kube_proxy_has_rules
step "Waiting for the node and the DNS" wait_for_system
cluster_key >"$state/complete"
