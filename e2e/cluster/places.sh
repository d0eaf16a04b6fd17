# shellcheck shell=bash
# Where things are and what they are called: sourced by every other script of this folder.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scripts=$repository/e2e/cluster

cache=${XDG_CACHE_HOME:-$HOME/.cache}/docket # outlives `make down`: binaries, image archives, logs
links=$cache/bin                             # what `make env` puts on the PATH
logs=$cache/logs

state=/var/lib/docket-cluster # of the bare cluster: what a reboot keeps
run=/run/docket-cluster       # of the bare cluster: what a reboot may lose
socket=$run/containerd/containerd.sock

pod_range=10.244.0.0/16
service_range=10.96.0.0/16
dns_address=10.96.0.10
bridge=docket0
node_address=10.244.0.1 # the bridge's own, so that nothing listens on the machine's outer interface
cgroup=docket           # the root of all that the bare cluster runs

kubernetes_version=v1.35.4
etcd_version=v3.6.5
coredns_version=v1.14.2

PATH=$links:$PATH
