#!/usr/bin/env bash
# From whatever is there to a stored document: the cluster, the images side by side with it, and Docket.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"
source "$scripts/choose.sh"
source "$scripts/load.sh"
choose_cluster
check_registry

started=$SECONDS
"$scripts/cluster.sh" tools
export STEPS_SIDE_BY_SIDE=yes
"$scripts/cluster.sh" up &
cluster=$!
"$scripts/images.sh" || { wait "$cluster"; exit 1; }
wait "$cluster"
unset STEPS_SIDE_BY_SIDE
"$scripts/rollout.sh"
echo "All in $((SECONDS - started))s."
