# shellcheck shell=bash
# Where things are: sourced by every other script of this folder.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scripts=$repository/e2e/cluster

cache=${XDG_CACHE_HOME:-$HOME/.cache}/docket # outlives `make down`: binaries, image archives, logs
links=$cache/bin                             # what `make env` puts on the PATH
logs=$cache/logs

state=/var/lib/docket-cluster # everything of ours that a reboot keeps
run=/run/docket-cluster       # everything of ours that a reboot may lose
kubeconfig=$state/kubeconfig
socket=$run/containerd/containerd.sock

pod_range=10.244.0.0/16
service_range=10.96.0.0/16
dns_address=10.96.0.10
kubernetes_version=v1.35.4
export cache links logs state run kubeconfig socket pod_range service_range dns_address kubernetes_version scripts
