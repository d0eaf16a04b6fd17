#!/usr/bin/env bash
# Brings the bare machine's cluster up, or back, from whatever state it is in: none, half made, half dead or healthy.
set -euo pipefail
source "$(dirname "$0")/../places.sh"
for part in cgroups daemon network health; do
    # shellcheck source=/dev/null
    source "$scripts/bare/$part.sh"
done
export KUBECONFIG=$state/kubeconfig

if cluster_is_healthy; then
    echo "The cluster is healthy."
    exit
fi
if [[ -e $state/complete && $(<"$state/complete") == "$(cluster_key)" ]]; then
    echo "The cluster is here but not healthy: bringing it back."
    ! "$scripts/bare/start.sh" || exit 0
    echo "It did not come back: starting anew."
    "$scripts/bare/stop.sh"
elif [[ -e $state || -e $run || -n $(processes_of_cluster) ]]; then
    echo "An unfinished cluster, or one of another version, is here: starting anew."
    "$scripts/bare/stop.sh"
fi
"$scripts/bare/start.sh"
