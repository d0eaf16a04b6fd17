# shellcheck shell=bash
# Kernel settings that the cluster changes: ours first, then those that the kubelet sets itself.

sysctls=(
    net.ipv4.ip_forward=1
    net.bridge.bridge-nf-call-iptables=1
    fs.inotify.max_user_instances=1024
    vm.overcommit_memory=1
    kernel.panic=10
    kernel.panic_on_oops=1
)

set_sysctls() {
    # A module on most machines, part of the kernel on some.
    [[ -e /proc/sys/net/bridge ]] || modprobe br_netfilter
    # What was there before is kept once, for `down`.
    if [[ ! -e $state/sysctls ]]; then
        sysctl "${sysctls[@]%%=*}" | tr -d ' ' >"$state/sysctls.partial"
        mv "$state/sysctls.partial" "$state/sysctls"
    fi
    sysctl -q "${sysctls[@]}"
}

restore_sysctls() {
    [[ ! -e $state/sysctls ]] || sysctl -q -p "$state/sysctls"
}
