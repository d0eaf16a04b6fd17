#!/usr/bin/env bash
# From whatever is there to a stored document: the cluster, the images side by side with it, and then Docket.
set -euo pipefail
source "$(dirname "$0")/places.sh"
source "$scripts/step.sh"
source "$scripts/choose.sh"
source "$scripts/load.sh"
source "$scripts/lanes.sh"
choose_cluster

images() {
    "$scripts/cluster.sh" packages
    # The cluster takes longer, and rests while it starts: until then it goes first.
    nice "$scripts/images.sh"
}

check_registry

started=$SECONDS
"$scripts/cluster.sh" check
export STEPS_SIDE_BY_SIDE=yes
lane "$scripts/cluster.sh" up
lane images
join_lanes
unset STEPS_SIDE_BY_SIDE
"$scripts/rollout.sh"
echo "All in $((SECONDS - started))s."
