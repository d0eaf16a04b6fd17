#!/usr/bin/env bash
# leftovers.sh: lists what a cluster could leave on this machine; two runs that differ show what one did leave.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/bare/sysctls.sh"

awk '{ print "mount " $5 }' /proc/self/mountinfo
ip -o link | awk -F': ' '{ print "link " $2 }'
ip route show table all | grep -v '^broadcast' | sed 's/^/route /'
ip netns list | sed 's/^/netns /'
if command -v nft >/dev/null; then nft list tables | sed 's/^/nftables /'; fi
sysctl "${sysctls[@]%%=*}" net.netfilter.nf_conntrack_max 2>/dev/null | sed 's/^/sysctl /'
find /sys/fs/cgroup -type d -path "*$cgroup*" -printf 'cgroup %p\n'
# Processes by what only a cluster's can be: started from the cache, or by containerd.
for exe in /proc/[0-9]*/exe; do
    target=$(readlink "$exe" || true)
    case $target in
    "$cache"/tools/*/kube* | "$cache"/tools/*/etcd | *containerd*) echo "process $target" ;;
    esac
done
find /etc /opt /run /srv /usr/libexec /usr/local /var -xdev \
    \( -path "$cache" -o -path "$repository" -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path '/var/log/apt' -o -path /run/systemd -o -path '/run/user' \) -prune \
    -o -printf 'file %p\n'
